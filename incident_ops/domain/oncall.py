"""On-call schedules as files write them: layers of people who take turns, and overrides of single stretches of time.

Only what decides who is on call is read; the schema holds all of it. Times stay text until they are read here. A local
time that a clock change skips means the moment of the jump; one that it repeats means its first occurrence, as a
beginning and as an end, so that what ends at a time and what begins at it always meet.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec

from incident_ops.domain.time import OutOfRange, parse_date, parse_instant, to_utc, zone_named

REFERENCE = "oncall:"
"""What stands before a schedule's name where it stands for whoever is on call."""
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_OF_DAY = 24 * 60
_ROTATE = re.compile(r"([0-9]{1,4})([wdh])", re.ASCII)
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)
_REFERENCE = re.compile(r"oncall:([A-Za-z0-9][A-Za-z0-9._-]{0,63})", re.ASCII)


class OnCallPart(msgspec.Struct, frozen=True, kw_only=True):
    """Base: built from checked data."""


class LayerHours(OnCallPart, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Hours of the wall clock in which a layer counts; no days = every day. An `end` that is not after `begin` is that
    of the next day."""

    days: list[str] = []
    begin: str = "00:00"
    end: str = "24:00"

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end in minutes after the day's midnight; the end may lie in the next day."""
        begin, end = clock_minutes(self.begin), clock_minutes(self.end)
        return begin, end if end > begin else end + _MINUTES_OF_DAY

    def counts_on(self, weekday: int) -> bool:
        """True where it begins on this day of the week, 0 = Monday."""
        return not self.days or DAY_NAMES[weekday] in self.days


class RotationLayer(OnCallPart, frozen=True, kw_only=True):
    """People who take turns from `start` on: each for `rotate` (`1w`, `2d`, `12h`).

    Turns of days and weeks begin at the local time `at`, None = that of `start`. Turns count on while `restrict` lets
    the layer count for nobody.
    """

    name: str
    people: list[str]
    start: str
    rotate: str
    at: str | None = None
    restrict: list[LayerHours] = []


class ShiftOverride(OnCallPart, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Somebody who takes a stretch of time, whoever's it is; the last one of the file wins."""

    begin: str
    end: str
    who: str
    by: str | None = None
    reason: str | None = None


class OnCallSchedule(OnCallPart, frozen=True, kw_only=True):
    """oncall/<name>.yaml. Where layers overlap the later one wins, over all of them an override."""

    name: str
    zone: str
    layers: list[RotationLayer] = []
    overrides: list[ShiftOverride] = []

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody it names, in its order."""
        named = [*(who for layer in self.layers for who in layer.people), *(one.who for one in self.overrides)]
        return tuple(dict.fromkeys(named))


class TurnLength(NamedTuple):
    """How long a turn is: `units` days of the calendar, or with `in_hours` hours that pass."""

    units: int
    in_hours: bool


class WhoIsOnCall(Protocol):
    """Answers who is on call by a schedule's name at an instant (aware UTC)."""

    def __call__(self, name: str, at: datetime, /) -> str | None:
        """The handle; None where nobody is, or there is no such schedule."""

    def changes(self, name: str, begin: datetime, end: datetime, /) -> list[datetime]:
        """The instants after `begin`, up to `end`, at which somebody comes on call or goes; [] as None above."""


def turn_length(text: str) -> TurnLength:
    """`1w`, `2d`, `12h` -> length. ValueError for anything else; a length of nothing is one."""
    found = _ROTATE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a length such as 1w, 2d or 12h")
    count = int(found[1]) * (7 if found[2] == "w" else 1)
    return TurnLength(count, found[2] == "h")


def clock_minutes(text: str) -> int:
    """`09:00` -> minutes after midnight; `24:00` is the day's end. ValueError for anything else."""
    found = _CLOCK_TIME.fullmatch(text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else _MINUTES_OF_DAY + 1
    if minutes > _MINUTES_OF_DAY:
        raise ValueError(f"{text!r} is not a time of day such as 09:00")
    return minutes


def schedule_named(text: str) -> str | None:
    """The name in `oncall:NAME`; None for any other text."""
    found = _REFERENCE.fullmatch(text)
    return found[1] if found else None


def schedule_instant(text: str, zone: ZoneInfo, at: str | None = None) -> datetime:
    """A time of a schedule -> aware UTC: an instant, or a local time of `zone`; a date means `at` of that day, else its
    midnight. ValueError where it is none of them, or outside the years that records may name."""
    try:
        return parse_instant(text)
    except OutOfRange:
        raise
    except ValueError:
        wall = _wall(text, at)
    parse_date(wall.date().isoformat())
    return to_utc(wall, zone)


def schedule_zone(schedule: OnCallSchedule) -> ZoneInfo:
    """The zone of a schedule. ValueError where there is no such place."""
    return zone_named(schedule.zone)


def _wall(text: str, at: str | None) -> datetime:
    if "T" not in text:
        minutes = clock_minutes(at) if at else 0
        return datetime.combine(parse_date(text), time(minutes // 60 % 24, minutes % 60))
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        wall = datetime.combine(date.min, time())
    if wall.tzinfo is not None or wall.year == 1:
        raise ValueError(f"{text!r} is not a time such as 2025-01-06T09:00:00")
    return wall
