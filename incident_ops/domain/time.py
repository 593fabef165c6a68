"""Instants, dates, durations and time zones: text in records, aware UTC datetimes and whole seconds in decisions.

A local time that a clock change skips means the moment of the jump; one that it repeats has a first and a last
occurrence (C29). People read instants in 24-hour UTC everywhere (C35), `unknown` where it is unknown.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

UNKNOWN = "unknown"

TimeSpan = tuple[datetime, datetime]
PauseSpan = tuple[datetime, datetime | None]
"""From and to in UTC; the end is None while the pause lasts."""

YEARS = range(1970, 9900)
"""The years that instants and dates of records may name: room for every target on both sides."""

LATEST = datetime(YEARS[-1], 12, 31, 23, 59, 59, tzinfo=UTC)
"""The last whole second of these years."""

FIRST, LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
"""The ends of the calendar, a few days in, so that no zone steps over them."""

SKEW = timedelta(seconds=120)
"""How far the clocks of two machines may be apart."""

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-5][0-9])", re.ASCII
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DURATION = re.compile(r"(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?", re.ASCII)
_UNITS = (86_400, 3_600, 60, 1)
_NAMES = ("day", "hour", "minute", "second")


class OutOfRange(ValueError):
    """The text has the form of an instant or a date, but its year is not one of YEARS."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is outside the years {YEARS[0]} to {YEARS[-1]}")


@lru_cache(maxsize=32_768)  # schema, rules, clocks and texts ask for the same ones, record by record
def parse_instant(text: str) -> datetime:
    """RFC 3339 text with a zone -> aware UTC datetime. ValueError where it is not one; OutOfRange outside YEARS."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"{text!r} is not an RFC 3339 instant with a zone")
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise OutOfRange(text) from error
    if at.year not in YEARS:
        raise OutOfRange(text)
    return at


def instant(text: str | None) -> datetime | None:
    """A record's instant as an aware UTC datetime; None where it is missing or `unknown`."""
    return None if text is None or text == UNKNOWN else parse_instant(text)


def parse_date(text: str) -> date:
    """`YYYY-MM-DD` -> date. ValueError where it is not one; OutOfRange outside YEARS."""
    if not _DATE.fullmatch(text):
        raise ValueError(f"{text!r} is not a date YYYY-MM-DD")
    day = date.fromisoformat(text)
    if day.year not in YEARS:
        raise OutOfRange(text)
    return day


def is_date(text: str) -> bool:
    """True for the text of a date in YEARS."""
    try:
        parse_date(text)
    except ValueError:
        return False
    return True


def duration(text: str) -> int:
    """`15m`, `2h`, `7d`, `1h30m`, `0s` -> seconds. ValueError for anything else (ISO 8601 included)."""
    found = _DURATION.fullmatch(text)
    if not text or not found:
        raise ValueError(f"{text!r} is not a duration such as 15m, 2h, 7d or 1h30m")
    return sum(int(part) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part)


def shift(at: datetime, seconds: float) -> datetime:
    """The instant `seconds` after `at`, before it where they are negative; FIRST or LAST where the calendar ends."""
    if seconds < 0:
        return at - timedelta(seconds=-seconds) if (at - FIRST).total_seconds() > -seconds else FIRST
    return at + timedelta(seconds=seconds) if (LAST - at).total_seconds() > seconds else LAST


def months_after(at: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same day and time of the wall in `zone`, so many calendar months later (aware UTC); where that month has no
    such day, its last one: 31 January + 1 month = 28 February."""
    wall = at.astimezone(zone).replace(tzinfo=None)
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    day = min(wall.day, monthrange(year, month + 1)[1])
    return to_utc(wall.replace(year=year, month=month + 1, day=day), zone)


def spell_duration(seconds: int | None, *, exact: bool = False, in_words: bool = False) -> str:
    """Seconds -> `45s`, `2h 5m`, `3d 4h`: the two largest units, rounded down, or with `exact` all of them.

    Whole days without an hour have their minutes: `1d 11m`.
    `in_words` gives `1 hour 30 minutes`, for the sentences that the playbooks word that way. Zero is `0s`, a negative
    value keeps its sign, None is `unknown`.
    """
    if seconds is None:
        return UNKNOWN
    rest, counts = abs(seconds), []
    for unit in _UNITS:
        count, rest = divmod(rest, unit)
        counts.append(count)
    first = next((place for place, count in enumerate(counts) if count), len(counts) - 1)
    on_the_hour = counts[0] and not counts[1]
    last = len(counts) if exact else first + (3 if on_the_hour else 2)
    parts = [(count, name) for count, name in list(zip(counts, _NAMES, strict=True))[first:last] if count]
    texts = [f"{count} {name}{'s' * (count != 1)}" if in_words else f"{count}{name[0]}" for count, name in parts]
    return ("-" if seconds < 0 else "") + (" ".join(texts) or ("0 seconds" if in_words else "0s"))


def duration_text(seconds: int) -> str:
    """Seconds -> `1h30m`, which `duration` reads back: for files and options, not for sentences."""
    return spell_duration(seconds, exact=True).replace(" ", "")


def spell_age(seconds: int) -> str:
    """`45m`, `1h 55m`, `3d`: how long something has been so; minutes count on the first day, hours on none after it.

    Less than nothing, by a clock that is behind, is `0s`.
    """
    step = 86_400 if seconds >= 86_400 else 60 if seconds >= 60 else 1
    return spell_duration(max(seconds, 0) // step * step)


def spell_ago(seconds: int) -> str:
    """`45m ago`, `3d ago`; `just now` within the first minute."""
    return f"{spell_age(seconds)} ago" if seconds >= 60 else "just now"


def stamp(at: datetime) -> str:
    """An aware datetime as the text records use: UTC, `Z`, whole seconds unless there are parts of one."""
    return f"{(at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()[:-6]}Z"


def zone_named(name: str) -> ZoneInfo:
    """The zone of a place such as Europe/Berlin, or UTC. ValueError for anything else: EST is an offset without summer
    time (C29)."""
    if name != "UTC" and "/" not in name:
        raise ValueError(f"{name!r} is not the time zone of a place")
    try:
        return ZoneInfo(name)
    except (KeyError, OSError) as error:
        raise ValueError(f"{name!r} is not in the zone database") from error


def to_utc(wall: datetime, zone: ZoneInfo, *, is_last: bool = False) -> datetime:
    """A wall-clock time (naive) -> aware UTC: its first occurrence, with `is_last` its last, or the moment of the jump
    that skips it, to the second.

    OverflowError where it is outside the calendar.
    """
    first, last = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= last:
        return last if is_last else first
    jump, before = first, last  # the time is skipped: between the two lies the jump
    while jump - before > timedelta(seconds=1):
        middle = before + (jump - before) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            jump = middle
        else:
            before = middle
    return jump


def spell_instant(text: str | None) -> str:
    """A record's instant -> `2025-01-26 12:05 UTC`; `unknown` where it is missing or unknown.

    A date, or a duration where the record may tell either, stays as it is.
    """
    if text is not None and "T" not in text:
        return text
    at = instant(text)
    return UNKNOWN if at is None else spell_minute(at)


def spell_minute(at: datetime) -> str:
    """An aware datetime -> `2025-01-26 12:05 UTC`."""
    return f"{spell_clock(at, dated=True)} UTC"


def spell_clock(at: datetime | None, dated: bool = False) -> str:
    """An aware datetime -> `12:05`, with `dated` `2025-01-26 12:05`; in UTC. None is `unknown`."""
    if at is None:
        return UNKNOWN
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if dated else f"{at.astimezone(UTC):%H:%M}"
