"""`incident-ops withdraw`: it was no incident, or the same as another."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import clean, edit_record, original_of, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import (
    by_option,
    complete_incident,
    format_option,
    incident_argument,
    print_edited,
    with_repository,
)
from incident_ops.domain.lifecycle import DUPLICATE, OTHER_OUTCOMES
from incident_ops.edits.finish import withdraw_incident


@click.command()
@incident_argument
@click.option("--as", "outcome", type=click.Choice(OTHER_OUTCOMES), required=True, help="What it was instead.")
@click.option(
    "--of", "other", metavar="INC", shell_complete=complete_incident, help="The incident of which this is a duplicate."
)
@click.option("--reason", metavar="TEXT", required=True, help="How that is known.")
@by_option
@format_option
@with_repository
def withdraw(
    workspace: Workspace, incident: str | None, outcome: str, other: str | None, reason: str, by: str | None, form: str
) -> None:
    """It was no incident, or the same as another: close it, out of all metrics.

    \b
    Examples:
      incident-ops withdraw --as false_alarm --reason "the probe was broken"
      incident-ops withdraw 12 --as duplicate --of 11 --reason "same outage"
    """
    actor, why = who(workspace, by), clean(reason) or ""
    of = original_of(workspace, other) if other is not None and outcome == DUPLICATE else other
    edited = edit_record(
        workspace,
        incident,
        lambda current: withdraw_incident(current, workspace.judged_by[0], workspace.now, actor, outcome, why, of),
    )
    print_edited(edited, form)
