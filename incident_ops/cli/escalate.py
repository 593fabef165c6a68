"""`incident-ops escalate` and `incident-ops escalations review`."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import by_option, clean, perform_edit, who
from incident_ops.app.workspace import Workspace, with_repository
from incident_ops.cli.options import format_option
from incident_ops.cli.respond import incident_argument
from incident_ops.edits.escalate import JUDGEMENTS, escalate_incident, review_escalation


@click.command()
@incident_argument
@click.option("--reason", metavar="TEXT", required=True, help="Why it must go higher.")
@click.option("--to", metavar="TIER", help="A tier of the ladder, by id or number. Default: the next one.")
@click.option("--notify", metavar="WHO", multiple=True, help="Who is told besides: @handle, or a role.")
@by_option
@format_option
@with_repository
def escalate(
    opened: Workspace,
    incident: str | None,
    reason: str,
    to: str | None,
    notify: tuple[str, ...],
    by: str | None,
    form: str,
) -> None:
    """Escalate an incident by hand: to the next tier, specialists, a vendor.

    Nothing is sent from here: who is to be told is told after the merge.

    \b
    Examples:
      incident-ops escalate --reason "nobody knows this database"
      incident-ops escalate 04567 --to specialists --reason "needs a DBA"
      incident-ops escalate 04567 --notify @dana --reason "customer calls"
    """
    actor, why = who(opened, by), clean(reason) or ""
    perform_edit(
        opened,
        incident,
        form,
        lambda one: escalate_incident(one, opened.judged_by[0], opened.now, actor, why, to, notify),
    )


@click.group()
def escalations() -> None:
    """What went up the ladder, and whether that was right.

    \b
    Examples:
      incident-ops escalations review 04567 --appropriate yes
    """


@escalations.command()
@incident_argument
@click.option("--number", type=click.IntRange(1), help="Which one, counted from 1. Default: the only one not judged.")
@click.option("--appropriate", type=click.Choice([*JUDGEMENTS]), required=True, help="Was it right to escalate?")
@format_option
@with_repository
def review(opened: Workspace, incident: str | None, number: int | None, appropriate: str, form: str) -> None:
    """Judge an escalation afterwards; nothing else of it changes.

    \b
    Examples:
      incident-ops escalations review 04567 --appropriate yes
      incident-ops escalations review 04567 --number 2 --appropriate no
    """
    perform_edit(opened, incident, form, lambda one: review_escalation(one, number, appropriate))
