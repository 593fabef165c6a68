"""A schedule as another tool exports it, on its way into ours: what its readers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from incident_ops.domain.oncall import DAY_NAMES
from incident_ops.domain.time import parse_instant, stamp, zone_named
from incident_ops.errors import UserError
from incident_ops.oncall.shifts import Shift

DAY = 24 * 60
_WEEK = 7 * DAY
_HOUR_SECONDS, _DAY_SECONDS, _WEEK_SECONDS = 3600, 86_400, 604_800


class ImportedSchedule(NamedTuple):
    """Layers and overrides as a file of ours has them; `notes` say what is not the same. `expected` are the shifts that
    the source itself worked out, empty where it says none."""

    zone: str
    layers: list[dict[str, Any]]
    overrides: list[dict[str, Any]]
    notes: tuple[str, ...] = ()
    expected: tuple[Shift, ...] = ()


def source_instant(text: Any, what: str) -> datetime:
    """An instant of an export -> aware UTC. UserError where it is none."""
    try:
        return parse_instant(text)
    except (TypeError, ValueError) as error:
        raise UserError(f"{what}: {text!r} is not an instant", hint="export it again; it may be cut off") from error


def source_zone(name: Any) -> ZoneInfo:
    """The zone of an export. UserError where it is not that of a place."""
    try:
        return zone_named(str(name))
    except ValueError as error:
        hint = "give one: --zone Europe/Berlin"
        raise UserError(f"its time zone {name!r} is not that of a place", hint=hint) from error


def turn_text(seconds: int, layer: str) -> str:
    """The length of a turn as our files write it. UserError for one that is not whole hours."""
    for unit, letter in ((_WEEK_SECONDS, "w"), (_DAY_SECONDS, "d"), (_HOUR_SECONDS, "h")):
        if seconds > 0 and seconds % unit == 0 and seconds // unit < 10_000:
            return f"{seconds // unit}{letter}"
    raise UserError(f"turns of {layer!r} last {seconds} seconds", hint="only whole hours, days and weeks can be kept")


def turning_layer(
    name: str, people: Sequence[str], rotate: str, first: datetime, start: datetime, zone: ZoneInfo
) -> tuple[dict[str, Any], datetime]:
    """A layer of which the turn of `people[0]` begins at `first`, and which counts from `start` on -> the layer, and
    the instant at which it really begins: that of the turn which is going on at `start`."""
    count = int(rotate[:-1]) * (7 if rotate.endswith("w") else 1)
    if rotate.endswith("h"):
        passed = (start - first).total_seconds() // (count * _HOUR_SECONDS)
        begins = datetime.fromtimestamp(first.timestamp() + passed * count * _HOUR_SECONDS, tz=first.tzinfo)
        layer = {"name": name, "people": turned(people, int(passed)), "start": stamp(begins), "rotate": rotate}
        return layer, begins
    anchor, local = first.astimezone(zone), start.astimezone(zone)
    days = (local.date() - anchor.date()).days - (local.time() < anchor.time())
    passed = days // count
    day = datetime.fromordinal(anchor.toordinal() + passed * count).date()
    begins = datetime.combine(day, anchor.time(), zone)
    head = {"name": name, "people": turned(people, passed)}
    if anchor.second or anchor.microsecond:
        start_text = f"{day.isoformat()}T{anchor:%H:%M:%S}"
        return {**head, "start": start_text, "rotate": rotate}, begins
    return {**head, "start": day.isoformat(), "rotate": rotate, "at": f"{anchor:%H:%M}"}, begins


def turned(people: Sequence[str], turns: int) -> list[str]:
    """People in their order, beginning with whoever has the turn after so many."""
    first = turns % len(people) if people else 0
    return [*people[first:], *people[:first]]


def week_hours(spans: Iterable[tuple[int, int]]) -> list[dict[str, Any]]:
    """Spans of a week, (minute since its Monday 00:00, minutes that it lasts) -> `restrict`, split at midnights.

    Days with the same hours stand together.
    """
    days: dict[tuple[int, int], list[int]] = {}
    for begin, lasts in spans:
        at, left = begin % _WEEK, min(lasts, _WEEK)
        while left > 0:
            part = min(left, DAY - at % DAY)
            weekdays = days.setdefault((at % DAY, at % DAY + part), [])
            if at // DAY not in weekdays:
                weekdays.append(at // DAY)
            at, left = (at + part) % _WEEK, left - part
    return [_hours(sorted(weekdays), begin, end) for (begin, end), weekdays in days.items()]


def _hours(weekdays: Sequence[int], begin: int, end: int) -> dict[str, Any]:
    every = {} if len(weekdays) == 7 else {"days": [DAY_NAMES[day] for day in weekdays]}
    return {**every, "from": clock_text(begin), "to": clock_text(end)}


def clock_text(minutes: int) -> str:
    """Minutes after midnight -> `09:00`, `24:00`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def override_row(begin: datetime, end: datetime, who: str) -> dict[str, Any]:
    """An override of ours."""
    return {"from": stamp(begin), "to": stamp(end), "who": who}


def as_list(value: Any, what: str) -> list[Mapping[str, Any]]:
    """A list of objects; missing = empty. UserError for anything else."""
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UserError(f"{what} is not a list of objects", hint="export it again; it may be cut off")
    return found
