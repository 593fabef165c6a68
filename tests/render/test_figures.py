"""Derived numbers: named intervals and counts."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from incident_ops.documents.incident_facts import (
    count_items,
    count_lessons,
    first_impact,
    intervals,
    spell_interval,
    spell_length,
)
from incident_ops.domain.incident import ActionItem, Cycle, Incident, Lessons, Times
from incident_ops.domain.time import spell_clock, spell_instant
from tests.support.policies import policy


def incident(cycles: list[Cycle] | None = None, **times: str) -> Incident:
    told = Times(declared=times.pop("declared", "2025-03-01T10:05:00Z"), **times)
    return Incident(id="INC-1", title="t", services=["api"], state="new", times=told, cycles=cycles or [])


def lengths(record: Incident) -> dict[str, int | None]:
    return {length.name: length.seconds for length in intervals(record)}


def test_every_interval_is_the_difference_of_the_two_instants_it_names() -> None:
    record = incident(
        started="2025-03-01T10:00:00Z",
        detected="2025-03-01T10:02:00Z",
        acknowledged="2025-03-01T10:06:00Z",
        assembled="2025-03-01T10:15:00Z",
        diagnosed="2025-03-01T10:25:00Z",
        restored="2025-03-01T12:00:00+01:00",
        resolved="2025-03-01T11:10:00Z",
        closed="2025-03-02T10:00:00Z",
    )
    minutes = {name: (seconds or 0) / 60 for name, seconds in lengths(record).items()}
    assert minutes == {
        "Impact": 60,
        "Time to detect": 2,
        "Time to acknowledge": 4,
        "War room assembled": 10,
        "Time to diagnose": 20,
        "Time to restore": 58,
        "Time to resolve": 65,
        "Total": 24 * 60,
    }


def test_what_did_not_happen_yet_has_no_interval_but_the_impact_is_unknown() -> None:
    assert lengths(incident()) == {"Impact": None}


def test_without_a_detection_people_are_measured_from_the_declaration() -> None:
    record = incident(detected="unknown", acknowledged="2025-03-01T10:15:00Z")
    acknowledge = next(length for length in intervals(record) if length.name == "Time to acknowledge")
    assert (acknowledge.start, acknowledge.seconds) == ("declared", 600)


def test_what_happened_before_it_was_declared_took_no_negative_time() -> None:
    record = incident(started="2025-03-01T10:00:00Z", diagnosed="2025-03-01T10:01:00Z")
    spelled = {length.name: spell_interval(length) for length in intervals(record)}
    assert spelled["Time to diagnose"] == "4m before it was declared (declared 10:05, diagnosed 10:01 UTC)"
    assert spell_length(intervals(record)[-1]) == "4m before it was declared"


def test_each_cycle_has_an_impact_of_its_own() -> None:
    cycles = [
        Cycle(reopened="2025-03-01T12:00:00Z", restored="2025-03-01T12:05:00Z"),
        Cycle(reopened="2025-03-02T12:00:00Z"),
    ]
    record = incident(cycles, started="2025-03-01T10:00:00Z", restored="2025-03-01T10:30:00Z")
    assert first_impact(record).seconds == 1800
    assert lengths(record)["Impact, cycle 2"] == 300
    assert lengths(record)["Impact, cycle 3"] is None


def test_a_cycle_that_ended_by_a_withdrawal_runs_on_into_the_next() -> None:
    """Users were affected all the while; one that was resolved without a known end does not run on."""
    cycles = [
        Cycle(reopened="2025-03-01T10:05:00Z"),
        Cycle(reopened="2025-03-01T10:10:00Z", restored="2025-03-01T10:15:00Z"),
        Cycle(reopened="2025-03-01T11:00:00Z", restored="2025-03-01T11:01:00Z"),
    ]
    found = lengths(incident(cycles, started="2025-03-01T10:00:00Z", closed="2025-03-01T10:04:00Z"))
    assert {name: seconds for name, seconds in found.items() if "Impact" in name} == {
        "Impact": 900, "Impact, cycle 4": 60,
    }  # fmt: skip
    resolved = incident(cycles[2:], started="2025-03-01T10:00:00Z", resolved="2025-03-01T10:04:00Z")
    assert lengths(resolved)["Impact"] is None
    assert lengths(resolved)["Impact, cycle 2"] == 60
    assert first_impact(incident(cycles[:1], started="2025-03-01T10:00:00Z")).seconds is None


def test_items_are_counted_in_the_policys_order_of_priorities() -> None:
    items = [
        ActionItem(id="AI-1", title="a", priority="P2", owner="@a", due="2025-01-01", status="done"),
        ActionItem(id="AI-2", title="b", priority="P0", owner="@a", status="in_progress"),
        ActionItem(id="AI-3", title="c", priority="low"),
        ActionItem(id="AI-4", title="d"),
    ]
    record = msgspec.structs.replace(incident(), action_items=items)
    counts = count_items(record, policy("p0-p3"))
    assert list(counts.by_priority.items()) == [("P0", 1), ("P2", 1), ("low", 1)]
    assert counts.by_status == {"done": 1, "in_progress": 1, "open": 2}
    assert (counts.total, counts.unranked, counts.unowned, counts.undated) == (4, 1, 2, 2)


def test_lessons_are_counted_by_kind() -> None:
    counts = count_lessons(Lessons(technical=["a", "b"], cultural=["c"]))
    assert (counts.total, counts.by_kind) == (3, {"technical": 2, "cultural": 1})


def test_instants_are_spelled_in_utc() -> None:
    assert spell_instant("2025-03-01T01:05:59+02:00") == "2025-02-28 23:05 UTC"
    assert spell_instant("2025-03-01") == "2025-03-01"
    assert spell_instant("unknown") == spell_instant(None) == spell_clock(None) == "unknown"
    assert spell_clock(datetime(2025, 3, 1, 9, 5, tzinfo=UTC), dated=True) == "2025-03-01 09:05"
