"""What commands share: the options that several of them take, and what a shell may complete of those.

The repository of records, opened from the options before the command.

The questions at a terminal.

How a returned value is printed.

The options of commands that look at a tracker.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from incident_ops.app.unmerged import incidents_elsewhere, working_on
from incident_ops.app.workspace import (
    Workspace,
    caught_up,
    judge_no_records,
    moment,
    open_workspace,
    spelled_clock,
    spelled_time,
    typed_day,
    typed_time,
)
from incident_ops.cli.completion import complete_incident
from incident_ops.cli.sending import (
    print_data,
    record_options,
    rendering,
    say_all_unsent,
    say_documents,
    say_unsent,
    send_now,
)
from incident_ops.cli.terminal import echo_folded, page_width, prompt, say, style_line
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record, Unread
from incident_ops.domain.time import UNKNOWN, parse_instant, stamp
from incident_ops.domain.time_words import is_time_of_day
from incident_ops.domain.tracker import GITHUB, LOCAL
from incident_ops.errors import UserError
from incident_ops.render.findings import inert, json_text, quiet
from incident_ops.render.text import cut_line

if TYPE_CHECKING:
    from incident_ops.adapters.github.client import Request
    from incident_ops.app.edit_record import EditedRecord, RecordChange
    from incident_ops.app.plan import PlanOptions
    from incident_ops.app.planned_changes import WrittenFile
    from incident_ops.app.views import Selection
    from incident_ops.app.which_incident import Fits

STANDS_FOR = {"@who": "a person or team", "@you": "a person or team", "...": "a text", "TEXT": "a text"}
"""Words of our own hints that are no answer; a hint pasted as it is must not write them into a record."""


def workspace_of(ctx: click.Context) -> Workspace:
    """The repository that the options before the command name."""
    given = ctx.find_root().obj
    workspace = rendering(open_workspace(given), ctx)
    say_origin(ctx, workspace)
    if given["at"] is not None and (spelled := spelled_clock(workspace, given["at"])):
        click.echo(f"  --at {inert(given['at'])}: {spelled}", err=True)
    ctx.call_on_close(lambda: say_notes(workspace.notes))
    return workspace


def say_origin(ctx: click.Context, workspace: Workspace) -> None:
    """With --verbose: where the records are read from."""
    if ctx.find_root().obj.get("verbose"):
        click.echo(workspace.origin, err=True)


class WordChoice(click.Choice[str]):
    """A choice that also takes the words of which `meant` makes one of its own."""

    def __init__(self, choices: Sequence[str], meant: Callable[[str], str | None]) -> None:
        super().__init__(choices)
        self._meant = meant

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(self._meant(value) or value, param, ctx)


class WhoActs(click.Option):
    """Who does it: a command that has this option records a guess only with a warning."""


def with_repository(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the opened repository as its first argument; blank texts and the words of hints are refused."""
    from functools import update_wrapper

    @click.pass_context
    def opened(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        must_say_something(ctx.command, kwargs)
        workspace = workspace_of(ctx)
        if kwargs.get("send"):
            from incident_ops.app.send import demand_repository  # what only --send needs

            demand_repository(workspace)
        only_reads = kwargs.get("only_lists") or not kwargs.get("post", True)
        if any(isinstance(param, WhoActs) for param in ctx.command.params) and not only_reads:
            warn_of_guess(workspace, kwargs["by"])
        return ctx.invoke(command, workspace, *args, **kwargs)

    return update_wrapper(opened, command)


def with_repository_to_write(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that writes: its time comes after that of the last commit (`caught_up`)."""
    from functools import update_wrapper

    def writing(workspace: Workspace, /, *args: Any, **kwargs: Any) -> Any:
        return command(caught_up(workspace), *args, **kwargs)

    return with_repository(update_wrapper(writing, command))


def warn_of_guess(workspace: Workspace, by: str | None) -> None:
    """A warning where what is done will be recorded as done by `user@host`, for nobody is known here."""
    from incident_ops.app.identity import MAKE_KNOWN, actor  # git is asked only where somebody acts

    if by is None and (guess := actor(workspace).warning):
        warn([guess])
        say(f"fix: {MAKE_KNOWN}, or INCIDENT_OPS_BY=@who", first="  ")


def must_say_something(command: click.Command, given: Mapping[str, Any]) -> None:
    """UserError for an empty option or argument: a variable of a pipeline that was not set is not a default."""
    for param in command.params:
        value = given.get(param.name or "")
        name = max(param.opts, key=len) if isinstance(param, click.Option) else param.human_readable_name.strip("[]")
        for text in value if isinstance(value, tuple) else (value,):
            if not isinstance(text, str):
                continue
            if not text.strip():
                raise UserError(f"{name} is empty", hint="write what is meant, or leave it out")
            if text in STANDS_FOR:
                raise UserError(f"{text!r} stands for {STANDS_FOR[text]}", hint="put in what is meant")


def past_time(workspace: Workspace, text: str | None, option: str, *, may_be_unknown: bool = False) -> str | None:
    """What happened, as people type it -> the text for a record; a time of their wall clock is said back."""
    found = moment(text, workspace.now, option, may_be_unknown=may_be_unknown)
    if text is not None:
        say_time(workspace, text, option, ahead=False)
    return found


def past_span(workspace: Workspace, text: str, option: str, example: str) -> tuple[str, str | None]:
    """`FROM..TO` or `FROM..` of what happened -> both texts for a record. TO as a time of day is the first after FROM.

    UserError with the example where it is none.
    """
    begin, dots, end = text.partition("..")
    if not dots or not begin.strip():
        raise UserError(f"{option}: {inert(text)!r} is not a span of time", hint=f"FROM..TO, or FROM..; e.g. {example}")
    start = past_time(workspace, begin.strip(), option) or ""
    if not end.strip():
        return start, None
    if not is_time_of_day(end.strip()):
        return start, past_time(workspace, end.strip(), option)
    since = parse_instant(start)
    say_time(workspace, end.strip(), option, ahead=True, since=since)
    return start, stamp(typed_time(end.strip(), since, option, ahead=True).at)


def expected_time(workspace: Workspace, text: str | None, option: str) -> str | None:
    """What is expected, as people type it -> the text for a record, or `unknown`; said back in the same way."""
    if text is None or text == UNKNOWN:
        return text
    typed = typed_time(text, workspace.now, option, ahead=True)
    say_time(workspace, text, option, ahead=True)
    return stamp(typed.at)


def say_time(workspace: Workspace, text: str, option: str, *, ahead: bool, since: datetime | None = None) -> None:
    """Says which instant was meant by a time of a wall clock, and in which zone; nothing for any other text. It counts
    from now, or `since`."""
    if spelled := spelled_time(text, since or workspace.now, option, ahead=ahead):
        click.echo(f"  {option} {inert(text)}: {spelled}", err=True)


def future_day(workspace: Workspace, text: str | None, option: str) -> str | None:
    """A day ahead, as people type it -> the date for a record; words such as `friday` are said back."""
    if text is None:
        return None
    found = typed_day(text, workspace.now, option)
    if str(found) != text:
        click.echo(f"  {option} {inert(text)}: {found:%A} {found}", err=True)
    return str(found)


def no_records(workspace: Workspace, *, has_issues: bool | None = None) -> int:
    """Says that there is no record, and what that means -> the exit code, as `judge_no_records`."""
    found = judge_no_records(workspace, has_issues=has_issues)
    click.echo(found.message, err=True)
    return found.exit_code


def format_choice(forms: Sequence[str], help_text: str) -> Callable[[Any], Any]:
    """The option --format, the first of `forms` being the default; it comes as `form`."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=forms[0], show_default=True, help=help_text
    )


format_option = format_choice(["text", "json"], "Text for people, JSON for scripts.")
run_format_option = format_choice(
    ["text", "json", "github"], "Text for people, JSON for scripts, annotations and a summary for GitHub Actions."
)


def edits_record(command: Callable[..., RecordChange]) -> Callable[..., Any]:
    """Gives a command --format and the opened repository; the edit that it returns is made and printed."""
    from functools import update_wrapper

    def edited(workspace: Workspace, /, *args: Any, form: str, send: bool, **kwargs: Any) -> None:
        make_edit(workspace, command(workspace, *args, **kwargs), form, send=send)

    given: Callable[..., Any] = record_options(format_option(with_repository_to_write(update_wrapper(edited, command))))
    return given


def make_edit(workspace: Workspace, change: RecordChange, form: str, *, send: bool) -> None:
    """Makes an edit of the incident that is meant, prints it, and sends it where that is asked for."""
    from incident_ops.app.edit_record import edit_record  # what only commands that edit need

    incident, make_step = change
    finish_edit(workspace, edit_record(workspace, pick_incident(workspace, incident), make_step), form, send=send)


def finish_edit(workspace: Workspace, edited: EditedRecord, form: str, *, send: bool, sum_up: str = "") -> None:
    """Prints an edit that is made; with `send` the record is sent, and the command ends with 4 where it was not.

    People read `sum_up` below what was done.
    """
    if not send:
        print_edited(edited, form, sum_up=sum_up)
        if form == "text" and edited.is_changed:
            say_unsent(workspace, edited.record)
    elif form == "json":
        say_notes(edited.notes)
        finish(print_data(workspace, edited.record.path, _edited_json(edited), send=True))
    else:
        _print_done(edited)
        click.echo(sum_up, nl=False)
        sent = send_now(workspace, edited.record.path, tells=True)
        _print_next(edited)
        finish(sent.exit_code)


def pick_incident(
    workspace: Workspace,
    asked: str | None,
    fits: Fits | None = None,
    *,
    active_first: bool = True,
) -> str:
    """The incident that is meant, as it was named; without a name the only one for which the command is legal.

    Where there are several, a terminal asks which; elsewhere UserError lists them.
    """
    from incident_ops.app.which_incident import candidates, is_any  # not needed where an incident is named

    if asked is not None:
        return asked
    return pick_one(workspace, candidates(workspace, fits or is_any, active_first=active_first))


def pick_to_read(workspace: Workspace, asked: str | None) -> str:
    """As `pick_incident`, at the time of `--at`; where no incident is open the one that was closed last is meant."""
    from incident_ops.app.which_incident import candidates, last_closed  # as above

    if asked is not None:
        return asked
    if (last := last_closed(workspace)) is not None:
        say_notes(["no incident is open; this one was closed last"])
        say_elsewhere(workspace)
        return last.incident.id
    return pick_one(workspace, candidates(workspace, as_known=True))


def pick_one(workspace: Workspace, found: Sequence[Record]) -> str:
    """The same of incidents that were found already."""
    from incident_ops.app.which_incident import MOST_LISTED, listed, only_candidate  # as above

    if not at_terminal() or (len(found) == 1 and not found[0].incident.is_closed):
        return only_candidate(workspace, found).incident.id
    click.echo("Which incident?", err=True)
    lines = listed(workspace, found)
    for number, line in enumerate(lines, 1):
        click.echo(
            cut_line(f"  {number if number <= len(found) else ' '}  {quiet(line)}", page_width(err=True)), err=True
        )
    most = min(len(found), MOST_LISTED)
    chosen: int = prompt("Number", kind=click.IntRange(1, most))
    return found[chosen - 1].incident.id


incident_argument: Callable[[Any], Any] = click.argument(
    "incident", metavar="[INC]", required=False, shell_complete=complete_incident
)

by_option: Callable[[Any], Any] = click.option(
    "--by",
    cls=WhoActs,
    metavar="WHO",
    help="Who does it: @handle or a name. Default: INCIDENT_OPS_BY, else what git says (see `init --by`).",
)


def asks() -> bool:
    """True where somebody can be asked, and text is wanted."""
    return at_terminal() and click.get_current_context().params.get("form") == "text"


def to_be_asked_about(workspace: Workspace, incident: str, example: str) -> Incident:
    """The incident, where a command without options asks for what is missing; elsewhere UserError with an example."""
    from incident_ops.app.edit_record import find_record, read_for_edit  # what only commands that edit need

    if not asks():
        raise UserError("there is nothing to write", hint=example)
    return read_for_edit(workspace, find_record(workspace, incident)).record.incident


def at_terminal() -> bool:
    """True where somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def print_edited(edited: EditedRecord, form: str, *, err: bool = False, sum_up: str = "") -> None:
    """A line for each change made, what should give pause, what comes next, and how to take it back."""
    if form == "json":
        say_notes(edited.notes)
        click.echo(json_text(_edited_json(edited)), nl=False, err=err)
        return
    _print_done(edited, err=err)
    click.echo(sum_up, nl=False, err=err)
    _print_next(edited, err=err)


def _edited_json(edited: EditedRecord) -> dict[str, Any]:
    incident = edited.record.incident
    head = {"schema": 1, "incident": incident.id, "path": edited.record.path, "state": incident.state}
    return {**head, **_edit_data(edited), "documents": [*edited.documents], "undo": edited.undo or None}


def _print_done(edited: EditedRecord, *, err: bool = False) -> None:
    say_notes(edited.notes)
    for line in edited.done:
        say(line, word=edited.record.incident.id, err=err)
    say_documents(edited.documents, err=err)
    warn(edited.warnings)


def _print_next(edited: EditedRecord, *, err: bool = False) -> None:
    steps = edited.next_steps if edited.is_changed else ()
    for line in steps:
        click.echo(f"  next: {quiet(line)}", err=err)
    if steps and edited.is_written_up:
        click.echo("  each of these is dated now unless you give --at again", err=err)
    if edited.undo:
        click.echo(f"  undo: {quiet(edited.undo)}", err=err)


def say_notes(notes: Sequence[str]) -> None:
    """What is to be known of the clone, on the error stream."""
    for line in notes:
        say(line, word="note", colour="cyan")


def print_written(written: WrittenFile, form: str, more: Mapping[str, Any] = MappingProxyType({})) -> None:
    """The same for the file of a freeze, an override or a swap; `more` is data beside it."""
    if form == "json":
        click.echo(json_text({"schema": 1, "path": written.path, **_edit_data(written), **more}), nl=False)
        return
    for line in written.done:
        echo_folded(line)
    warn(written.warnings)
    for line in written.next_steps:
        echo_folded(line, "  next: ")


def _edit_data(edit: EditedRecord | WrittenFile) -> dict[str, Any]:
    data = {"changed": edit.is_changed, "told": [*edit.done]}
    return {**data, "warnings": [*edit.warnings], "next": [*edit.next_steps]}


def warn(warnings: Sequence[str]) -> None:
    """What should give pause, on the error stream."""
    for line in warnings:
        say(line, word="warning", colour="yellow")


def print_items(workspace: Workspace, wanted: Selection, owner: str | None, *, overdue: bool, form: str) -> None:
    """Prints the action items that are asked for, and ends as `end_of_list`."""
    from incident_ops.app.views import items_left_out, list_items  # what only the lists need
    from incident_ops.render.lists import items_json, items_text

    items, left_out = list_items(workspace, wanted, owner, overdue=overdue), items_left_out(workspace, wanted)
    if form == "json":
        click.echo(items_json(items, workspace.now, workspace.unread, left_out), nl=False)
    else:
        of = wanted.path.split("/")[-2] if wanted.path else ""
        click.echo(items_text(items, style_line, left_out, of, page_width()), nl=False)
    end_of_list(workspace, form)


def end_of_list(workspace: Workspace, form: str) -> None:
    """Says what is not in the list, and ends with its exit code."""
    if form == "text":
        _tell_unread(workspace)
    say_all_unsent(workspace)
    say_elsewhere(workspace)
    if not workspace.catalogue.count():
        finish(no_records(workspace))
    finish(3 if workspace.unread else 0)


def say_elsewhere(workspace: Workspace) -> None:
    """Which incidents are not in this checkout, and the command to work on one, on one line to be copied."""
    for away in incidents_elsewhere(workspace):
        say_notes([away.text])
        click.echo(f"  {working_on(away)}", err=True)


def _tell_unread(workspace: Workspace) -> None:
    unread = inert_unread(workspace.unread)
    if unread:
        click.echo(f"\nNot read, so not in this list ({len(unread)}):")
    for one in unread:
        click.echo(f"  {one.path}: {one.why}")


def inert_unread(unread: Sequence[Unread]) -> tuple[Unread, ...]:
    """Unread records as they may be shown on a terminal: a file's name can hold anything."""
    return tuple(Unread(quiet(one.path), quiet(one.reason)) for one in unread)


def finish(code: int) -> None:
    """Ends the command with an exit code."""
    if code:
        raise click.exceptions.Exit(code)


tracker_option: Callable[[Any], Any] = click.option(
    "--tracker",
    type=click.Choice([LOCAL, GITHUB]),
    help="The tracker embedded in this clone, or the repository's issues. Default: github inside Actions, else local.",
)
observed_option: Callable[[Any], Any] = click.option(
    "--observed", metavar="FILE", help="Plan against a snapshot saved by --save-observed, without asking the tracker."
)
save_observed_option: Callable[[Any], Any] = click.option(
    "--save-observed", metavar="FILE", help="Write down what the tracker holds, for --observed."
)
recreate_option: Callable[[Any], Any] = click.option(
    "--recreate",
    metavar="KEY",
    multiple=True,
    help="Open a new issue in place of one that was deleted or moved away, e.g. INC-1/AI-2.",
)
requests_option: Callable[[Any], Any] = click.option(
    "--show-requests", is_flag=True, help="Print each request to the tracker, and their number, on stderr."
)
no_notify_option: Callable[[Any], Any] = click.option(
    "--no-notify", is_flag=True, help="Leave the notices to another run; edits and issues go on."
)
max_requests_option: Callable[[Any], Any] = click.option(
    "--max-requests", type=click.IntRange(min=1), metavar="N", help="Send at most N requests in this run."
)


def print_request(request: Request) -> None:
    """Prints a request to the tracker on the error stream."""
    click.echo(f"{request.method} {request.path} {request.status} {request.seconds:.2f}s", err=True)


def plan_options(given: Mapping[str, Any]) -> PlanOptions:
    """The options of a command that makes a plan."""
    from incident_ops.app.plan import PlanOptions  # what most commands do not need

    return PlanOptions(
        tracker=given["tracker"],
        observed=given["observed"],
        recreate=given["recreate"],
        max_requests=given["max_requests"],
        with_notices=not given["no_notify"],
        log=print_request if given["show_requests"] else None,
    )
