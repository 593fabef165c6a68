"""A pause is open exactly while the incident is pending; a wait for the user may be open before.

A pause says what the incident is waiting for, and stops clocks; a forgotten one would stop them forever. A pause still
open after the incident is closed is an error, otherwise a warning. Each time that `changes` say it was pending has its
pause too: without one the resolution clock ran on. Where the policy has `states.auto_pending`, a wait for the user
becomes pending by itself after that time, and may be open until then.

    before: state: pending
    after:  state: pending
            pauses:
            - {from: 2025-01-26T12:05:00Z, waiting_for: vendor}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER, PENDING
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import instant, parse_instant, stamp
from incident_ops.domain.waits import WAITING, user_wait
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "pause"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """Open pauses against the state (R82)."""
    incident = record.incident
    still_open = [index for index, pause in enumerate(incident.pauses) if pause.end is None]
    if incident.state != PENDING and user_wait(incident, world.policy):
        still_open = [index for index in still_open if incident.pauses[index].waiting_for != WAITING]
    if incident.state == PENDING and not still_open:
        message = "state is pending, but no pause is open: what is it waiting for?"
        begins = [change.at for change in incident.changes if change.field == "state" and change.new == PENDING]
        yield rule_finding(ID, Level.WARNING, ("state",), message, _mend(max(begins, key=parse_instant, default="...")))
    if PENDING in world.policy.states.pausing:
        yield from _unpaused(incident)
    for index in still_open if incident.state != PENDING else still_open[:-1]:
        level = Level.ERROR if incident.state in OVER else Level.WARNING
        message = f"this pause has no end, but the incident is {incident.state}"
        if incident.state == PENDING:
            message = "this pause has no end, but a later one is open too"
        yield rule_finding(ID, level, ("pauses", index), message, "to: when the waiting ended")


def _unpaused(incident: Incident) -> Iterator[Finding]:
    """Each time that it was pending, as its changes say, and no pause lies in it."""
    for index, begin, end in _pending_times(incident):
        spans = ((parse_instant(pause.start), instant(pause.end)) for pause in incident.pauses)
        if not any(start < end and (until is None or begin < until) for start, until in spans):
            message = "it was pending from here on, but no pause says so: the resolution clock ran on meanwhile"
            hint = _mend(stamp(begin), f"to: {stamp(end)}, ")
            yield rule_finding(ID, Level.WARNING, ("changes", index, "to"), message, hint)


def _pending_times(incident: Incident) -> Iterator[tuple[int, datetime, datetime]]:
    """The times spent pending that have ended: the place of the change that began it, and both instants."""
    dated = ((parse_instant(change.at), index) for index, change in enumerate(incident.changes))
    began: tuple[int, datetime] | None = None
    for at, index in sorted(one for one in dated if incident.changes[one[1]].field == "state"):
        if began is not None and began[1] < at:
            yield (*began, at)
        began = (index, at) if incident.changes[index].new == PENDING else None


def _mend(begin: str, end: str = "") -> str:
    return f"add to pauses: {{from: {begin}, {end}waiting_for: user, vendor or approval}}"
