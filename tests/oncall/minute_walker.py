"""Who is on call, minute by minute, by walking the clock of the zone: written from the words of docs/oncall.md, with no
line of the engine. Slow and plain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Schedule = dict[str, Any]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MINUTE = timedelta(minutes=1)


def walk(schedule: Schedule, begin: datetime, minutes: int) -> Iterator[str | None]:
    """Who is on call at `begin` and in each of the minutes after it."""
    zone = ZoneInfo(schedule["zone"])
    layers = [_Layer(layer, zone) for layer in schedule["layers"]]
    at = min([begin, *(layer.first_look for layer in layers)])
    shown = datetime(1, 1, 1)
    while at < begin + minutes * MINUTE:
        # a clock that is put back shows nothing new until it is where it was
        shown = max(shown, at.astimezone(zone).replace(tzinfo=None))
        found = None
        for layer in layers:
            found = layer.who(at, shown) or found
        for over in schedule.get("overrides", []):
            if reached(over["from"], at, shown) and not reached(over["to"], at, shown):
                found = over["who"]
        if at >= begin:
            yield found
        at += MINUTE


def reached(text: str, at: datetime, shown: datetime) -> bool:
    """Whether a time of the file has come, when the clock on the wall has shown `shown` at the latest."""
    if text.endswith("Z"):
        return at >= datetime.fromisoformat(text)
    return shown >= datetime.fromisoformat(text)


class _Layer:
    def __init__(self, layer: dict[str, Any], zone: ZoneInfo) -> None:
        self.layer = layer
        self.turn = -1
        self.length, self.unit = int(layer["rotate"][:-1]), layer["rotate"][-1]
        start = layer["start"]
        if start.endswith("Z"):
            self.first_look = datetime.fromisoformat(start)
            self.day = self.first_look.astimezone(zone).replace(tzinfo=None)
        else:
            self.day = datetime.fromisoformat(start)
            self.first_look = (self.day - timedelta(days=2)).replace(tzinfo=UTC)
        self.next: Any = None

    def who(self, at: datetime, shown: datetime) -> str | None:
        if self.turn < 0:
            if not reached(self.layer["start"], at, shown):
                return None
            self.turn = 0
            self.next = at + timedelta(hours=self.length) if self.unit == "h" else self._handover(self.day)
        while (at if self.unit == "h" else shown) >= self.next:
            self.turn += 1
            self.next = self.next + timedelta(hours=self.length) if self.unit == "h" else self._handover(self.next)
        people = self.layer["people"]
        return people[self.turn % len(people)] if self._counts(shown) else None

    def _handover(self, day: datetime) -> datetime:
        hour, minute = map(int, self.layer["at"].split(":")) if "at" in self.layer else (self.day.hour, self.day.minute)
        days = self.length * (7 if self.unit == "w" else 1)
        return day.replace(hour=hour, minute=minute) + timedelta(days=days)

    def _counts(self, shown: datetime) -> bool:
        if not self.layer.get("restrict"):
            return True
        for hours in self.layer["restrict"]:
            for back in (0, 1):
                day = shown.replace(hour=0, minute=0) - timedelta(days=back)
                if DAYS[day.weekday()] not in hours.get("days", DAYS):
                    continue
                opens, closes = (_minutes(hours.get(key, usual)) for key, usual in (("from", "00:00"), ("to", "24:00")))
                closes += 0 if closes > opens else 24 * 60
                if day + opens * MINUTE <= shown < day + closes * MINUTE:
                    return True
        return False


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
