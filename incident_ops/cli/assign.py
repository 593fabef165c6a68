"""`incident-ops assign`, `escalate` and `escalations review`: who works on it, in which role and on which tier."""

from __future__ import annotations

import shlex

import click

from incident_ops.app.edit_record import RecordChange, clean, split_words, who
from incident_ops.app.on_call import person_meant
from incident_ops.app.which_incident import is_active
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_assignment
from incident_ops.cli.options import by_option, edits_record, incident_argument, pick_incident
from incident_ops.domain.incident import Incident
from incident_ops.edits.escalate import JUDGEMENTS, escalate_incident, review_escalation
from incident_ops.edits.respond import assign_incident, assign_role, must_be_somebody, role_named
from incident_ops.edits.step import Step
from incident_ops.errors import UserError


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[ROLE] WHO [INC]", shell_complete=complete_assignment)
@click.option("--tier", type=click.IntRange(1, 9), help="The tier of the escalation ladder that takes over.")
@by_option
@edits_record
def assign(workspace: Workspace, words: tuple[str, ...], tier: int | None, by: str | None) -> RecordChange:
    """Give a role, or the incident itself, to somebody.

    ROLE is commander (ic), technical_lead (tl), communications_lead (comms),
    scribe, or a word of your own; `-` as WHO takes it back. Without a role
    WHO works on the incident from now on.

    \b
    Examples:
      incident-ops assign commander @alice
      incident-ops assign comms "Ann Lee"
      incident-ops assign scribe -
      incident-ops assign @bob 120500
      incident-ops assign @carol --tier 2
      incident-ops assign commander oncall:primary
    """
    actor = who(workspace, by)
    incident, said = split_words(words, at_least=1)
    if len(said) not in (1, 2):
        raise UserError("who gets what?", hint='ROLE WHO [INC]; put names with blanks in quotes: "QA team"')
    if len(said) == 2 and tier is not None:
        raise UserError("a role has no tier", hint="incident-ops assign @who --tier 2")

    said = (*said[:-1], person_meant(said[-1], workspace.store, workspace.now))
    if len(said) == 2:
        role_named(said[0])  # a slip is told before anybody is asked which incident is meant
    else:
        must_be_somebody(said[0], f"incident-ops assign {shlex.quote(said[0])} @who")

    def assigned(current: Incident) -> Step:
        if len(said) == 1:
            return assign_incident(current, workspace.judged_by[0], workspace.now, actor, said[0], tier)
        return assign_role(current, workspace.now, actor, said[0], said[1])

    return incident, assigned


@click.command()
@incident_argument
@click.option("--reason", metavar="TEXT", required=True, help="Why it must go higher.")
@click.option("--to", metavar="TIER", help="A tier of the ladder, by id or number. Default: the next one.")
@click.option("--notify", metavar="WHO", multiple=True, help="Whom to notify as well: @handle, or a role.")
@by_option
@edits_record
def escalate(
    workspace: Workspace, incident: str | None, reason: str, to: str | None, notify: tuple[str, ...], by: str | None
) -> RecordChange:
    """Escalate an incident by hand: to the next tier, specialists, a vendor.

    Nothing is sent from here: people are notified after the merge.

    \b
    Examples:
      incident-ops escalate --reason "nobody knows this database"
      incident-ops escalate 04567 --to specialists --reason "needs a DBA"
      incident-ops escalate 04567 --notify @dana --reason "customer calls"
    """
    actor, why = who(workspace, by), clean(reason) or ""
    incident = pick_incident(workspace, incident, is_active)
    return incident, lambda current: escalate_incident(
        current, workspace.judged_by[0], workspace.now, actor, why, to, notify
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
@edits_record
def review(_workspace: Workspace, incident: str | None, number: int | None, appropriate: str) -> RecordChange:
    """Judge an escalation afterwards; nothing else of it changes.

    \b
    Examples:
      incident-ops escalations review 04567 --appropriate yes
      incident-ops escalations review 04567 --number 2 --appropriate no
    """
    return incident, lambda current: review_escalation(current, number, appropriate)
