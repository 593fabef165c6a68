"""Working time: open windows of a calendar as UTC intervals, minus pauses, in real seconds.

Our own code over `zoneinfo`: the libraries that count working hours get the days wrong on which the clocks change.

Windows are what the clock on the wall shows; seconds are real ones. Where the wall clock jumps forward a skipped time
means the moment of the jump; where it falls back a repeated time means its first occurrence. So 02:00-04:00 lasts one
hour on the spring day and 01:30-04:30 lasts four in autumn (C29).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from incident_ops.domain.policy_sections import AROUND_THE_CLOCK, DAYS, Calendar
from incident_ops.domain.time import FIRST, LAST, PauseSpan, TimeSpan, shift, to_utc, zone_named
from incident_ops.errors import UserError

Bound = TypeVar("Bound", int, datetime)

SEARCH_LIMIT = timedelta(days=3660)
"""How far ahead a due time is searched: a calendar that never opens must not hang (the policy lint reports it)."""

_EARLIEST = 1900  # nobody worked by these rules before; a typing error in the year must not cost minutes
_MINUTES = 24 * 60
_MOST = 64  # prepared calendars that are kept


@dataclass(frozen=True, slots=True, eq=False)
class _Hours:
    """A prepared calendar: per weekday its open windows in minutes, overlaps merged; `always` = it never closes."""

    zone: ZoneInfo
    week: tuple[tuple[tuple[int, int], ...], ...]
    days_off: frozenset[date]
    always: bool


class _Year(NamedTuple):
    """The open windows of a UTC year in order, and the working time up to the end of each."""

    opens: list[datetime]
    closes: list[datetime]
    worked: list[timedelta]

    @property
    def total(self) -> timedelta:
        return self.worked[-1] if self.worked else NO_TIME

    def until(self, at: datetime) -> timedelta:
        """Working time from the year's beginning to `at`."""
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return NO_TIME
        over = self.closes[index] - at
        return self.worked[index] - over if over > NO_TIME else self.worked[index]

    def reached(self, worked: timedelta) -> datetime:
        """The first instant with `worked` before it, which is at most the total."""
        index = bisect_left(self.worked, worked)
        return self.closes[index] - (self.worked[index] - worked)


NO_TIME = timedelta()
_SECOND = timedelta(seconds=1)
_ALWAYS = _Hours(ZoneInfo("Etc/UTC"), (((0, _MINUTES),),) * len(DAYS), frozenset(), True)
_READY: dict[int, tuple[Calendar, _Hours]] = {}


class MergedPauses:
    """Pauses in order, overlaps joined: made once where many due times are asked for."""

    def __init__(self, pauses: Iterable[PauseSpan]) -> None:
        self._spans = merged_intervals((begin, until or LAST) for begin, until in pauses)
        self._ends = [until for _, until in self._spans]

    def after(self, at: datetime) -> Iterator[TimeSpan]:
        """Those that end after an instant."""
        return islice(self._spans, bisect_right(self._ends, at), None)


def due(
    start: datetime, seconds: int, calendar: Calendar, pauses: Sequence[PauseSpan] | MergedPauses = ()
) -> datetime | None:
    """The instant at which `seconds` of working time after `start` are used up; all instants are aware UTC.

    A due time on closing time stays there; no seconds are due at once. None: it is unknown, because a pause is still
    open, or because the calendar opens too little within SEARCH_LIMIT.
    """
    if seconds <= 0:
        return start
    left, at = timedelta(seconds=seconds), start
    hours = _hours_of(calendar)
    end = LAST if hours.always else shift(start, SEARCH_LIMIT.total_seconds())
    merged = pauses if isinstance(pauses, MergedPauses) else MergedPauses(pauses)
    for begin, until in merged.after(at):
        if begin > at:
            worked = _worked(at, begin, hours)
            if worked >= left:
                break
            left -= worked
        if until == LAST:
            return None
        at = until
    return _reached(at, left, end, hours)


def elapsed(start: datetime, end: datetime, calendar: Calendar, pauses: Sequence[PauseSpan] = ()) -> int:
    """Working seconds from `start` to `end` outside the pauses, rounded down; 0 where `end` is not after `start`."""
    if end <= start:
        return 0
    hours = _hours_of(calendar)
    worked = _worked(start, end, hours)
    for begin, until in merged_intervals((begin, until or LAST) for begin, until in pauses) if pauses else ():
        worked -= _worked(max(begin, start), min(until, end), hours)
    return worked // _SECOND


def closing_time(start: datetime, days: int, calendar: Calendar) -> datetime | None:
    """Closing time of the `days`-th working day after the day of `start` (R34, R46); None where there is none.

    0 is that day itself, or where it has closed by then, the next working day.
    """
    hours = _hours_of(calendar)
    day = next(_days(start, start, hours.zone))
    if days == 0 and (windows := _open(hours, day)) and windows[-1][1] > start:
        return windows[-1][1]
    closing = None
    for _ in range(max(days, 1)):
        closing = _closing_after(day, hours)
        if closing is None:
            return None
        day = (closing - timedelta.resolution).astimezone(hours.zone).date()
    return closing


