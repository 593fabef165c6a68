"""`incident-ops snooze`: reminders and escalations wait for a while."""

from __future__ import annotations

import click

from incident_ops.app import which_incident
from incident_ops.app.edit_record import RecordChange, clean, split_words, who
from incident_ops.app.workspace import Workspace, typed_time
from incident_ops.cli.completion import complete_incident
from incident_ops.cli.options import by_option, edits_record, pick_incident, say_time
from incident_ops.edits.snooze import end_snooze, snooze_incident
from incident_ops.errors import UserError
from incident_ops.render.findings import inert


@click.command()
@click.argument("words", nargs=-1, metavar="[INC] [WHEN]", shell_complete=complete_incident)
@click.option("--until", metavar="WHEN", help="Until when: 2h, 18:00, tomorrow 09:00, or an instant.")
@click.option("--reason", metavar="TEXT", help="Why nobody needs to be reminded.")
@click.option("--off", is_flag=True, help="End it now.")
@by_option
@edits_record
def snooze(
    workspace: Workspace, words: tuple[str, ...], until: str | None, reason: str | None, off: bool, by: str | None
) -> RecordChange:
    """Reminders and escalations of an incident wait until then.

    WHEN may stand alone, without --until.

    Clocks run on, and what they miss stays missed. What a person escalates is
    sent all the same, and a level that gets worse ends the snooze.

    \b
    Examples:
      incident-ops snooze --until 2h --reason "the vendor calls back at four"
      incident-ops snooze 120500 --until 18:00 --reason "fix is being deployed"
      incident-ops snooze 2h --reason "the vendor calls back at four"
      incident-ops snooze --off
    """
    actor, why = who(workspace, by), clean(reason)
    incident, until = _end(words, until)
    if off:
        if until is not None or reason is not None:
            raise UserError("--off stands alone", hint="incident-ops snooze --off")
        incident = pick_incident(workspace, incident, which_incident.is_snoozed)
        return incident, lambda current: end_snooze(current, workspace.now, actor)
    if until is None or why is None:
        missing = " and ".join(["--until WHEN"] * (until is None) + ["--reason TEXT"] * (why is None))
        raise UserError(f"a snooze needs {missing}", hint='--until 2h --reason "the vendor calls back", or --off')
    end, because = typed_time(until, workspace.now, "--until", ahead=True).at, why
    say_time(workspace, until, "--until", ahead=True)
    incident = pick_incident(workspace, incident, which_incident.is_active)
    return incident, lambda _: snooze_incident(workspace.now, actor, end, because)


def _end(words: tuple[str, ...], until: str | None) -> tuple[str | None, str | None]:
    """(the incident or None, until when or None): a word that names no incident is the end. UserError for two ends."""
    incident, more = split_words(words)
    if incident is None and (named := [one for one in more if one.upper().startswith("INC")]):
        incident, more = named[0], tuple(one for one in more if one != named[0])
    if len(more) > 1 or (more and until is not None):
        said = " ".join(repr(inert(one)) for one in more)
        said = said if until is None else f"{said} and --until {inert(until)}"
        raise UserError(f"a snooze has one end, not {said}", hint='incident-ops snooze 2h --reason "..."')
    return incident, more[0] if more else until
