"""Slots of updates: from one update to the next, or to the change of level or the end that cuts it short (C36).

A change of the level that gives the updates starts a new slot, so that nobody owes updates for the time before it, and
a cadence that the new level does not have owes nothing more. What was missed before the change stays missed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from incident_ops.domain.as_of import MOMENT, IncidentAt
from incident_ops.domain.policy import Cadence, Policy
from incident_ops.domain.public_updates import PUBLIC
from incident_ops.sla.calendar import elapsed
from incident_ops.sla.targets import Course, LevelPeriod, calendar_of, course, stated_seconds


class UpdateSlot(NamedTuple):
    """One slot. `stop` None = it still runs; `has_ended_well`: an update or the resolution ended it."""

    start: datetime
    stop: datetime | None
    has_ended_well: bool
    period: LevelPeriod
    course: Course

    @property
    def is_missed(self) -> bool:
        """True where it was ended too late."""
        return self.stop is not None and self.course.due is not None and self.stop > self.course.due

    def passed(self, now: datetime) -> int:
        """The cadences that passed in it without an update; one that ends with it has not passed."""
        if not self.course.target:
            return 0
        return elapsed(self.start, (self.stop or now) - MOMENT, self.course.calendar) // self.course.target


def update_slots(
    view: IncidentAt, policy: Policy, periods: Sequence[LevelPeriod], audience: str | None
) -> list[UpdateSlot]:
    """The slots of the present cycle whose level asks for updates, in order; audience PUBLIC, or None = any.

    UserError for a calendar or zone that does not exist.
    """
    begin, end = view.cycle_start, view.resolved.at
    updates = view.update_instants(audience)
    update_times = set(updates)
    starts = sorted(
        {begin, *update_times, *(at for at in _restarts(periods) if at > begin and (end is None or at < end))}
    )
    stops: list[datetime | None] = [*starts[1:], end]
    dated = [period.since for period in periods]
    found = []
    for start, stop in zip(starts, stops, strict=True):
        place = bisect_right(dated, start)
        period = periods[place - 1] if place else None
        target = period and cadence_target(period.level.update, audience)
        if period is not None and target is not None:
            track = course(target, start, calendar_of(period.level, policy), policy)
            found.append(
                UpdateSlot(start, stop, stop is not None and (stop == end or stop in update_times), period, track)
            )
    return found


def cadence_target(cadence: Cadence, audience: str | None) -> str | None:
    """The longest time between updates; of a range (C11) its outer limit. None = no clock."""
    if audience != PUBLIC:
        return stated_seconds(cadence.internal)
    return stated_seconds(cadence.public) and stated_seconds(cadence.public_max or cadence.public)


def _restarts(periods: Sequence[LevelPeriod]) -> list[datetime]:
    """When the level that gives the updates changed, or the calendar that it runs in."""
    return [
        new.since
        for old, new in pairwise(periods)
        if (old.major, old.level.calendar) != (new.major, new.level.calendar)
    ]
