"""`incident-ops show`: one incident on one screen."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import find_record
from incident_ops.app.views import Selection, list_incidents, read_record, view_incident
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import complete_incident, format_option, style_line, with_repository
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.record import Record
from incident_ops.render.incident import to_json, to_text
from incident_ops.render.lists import incidents_text


@click.command()
@click.argument("incident", metavar="[INC]", required=False, shell_complete=complete_incident)
@format_option
@with_repository
def show(workspace: Workspace, incident: str | None, form: str) -> None:
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
        found = list_incidents(workspace, Selection(only_open=True))
        if len(found) > 1:
            click.echo(incidents_text(found, style_line), nl=False)

    def shown(record: Record) -> str:
        view = view_incident(workspace, record)
        return to_json(view) if form == "json" else to_text(view, style_line)

    click.echo(evaluate_one(read_record(workspace, find_record(workspace, incident)), shown), nl=False)
