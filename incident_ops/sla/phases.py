"""Phases of the response (R22, R23, R49, R50): which one an incident is in, and whether it has run over.

A phase is planned by the clock and ended by what happened: triage by the first move or acknowledgement, the search for
the cause by `diagnosed`, mitigation by `mitigated`; being restored or resolved ends them all. A phase under another
name has no event of its own and ends by the clock.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from incident_ops.lifecycle import NEW
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import parse_instant
from incident_ops.sla.calendar import due, elapsed
from incident_ops.sla.facts import Facts, declared, facts, resolved
from incident_ops.sla.targets import calendar_of, level_of, seconds_of

_TRIAGE = ("times.acknowledged", "times.diagnosed", "times.mitigated")
_CAUSE = ("times.diagnosed", "times.mitigated")
ENDINGS = {
    "triage": _TRIAGE,
    "investigation": _CAUSE,
    "root_cause": _CAUSE,
    "mitigation": ("times.mitigated",),
}
"""Phase -> instants that end it; each of these is also ended by `restored` and by the resolution."""


class Stretch(NamedTuple):
    """One phase: when it was planned (aware UTC; `due` None = open), when it ended, seconds it took too long (0: none).

    Seconds are working seconds of the level's calendar.
    """

    id: str
    start: datetime | None
    due: datetime | None
    ended_at: datetime | None
    over_seconds: int


def phases(incident: Incident, policy: Policy, now: datetime) -> list[Stretch]:
    """The phases of the level in force, in the policy's order; [] where it has none. UserError as `level_of`."""
    level = level_of(incident, policy)
    calendar = calendar_of(level, policy)
    given = facts(incident, now)
    begin = declared(given)
    found = []
    for phase in level.phases:
        start = due(begin, seconds_of(phase.start), calendar)
        planned = due(begin, seconds_of(phase.end), calendar) if phase.end else None
        ended = _ended(given, phase.id, planned)
        over = elapsed(planned, ended or now, calendar) if planned else 0
        found.append(Stretch(phase.id, start, planned, ended, over))
    return found


def present(incident: Incident, policy: Policy, now: datetime) -> Stretch | None:
    """The phase the incident is in: the first that has not ended; None where all have, or the incident came back."""
    if facts(incident, now).cycle > 1:
        return None  # phases are counted from the declaration
    return next((one for one in phases(incident, policy, now) if one.ended_at is None), None)


def _ended(given: Facts, name: str, planned: datetime | None) -> datetime | None:
    """When a phase ended; None while it lasts."""
    if name not in ENDINGS:
        return planned if planned is not None and planned <= given.now else resolved(given).at
    events = [given.at(field) for field in (*ENDINGS[name], "times.restored")]
    if name == "triage":
        moves = [one for one in given.incident.changes if one.field == "state" and one.old == NEW]
        events += [parse_instant(one.at) for one in moves]
    return min((at for at in (*events, resolved(given).at) if at is not None and at <= given.now), default=None)
