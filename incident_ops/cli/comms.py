"""`incident-ops comms`: what to write to customers, the management, the team and authorities."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import find_record, who
from incident_ops.app.workspace import Workspace, caught_up
from incident_ops.cli.options import (
    by_option,
    expected_time,
    finish_edit,
    format_option,
    incident_argument,
    pick_incident,
    pick_to_read,
    warn,
    with_repository,
)
from incident_ops.cli.sending import record_options
from incident_ops.cli.terminal import say
from incident_ops.documents.message_request import PUBLIC_TEXTS, UPDATE, MessageRequest
from incident_ops.domain.public_updates import PUBLIC, STATUSES
from incident_ops.edits.communicate import AUDIENCES
from incident_ops.errors import UserError


@click.group()
def comms() -> None:
    """What to write to customers, the management, the team and authorities.

    \b
    Examples:
      incident-ops comms draft --audience public
      incident-ops comms draft --report nis2-early-warning
    """


@comms.command("draft")
@incident_argument
@click.option("--audience", type=click.Choice(AUDIENCES), help="For whom. Customers are public.")
@click.option("--status", type=click.Choice(STATUSES), help="Default: as `update` takes it, from the record.")
@click.option(
    "--as",
    "kind",
    type=click.Choice(PUBLIC_TEXTS),
    help="With --audience public: one update (default), the whole status page, the announcement that it is over.",
)
@click.option("--eta", metavar="WHEN", help="When it may be over: 30m (from now), 14:00, an instant, or unknown.")
@click.option("--report", metavar="ID", help="A report that is owed to others instead, by the id of its deadline.")
@click.option("--post", is_flag=True, help="Write the text into the record's updates; it goes out after the merge.")
@by_option
@record_options
@format_option
@with_repository
def draft(
    workspace: Workspace,
    incident: str | None,
    audience: str | None,
    status: str | None,
    kind: str | None,
    eta: str | None,
    report: str | None,
    post: bool,
    by: str | None,
    form: str,
    send: bool,
) -> None:
    """Draft a text from the record, in the words of its readers.

    What the public reads holds no cause, name or host: only what may be
    public. The next update that it promises is the one that `sla check`
    counts. Nothing is written or sent without --post.

    \b
    Examples:
      incident-ops comms draft --audience public
      incident-ops comms draft --audience public --eta 30m --post
      incident-ops comms draft 120500 --audience public --as announcement
      incident-ops comms draft --audience executive
      incident-ops comms draft --audience internal --post --send
      incident-ops comms draft --report nis2-early-warning
    """
    if send and not post:
        raise UserError("--send sends what --post writes", hint="add --post, or leave out --send")
    if report is not None:
        if audience or status or kind or eta or post:
            raise UserError("--report stands alone", hint="incident-ops comms draft INC --report ID")
        _print_report(workspace, pick_to_read(workspace, incident), report, form)
        return
    if audience is None:
        raise UserError("for whom is it?", hint=f"--audience {'|'.join(AUDIENCES)}, or --report ID")
    if kind and audience != PUBLIC:
        raise UserError("--as is about texts for the public", hint="leave it out, or --audience public")
    wanted = MessageRequest(audience, status or "", kind or UPDATE, expected_time(workspace, eta, "--eta"))
    if post:
        _post(caught_up(workspace), incident, wanted, by, form, send=send)
    else:
        _print_draft(workspace, pick_to_read(workspace, incident), wanted, form)


def _print_draft(workspace: Workspace, incident: str, wanted: MessageRequest, form: str) -> None:
    from incident_ops.app.comms import draft_doubts, draft_message  # the templates, which the help does not need
    from incident_ops.render.comms import draft_text, message_json

    path = find_record(workspace, incident)
    message = draft_message(workspace, path, wanted)
    name = path.split("/")[-2]
    click.echo(message_json(name, message) if form == "json" else draft_text(message.markdown), nl=False)
    warn(draft_doubts(workspace, path, wanted))
    if form == "text":
        say("this is a draft and was not posted: --post records it as an update", first="  ")


def _post(
    workspace: Workspace, incident: str | None, wanted: MessageRequest, by: str | None, form: str, *, send: bool
) -> None:
    from incident_ops.app.comms import posted_message  # as above
    from incident_ops.app.edit_record import edit_record
    from incident_ops.documents.messages import Message
    from incident_ops.render.comms import draft_text

    kept: list[Message] = []
    change = posted_message(workspace, who(workspace, by), wanted, kept)
    edited = edit_record(workspace, pick_incident(workspace, incident), change)
    if form == "text":
        click.echo(draft_text(f"{kept[0].update}\n"))
    finish_edit(workspace, edited, form, send=send)


def _print_report(workspace: Workspace, incident: str, name: str, form: str) -> None:
    from incident_ops.app.comms import draft_report  # as above
    from incident_ops.render.comms import draft_text, report_json

    path = find_record(workspace, incident)
    report, record_id = draft_report(workspace, path, name), path.split("/")[-2]
    click.echo(report_json(record_id, name, report) if form == "json" else draft_text(report.markdown), nl=False)
    if not report.is_due:
        warn([f"{record_id} does not owe {name}, as far as its record and the policy say"])
    elif form == "text":
        say(f"next: incident-ops deadline done {name} {record_id} --ref ...", first="  ", err=False)
