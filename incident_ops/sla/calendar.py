"""Working time (design decision 12): open windows of a calendar as UTC intervals, minus pauses, in real seconds.

Windows are what the clock on the wall shows; seconds are real ones. Where the wall clock jumps forward a skipped time
means the moment of the jump; where it falls back a repeated time means its first occurrence. So 02:00-04:00 lasts one
hour on the spring day and 01:30-04:30 lasts four in autumn (C29).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from incident_ops.errors import UserError
from incident_ops.model.policy_blocks import AROUND_THE_CLOCK, DAYS, Calendar

Bound = TypeVar("Bound", int, datetime)
Interval = tuple[datetime, datetime]
Pause = tuple[datetime, datetime | None]
"""From and to in UTC; to is None while it lasts."""

LIMIT = timedelta(days=3660)
"""How far ahead a due time is looked for: a calendar that never opens must not hang (the policy lint reports it)."""

FIRST, LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
"""The calendar's ends, a few days in, so that no zone steps over them."""

_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True, eq=False)
class _Hours:
    """A calendar made ready: per weekday its open windows in minutes, overlaps merged; `always` = it never closes."""

    zone: ZoneInfo
    week: tuple[tuple[tuple[int, int], ...], ...]
    days_off: frozenset[date]
    always: bool


_ALWAYS = _Hours(ZoneInfo("Etc/UTC"), (((0, _MINUTES),),) * len(DAYS), frozenset(), True)


def due(start: datetime, seconds: int, calendar: Calendar, pauses: Sequence[Pause] = ()) -> datetime | None:
    """The instant at which `seconds` of working time after `start` are used up; all instants are aware UTC.

    A due time on closing time stays there; no seconds are due at once. None: it is not known, because a pause is still
    on, or because the calendar opens too little within LIMIT.
    """
    left = timedelta(seconds=seconds)
    if seconds <= 0:
        return start
    hours = _hours_of(calendar)
    end = LAST if hours.always else _later(start, LIMIT)
    for opens, closes in _working(start, end, hours, pauses):
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    return None


def elapsed(start: datetime, end: datetime, calendar: Calendar, pauses: Sequence[Pause] = ()) -> int:
    """Working seconds from `start` to `end` outside the pauses, rounded down; 0 where `end` is not after `start`."""
    spans = _working(start, end, _hours_of(calendar), pauses)
    return sum((closes - opens for opens, closes in spans), timedelta()) // timedelta(seconds=1)


def next_business_day(start: datetime, calendar: Calendar) -> datetime | None:
    """Closing time of the first working day after the day of `start` (R34, R46); None where there is none."""
    hours = _hours_of(calendar)
    days = _days(start, _later(start, LIMIT), hours.zone)
    next(days, None)
    closing = (windows[-1][1] for day in days if (windows := _open(hours, day)))
    return next(closing, None)


def end_of_day(day: date, calendar: Calendar) -> datetime:
    """Midnight at the end of `day` in the calendar's zone."""
    return _utc(day, _MINUTES, _hours_of(calendar).zone)


def _working(start: datetime, end: datetime, hours: _Hours, pauses: Sequence[Pause]) -> Iterator[Interval]:
    """Working intervals between two instants, pauses cut out, in order."""
    if not pauses:
        yield from _windows(start, end, hours)
        return
    rests = _merged((begin, until or LAST) for begin, until in pauses)
    forever = next((begin for begin, until in rests if until == LAST), LAST)
    for opens, closes in _windows(start, min(end, forever), hours):
        for begin, until in rests:
            if until <= opens:
                continue
            if begin >= closes:
                break
            if opens < begin:
                yield opens, begin
            opens = until
        if opens < closes:
            yield opens, closes


def _windows(start: datetime, end: datetime, hours: _Hours) -> Iterator[Interval]:
    """Open windows between two instants, clipped to them."""
    if hours.always:
        if start < end:
            yield start, end
        return
    for day in _days(start, end, hours.zone):
        for opens, closes in _open(hours, day):
            if closes > start and opens < end:
                yield max(opens, start), min(closes, end)


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    """Local days from that of `start` to that of `end`."""
    first, last = (min(max(at, FIRST), LAST).astimezone(zone).date() for at in (start, end))
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def _merged(intervals: Iterable[tuple[Bound, Bound]]) -> list[tuple[Bound, Bound]]:
    """In order, overlaps joined, empty and reversed ones left out."""
    out: list[tuple[Bound, Bound]] = []
    for begin, until in sorted(intervals):
        if until <= begin:
            continue
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], until))
        else:
            out.append((begin, until))
    return out


def _hours_of(calendar: Calendar) -> _Hours:
    if calendar is AROUND_THE_CLOCK:
        return _ALWAYS
    hours = tuple((day, tuple(windows)) for day, windows in calendar.hours.items())
    return _compiled(calendar.tz, hours, tuple(calendar.holidays))


@lru_cache(maxsize=64)
def _compiled(tz: str, hours: tuple[tuple[str, tuple[str, ...]], ...], holidays: tuple[str, ...]) -> _Hours:
    calendar = Calendar(tz=tz, hours={day: list(windows) for day, windows in hours}, holidays=list(holidays))
    try:
        zone = ZoneInfo(tz)
    except (KeyError, ValueError, OSError) as error:
        hint = "write one such as Europe/Berlin or America/New_York"
        raise UserError(f"{tz} is not an IANA time zone", where="policy.yaml", hint=hint) from error
    week = tuple(tuple(_merged(calendar.windows(day))) for day in range(len(DAYS)))
    return _Hours(zone, week, calendar.days_off, not holidays and all(day == ((0, _MINUTES),) for day in week))


@lru_cache(maxsize=8192)
def _open(hours: _Hours, day: date) -> tuple[Interval, ...]:
    """The open windows of a local day as UTC intervals."""
    if day in hours.days_off:
        return ()
    spans = (
        (_utc(day, opens, hours.zone), _utc(day, closes, hours.zone)) for opens, closes in hours.week[day.weekday()]
    )
    return tuple(span for span in spans if span[0] < span[1])


def _utc(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """A wall-clock time -> UTC: the first occurrence, or the moment of the jump that skips it."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while found - before > timedelta(seconds=1):
        middle = before + (found - before) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            found = middle
        else:
            before = middle
    return found


def _later(at: datetime, span: timedelta) -> datetime:
    """`at` + `span`, or the end of the calendar."""
    return at + span if LAST - at > span else LAST
