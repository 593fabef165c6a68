"""`--send` at the end of a command that wrote a record: the sending, and what is said of it.

`--no-render`, and what is said of the documents beside the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from incident_ops.adapters.environment import add_to_summary, set_outputs, summary_size
from incident_ops.app.workspace import Workspace
from incident_ops.cli.terminal import say
from incident_ops.domain.record import Record, title_of
from incident_ops.render.findings import json_text

if TYPE_CHECKING:
    from incident_ops.domain.sending import SentRecord


send_option: Callable[[Any], Any] = click.option(
    "--send",
    is_flag=True,
    help="Commit the record on a branch of its own, push it and open its pull request; your checkout stays as it is.",
)

_NO_RENDER = "incident_ops.no_render"


def _note_no_render(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ctx.meta[_NO_RENDER] = value


render_option: Callable[[Any], Any] = click.option(
    "--no-render",
    is_flag=True,
    expose_value=False,
    callback=_note_no_render,
    help="Leave the rendered documents beside the record as they are.",
)


def record_options(command: Callable[..., Any]) -> Any:
    """Gives a command that writes a record --send and --no-render."""
    return send_option(render_option(command))


def rendering(workspace: Workspace, ctx: click.Context) -> Workspace:
    """The workspace as --no-render asks for it."""
    return replace(workspace, renders=False) if ctx.meta.get(_NO_RENDER) else workspace


def say_documents(names: Sequence[str], *, err: bool = False) -> None:
    """Which documents beside a record were rendered with it, where there are some."""
    if names:
        click.echo(f"  documents rendered: {', '.join(names)}", err=err)


def say_unsent(workspace: Workspace, record: Record) -> None:
    """A reminder under a record that nobody else has as it is, as this clone knows it."""
    from incident_ops.app.sent_state import is_unsent  # git is asked, where there is a remote

    if is_unsent(workspace, record):
        click.echo(f"  not sent yet: incident-ops send {record.incident.id}")


def say_all_unsent(workspace: Workspace) -> None:
    """The same of every record, on the error stream, with the command that sends them."""
    from incident_ops.app.edit_record import MOST_NAMED  # slow to import
    from incident_ops.app.sent_state import unsent_incidents  # as above

    if names := unsent_incidents(workspace):
        is_one, named = len(names) == 1, ", ".join(names[:MOST_NAMED])
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        has = "it as it is" if is_one else "them as they are"
        say(f"not sent yet, nobody else has {has} here: {named}{more}", word="note", colour="cyan")
        click.echo(f"  incident-ops send{f' {names[0]}' if is_one else ''}", err=True)


INTERRUPTED = 130


def send_now(workspace: Workspace, path: str, *, tells: bool = False) -> SentRecord:
    """Sends the record that was just written -> what became of it, which `tells` prints."""
    from incident_ops.app.send import RecordSender  # what only --send needs

    try:
        sent = RecordSender(workspace).send(path)
    except KeyboardInterrupt:
        say("the record is written; `incident-ops send` sends it", word="interrupted", colour="red")
        raise click.exceptions.Exit(INTERRUPTED) from None
    _tell_step(workspace, sent)
    if tells:
        say_sent(sent)
    elif sent.problem:
        _warn(f"not sent: {sent.problem}")
    return sent


def _tell_step(workspace: Workspace, sent: SentRecord) -> None:
    """The same in the outputs, the summary and the annotations of a workflow's step, where there is one."""
    if summary_size() is None:
        return
    from incident_ops.app.edit_record import read_for_edit  # only workflows need it
    from incident_ops.render.sent import step_annotation, step_outputs, step_summary

    title = title_of(read_for_edit(workspace, sent.path).record.incident, workspace.judged_by[0]) or ""
    set_outputs(step_outputs(sent))
    add_to_summary(step_summary(sent, title))
    click.echo(step_annotation(sent), err=True, nl=False)


def print_data(workspace: Workspace, path: str, data: Mapping[str, Any], *, send: bool) -> int:
    """Prints data about a record that was written, and with `send` what became of sending it -> the exit code."""
    sent = send_now(workspace, path) if send else None
    click.echo(json_text({**data, **({"send": data_of_sent(sent)} if sent else {})}), nl=False)
    return sent.exit_code if sent else 0


def send_or_say(workspace: Workspace, path: str, notice: str, *, send: bool) -> int:
    """Sends a record that was written, and prints what became of that, or else prints `notice` -> the exit code."""
    if send:
        return send_now(workspace, path, tells=True).exit_code
    say(notice, first="  ", err=False)
    return 0


def say_sent(sent: SentRecord) -> None:
    """What became of a record that was to be sent; why not, on the error stream."""
    from incident_ops.render.sent import sent_lines  # as above

    if sent.problem:
        _warn(f"{'no pull request' if sent.is_sent else 'not sent'}: {sent.problem}")
    for line in sent_lines(sent):
        say(line, first="  ", err=False)


def say_exchange(sent: SentRecord) -> None:
    """What became of a swap that was sent; why there is no pull request, on the error stream."""
    from incident_ops.render.sent import exchange_lines  # as above

    if sent.problem:
        _warn(f"no pull request: {sent.problem}")
    for line in exchange_lines(sent):
        say(line, first="  ", err=False)


def data_of_sent(sent: SentRecord) -> dict[str, Any]:
    """The same for a program."""
    from incident_ops.render.sent import sent_data  # as above

    return sent_data(sent)


def _warn(text: str) -> None:
    say(text, word="warning", colour="yellow")
