"""What an incident is at an instant: corrections applied, later entries not seen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from incident_ops.domain.as_of import (
    as_of,
    assignee_at,
    corrected_instants,
    current_instant,
    is_settled,
    known_status,
    phase,
)
from incident_ops.domain.incident import Incident
from incident_ops.domain.public_updates import public_status
from tests.support.policies import policy

AT = "2025-01-26T12:05:00Z"
SEV = policy("sev0-3")


def incident(**fields: Any) -> Incident:
    times = {"declared": AT, **fields.pop("times", {})}
    base = {"id": "INC-1", "title": "t", "services": ["a"], "state": "in_progress", "times": times}
    return msgspec.convert({**base, **fields}, Incident)


def hour(number: int) -> datetime:
    return datetime(2025, 1, 26, number, tzinfo=UTC)


def text(number: int) -> str:
    return f"2025-01-26T{number:02d}:00:00Z"


def moved(number: int, old: str, new: str) -> dict[str, str]:
    return {"at": text(number), "field": "state", "from": old, "to": new}


REOPENED = incident(
    state="in_progress",
    times={"acknowledged": text(13), "restored": text(14), "resolved": text(15)},
    changes=[moved(13, "new", "in_progress"), moved(15, "in_progress", "resolved"), moved(18, "resolved", "reopened")],
    cycles=[{"reopened": text(18)}],
    pauses=[{"from": text(13), "to": text(14), "waiting_for": "vendor"}],
    assignments=[{"at": text(13), "to": "@a"}, {"at": text(19), "to": "@b"}],
)


@pytest.mark.parametrize(
    ("at", "state", "cycle", "acknowledged", "resolved", "assignee"),
    [
        (12, "new", 1, False, False, None),
        (13, "in_progress", 1, True, False, "@a"),
        (16, "resolved", 1, True, True, "@a"),
        (18, "in_progress", 2, True, False, "@a"),
        (20, "in_progress", 2, True, False, "@b"),
    ],
)
def test_an_earlier_instant_shows_what_was_known_then(
    at: int, state: str, cycle: int, acknowledged: bool, resolved: bool, assignee: str | None
) -> None:
    view = as_of(REOPENED, hour(at))
    assert (view.state, view.cycle, view.assignee) == (state, cycle, assignee)
    assert (view.acknowledged.ended, view.resolved.ended) == (acknowledged, resolved)
    assert assignee_at(REOPENED, hour(at)) == assignee


def test_a_pause_that_ends_later_is_still_open() -> None:
    assert as_of(REOPENED, hour(13)).pauses(["pending"]) == ((hour(13), None),)
    assert as_of(REOPENED, hour(16)).pauses(["pending"]) == ((hour(13), hour(14)),)
    assert as_of(REOPENED, hour(20)).pauses(["pending"]) == ((hour(13), hour(14)), (hour(15), hour(18)))


def test_impact_runs_from_the_first_sign_to_the_restoration_of_each_cycle() -> None:
    begin = datetime(2025, 1, 26, 12, 5, tzinfo=UTC)
    assert as_of(REOPENED, hour(13)).impact_spans() == [(begin, hour(13))]
    assert as_of(REOPENED, hour(17)).impact_spans() == [(begin, hour(14))]
    assert as_of(REOPENED, hour(20)).impact_spans() == [(begin, hour(14)), (hour(18), hour(20))]


@pytest.mark.parametrize(
    ("fields", "status", "phase_word"),
    [
        ({"state": "new"}, "investigating", "ACTIVE"),
        ({"times": {"diagnosed": AT}}, "identified", "ACTIVE"),
        ({"cause": {"category": "deploy"}}, "identified", "ACTIVE"),
        ({"cause": {"category": "unknown"}}, "investigating", "ACTIVE"),
        ({"times": {"mitigated": AT}}, "investigating", "ACTIVE"),
        ({"times": {"restored": AT}}, "monitoring", "MITIGATED"),
        ({"times": {"restored": "unknown"}}, "monitoring", "MITIGATED"),
        ({"state": "resolved", "times": {"restored": AT}}, "resolved", "RESOLVED"),
        ({"state": "closed"}, "resolved", "RESOLVED"),
    ],
)
def test_status_and_phase_are_derived(fields: dict[str, Any], status: str, phase_word: str) -> None:
    """C15, R84."""
    record = incident(**fields)
    assert known_status(record) == status
    assert phase(record) == phase_word


def update(minute: int, status: str, audience: str = "public") -> dict[str, Any]:
    return {"at": f"2025-01-26T12:{minute:02d}:00Z", "audience": audience, "status": status, "text": "t"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "investigating"),
        ({"times": {"restored": AT}, "cause": {"category": "deploy"}}, "investigating"),
        ({"updates": [update(10, "identified")]}, "identified"),
        ({"updates": [update(20, "monitoring"), update(10, "identified")]}, "monitoring"),
        ({"updates": [update(10, "monitoring"), update(20, "investigating")]}, "investigating"),
        ({"updates": [update(10, "identified"), update(10, "monitoring")]}, "monitoring"),
        ({"updates": [update(10, "identified"), update(20, "monitoring", "internal")]}, "identified"),
        ({"state": "resolved", "updates": [update(10, "identified")]}, "resolved"),
        ({"state": "closed"}, "resolved"),
        ({"public_status": "identified", "updates": [update(10, "monitoring")]}, "identified"),
        ({"public_status": "monitoring", "state": "resolved"}, "monitoring"),
    ],
)
def test_the_public_status_is_what_the_public_was_last_told(fields: dict[str, Any], status: str) -> None:
    """R83, R85: by time, not by place; only what the public was told; the record's own word wins."""
    assert public_status(incident(**fields)) == status


