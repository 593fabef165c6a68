"""The marks of a clock that are passed: its warning, its due instant, missed slots, reminders (R54, R193, R194)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.model.policy import Policy
from incident_ops.model.time import spell_duration, stamp
from incident_ops.sla.calendar import due
from incident_ops.sla.causes import mark_due
from incident_ops.sla.clock import ACTION_ITEM, RESOLUTION, UPDATE_INTERNAL, UPDATE_PUBLIC, Clock, Risk
from incident_ops.sla.facts import Facts
from incident_ops.sla.targets import Leg, calendar_of, seconds_of

WARNING, BREACH, ITEM = "warning", "breach", "action_item"
RETARGET = "breached_by_retarget"

ITEM_MARKS = (("minus-2d", -2), ("due", 0), ("plus-7d", 7), ("plus-30d", 30))
"""Reminders of an action item, in days from the end of its last day."""
MOST_SLOTS = 50
"""Missed slots of updates that are listed one by one, the newest."""


class Mark(NamedTuple):
    """A mark that is passed: since when (aware UTC), and why nobody is to be told of it any more ("" = somebody is)."""

    kind: str
    mark: str
    at: datetime
    reason: str
    superseded: str = ""


def marks(clock: Clock, given: Facts, policy: Policy, leg: Leg) -> list[Mark]:
    """The marks of a clock passed at the instant of `given`, in rising order; all but the highest are superseded.

    A clock that has stopped owes nothing; that it was missed stays listed. `leg` is the level the incident has.
    """
    if clock.due is None or (given.is_cancelled and clock.clock != ACTION_ITEM):
        return []
    if clock.clock == ACTION_ITEM:
        return [] if clock.is_over else _highest(_reminders(clock, clock.due, given.now))
    warned = _warning(clock, given, policy, leg)
    if clock.is_over:
        breached = _breach(clock, clock.due) if clock.risk is Risk.BREACHED else []
        ended = f"it ended at {stamp(clock.stopped_at)}" if clock.stopped_at else "it ended"
        return [one._replace(superseded=ended) for one in breached]
    if clock.risk is not Risk.BREACHED:
        return warned
    if clock.clock in (UPDATE_INTERNAL, UPDATE_PUBLIC):
        return _highest([*warned, *_slots(clock, given.now, policy, leg)])
    return _highest([*warned, *_breach(clock, clock.due)])


def _warning(clock: Clock, given: Facts, policy: Policy, leg: Leg) -> list[Mark]:
    at = _warned_at(clock, given, policy, leg)
    if at is None or at >= given.now or clock.is_over:
        return []
    left = spell_duration(max(clock.remaining_seconds or 0, 0), in_words=True)
    due_of = "SLA breach" if clock.clock == RESOLUTION else f"the end of {name(clock)}"
    return [Mark(WARNING, f"warn.{clock.level}.{stamp(clock.start)}", at, f"{left} to {due_of}")]


def _warned_at(clock: Clock, given: Facts, policy: Policy, leg: Leg) -> datetime | None:
    level = leg.level
    if clock.clock == RESOLUTION and level.warn_at:
        return mark_due(level.warn_at, leg, given, policy)
    if clock.clock == UPDATE_PUBLIC and level.update.public and level.update.public_max:
        return due(clock.start, seconds_of(level.update.public), calendar_of(level, policy))
    return None


def _breach(clock: Clock, at: datetime) -> list[Mark]:
    told = f"{name(clock)} of {clock.level} was due at {stamp(at)}"
    if clock.retargeted_at is None:
        return [Mark(BREACH, "due", at, told)]
    return [Mark(BREACH, RETARGET, at, f"{told}; the change at {stamp(clock.retargeted_at)} moved it into the past")]


def _slots(clock: Clock, now: datetime, policy: Policy, leg: Leg) -> list[Mark]:
    """The slots since the last update that passed without one (R139, R145), the newest MOST_SLOTS."""
    calendar, cadence = calendar_of(leg.level, policy), (clock.elapsed_seconds or 0) + (clock.remaining_seconds or 0)
    missed = (clock.elapsed_seconds or 0) // cadence if cadence > 0 else 0
    found = []
    for number in range(max(1, missed - MOST_SLOTS + 1), missed + 1):
        at = due(clock.start, number * cadence, calendar)
        if at is not None and at < now:
            reason = f"{name(clock)} was due at {stamp(at)}; the last one was at {stamp(clock.start)}"
            found.append(Mark(BREACH, f"slot.{stamp(clock.start)}.{number}", at, reason))
    return found


def _reminders(clock: Clock, end: datetime, now: datetime) -> list[Mark]:
    found = []
    for mark, days in ITEM_MARKS:
        at = end + timedelta(days=days)
        if at < now:
            told = f"{clock.item} is due at {stamp(end)}" if now <= end else f"{clock.item} was due at {stamp(end)}"
            found.append(Mark(ITEM, f"{clock.item}.{stamp(end)}.{mark}", at, told))
    return found


def name(clock: Clock) -> str:
    """A clock as people say it."""
    return {
        UPDATE_INTERNAL: "Internal update",
        UPDATE_PUBLIC: "Public update",
        "postmortem_final": "Final postmortem",
        "postmortem_meeting": "Postmortem meeting",
    }.get(clock.clock, clock.clock.capitalize())


def _highest(found: list[Mark]) -> list[Mark]:
    return [one._replace(superseded=f"by {found[-1].mark}") for one in found[:-1]] + found[-1:]
