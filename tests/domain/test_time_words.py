"""Times as people type them: which instant is meant, on which side of now, in which zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.time import SKEW, OutOfRange, stamp
from incident_ops.domain.time_words import parse_day, parse_moment, spell_typed

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 29, 2, 0, 30, tzinfo=UTC)  # a Sunday, 03:00:30 in Berlin

BEHIND = {
    "now": "2026-11-29T02:00:30Z",
    "12m": "2026-11-29T01:48:30Z",
    "12m ago": "2026-11-29T01:48:30Z",
    "1h30m": "2026-11-29T00:30:30Z",
    "2w": "2026-11-15T02:00:30Z",
    "02:56": "2026-11-29T01:56:00Z",
    "2:56": "2026-11-29T01:56:00Z",
    "02:56:10": "2026-11-29T01:56:10Z",
    "02:00Z": "2026-11-29T02:00:00Z",
    "01:56 UTC": "2026-11-29T01:56:00Z",
    "22:10": "2026-11-28T21:10:00Z",
    "03:01": "2026-11-29T02:01:00Z",
    "yesterday": "2026-11-27T23:00:00Z",
    "yesterday 14:00": "2026-11-28T13:00:00Z",
    "Yesterday at 14:00": "2026-11-28T13:00:00Z",
    "today 01:00": "2026-11-29T00:00:00Z",
    "friday": "2026-11-26T23:00:00Z",
    "fri 14:00": "2026-11-27T13:00:00Z",
    "sunday": "2026-11-21T23:00:00Z",
    "sunday 01:00": "2026-11-29T00:00:00Z",
    "sunday 23:00": "2026-11-22T22:00:00Z",
    "2026-11-28": "2026-11-27T23:00:00Z",
    "2026-11-28 14:00": "2026-11-28T13:00:00Z",
    "2026-11-28T14:00": "2026-11-28T13:00:00Z",
    "2026-11-28T14:00Z": "2026-11-28T14:00:00Z",
    "2026-11-28 14:00 +05:30": "2026-11-28T08:30:00Z",
    "2026-11-28T14:00:00+01:00": "2026-11-28T13:00:00Z",
}
AHEAD = {
    "now": "2026-11-29T02:00:30Z",
    "4h": "2026-11-29T06:00:30Z",
    "in 4h": "2026-11-29T06:00:30Z",
    "2h ago": "2026-11-29T00:00:30Z",
    "3w": "2026-12-20T02:00:30Z",
    "02:56": "2026-11-30T01:56:00Z",
    "14:00": "2026-11-29T13:00:00Z",
    "tomorrow": "2026-11-29T23:00:00Z",
    "tomorrow 08:00": "2026-11-30T07:00:00Z",
    "friday 17:00": "2026-12-04T16:00:00Z",
    "sunday 17:00": "2026-11-29T16:00:00Z",
    "sunday": "2026-12-05T23:00:00Z",
    "2026-12-24": "2026-12-23T23:00:00Z",
}
DAYS = {
    "14d": date(2026, 12, 13),
    "2w": date(2026, 12, 13),
    "today": date(2026, 11, 29),
    "tomorrow": date(2026, 11, 30),
    "friday": date(2026, 12, 4),
    "sun": date(2026, 12, 6),
    "2026-12-24": date(2026, 12, 24),
}


@pytest.mark.parametrize("text", BEHIND)
def test_what_happened_lies_behind(text: str) -> None:
    assert stamp(parse_moment(text, NOW, BERLIN, ahead=False).at) == BEHIND[text]


@pytest.mark.parametrize("text", AHEAD)
def test_what_is_planned_lies_ahead(text: str) -> None:
    assert stamp(parse_moment(text, NOW, BERLIN, ahead=True).at) == AHEAD[text]


@pytest.mark.parametrize("text", DAYS)
def test_a_day_of_the_zone(text: str) -> None:
    assert parse_day(text, NOW, BERLIN) == DAYS[text]


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "12", "12x", "m", "in", "ago", "friday the 13th", "2026-02-30", "utc", "1:2", "-5m"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    for ahead in (True, False):
        with pytest.raises(ValueError, match=r"\w"):
            parse_moment(text, NOW, BERLIN, ahead=ahead)


@pytest.mark.parametrize("text", ["", "soon", "14:00", "2026-02-30", "friday 14:00", "d"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_day(text, NOW, BERLIN)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31", "9999w"])
def test_a_year_outside_is_named(text: str) -> None:
    with pytest.raises(OutOfRange):
        parse_moment(text, datetime(9800, 1, 1, tzinfo=UTC), BERLIN, ahead=True)


def test_the_zone_is_said_back() -> None:
    """With the date in UTC where it is another one; a zone without an offset is said once."""
    assert spell_typed(datetime(2026, 11, 29, 1, 56, tzinfo=UTC), BERLIN) == "2026-11-29 02:56 CET (01:56 UTC)"
    midnight = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
    assert spell_typed(midnight, BERLIN) == "2026-11-29 00:30 CET (2026-11-28 23:30 UTC)"
    assert spell_typed(midnight, ZoneInfo("UTC")) == "2026-11-28 23:30 UTC"


@given(
    now=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    clock=st.times(),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
    ahead=st.booleans(),
)
def test_a_clock_time_is_within_a_day_on_its_side(now: datetime, clock: time, zone: str, ahead: bool) -> None:
    """And it reads as typed on a clock there, unless the clock was set forward over it."""
    there, moment = ZoneInfo(zone), now.replace(tzinfo=UTC)
    at = parse_moment(f"{clock:%H:%M}", moment, there, ahead=ahead).at
    away = at - moment if ahead else moment - at
    assert -SKEW <= away <= timedelta(hours=25)
    shown = f"{at.astimezone(there):%H:%M}"
    assert shown == f"{clock:%H:%M}" or clock.hour in (1, 2, 3)
