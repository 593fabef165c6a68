"""`incident-ops ack`: take an incident."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import edit_record, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import by_option, format_option, incident_argument, print_edited, with_repository
from incident_ops.edits.respond import acknowledge


@click.command()
@incident_argument
@by_option
@format_option
@with_repository
def ack(workspace: Workspace, incident: str | None, by: str | None, form: str) -> None:
    """Take an incident: it is in progress, the response clock stops.

    INC is an id or the end of one; without it, the only open incident.

    \b
    Examples:
      incident-ops ack
      incident-ops ack 120500 --by @alice
    """
    actor = who(workspace, by)
    edited = edit_record(
        workspace, incident, lambda current: acknowledge(current, workspace.judged_by[0], workspace.now, actor)
    )
    print_edited(edited, form)
