"""The clocks of an incident: response, resolution and the internal updates (R26-R48, R52, R53).

Everything follows from the record and the policy; `now` decides only how far a clock has run. What is decided here:

- All clocks start at `declared`; a severity change keeps the start and takes the new level's target.
- A clock is met when it stops at or before its due (C37). One that runs past it still runs, its risk is `breached`.
- Pauses and the time between resolved and reopened stretch the resolution, nothing else.
- A clock that ended at an `unknown` instant, and every clock of a duplicate, a false alarm or a withdrawn incident, is
  `cancelled`: neither met nor missed.
- Updates run in slots from one to the next, ending at resolved (C36). Shown is the running slot; once ended, the
  first slot that was missed, else the last.
- `at_risk` is the level's `warn_at`, which speaks of the resolution; it is passed strictly after.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.lifecycle import FIXED
from incident_ops.model.incident import Incident
from incident_ops.model.policy import LevelPolicy, Policy
from incident_ops.model.record import Record
from incident_ops.model.time import duration
from incident_ops.model.unread import Unread
from incident_ops.sla.calendar import due, elapsed
from incident_ops.sla.facts import (
    End,
    Facts,
    acknowledged,
    cycle_start,
    declared,
    facts,
    pauses,
    resolved,
    update_instants,
)
from incident_ops.sla.targets import Course, calendar_of, course, level_of, targets

RESPONSE, RESOLUTION, UPDATE_INTERNAL = "response", "resolution", "update_internal"
NAMES = (RESPONSE, RESOLUTION, UPDATE_INTERNAL)
"""Clock names (contract 4), in the order in which an incident's clocks are listed."""


class State(StrEnum):
    """Where a clock stands (contract 4)."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"
    NO_DUE = "no_due"


class Risk(StrEnum):
    """What is to be feared of a clock (contract 4)."""

    OK = "ok"
    AT_RISK = "at_risk"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock, in the fields of `sla check` (contract 4). Instants are aware UTC, seconds are working seconds.

    `due` is None where it is not known: no release date, a calendar that never opens, a pause that is still on.
    `elapsed_seconds` is None where the end is not known; `remaining_seconds` is negative after a breach and None where
    there is nothing to count down.
    """

    incident: str
    clock: str
    cycle: int
    level: str
    start: datetime
    due: datetime | None
    state: State
    risk: Risk
    elapsed_seconds: int | None
    remaining_seconds: int | None
    paused_seconds: int
    stopped_at: datetime | None


class Report(NamedTuple):
    """The clocks at an instant (aware UTC), ordered by incident; `unread` are records that could not be used."""

    at: datetime
    clocks: tuple[Clock, ...]
    unread: tuple[Unread, ...] = ()


def report(
    records: Iterable[Record], policy: Policy, now: datetime, unread: Sequence[Unread] = (), everything: bool = False
) -> Report:
    """The clocks of all incidents that are not closed, with `everything` of the closed ones too.

    A record whose label is no level of the policy joins `unread`. UserError where the policy itself cannot be used.
    """
    found: list[Clock] = []
    left_out = list(unread)
    for record in records:
        if record.incident.is_closed and not everything:
            continue
        try:
            level_of(record.incident, policy)
        except UserError as error:
            left_out.append(Unread(record.path, str(error)))
            continue
        found += clocks(record.incident, policy, now)
    found.sort(key=lambda clock: (clock.incident, NAMES.index(clock.clock)))
    return Report(now, tuple(found), tuple(sorted(left_out)))


def clocks(incident: Incident, policy: Policy, now: datetime) -> list[Clock]:
    """The clocks of one incident at `now` (aware UTC): response, resolution, update_internal, in this order.

    A level without a target has no such clock (C13). UserError for a record whose label is no level of the policy,
    and for a policy that names a calendar or zone which does not exist.
    """
    given = facts(incident, now)
    level = level_of(incident, policy)
    calendar = calendar_of(level, policy)
    response, resolution = targets(incident, policy, level)
    found = []
    if response:
        road = course(response, declared(given), calendar, policy)
        found.append(_clock(given, RESPONSE, level.id, road, acknowledged(given)))
    if resolution:
        end = resolved(given)
        rests = tuple((begin, until or end.at) for begin, until in pauses(given))
        road = course(resolution, declared(given), calendar, policy, rests)
        found.append(_clock(given, RESOLUTION, level.id, road, end, level.warn_at))
    if level.update.internal and (cadence := duration(level.update.internal)):
        starts = (cycle_start(given), *update_instants(given))
        slots = [Course(at, cadence, due(at, cadence, calendar), calendar) for at in starts]
        label = _update_label(incident, policy, level)
        found.append(_clock(given, UPDATE_INTERNAL, label, *_slot(slots, resolved(given))))
    return found


def _slot(slots: list[Course], end: End) -> tuple[Course, End]:
    """The slot that stands for all: the running one; once ended the first that was missed, else the last."""
    if end.at is None:
        return slots[-1], end
    stops = [*(slot.start for slot in slots[1:]), end.at]
    missed = (pair for pair in zip(slots, stops, strict=True) if _past(pair[1], pair[0].due))
    slot, stop = next(missed, (slots[-1], end.at))
    return slot, End(True, stop)


def _clock(given: Facts, name: str, level: str, road: Course, end: End, warn_at: str | None = None) -> Clock:
    until = end.at if end.ended else given.now
    spent = None if until is None else elapsed(road.start, until, road.calendar, road.pauses)
    worked = spent if until is None or not road.pauses else elapsed(road.start, until, road.calendar)
    state = _state(given, road, end)
    idle = state is State.CANCELLED or road.target is None or spent is None
    return Clock(
        incident=given.incident.id,
        clock=name,
        cycle=1 if name == RESPONSE else given.cycle,
        level=level,
        start=road.start,
        due=road.due,
        state=state,
        risk=_risk(given, road, state, spent, warn_at),
        elapsed_seconds=spent,
        remaining_seconds=None if idle else (road.target or 0) - (spent or 0),
        paused_seconds=(worked or 0) - (spent or 0),
        stopped_at=end.at,
    )


def _state(given: Facts, road: Course, end: End) -> State:
    incident, now = given.incident, given.now
    cancelled = incident.outcome != FIXED or incident.duplicate_of is not None
    if cancelled or (end.ended and end.at is None):
        return State.CANCELLED
    if end.at is not None and road.due is not None:
        return State.MISSED if end.at > road.due else State.MET
    if not end.ended and any(begin <= now and (until is None or now < until) for begin, until in road.pauses):
        return State.PAUSED
    return State.NO_DUE if road.due is None else State.RUNNING


def _risk(given: Facts, road: Course, state: State, spent: int | None, warn_at: str | None) -> Risk:
    if state is State.MISSED:
        return Risk.BREACHED
    if state not in (State.RUNNING, State.PAUSED):
        return Risk.OK
    if _past(given.now, road.due):
        return Risk.BREACHED
    if warn_at is None or road.target is None or spent is None:
        return Risk.OK
    mark = road.target * int(warn_at[:-1]) / 100 if warn_at.endswith("%") else duration(warn_at)
    return Risk.AT_RISK if spent > mark else Risk.OK


def _update_label(incident: Incident, policy: Policy, level: LevelPolicy) -> str:
    """The label whose cadence it is: in a scheme with two scales the severity's, where there is one (C2)."""
    severity = incident.severity
    return severity if severity is not None and severity in policy.major_labels else level.id


def _past(at: datetime, limit: datetime | None) -> bool:
    return limit is not None and at > limit
