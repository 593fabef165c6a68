"""How much each person carries: time on call, at night and at weekends, as the schedule's zone has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.oncall import LayerHours, OnCallSchedule, schedule_zone
from incident_ops.domain.time import TimeSpan
from incident_ops.oncall.shifts import hour_windows, shifts

NIGHT = LayerHours(begin="22:00", end="06:00")
WEEKEND = LayerHours(days=["sat", "sun"])


class PersonLoad(NamedTuple):
    """Seconds on call of one person, of these at night and at weekends (both may count the same second)."""

    who: str
    on_call: int
    night: int
    weekend: int


class LoadRow(NamedTuple):
    """The load of a person, and how many escalations of the records reached them: all, and those at night."""

    load: PersonLoad
    escalations: int
    at_night: int


def person_loads(schedules: Iterable[OnCallSchedule], begin: datetime, end: datetime) -> list[PersonLoad]:
    """The load of each person over all schedules, the heaviest first. ValueError as `shifts`."""
    found: dict[str, tuple[timedelta, timedelta, timedelta]] = {}
    for schedule in schedules:
        zone = schedule_zone(schedule)
        nights, weekends = (hour_windows([hours], zone, begin, end) for hours in (NIGHT, WEEKEND))
        for shift in shifts(schedule, begin, end):
            before = found.get(shift.who, (timedelta(),) * 3)
            parts = (shift.end - shift.begin, *(_shared(shift.begin, shift.end, part) for part in (nights, weekends)))
            found[shift.who] = (before[0] + parts[0], before[1] + parts[1], before[2] + parts[2])
    loads = [PersonLoad(who, *(int(part.total_seconds()) for part in parts)) for who, parts in found.items()]
    return sorted(loads, key=lambda one: (-one.on_call, one.who))


def is_within(at: datetime, hours: LayerHours, schedule: OnCallSchedule) -> bool:
    """True where an instant lies in these hours of a schedule's zone."""
    windows = hour_windows([hours], schedule_zone(schedule), at, at)
    return any(opens <= at < closes for opens, closes in windows)


def _shared(begin: datetime, end: datetime, windows: Iterable[TimeSpan]) -> timedelta:
    parts = (min(end, closes) - max(begin, opens) for opens, closes in windows)
    return sum((part for part in parts if part > timedelta()), timedelta())
