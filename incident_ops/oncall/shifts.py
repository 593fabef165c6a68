"""The shifts of a schedule, who is on call at an instant, and the time that nobody covers.

Turns of days and weeks begin at a local time, so a week in which the clocks change has an hour more or less; turns of
hours last what they say. All instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from incident_ops.domain.oncall import (
    LayerHours,
    OnCallSchedule,
    RotationLayer,
    ShiftOverride,
    schedule_instant,
    schedule_zone,
    turn_length,
)
from incident_ops.domain.time import FIRST, LAST, TimeSpan, to_utc

OVERRIDE_SOURCE = "override"
_TICK = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)


class Shift(NamedTuple):
    """Somebody is on call from `begin` until `end`; `source` is the layer's name or OVERRIDE_SOURCE."""

    begin: datetime
    end: datetime
    who: str
    source: str


def on_call_at(schedule: OnCallSchedule, at: datetime, overrides: Iterable[Shift] | None = None) -> str | None:
    """Who is on call at an instant; None where nobody is. ValueError where the schedule cannot be used. `overrides` are
    its `override_shifts`, where they are known already."""
    found = next(iter(shifts(schedule, at, at + _TICK, overrides)), None)
    return found.who if found else None


def shifts(
    schedule: OnCallSchedule, begin: datetime, end: datetime, overrides: Iterable[Shift] | None = None
) -> list[Shift]:
    """Who is on call from `begin` until `end`, in order, cut at both; neighbours of one person are joined. `overrides`
    as of `on_call_at`.

    ValueError where the schedule cannot be used: an unknown zone, a turn of no length, an override that ends before it
    begins.
    """
    painted: list[Shift] = []
    for layer in schedule.layers:
        painted = _painted(painted, layer_shifts(layer, schedule, begin, end))
    for over in override_shifts(schedule) if overrides is None else overrides:
        if over.begin < end and begin < over.end:
            painted = _painted(painted, _cut([over], begin, end))
    return _joined(painted)


def uncovered(schedule: OnCallSchedule, begin: datetime, end: datetime) -> list[TimeSpan]:
    """The stretches from `begin` until `end` in which nobody is on call. ValueError as `shifts`."""
    gaps, at = [], begin
    for shift in shifts(schedule, begin, end):
        if shift.begin > at:
            gaps.append((at, shift.begin))
        at = shift.end
    return [*gaps, *([(at, end)] if at < end else [])]


def layer_shifts(layer: RotationLayer, schedule: OnCallSchedule, begin: datetime, end: datetime) -> list[Shift]:
    """What one layer says, whatever covers it. ValueError as `shifts`."""
    zone = schedule_zone(schedule)
    turns = list(_turns(layer, zone, begin, end))
    if not layer.restrict or not turns:
        return _cut(turns, begin, end)
    return _cut(list(_within(turns, hour_windows(layer.restrict, zone, begin, end))), begin, end)


def override_shifts(schedule: OnCallSchedule) -> list[Shift]:
    """The overrides in the file's order, uncut. ValueError as `shifts`."""
    zone, found = schedule_zone(schedule), []
    for one in schedule.overrides:
        begin, end = schedule_instant(one.begin, zone), schedule_instant(one.end, zone)
        if end <= begin:
            raise ValueError(f"the override from {one.begin} ends before it begins")
        found.append(Shift(begin, end, one.who, OVERRIDE_SOURCE))
    return found


def override_at(schedule: OnCallSchedule, at: datetime) -> ShiftOverride | None:
    """The override that holds at an instant, the last of the file; None where none does. ValueError as `shifts`."""
    every = zip(override_shifts(schedule), schedule.overrides, strict=True)
    return next((one for span, one in reversed([*every]) if span.begin <= at < span.end), None)


