"""A calendar month later: the same day and time of the wall, or the last day of a shorter month."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.time import months_after, parse_instant, stamp

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31T08:00:00Z", 1, "2026-02-28T08:00:00Z"),
        ("2028-01-31T08:00:00Z", 1, "2028-02-29T08:00:00Z"),
        ("2026-11-30T08:00:00Z", 1, "2026-12-30T08:00:00Z"),
        ("2026-12-15T08:00:00Z", 1, "2027-01-15T08:00:00Z"),
        ("2026-08-31T08:00:00Z", 18, "2028-02-29T08:00:00Z"),
    ],
)
def test_months_of_the_calendar(start: str, months: int, end: str) -> None:
    assert stamp(months_after(parse_instant(start), months, ZoneInfo("UTC"))) == end


def test_the_day_is_that_of_the_zone() -> None:
    """23:30 of 30 January in UTC is the 31st in Berlin, and February ends there an hour before it ends in UTC."""
    assert stamp(months_after(parse_instant("2026-01-30T23:30:00Z"), 1, BERLIN)) == "2026-02-27T23:30:00Z"
    assert stamp(months_after(parse_instant("2026-02-28T08:00:00Z"), 1, BERLIN)) == "2026-03-28T08:00:00Z"
    assert stamp(months_after(parse_instant("2026-03-01T08:00:00Z"), 1, BERLIN)) == "2026-04-01T07:00:00Z"


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)), st.integers(1, 99))
def test_it_is_later_and_never_in_the_month_after(at: datetime, months: int) -> None:
    start = at.replace(tzinfo=UTC)
    end = months_after(start, months, ZoneInfo("UTC"))
    assert end > start
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day <= start.day
