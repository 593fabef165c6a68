"""`incident-ops snooze`: reminders and escalations wait for a while."""

from __future__ import annotations

import click

from incident_ops.app import which_incident
from incident_ops.app.edit_record import RecordChange, clean, who
from incident_ops.app.workspace import Workspace, typed_time
from incident_ops.cli.options import by_option, edits_record, incident_argument, pick_incident, say_time
from incident_ops.edits.snooze import end_snooze, snooze_incident
from incident_ops.errors import UserError


@click.command()
@incident_argument
@click.option("--until", metavar="WHEN", help="Until when: 2h, 18:00, tomorrow 09:00, or an instant.")
@click.option("--reason", metavar="TEXT", help="Why nobody needs to be reminded.")
@click.option("--off", is_flag=True, help="End it now.")
@by_option
@edits_record
def snooze(
    workspace: Workspace, incident: str | None, until: str | None, reason: str | None, off: bool, by: str | None
) -> RecordChange:
    """Reminders and escalations of an incident wait until then.

    Clocks run on, and what they miss stays missed. What a person escalates is
    sent all the same, and a level that gets worse ends the snooze.

    \b
    Examples:
      incident-ops snooze --until 2h --reason "the vendor calls back at four"
      incident-ops snooze 120500 --until 18:00 --reason "fix is being deployed"
      incident-ops snooze --off
    """
    actor, why = who(workspace, by), clean(reason)
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
