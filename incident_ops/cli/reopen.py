"""`incident-ops reopen`: it came back."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import clean, edit_record, find_ended, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import by_option, format_option, incident_argument, print_edited, with_repository
from incident_ops.edits.finish import reopen_incident


@click.command()
@incident_argument
@click.option("--reason", metavar="TEXT", required=True, help="What came back.")
@by_option
@format_option
@with_repository
def reopen(workspace: Workspace, incident: str | None, reason: str, by: str | None, form: str) -> None:
    """It came back: reopen a resolved or closed incident.

    INC is an id or the end of one; without it, the only resolved incident.

    \b
    Examples:
      incident-ops reopen --reason "logins fail again"
      incident-ops reopen 120500 --reason "errors are back since 14:10"
    """
    actor, why = who(workspace, by), clean(reason) or ""
    incident = incident or find_ended(workspace)
    edited = edit_record(
        workspace, incident, lambda current: reopen_incident(current, workspace.judged_by[0], workspace.now, actor, why)
    )
    print_edited(edited, form)
