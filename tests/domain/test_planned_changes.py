"""When windows and freezes are, whether they overlap, which of them conflict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.planned_changes import (
    Freeze,
    Maintenance,
    PlannedChangeSpan,
    Span,
    conflicts,
    local_instant,
    overlap,
    planned_change,
    planned_freeze,
)

NEW_YORK = "America/New_York"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "is_end", "expected"),
    [
        ("2025-09-28T02:00:00", NEW_YORK, False, "2025-09-28T06:00:00"),
        ("2025-09-28T02:00:00Z", NEW_YORK, False, "2025-09-28T02:00:00"),
        ("2025-03-09T02:30:00", NEW_YORK, False, "2025-03-09T07:00:00"),
        ("2025-03-09T02:30:00", NEW_YORK, True, "2025-03-09T07:00:00"),
        ("2025-11-02T01:30:00", NEW_YORK, False, "2025-11-02T05:30:00"),
        ("2025-11-02T01:30:00", NEW_YORK, True, "2025-11-02T06:30:00"),
    ],
)
def test_a_local_time_is_what_the_clock_on_the_wall_shows(text: str, zone: str, is_end: bool, expected: str) -> None:
    """A skipped time is the moment of the jump; of a repeated one the hold takes the longer side (C29)."""
    assert local_instant(text, zone, is_end=is_end) == at(expected)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2025-09-28T02:00:00", None),
        ("2025-09-28T02:00:00", "EST"),
        ("2025-09-28T02:00:00", "Europe/Nowhere"),
        ("2025-09-28T02:00:00", "../etc/passwd"),
        ("2025-13-28T02:00:00", "Etc/UTC"),
        ("tomorrow", "Etc/UTC"),
        ("0001-01-01T00:00:00", "Asia/Tokyo"),
    ],
)
def test_what_is_no_time_is_refused(text: str, zone: str | None) -> None:
    with pytest.raises(ValueError, match=r"zone|years"):
        local_instant(text, zone)


def change(**fields: object) -> Maintenance:
    data = {
        "id": "CHG-2025-0234",
        "title": "Database upgrade",
        "status": "approved",
        "services": ["database"],
        "window": {"zone": NEW_YORK, "from": "2025-09-28T02:00:00", "until": "2025-09-28T04:00:00"},
        "notices": [],
        **fields,
    }
    return msgspec.convert(data, Maintenance)


def test_the_worked_window_with_its_buffer() -> None:
    """02:00-04:00 Eastern is 06:00Z-08:00Z; half an hour is kept free on both sides."""
    planned = planned_change(change(buffer={"before": "30m"}), "15m")
    assert planned.span == Span(at("2025-09-28T06:00:00"), at("2025-09-28T08:00:00"))
    assert planned.kept == Span(at("2025-09-28T05:30:00"), at("2025-09-28T08:15:00"))


def test_while_people_work_nobody_knows_the_end() -> None:
    running = planned_change(change(status="in_progress", execution={"started": "2025-09-28T05:50:00Z"}))
    assert running.span == Span(at("2025-09-28T05:50:00"), None)
    assert planned_change(change(execution={"started": "unknown"})).span.end is None


@pytest.mark.parametrize(
    ("fields", "agreed"),
    [
        ({"status": "draft"}, False),
        ({"status": "requested"}, False),
        ({"status": "approved"}, True),
        ({"status": "in_progress"}, True),
        ({"status": "in_progress", "execution": {"closed": "unknown"}}, False),
        ({"status": "completed"}, False),
        ({"status": "cancelled"}, False),
    ],
)
def test_only_what_was_agreed_counts(fields: dict[str, object], agreed: bool) -> None:
    assert change(**fields).is_agreed is agreed


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before"):
        planned_freeze(Freeze(name="f", reason="r", begin="2025-01-02T00:00:00Z", end="2025-01-01T00:00:00Z"))


def plan(name: str, begin: int, end: int | None, *services: str, free: int = 0) -> PlannedChangeSpan:
    zero = at("2025-01-01T00:00:00")
    span = Span(zero + timedelta(hours=begin), None if end is None else zero + timedelta(hours=end))
    kept = Span(
        zero + timedelta(hours=begin - free),
        None if end is None else zero + timedelta(hours=end) + timedelta(hours=free),
    )
    return PlannedChangeSpan(name, frozenset(services), span, kept)


def test_plans_that_meet_on_a_service_conflict() -> None:
    """Touching is no conflict, the time kept free counts, no services means every one."""
    one, two = plan("one", 0, 2, "api"), plan("two", 2, 4, "api", "web")
    assert conflicts([one, two]) == []
    (found,) = conflicts([one, plan("two", 2, 4, "api", "web", free=1)])
    assert (found.one, found.other, found.services) == ("one", "two", ("api",))
    assert found.span == Span(one.span.begin and one.span.begin + timedelta(hours=1), one.span.end)
    assert conflicts([one, plan("two", 0, 4, "web")]) == []
    (every,) = conflicts([one, plan("freeze", 1, None)])
    assert every.services == ("api",)


_HOURS = st.integers(-50, 50)
_SPANS = st.tuples(st.none() | _HOURS, st.none() | st.integers(1, 50)).map(
    lambda pair: Span(
        None if pair[0] is None else at("2025-01-01T00:00:00") + timedelta(hours=pair[0]),
        None if pair[1] is None else at("2025-01-01T00:00:00") + timedelta(hours=(pair[0] or 0) + pair[1]),
    )
)


@given(_SPANS, _SPANS, _HOURS)
def test_the_overlap_is_what_both_cover(one: Span, other: Span, hour: int) -> None:
    """At every instant, and in either order."""
    now = at("2025-01-01T00:00:00") + timedelta(hours=hour)
    shared = overlap(one, other)
    assert shared == overlap(other, one)
    assert (shared is not None and shared.covers(now)) == (one.covers(now) and other.covers(now))
