"""`incident-ops deadline`: the reports that are owed to others, and those that were made."""

from __future__ import annotations

from functools import partial

import click

from incident_ops.app.deadlines import due_reports
from incident_ops.app.edit_record import RecordChange, clean, find_record, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import (
    by_option,
    edits_record,
    finish,
    format_option,
    incident_argument,
    inert_unread,
    pick_incident,
    with_repository,
)
from incident_ops.cli.terminal import page_width, painter
from incident_ops.domain.deadlines import deadlines_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.edits.deadlines import report_made
from incident_ops.render.deadlines import to_json, to_text
from incident_ops.render.sla import CLOCK_COLOURS


@click.group()
def deadline() -> None:
    """What you owe to others after an incident: a report to an authority, by when.

    The policy says which: `deadlines: [nis2, gdpr]`, and entries of your own.

    \b
    Examples:
      incident-ops deadline list
      incident-ops deadline done nis2-early-warning --ref CSIRT-4711
    """


@deadline.command("done")
@click.argument("name", metavar="ID")
@incident_argument
@click.option("--ref", metavar="TEXT", help="Where it can be found: the number that they gave it, a link.")
@by_option
@edits_record
def report_done(workspace: Workspace, name: str, incident: str | None, ref: str | None, by: str | None) -> RecordChange:
    """A report was made, now or --at that time.

    It is written into the record and its timeline, and the time of that
    deadline ends. Without INC the only open incident that owes it is meant.

    \b
    Examples:
      incident-ops deadline done nis2-early-warning --ref CSIRT-4711
      incident-ops deadline done gdpr-authority 120500 --at 09:30
    """
    policy, actor = workspace.judged_by[0], who(workspace, by)
    known = {one.id for one in policy.deadlines}
    if name in known:
        incident = pick_incident(workspace, incident, partial(_owes, policy, name), active_first=False)
    return incident, lambda current: report_made(current, policy, workspace.now, actor, name, clean(ref))


def _owes(policy: Policy, name: str, incident: Incident) -> bool:
    return any(one.id == name for one in deadlines_of(incident, policy))


@deadline.command("list")
@incident_argument
@format_option
@with_repository
def list_command(workspace: Workspace, incident: str | None, form: str) -> None:
    """List what is owed to whom by when, the most urgent first.

    Of one incident, or of all that are not over or still owe something.

    Exit code 3 when a record could not be read: the list may lack what it owes.

    \b
    Examples:
      incident-ops deadline list
      incident-ops deadline list INC-20250126-120500 --format json
    """
    report = due_reports(workspace, None if incident is None else find_record(workspace, incident))
    shown = report._replace(unread=inert_unread(report.unread))
    text = to_json(report) if form == "json" else to_text(shown, painter(CLOCK_COLOURS), page_width())
    click.echo(text, nl=False)
    finish(3 if report.unread else 0)
