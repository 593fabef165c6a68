"""What the clock on a wall shows as UTC, on days of a clock change too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.time import to_utc, zone_named

NEW_YORK, LORD_HOWE, APIA = "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"
ZONES = ("UTC", NEW_YORK, "Europe/Berlin", LORD_HOWE, "Asia/Kathmandu", APIA)


@pytest.mark.parametrize(
    ("zone", "wall", "first", "last"),
    [
        (NEW_YORK, "2025-01-26T12:00:00", "2025-01-26T17:00:00Z", "2025-01-26T17:00:00Z"),
        (NEW_YORK, "2025-03-09T01:59:59", "2025-03-09T06:59:59Z", "2025-03-09T06:59:59Z"),
        (NEW_YORK, "2025-03-09T02:00:00", "2025-03-09T07:00:00Z", "2025-03-09T07:00:00Z"),
        (NEW_YORK, "2025-03-09T02:30:00", "2025-03-09T07:00:00Z", "2025-03-09T07:00:00Z"),
        (NEW_YORK, "2025-03-09T03:00:00", "2025-03-09T07:00:00Z", "2025-03-09T07:00:00Z"),
        (NEW_YORK, "2025-11-02T01:30:00", "2025-11-02T05:30:00Z", "2025-11-02T06:30:00Z"),
        (NEW_YORK, "2025-11-02T02:00:00", "2025-11-02T07:00:00Z", "2025-11-02T07:00:00Z"),
        (LORD_HOWE, "2025-10-05T02:10:00", "2025-10-04T15:30:00Z", "2025-10-04T15:30:00Z"),
        (APIA, "2011-12-30T12:00:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
    ],
    ids=["plain", "before a gap", "its begin", "in a gap", "its end", "in a fold", "its end", "half an hour", "a day"],
)
def test_a_wall_clock_time_as_utc(zone: str, wall: str, first: str, last: str) -> None:
    """C29: a skipped time is the moment of the jump, of a repeated one both occurrences are told apart."""
    at = datetime.fromisoformat(wall)
    assert to_utc(at, zone_named(zone)) == datetime.fromisoformat(first)
    assert to_utc(at, zone_named(zone), is_last=True) == datetime.fromisoformat(last)


WALLS = st.datetimes(datetime(2011, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(microsecond=0))
CHANGES = st.sampled_from(["2025-03-09T00:00:00", "2025-11-02T00:00:00", "2025-10-05T00:00:00", "2011-12-29T12:00:00"])
NEAR = st.builds(
    lambda day, minutes: datetime.fromisoformat(day) + timedelta(minutes=minutes), CHANGES, st.integers(0, 1440)
)


@given(st.sampled_from(ZONES), WALLS | NEAR)
def test_the_found_instant_shows_that_time_or_is_the_jump_over_it(name: str, wall: datetime) -> None:
    """At it the clock shows the time or a later one, and a second before it an earlier one."""
    zone = zone_named(name)
    for is_last in (False, True):
        found = to_utc(wall, zone, is_last=is_last)
        shown = found.astimezone(zone).replace(tzinfo=None)
        assert shown >= wall
        if shown > wall:
            assert (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall
            assert to_utc(wall, zone, is_last=not is_last) == found


@given(st.sampled_from(ZONES), WALLS | NEAR)
def test_every_instant_is_the_first_or_the_last_that_shows_its_time(name: str, at: datetime) -> None:
    zone, instant = zone_named(name), at.replace(tzinfo=UTC)
    wall = instant.astimezone(zone).replace(tzinfo=None)
    assert instant in (to_utc(wall, zone), to_utc(wall, zone, is_last=True))
    assert to_utc(wall, zone) <= to_utc(wall, zone, is_last=True)


@pytest.mark.parametrize("name", ["EST", "CET", "GMT", "", "Europe/Nowhere", "Europe/", "../etc/passwd", "/etc/passwd"])
def test_what_is_no_place_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"place|zone|ZoneInfo"):
        zone_named(name)


def test_a_place_is_its_zone() -> None:
    assert zone_named("Europe/Berlin") == ZoneInfo("Europe/Berlin")
    assert zone_named("UTC") == ZoneInfo("UTC")


def test_what_lies_outside_the_calendar_is_told() -> None:
    with pytest.raises(OverflowError):
        to_utc(datetime.min, zone_named("Asia/Tokyo"))
