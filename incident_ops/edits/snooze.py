"""A snooze: reminders and escalations of an incident wait for a while; its clocks run on."""

from __future__ import annotations

from datetime import datetime

from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Set
from incident_ops.domain.time import spell_duration, spell_minute, stamp
from incident_ops.domain.waits import snoozed_until
from incident_ops.edits.step import Step, timeline_row
from incident_ops.errors import UserError

USUAL_SECONDS = 24 * 3600
"""A longer snooze is taken, with a warning: it outlives whoever is on call."""


def snooze_incident(now: datetime, by: str, until: datetime, reason: str) -> Step:
    """Snoozes an incident until an instant (aware UTC); one snooze replaces another. UserError where it is past."""
    if until <= now:
        hint = "2h, 18:00, tomorrow 09:00, or an instant; `--off` ends a snooze"
        raise UserError(f"--until {stamp(until)} is past; it is {stamp(now)} now", hint=hint)
    spelled = spell_minute(until)
    seconds = int((until - now).total_seconds())
    doubt = f"nobody is reminded for {spell_duration(seconds)}: will somebody think of it by then?"
    return Step(
        (
            Set(("snooze",), {"at": stamp(now), "until": stamp(until), "by": by, "reason": reason}),
            timeline_row(now, "status", f"Snoozed until {spelled}: {reason}", by),
        ),
        (f"snoozed until {spelled}: reminders and escalations wait, the clocks run on",),
        (doubt,) if seconds > USUAL_SECONDS else (),
    )


def end_snooze(incident: Incident, now: datetime, by: str | None) -> Step:
    """Ends a snooze now; what waited is due again."""
    if snoozed_until(incident, now) is None:
        return Step((), ("it is not snoozed; nothing changed",))
    edits = (Set(("snooze", "until"), stamp(now)), timeline_row(now, "status", "The snooze is over", by))
    return Step(edits, ("the snooze is over: what waited is due again",))
