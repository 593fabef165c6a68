"""`incident-ops close`: a resolved incident is over."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import edit_record, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import by_option, format_option, incident_argument, print_edited, with_repository
from incident_ops.edits.finish import close_incident


@click.command()
@incident_argument
@click.option("--verified", is_flag=True, help="It has been verified that service is restored.")
@click.option("--stood-down", is_flag=True, help="The team has been released.")
@by_option
@format_option
@with_repository
def close(
    workspace: Workspace, incident: str | None, verified: bool, stood_down: bool, by: str | None, form: str
) -> None:
    """Close a resolved incident.

    \b
    Examples:
      incident-ops close --verified
      incident-ops close 120500 --verified --stood-down
    """
    actor = who(workspace, by)
    edited = edit_record(
        workspace,
        incident,
        lambda current: close_incident(
            current, workspace.judged_by[0], workspace.now, actor, verified=verified, stood_down=stood_down
        ),
    )
    print_edited(edited, form)
