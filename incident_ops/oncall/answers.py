"""What people ask of schedules, and the answers as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.oncall import OnCallSchedule, ShiftOverride
from incident_ops.domain.record import Unread
from incident_ops.oncall.shifts import Shift, override_at, shifts

LOOK_AHEAD = timedelta(days=90)
"""How far shifts are looked for."""


class OnCallNow(NamedTuple):
    """Who is on call by a schedule at an instant, None = nobody; `until` when that changes and who comes then.

    `until` None: nothing changes within LOOK_AHEAD. `instead` is the override by which they are on call.
    """

    schedule: str
    zone: str
    who: str | None
    until: datetime | None
    then: str | None
    instead: ShiftOverride | None = None


class ComingShift(NamedTuple):
    """A shift with the schedule that it is of."""

    schedule: str
    zone: str
    shift: Shift


@dataclass(frozen=True)
class OnCallAnswer:
    """What was asked of the schedules, and those that cannot be used."""

    rows: tuple[OnCallNow, ...]
    unread: tuple[Unread, ...]


def on_call_now(schedule: OnCallSchedule, at: datetime) -> OnCallNow:
    """Who is on call at an instant, and what comes then. ValueError where the schedule cannot be used."""
    coming = shifts(schedule, at, at + LOOK_AHEAD)
    first = coming[0] if coming else None
    if first is None or first.begin > at:
        begins = first.begin if first else None
        return OnCallNow(schedule.name, schedule.zone, None, begins, first.who if first else None)
    until = first.end if first.end < at + LOOK_AHEAD else None
    then = coming[1].who if until and len(coming) > 1 and coming[1].begin == until else None
    return OnCallNow(schedule.name, schedule.zone, first.who, until, then, override_at(schedule, at))