def end_of_day(day: date, calendar: Calendar) -> datetime:
    """Midnight at the end of `day` in the calendar's zone."""
    return _utc(day, _MINUTES, _hours_of(calendar).zone)


def start_of_day(day: date, calendar: Calendar) -> datetime:
    """Midnight at the beginning of `day` in the calendar's zone."""
    return _utc(day, 0, _hours_of(calendar).zone)


def _worked(start: datetime, end: datetime, hours: _Hours) -> timedelta:
    """Working time between two instants; none where they are reversed."""
    if end <= start:
        return NO_TIME
    if hours.always:
        return end - start
    begin, until = _year(hours, start.year), _year(hours, end.year)
    between = sum((_year(hours, year).total for year in range(start.year, end.year)), NO_TIME)
    return between + until.until(end) - begin.until(start)


def _reached(start: datetime, left: timedelta, end: datetime, hours: _Hours) -> datetime | None:
    """The instant at which working time after `start` is used up; None where that is after `end`."""
    if hours.always:
        return start + left if end - start >= left else None
    if not any(hours.week):
        return None
    left += _year(hours, start.year).until(start)
    for number in range(start.year, end.year + 1):
        year = _year(hours, number)
        if year.total >= left:
            found = year.reached(left)
            return found if found <= end else None
        left -= year.total
    return None


@lru_cache(maxsize=512)
def _year(hours: _Hours, number: int) -> _Year:
    """The windows of a UTC year, cut at its ends."""
    begin = datetime(number, 1, 1, tzinfo=UTC) if number > FIRST.year else FIRST
    end = datetime(number + 1, 1, 1, tzinfo=UTC) if number < LAST.year else LAST
    year, worked = _Year([], [], []), NO_TIME
    if number < _EARLIEST:
        return year
    for day in _days(begin, end, hours.zone):
        for opens, closes in _open(hours, day):
            if closes > begin and opens < end:
                first, last = max(opens, begin), min(closes, end)
                worked += last - first
                year.opens.append(first)
                year.closes.append(last)
                year.worked.append(worked)
    return year


@lru_cache(maxsize=4096)
def _closing_after(day: date, hours: _Hours) -> datetime | None:
    if not any(hours.week):
        return None
    most = min(day.toordinal() + SEARCH_LIMIT.days, LAST.toordinal())
    days = map(date.fromordinal, range(day.toordinal() + 1, most + 1))
    return next((windows[-1][1] for day in days if (windows := _open(hours, day))), None)


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    """Local days from that of `start` to that of `end`."""
    first, last = (min(max(at, FIRST), LAST).astimezone(zone).date() for at in (start, end))
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def merged_intervals(intervals: Iterable[tuple[Bound, Bound]]) -> list[tuple[Bound, Bound]]:
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
    """The prepared calendar, made once for each object: computing its key costs more than a clock."""
    if calendar is AROUND_THE_CLOCK:
        return _ALWAYS
    known = _READY.get(id(calendar))
    if known is not None and known[0] is calendar:
        return known[1]
    hours = tuple((day, tuple(windows)) for day, windows in calendar.hours.items())
    made = _compiled(calendar.tz, hours, tuple(calendar.holidays))
    if len(_READY) >= _MOST:
        _READY.clear()
    _READY[id(calendar)] = calendar, made
    return made


@lru_cache(maxsize=_MOST)
def _compiled(tz: str, hours: tuple[tuple[str, tuple[str, ...]], ...], holidays: tuple[str, ...]) -> _Hours:
    calendar = Calendar(tz=tz, hours={day: list(windows) for day, windows in hours}, holidays=list(holidays))
    zone = _zone(tz)
    week = tuple(tuple(merged_intervals(calendar.windows(day))) for day in range(len(DAYS)))
    return _Hours(zone, week, calendar.days_off, not holidays and all(day == ((0, _MINUTES),) for day in week))


def _zone(name: str) -> ZoneInfo:
    try:
        return zone_named(name)
    except ValueError as error:
        hint = "write one such as Europe/Berlin or America/New_York"
        raise UserError(f"{name} is not the IANA time zone of a place", where="policy.yaml", hint=hint) from error


def _open(hours: _Hours, day: date) -> tuple[TimeSpan, ...]:
    """The open windows of a local day as UTC intervals."""
    if day in hours.days_off:
        return ()
    spans = (
        (_utc(day, opens, hours.zone), _utc(day, closes, hours.zone)) for opens, closes in hours.week[day.weekday()]
    )
    return tuple(span for span in spans if span[0] < span[1])


def _utc(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """`minutes` after midnight on the wall clock -> UTC."""
    return to_utc(datetime.combine(day, time()) + timedelta(minutes=minutes), zone)
