"""Schedules by chance, from a seed: zones whose clocks change oddly, handovers inside the change, hours that wrap."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "Africa/Cairo",
         "Antarctica/Troll", "Etc/UTC", "Pacific/Chatham", "America/Santiago")  # fmt: skip
PEOPLE = ("@ana", "@ben", "@cleo", "@dan", "@eve", "@finn")
CLOCKS = ("00:00", "01:30", "02:00", "02:15", "02:30", "03:00", "09:00", "17:30", "23:59")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def random_schedule(seed: int, begin: datetime, days: int) -> dict[str, Any]:
    """A schedule whose layers and overrides fall into the days from `begin` on."""
    chance = random.Random(seed)
    layers = [_layer(chance, number, begin, days) for number in range(chance.randint(1, 4))]
    overrides = [_override(chance, begin, days) for _ in range(chance.randint(0, 40))]
    return {"name": "primary", "zone": ZONES[seed % len(ZONES)], "layers": layers, "overrides": overrides}


def _layer(chance: random.Random, number: int, begin: datetime, days: int) -> dict[str, Any]:
    rotate = chance.choice(("1w", "2w", "1d", "2d", "3d", "10d", "12h", "8h", "7h", "100h"))
    start = begin + timedelta(days=chance.randint(-60, days // 4), minutes=chance.randint(0, 24 * 60 - 1))
    layer: dict[str, Any] = {
        "name": f"layer {number}",
        "people": [chance.choice(PEOPLE) for _ in range(chance.randint(1, 5))],
        "start": _time(chance, start),
        "rotate": rotate,
    }
    if not rotate.endswith("h") and chance.random() < 0.7:
        layer["at"] = chance.choice(CLOCKS)
    if number or chance.random() < 0.4:
        layer["restrict"] = [_hours(chance) for _ in range(chance.randint(1, 3))]
    return layer


def _hours(chance: random.Random) -> dict[str, Any]:
    hours: dict[str, Any] = {}
    if chance.random() < 0.7:
        hours["days"] = chance.sample(DAYS, chance.randint(1, 6))
    if chance.random() < 0.8:
        hours["from"] = chance.choice(CLOCKS)
    if chance.random() < 0.8:
        hours["to"] = chance.choice((*CLOCKS, "24:00"))
    return hours


def _override(chance: random.Random, begin: datetime, days: int) -> dict[str, Any]:
    start = begin + timedelta(minutes=chance.randint(0, days * 24 * 60))
    end = start + timedelta(minutes=chance.randint(1, 4 * 24 * 60))
    is_local = chance.random() < 0.5
    texts = (f"{one:%Y-%m-%dT%H:%M:%S}{'' if is_local else 'Z'}" for one in (start, end + timedelta(hours=3)))
    return {**dict(zip(("from", "to"), texts, strict=True)), "who": chance.choice(PEOPLE)}


def _time(chance: random.Random, at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}" + ("Z" if chance.random() < 0.4 else "")