def _turns(layer: RotationLayer, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[Shift]:
    """The turns of a layer that touch a span, without its restrictions."""
    start, length = schedule_instant(layer.start, zone, layer.at), turn_length(layer.rotate)
    if not length.units or not layer.people:
        raise ValueError(f"a turn of layer {layer.name!r} has no length")
    if end <= start:
        return
    first = start.astimezone(zone)
    at = schedule_time(layer.at) if layer.at else first.time()

    def boundary(number: int) -> datetime:
        if number <= 0:
            return start
        if length.in_hours:
            return _hours_after(start, number * length.units)
        return _local(first.date(), number * length.units, at, zone)

    number = _turn_before(start, max(begin, start), length.units, length.in_hours, zone)
    while (opens := boundary(number)) < end:
        closes = boundary(number + 1)
        if closes > max(begin, opens):
            yield Shift(opens, closes, layer.people[number % len(layer.people)], layer.name)
        if closes >= LAST:
            return
        number += 1


def _turn_before(start: datetime, at: datetime, count: int, in_hours: bool, zone: ZoneInfo) -> int:
    """A turn that begins at or before `at`, and not long before it."""
    if in_hours:
        return (at - start) // (count * _HOUR)
    days = (at.astimezone(zone).date() - start.astimezone(zone).date()).days
    return max(days // count - 1, 0)


def schedule_time(text: str) -> time:
    """`09:00` -> a time of day; `24:00` is midnight."""
    hour, _, minute = text.partition(":")
    return time(int(hour) % 24, int(minute))


def _hours_after(start: datetime, hours: int) -> datetime:
    return start + hours * _HOUR if (LAST - start) // _HOUR > hours else LAST


def _local(day: date, days: int, at: time, zone: ZoneInfo) -> datetime:
    if day.toordinal() + days >= LAST.date().toordinal():
        return LAST
    return to_utc(datetime.combine(day + timedelta(days=days), at), zone)


def hour_windows(hours: Sequence[LayerHours], zone: ZoneInfo, begin: datetime, end: datetime) -> list[TimeSpan]:
    """When restrictions let a layer count, in order and without overlaps, in a span and a little around it."""
    first, last = (min(max(at, FIRST), LAST).astimezone(zone).date() for at in (begin, end))
    days = map(date.fromordinal, range(first.toordinal() - 1, last.toordinal() + 1))
    spans = sorted(_window(one, day, zone) for day in days for one in hours if one.counts_on(day.weekday()))
    found, reached = [], FIRST
    for opens, closes in spans:
        if closes > max(opens, reached):
            found.append((max(opens, reached), closes))
            reached = closes
    return found


@lru_cache(maxsize=8192)
def _opens(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    return to_utc(datetime.combine(day, time()) + timedelta(minutes=minutes), zone)


def _window(hours: LayerHours, day: date, zone: ZoneInfo) -> TimeSpan:
    opens, closes = hours.minutes
    return _opens(day, opens, zone), _opens(day, closes, zone)


def _within(turns: Sequence[Shift], windows: Sequence[TimeSpan]) -> Iterator[Shift]:
    """The parts of turns that lie in windows; both in order, neither with overlaps."""
    place = 0
    for turn in turns:
        while place < len(windows) and windows[place][1] <= turn.begin:
            place += 1
        for opens, closes in windows[place:]:
            if opens >= turn.end:
                break
            yield turn._replace(begin=max(opens, turn.begin), end=min(closes, turn.end))


def _cut(found: Iterable[Shift], begin: datetime, end: datetime) -> list[Shift]:
    cut = (one._replace(begin=max(one.begin, begin), end=min(one.end, end)) for one in found)
    return [one for one in cut if one.begin < one.end]


def _painted(under: Sequence[Shift], over: Sequence[Shift]) -> list[Shift]:
    """Both together; where they overlap only `over` stays. Each is in order and without overlaps, and so is this."""
    if not over:
        return list(under)
    out: list[Shift] = []
    place = 0
    for one in under:
        at = one.begin
        while place < len(over) and over[place].end <= at:
            place += 1
        look = place
        while at < one.end and look < len(over) and over[look].begin < one.end:
            if over[look].begin > at:
                out.append(one._replace(begin=at, end=over[look].begin))
            at = max(at, over[look].end)
            look += 1
        if at < one.end:
            out.append(one._replace(begin=at))
    return sorted([*out, *over])


def _joined(found: Iterable[Shift]) -> list[Shift]:
    """Neighbours of one person as one shift."""
    out: list[Shift] = []
    for one in found:
        if out and out[-1].end == one.begin and out[-1].who == one.who:
            out[-1] = out[-1]._replace(end=one.end)
        else:
            out.append(one)
    return out
