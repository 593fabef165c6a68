"""`incident-ops pause`: wait for somebody, or go on."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import clean, edit_record, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import by_option, format_option, incident_argument, print_edited, with_repository
from incident_ops.domain.incident import Incident
from incident_ops.edits import respond
from incident_ops.edits.step import Step
from incident_ops.errors import UserError


@click.command()
@incident_argument
@click.option("--waiting-for", type=click.Choice(respond.WAITING_FOR), help="Whom the incident waits for.")
@click.option("--reason", metavar="TEXT", help="What is waited for.")
@click.option("--end", is_flag=True, help="The wait is over: back to the state that was left.")
@by_option
@format_option
@with_repository
def pause(
    workspace: Workspace,
    incident: str | None,
    waiting_for: str | None,
    reason: str | None,
    end: bool,
    by: str | None,
    form: str,
) -> None:
    """Wait for a user, a vendor or an approval; clocks that may pause do.

    \b
    Examples:
      incident-ops pause --waiting-for vendor --reason "ticket 4711"
      incident-ops pause --end
    """
    actor, why = who(workspace, by), clean(reason)
    if end == (waiting_for is not None) or (end and reason):
        raise UserError(
            "say whom you wait for, or that the wait is over", hint="--waiting-for vendor [--reason TEXT], or --end"
        )

    def paused(current: Incident) -> Step:
        policy = workspace.judged_by[0]
        if waiting_for is None:
            return respond.end_pause(current, policy, workspace.now, actor)
        return respond.pause_incident(current, policy, workspace.now, actor, waiting_for, why)

    print_edited(edit_record(workspace, incident, paused), form)