def test_after_a_reopening_the_old_restoration_and_cause_do_not_count() -> None:
    fields: dict[str, Any] = {"times": {"restored": AT, "diagnosed": AT}, "cause": {"category": "deploy"}}
    reopened = "2025-01-27T12:00:00Z"
    record = incident(state="reopened", cycles=[{"reopened": reopened}], **fields)
    assert (known_status(record), phase(record)) == ("investigating", "ACTIVE")
    again = incident(
        state="in_progress",
        cycles=[{"reopened": reopened}],
        timeline=[{"at": "2025-01-27T13:00:00+01:00", "kind": "diagnosis", "event": "Again"}],
        **fields,
    )
    assert known_status(again) == "identified"


def test_the_last_correction_holds() -> None:
    base = {"at": AT, "field": "times.restored", "by": "@a", "reason": "r"}
    corrections = [
        {**base, "from": AT, "to": "2025-01-26T12:30:00Z"},
        {**base, "from": "2025-01-26T12:30:00Z", "to": "2025-01-26T12:31:00Z"},
        {**base, "field": "cycles.1.restored", "from": "unknown", "to": "2025-01-27T13:00:00Z"},
    ]
    first = incident(times={"restored": AT}, corrections=corrections[:2])
    assert corrected_instants(first) == {"times.declared": AT, "times.restored": "2025-01-26T12:31:00Z"}
    assert current_instant(first, "restored") == "2025-01-26T12:31:00Z"
    again = incident(cycles=[{"reopened": "2025-01-27T12:00:00Z"}], corrections=corrections)
    assert corrected_instants(again)["cycles.1.restored"] == "2025-01-27T13:00:00Z"
    assert current_instant(again, "restored") == "2025-01-27T13:00:00Z"
    assert current_instant(again, "resolved") is None


@pytest.mark.parametrize(
    ("fields", "settled"),
    [
        ({"state": "closed"}, True),
        ({"state": "closed", "severity": "SEV1"}, False),
        ({"state": "closed", "severity": "SEV1", "outcome": "false_alarm"}, True),
        ({"state": "closed", "severity": "SEV3"}, True),
        ({"state": "resolved"}, False),
        ({"state": "closed", "action_items": [{"id": "AI-1", "title": "t"}]}, False),
        ({"state": "closed", "action_items": [{"id": "AI-1", "title": "t", "status": "wont_do"}]}, True),
        ({"state": "closed", "postmortem": {"status": "review"}}, False),
        ({"state": "closed", "postmortem": {"status": "final"}}, True),
    ],
)
def test_a_record_is_settled_when_nothing_is_left_to_do(fields: dict[str, Any], settled: bool) -> None:
    assert is_settled(incident(**fields), SEV) is settled


def test_a_wait_for_the_user_that_begins_while_it_is_pending_counts_at_once() -> None:
    """As when it waited for the vendor until then."""
    waits = incident(
        state="pending",
        changes=[moved(13, "in_progress", "pending")],
        pauses=[
            {"from": text(13), "to": text(14), "waiting_for": "vendor"},
            {"from": text(14), "waiting_for": "user"},
        ],
    )
    assert as_of(waits, hour(16)).pauses({"pending"}) == ((hour(13), hour(14)), (hour(14), None))
    assert as_of(msgspec.structs.replace(waits, changes=[]), hour(16)).pauses({"pending"})[1] == (hour(14), None)
