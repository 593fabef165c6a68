"""Times as people type them: `now`, `12m`, `02:56`, `yesterday 14:00`, `friday`, `3w`, `2026-12-24`, an instant.

What is typed without an offset is of the zone of whoever types. A word can point both ways: what happened lies behind
now, what is planned lies ahead of it. A weekday alone is never today: people say `today`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from incident_ops.domain.time import SKEW, YEARS, OutOfRange, duration, parse_date, parse_instant, shift, to_utc

EXAMPLES_BEHIND = "now, 10m (ago), 02:56, yesterday 14:00, or 2025-01-26T12:30:00Z"
EXAMPLES_AHEAD = "4h (from now), 14:00, friday 17:00, 2025-12-24, or 2025-12-19T17:00:00Z"
EXAMPLES_DAY = "14d, friday, tomorrow, or 2025-02-01"

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEAR = {"yesterday": -1, "today": 0, "tomorrow": 1}
_WORDS = re.compile(
    r"(?:(?P<day>[a-z]+|[0-9]{4}-[0-9]{2}-[0-9]{2})(?:\s+(?:at\s+)?|t|$))?"
    r"(?:(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?)?"
    r"\s*(?P<zone>z|utc|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_DATED = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t\s].*)?", re.ASCII)
_LENGTH = re.compile(r"(?:in\s+)?(?:([0-9]{1,4})w)?([0-9dhms]*)(?:\s+ago)?", re.ASCII)
_WEEK = 7 * 86_400


class TypedTime(NamedTuple):
    """A time as it was typed: the instant, aware UTC; `is_wall` where it is one by the clock or calendar of a zone."""

    at: datetime
    is_wall: bool = False


def parse_moment(text: str, now: datetime, zone: ZoneInfo, *, ahead: bool) -> TypedTime:
    """The instant that is meant: `ahead` of now, else behind it. ValueError where it is none; OutOfRange by its year.

    A day alone is its first instant.
    """
    word = " ".join(text.lower().split())
    if word == "now":
        return TypedTime(now)
    try:
        return TypedTime(parse_instant(text.strip()))
    except OutOfRange:
        raise
    except ValueError:
        pass
    if (seconds := _length(word, ahead=ahead)) is not None:
        return TypedTime(_within(shift(now, seconds), text))
    return TypedTime(_within(_by_wall(word, now, zone, ahead=ahead), text), is_wall=True)


def parse_day(text: str, now: datetime, zone: ZoneInfo, *, ahead: bool = True) -> date:
    """The day that is meant: `14d`, `friday`, `tomorrow`, a date. ValueError where it is none; OutOfRange by its year.

    A length of time leads to the day on which it ends.
    """
    word = " ".join(text.lower().split())
    try:
        return parse_date(word)
    except OutOfRange:
        raise
    except ValueError:
        pass
    if (seconds := _length(word, ahead=ahead)) is not None:
        return _within(shift(now, seconds), text).astimezone(zone).date()
    day = _day(word, now.astimezone(zone).date(), ahead=ahead)
    if day is None:
        raise ValueError(f"{text!r} is not a day")
    return day


def is_time_of_day(text: str) -> bool:
    """True for `02:56`, `02:56:10`, `02:56 UTC`: a clock's time without a day."""
    found = _WORDS.fullmatch(" ".join(text.lower().split()))
    return found is not None and found["day"] is None and found["hour"] is not None


def counts_from_today(text: str) -> bool:
    """True for `tomorrow 18:00`, `today`, `in 2h`: words that name today's side of a time, whatever began before it."""
    return text.lower().split()[:1] in ([word] for word in (*_NEAR, "in", "now"))


def is_meant_as_time(text: str) -> bool:
    """True for what has the form of a date or of a clock's time, be it one or mistyped: `12:99`, `2026-13-01`."""
    word = " ".join(text.lower().split())
    found = _WORDS.fullmatch(word)
    return (found is not None and found["hour"] is not None) or _DATED.fullmatch(word) is not None


