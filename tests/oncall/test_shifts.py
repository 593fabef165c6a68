"""Who is on call: turns, restrictions, overrides, and every minute of three years against a walker of minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.oncall import OnCallSchedule, schedule_instant, turn_length
from incident_ops.domain.time import parse_instant, zone_named
from incident_ops.oncall.shifts import on_call_at, shifts, uncovered
from tests.oncall.minute_walker import walk
from tests.oncall.random_schedules import random_schedule
from tests.support.laws import SHARE, law, seeds

THREE_YEARS = 3 * 365 + 1
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def schedule(*layers: dict[str, Any], zone: str = "Europe/Berlin", overrides: Any = ()) -> OnCallSchedule:
    """A schedule of these layers."""
    named = [{"name": f"l{number}", **layer} for number, layer in enumerate(layers)]
    return msgspec.convert(
        {"name": "primary", "zone": zone, "layers": named, "overrides": list(overrides)}, OnCallSchedule
    )


WEEKS = {"people": ["@a", "@b"], "start": "2025-03-24", "at": "09:00", "rotate": "1w"}


def who(asked: OnCallSchedule, at: str) -> str | None:
    """Who is on call at an instant."""
    return on_call_at(asked, parse_instant(at))


def test_a_week_begins_at_its_local_hour_also_when_the_clocks_change() -> None:
    """Monday 09:00 of Berlin is 08:00 UTC in winter and 07:00 UTC in summer."""
    asked = schedule(WEEKS)
    assert who(asked, "2025-03-24T07:59:59Z") is None
    assert who(asked, "2025-03-24T08:00:00Z") == "@a"
    assert (who(asked, "2025-03-31T06:59:59Z"), who(asked, "2025-03-31T07:00:00Z")) == ("@a", "@b")


def test_turns_of_hours_last_what_they_say() -> None:
    """Twelve hours are twelve hours in the night in which the clock is put forward."""
    asked = schedule({"people": ["@a", "@b"], "start": "2025-03-29T20:00:00", "rotate": "12h"})
    assert (who(asked, "2025-03-30T06:59:59Z"), who(asked, "2025-03-30T07:00:00Z")) == ("@a", "@b")


def test_turns_count_on_while_a_layer_is_restricted() -> None:
    """A layer of weekends that changes weekly has the next person at the next weekend."""
    asked = schedule({**WEEKS, "restrict": [{"days": ["sat", "sun"]}]})
    assert [who(asked, f"2025-{day}T12:00:00Z") for day in ("03-29", "04-02", "04-05", "04-12")] == [
        "@a", None, "@b", "@a",
    ]  # fmt: skip


def test_a_later_layer_wins_where_it_covers_and_an_override_over_all() -> None:
    """Nights are another layer's; a swapped hour is the override's."""
    nights = {"people": ["@n"], "start": "2025-03-24", "rotate": "1d", "restrict": [{"from": "22:00", "to": "06:00"}]}
    over = {"from": "2025-04-01T23:00:00", "to": "2025-04-02T00:00:00", "who": "@o"}
    asked = schedule(WEEKS, nights, overrides=[over])
    hours = ("19:59:59", "20:00:00", "21:00:00", "21:59:59", "22:00:00")
    assert [who(asked, f"2025-04-01T{hour}Z") for hour in hours] == ["@b", "@n", "@o", "@o", "@n"]


def test_the_last_of_two_overrides_of_one_hour_wins() -> None:
    """As with layers: what stands below wins."""
    times = {"from": "2025-04-01T10:00:00Z", "to": "2025-04-01T11:00:00Z"}
    asked = schedule(WEEKS, overrides=[{**times, "who": "@x"}, {**times, "who": "@y"}])
    assert who(asked, "2025-04-01T10:30:00Z") == "@y"


def test_the_first_turn_lasts_from_the_start_to_the_first_handover() -> None:
    """Whoever begins at midnight hands over a week after that day, at nine."""
    asked = schedule({**WEEKS, "start": "2025-03-24T00:00:00"})
    assert [(one.who, one.begin, one.end) for one in shifts(asked, BEGIN, parse_instant("2025-04-07T07:00:00Z"))] == [
        ("@a", parse_instant("2025-03-23T23:00:00Z"), parse_instant("2025-03-31T07:00:00Z")),
        ("@b", parse_instant("2025-03-31T07:00:00Z"), parse_instant("2025-04-07T07:00:00Z")),
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"zone": "Europe/Berlinn"}, "Europe/Berlinn"),
        ({"layers": [{**WEEKS, "name": "l", "rotate": "0w"}]}, "no length"),
        ({"overrides": [{"from": "2025-04-02", "to": "2025-04-01", "who": "@a"}]}, "ends before it begins"),
        ({"layers": [{**WEEKS, "name": "l", "start": "soon"}]}, "soon"),
        ({"layers": [{**WEEKS, "name": "l", "at": "25:00"}]}, "25:00"),
    ],
)
def test_a_schedule_that_cannot_be_used_is_refused_in_words(wrong: dict[str, Any], words: str) -> None:
    """Never a guess, never a person by accident."""
    data = {"name": "p", "zone": "Europe/Berlin", "layers": [{**WEEKS, "name": "l"}], **wrong}
    with pytest.raises(ValueError, match=words):
        on_call_at(msgspec.convert(data, OnCallSchedule), parse_instant("2025-04-01T12:00:00Z"))


@pytest.mark.parametrize("text", ["w", "1m", "1.5d", "-1d", "1 w", "", "99999d"])
def test_a_length_that_is_none_is_refused(text: str) -> None:
    """Weeks, days and hours, nothing else."""
    with pytest.raises(ValueError, match="length"):
        turn_length(text)


@pytest.mark.parametrize("text", ["2025-01-32", "2025-01-01T25:00:00", "0001-01-01", "9999-12-31T00:00:00", "", "now"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    """A time of the file is an instant, a local time or a date."""
    with pytest.raises(ValueError):
        schedule_instant(text, zone_named("Europe/Berlin"))


def test_a_turn_at_the_end_of_the_calendar_ends_there() -> None:
    """Nothing steps over the last day that there is."""
    for rotate in ("9999h", "9999d", "9999w"):
        asked = schedule({"people": ["@a"], "start": "9899-12-31", "rotate": rotate})
        assert who(asked, "9899-12-31T23:59:59Z") == "@a"


@pytest.mark.slow
@seeds("on call", whole=10, sample=3)
def test_every_minute_of_three_years_is_that_of_the_walker(seed: int) -> None:
    """0 differences, and the uncovered minutes are as many. The short sample walks a hundred days of each."""
    days = 100 if SHARE == "sample" else THREE_YEARS
    data = random_schedule(seed, BEGIN, days)
    asked = msgspec.convert(data, OnCallSchedule)
    minutes = days * 24 * 60
    end = BEGIN + minutes * MINUTE
    walked = list(walk(data, BEGIN, minutes))
    computed: list[str | None] = [None] * minutes
    for shift in shifts(asked, BEGIN, end):
        first, last = ((at - BEGIN) // MINUTE for at in (shift.begin, shift.end))
        computed[first:last] = [shift.who] * (last - first)
    different = [number for number in range(minutes) if walked[number] != computed[number]]
    assert different == [], (BEGIN + different[0] * MINUTE, data)
    gaps = sum(((until - since) for since, until in uncovered(asked, BEGIN, end)), timedelta())
    assert gaps // MINUTE == walked.count(None)


@law("on call at an instant", whole=5000, sample=40)
@given(st.integers(0, 400), st.integers(0, 120 * 24 * 60), st.integers(0, 30 * 24 * 60))
def test_an_instant_is_what_the_span_around_it_says(seed: int, minute: int, around: int) -> None:
    """Asking for one instant and asking for a long span give the same; so does cutting the span anywhere."""
    asked = msgspec.convert(random_schedule(seed, BEGIN, 120), OnCallSchedule)
    at = BEGIN + minute * MINUTE
    span = shifts(asked, at - around * MINUTE, at + (around + 1) * MINUTE)
    inside = next((one.who for one in span if one.begin <= at < one.end), None)
    assert inside == on_call_at(asked, at)
    assert all(one.end <= two.begin and one.begin < one.end for one, two in pairwise(span))
