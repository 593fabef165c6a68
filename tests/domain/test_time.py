"""Instants, dates and durations: what is one, what is not, and that writing and reading agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.time import (
    YEARS,
    OutOfRange,
    duration,
    duration_text,
    instant,
    parse_date,
    parse_instant,
    shift,
    spell_age,
    spell_ago,
    spell_duration,
    stamp,
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2025-01-26T12:05:00Z", datetime(2025, 1, 26, 12, 5, tzinfo=UTC)),
        ("2025-01-26T13:05:00+01:00", datetime(2025, 1, 26, 12, 5, tzinfo=UTC)),
        ("2025-01-26T00:05:00-11:30", datetime(2025, 1, 26, 11, 35, tzinfo=UTC)),
        ("2025-01-26T12:05:00.5Z", datetime(2025, 1, 26, 12, 5, 0, 500_000, UTC)),
        ("2025-01-26T12:05:00.123456789Z", datetime(2025, 1, 26, 12, 5, 0, 123_456, UTC)),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, meant: datetime) -> None:
    assert parse_instant(text) == meant
    assert parse_instant(text).tzinfo is UTC
    assert instant(text) == meant


@pytest.mark.parametrize(
    "text",
    ["", "now", "12:30", "2025-01-26", "2025-01-26T12:05:00", "2025-01-26T12:05Z", "2025-01-26 12:05:00Z",
     "2025-02-30T12:05:00Z", "2025-13-01T12:05:00Z", "2025-01-26T24:00:00Z", "2025-01-26T12:60:00Z",
     "2025-01-26T12:05:60Z",
     "2025-01-26T12:05:00+24:00", "2025-01-26T12:05:00+01:60", "2025-01-26T12:05:00+05:99", "2025-01-26T12:05:00+0100",
     "2025-01-26t12:05:00z", "2025-01-26T12:05:00,5Z", "2025-01-26T12:05:00Z\n", " 2025-01-26T12:05:00Z",
     "20250126T120500Z", "2025-W04-7T12:05:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
     "9999-12-31T23:59:59-01:00", "２025-01-26T12:05:00Z", "2025-01-26T12:05:00.1234567890Z", "unknown"],
)  # fmt: skip
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "1969-12-31T23:59:59Z", "1970-01-01T00:30:00+01:00"),
        *("9900-01-01T00:00:00Z", "9899-12-31T23:30:00-01:00", "9999-12-31T23:59:59-01:00"),
    ],
)
def test_an_instant_outside_the_range_is_refused_and_named_so(text: str) -> None:
    with pytest.raises(OutOfRange, match="1970 to 9899"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31", "9900-01-01", "9999-12-31"])
def test_a_date_outside_the_range_is_refused_and_named_so(text: str) -> None:
    with pytest.raises(OutOfRange, match="1970 to 9899"):
        parse_date(text)


def test_the_ends_of_the_range_are_inside() -> None:
    assert (YEARS[0], YEARS[-1]) == (1970, 9899)
    assert parse_instant("1970-01-01T00:00:00Z").year == parse_date("1970-01-01").year == 1970
    assert parse_instant("9899-12-31T23:59:59Z").year == parse_date("9899-12-31").year == 9899


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2025-01-26T12:05:00Z", "9899-12-31T23:59:59Z"])
def test_a_shift_stops_at_the_ends_of_the_calendar(at: str) -> None:
    start, longest = parse_instant(at), duration("999999d")
    assert shift(start, 60) == start + timedelta(seconds=60)
    assert shift(start, -60) == start - timedelta(seconds=60)
    assert datetime.min.replace(tzinfo=UTC) < shift(start, -longest) < start
    assert start < shift(start, longest * 10) < datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "unknown"])
def test_missing_and_unknown_are_no_instant(text: str | None) -> None:
    assert instant(text) is None


@given(st.datetimes(datetime(1970, 1, 2), datetime(9899, 12, 30)), st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_an_instant_in_any_zone_comes_back(naive: datetime, minutes: int) -> None:
    at = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_instant(at.isoformat().replace("+00:00", "Z")) == at
    assert parse_instant(stamp(at)) == at
    assert stamp(at).endswith("Z")
    assert stamp(parse_instant(stamp(at))) == stamp(at)


def test_a_stamp_has_no_parts_of_a_second_it_does_not_need() -> None:
    assert stamp(datetime(2025, 1, 26, 12, 5, tzinfo=UTC)) == "2025-01-26T12:05:00Z"


@given(st.text(max_size=40))
def test_no_text_makes_reading_crash(text: str) -> None:
    for parse in (parse_instant, parse_date, duration):
        try:
            parse(text)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "text", ["2025-02-30", "2025-2-3", "20250203", "2025-W04", "", "2025-01-26T00:00:00Z", "2025-01-26\n"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_date(text)


@given(st.dates(date(1970, 1, 1), date(9899, 12, 31)))
def test_a_date_comes_back(day: date) -> None:
    assert parse_date(day.isoformat()) == day


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("15m", 900),
        ("2h", 7200),
        ("7d", 604_800),
        ("1h30m", 5400),
        ("1d1h1m1s", 90_061),
        ("90m", 5400),
        ("000s", 0),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: int) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "h", "PT15M", "15 m", "-5m", "1.5h", "30m1h", "1w", "15M", "1m1m", "15m\n", "1234567d", "٣m", "unknown"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        duration(text)


@given(st.integers(0, 999_999 * 86_400))
def test_a_duration_comes_back(seconds: int) -> None:
    assert duration(duration_text(seconds)) == seconds
    assert spell_duration(-seconds) == ("-" if seconds else "") + spell_duration(seconds)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (45, "45s"),
        (90, "1m 30s"),
        (2_700, "45m"),
        (3_605, "1h"),
        (7_500, "2h 5m"),
        (172_800, "2d"),
        (273_600, "3d 4h"),
        (90_061, "1d 1h"),
        (86_460, "1d 1m"),
        (87_060, "1d 11m"),
        (86_405, "1d"),
        (-180, "-3m"),
        (None, "unknown"),
    ],
)
def test_a_duration_is_spelled_with_its_two_largest_units(seconds: int | None, text: str) -> None:
    """Where the hours are none the minutes are the second one: 24 h 11 min is no round day."""
    assert spell_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3600, "1 hour"),
        (5400, "1 hour 30 minutes"),
        (59, "59 seconds"),
        (0, "0 seconds"),
        (176_461, "2 days 1 hour"),
        (87_060, "1 day 11 minutes"),
    ],
)
def test_a_duration_in_words_has_its_two_largest_units(seconds: int, text: str) -> None:
    assert spell_duration(seconds, in_words=True) == text


def test_an_exact_duration_has_all_its_units() -> None:
    assert spell_duration(90_061, exact=True) == "1d 1h 1m 1s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-9, "0s"), (0, "0s"), (59, "59s"), (6_959, "1h 55m"), (90_000, "1d"), (31_536_000, "365d")]
)
def test_an_age_is_as_exact_as_it_is_young(seconds: int, text: str) -> None:
    assert spell_age(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(59, "just now"), (60, "1m ago"), (300, "5m ago"), (190_000, "2d ago")])
def test_a_moment_is_so_long_ago(seconds: int, text: str) -> None:
    assert spell_ago(seconds) == text