def spell_typed(at: datetime, zone: ZoneInfo) -> str:
    """An instant in the zone of whoever typed it: `2026-11-29 02:56 CET (01:56 UTC)`."""
    local = at.astimezone(zone)
    shown = f"{local:%Y-%m-%d %H:%M} {local.tzname()}"
    if not local.utcoffset():
        return shown
    utc = at.astimezone(UTC)
    return f"{shown} ({utc:%H:%M} UTC)" if utc.date() == local.date() else f"{shown} ({utc:%Y-%m-%d %H:%M} UTC)"


def length_seconds(text: str) -> int:
    """`30d`, `4w`, `12h` -> seconds. ValueError for anything else."""
    seconds = _length(text.strip().lower(), ahead=True)
    if seconds is None or seconds < 0 or " " in text.strip():
        raise ValueError(f"{text!r} is not a length of time")
    return seconds


def _length(word: str, *, ahead: bool) -> int | None:
    """Seconds from now of `12m`, `3w`, `12m ago`, `in 2h`, behind now or ahead of it; None where it is not a length."""
    found = _LENGTH.fullmatch(word)
    if found is None or not (found[1] or found[2]):
        return None
    try:
        seconds = int(found[1] or 0) * _WEEK + (duration(found[2]) if found[2] else 0)
    except ValueError:
        return None
    forward = not word.endswith(" ago") and (ahead or word.startswith("in "))
    return seconds if forward else -seconds


def _by_wall(word: str, now: datetime, zone: ZoneInfo, *, ahead: bool) -> datetime:
    found = _WORDS.fullmatch(word)
    if found is None or (found["day"] is None and found["hour"] is None):
        raise ValueError(f"{word!r} is not a time")
    if (own := found["zone"]) and own[0] in "+-":
        return _with_offset(word, own, now, ahead=ahead)
    zone = ZoneInfo("UTC") if own else zone
    clock = time(int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0))
    today = now.astimezone(zone).date()
    if found["hour"] is None:
        day = _day(found["day"], today, ahead=ahead)
    else:
        day = _day_of_clock(found["day"], clock, now, zone, ahead=ahead)
    if day is None:
        raise ValueError(f"{word!r} is not a time")
    return _utc(day, clock, zone)


def _with_offset(word: str, offset: str, now: datetime, *, ahead: bool) -> datetime:
    """`2025-03-03 02:56 +01:00`: the time of that offset, which no zone of a place needs to have."""
    sign = -1 if offset[0] == "-" else 1
    hours, minutes = (int(part) for part in offset[1:].split(":"))
    away = sign * timedelta(hours=hours, minutes=minutes)
    bare = word.removesuffix(offset).strip()
    return _by_wall(bare, now + away, ZoneInfo("UTC"), ahead=ahead) - away


def _day_of_clock(name: str | None, clock: time, now: datetime, zone: ZoneInfo, *, ahead: bool) -> date | None:
    """The day on which a clock showed, or will show, this time: the nearest one on its side of now."""
    today = now.astimezone(zone).date()
    if name is not None and name not in _WEEKDAYS and _weekday(name) is None:
        return _day(name, today, ahead=ahead)
    wanted = None if name is None else _weekday(name)
    for away in range(8):
        day = today + timedelta(days=away if ahead else -away)
        at = _utc(day, clock, zone)
        if wanted in (None, day.weekday()) and (at > now if ahead else at <= now + SKEW):
            return day
    return None


def _day(name: str, today: date, *, ahead: bool) -> date | None:
    if name in _NEAR:
        return today + timedelta(days=_NEAR[name])
    if (wanted := _weekday(name)) is not None:
        away = (wanted - today.weekday()) % 7 if ahead else (today.weekday() - wanted) % 7
        return today + timedelta(days=(away or 7) * (1 if ahead else -1))
    return parse_date(name) if name[:1].isdigit() else None


def _weekday(name: str) -> int | None:
    known = [number for number, day in enumerate(_WEEKDAYS) if name in (day, day[:3])]
    return known[0] if known else None


def _utc(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return to_utc(datetime.combine(day, clock), zone)


def _within(at: datetime, text: str) -> datetime:
    if at.year not in YEARS:
        raise OutOfRange(text)
    return at
