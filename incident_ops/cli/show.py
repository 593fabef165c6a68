"""`incident-ops show`: one incident on one screen."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import find_record, record_of
from incident_ops.app.workspace import Opened, with_repository
from incident_ops.cli.list import LIST_COLOURS, open_table
from incident_ops.cli.options import complete_incident, format_option
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.record import Record
from incident_ops.edits.declare import next_steps
from incident_ops.errors import UserError
from incident_ops.findings import Finding
from incident_ops.render import incident as picture
from incident_ops.render.findings import inert
from incident_ops.render.incident import IncidentView, to_json
from incident_ops.rules.item_overdue import days_late
from incident_ops.sla.clocks import Clock, clocks


@click.command()
@click.argument("incident", metavar="[INC]", required=False, shell_complete=complete_incident)
@format_option
@with_repository
def show(opened: Opened, incident: str | None, form: str) -> None:
    """Show an incident on one screen: clocks, roles, last update, what comes next.

    INC is an id or the end of one. Without it, the only open incident is
    shown; where several are open they are listed, with exit code 2.

    \b
    Examples:
      incident-ops show
      incident-ops show INC-20250126-120500
      incident-ops show 120500
      incident-ops show --format json | jq .next
    """
    if incident is None and form == "text":
        click.echo(open_table(opened), nl=False)

    def shown(record: Record) -> str:
        view = view_of(opened, record)
        return to_json(view) if form == "json" else picture.to_text(view, _style)

    click.echo(evaluate_one(read_record(opened, find_record(opened, incident)), shown), nl=False)


def read_record(opened: Opened, path: str) -> Record:
    """The record at a path. UserError naming file, line and column where it cannot be read."""
    raw = opened.store.read(path)
    if raw is None:
        raise UserError("the record is not there any more", where=path, hint="was it moved? see `git status`")
    if isinstance(raw, Finding):
        raise UserError(raw.message, hint=raw.hint, where=path)
    return record_of(path, raw)


def view_of(opened: Opened, record: Record) -> IncidentView:
    """A record with all that its picture needs."""
    policy, _ = opened.judged_by
    incident = record.incident
    late = days_late(incident, policy, opened.now)
    return IncidentView(record, policy, _clocks(opened, record), opened.now, late, next_steps(incident, policy))


def _clocks(opened: Opened, record: Record) -> list[Clock] | str:
    try:
        return clocks(as_of(record.incident, opened.now), opened.judged_by[0])
    except UserError as error:
        return inert(error.message)


def _style(tone: str, line: str) -> str:
    if tone in (picture.HEAD_LINE, picture.NEXT_LINE):
        return click.style(line, bold=True)
    return click.style(line, fg=LIST_COLOURS[tone]) if tone in LIST_COLOURS else line
