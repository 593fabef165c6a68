"""`incident-ops assign`: who works on it, in which role."""

from __future__ import annotations

import click

from incident_ops.app.edit_record import edit_record, split_words, who
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import by_option, complete_incident, format_option, print_edited, with_repository
from incident_ops.domain.incident import Incident
from incident_ops.edits.respond import assign_incident, assign_role
from incident_ops.edits.step import Step
from incident_ops.errors import UserError


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[ROLE] WHO [INC]", shell_complete=complete_incident)
@click.option("--tier", type=click.IntRange(1, 9), help="The tier of the escalation ladder that takes over.")
@by_option
@format_option
@with_repository
def assign(workspace: Workspace, words: tuple[str, ...], tier: int | None, by: str | None, form: str) -> None:
    """Give a role, or the incident itself, to somebody.

    ROLE is commander, technical_lead, communications_lead, scribe, or a word
    of your own. Without a role WHO works on the incident from now on.

    \b
    Examples:
      incident-ops assign commander @alice
      incident-ops assign @bob 120500
      incident-ops assign @carol --tier 2
    """
    actor = who(workspace, by)
    incident, said = split_words(words, at_least=1)
    if len(said) not in (1, 2):
        raise UserError("who gets what?", hint='ROLE WHO [INC]; put names with blanks in quotes: "QA team"')
    if len(said) == 2 and tier is not None:
        raise UserError("a role has no tier", hint="incident-ops assign @who --tier 2")

    def assigned(current: Incident) -> Step:
        if len(said) == 1:
            return assign_incident(current, workspace.judged_by[0], workspace.now, actor, said[0], tier)
        return assign_role(current, workspace.now, actor, said[0], said[1])

    print_edited(edit_record(workspace, incident, assigned), form)
