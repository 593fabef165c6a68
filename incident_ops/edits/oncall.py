"""Swaps: overrides by which two people take each other's time on call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.domain.oncall import OnCallSchedule, schedule_zone
from incident_ops.domain.record import Append
from incident_ops.domain.time import stamp
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.oncall.shifts import Shift, shifts


class ExchangeRequest(NamedTuple):
    """Who takes whose time from `begin` until `end` (aware UTC), who says so and why."""

    first: str
    second: str
    begin: datetime
    end: datetime
    by: str | None
    reason: str | None


def swapped_shifts(schedule: OnCallSchedule, wanted: ExchangeRequest) -> list[Shift]:
    """The shifts of both in that time, each with the other one in it. ValueError as `shifts`."""
    others = {wanted.first: wanted.second, wanted.second: wanted.first}
    found = shifts(schedule, wanted.begin, wanted.end)
    return [one._replace(who=others[one.who]) for one in found if one.who in others]


def exchange_people(schedule: OnCallSchedule, now: datetime, wanted: ExchangeRequest) -> Step:
    """An override for each shift of either in that time. UserError where neither has one, or the time is none."""
    if wanted.end <= wanted.begin:
        raise UserError(
            "--to is not after --from", hint="a weekday or a time of day counts from --from, e.g. --to 'friday 09:00'"
        )
    if wanted.first == wanted.second:
        raise UserError(f"{wanted.first} cannot swap with themselves", hint="name two people")
    swapped = swapped_shifts(schedule, wanted)
    if not swapped:
        there = dict.fromkeys(one.who for one in shifts(schedule, wanted.begin, wanted.end))
        said = f"on call then: {', '.join(there)}" if there else "nobody is on call then"
        message = f"neither {wanted.first} nor {wanted.second} is on call by {schedule.name} in that time"
        raise UserError(message, hint=said)
    zone = schedule_zone(schedule)
    edits = tuple(Append(("overrides",), _entry(one, wanted)) for one in swapped)
    messages = tuple(
        f"{schedule.name}: {one.who} is on call from {one.begin.astimezone(zone):%a %Y-%m-%d %H:%M} "
        f"to {one.end.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"
        for one in swapped
    )
    warnings = ("it began before now: what was sent meanwhile went to the other one",) if wanted.begin < now else ()
    return Step(edits, messages, warnings)


def _entry(shift: Shift, wanted: ExchangeRequest) -> dict[str, Any]:
    entry = {"from": stamp(shift.begin), "to": stamp(shift.end), "who": shift.who}
    more: Sequence[tuple[str, str | None]] = (("by", wanted.by), ("reason", wanted.reason))
    return {**entry, **{key: value for key, value in more if value}}
