"""Time zones of places, and what the clock on their walls shows as UTC.

A local time that a clock change skips means the moment of the jump; one that it repeats has a first and a last
occurrence (C29).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def place(name: str) -> ZoneInfo:
    """The zone of a place such as Europe/Berlin, or UTC. ValueError for all else: EST is an offset and knows no summer
    (C29)."""
    if name != "UTC" and "/" not in name:
        raise ValueError(f"{name!r} is no place")
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
