"""States, moves, and what is derived from them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.as_of import corrected_instants, current_instant, is_settled, phase, public_status
from incident_ops.domain.incident import Change, Incident
from incident_ops.domain.lifecycle import (
    CLOSED,
    EDGES,
    FIXED,
    NEEDS,
    PENDING,
    STATES,
    is_legal,
    next_states,
    path_faults,
    shortest_path,
)

AT = "2025-01-26T12:05:00Z"
OUTCOMES = ("fixed", "false_alarm", "duplicate", "withdrawn")


def incident(**fields: Any) -> Incident:
    times = {"declared": AT, **fields.pop("times", {})}
    base = {"id": "INC-1", "title": "t", "services": ["a"], "state": "in_progress", "times": times}
    return msgspec.convert({**base, **fields}, Incident)


def history(*states: str) -> list[Change]:
    return [Change(at=AT, field="state", old=old, new=new) for old, new in pairwise(states)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("new", "triaged"),
        ("triaged", "assigned"),
        ("assigned", "in_progress"),
        ("in_progress", "resolved"),
        ("resolved", "closed"),
        ("resolved", "reopened"),
        ("closed", "reopened"),
        ("reopened", "in_progress"),
        ("new", "pending"),
        ("resolved", "pending"),
    ],
)
def test_the_playbooks_edges_are_legal(old: str, new: str) -> None:
    """R76-R78, C16."""
    assert is_legal(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("new", "resolved"),
        ("new", "closed"),
        ("triaged", "new"),
        ("in_progress", "closed"),
        ("closed", "pending"),
        ("closed", "in_progress"),
        ("reopened", "resolved"),
        ("new", "new"),
        ("pending", "pending"),
        ("new", "nowhere"),
        ("nowhere", "new"),
    ],
)
def test_other_moves_are_not(old: str, new: str) -> None:
    assert not is_legal(old, new)


@pytest.mark.parametrize("outcome", OUTCOMES[1:])
def test_any_open_state_may_be_closed_when_nothing_was_fixed(outcome: str) -> None:
    """What is no incident needs no restoration and no cause."""
    for state in STATES:
        assert is_legal(state, CLOSED, None, outcome) == (state != CLOSED)


def test_pending_goes_back_to_the_state_left_and_nowhere_else() -> None:
    """R77."""
    for left in STATES:
        ways = [new for new in STATES if is_legal(PENDING, new, left)]
        assert ways == [left]


def test_the_shortest_way_is_spelt_out() -> None:
    assert shortest_path("new", "resolved") == ("triaged", "assigned", "in_progress", "resolved")
    assert shortest_path("closed", "resolved") == ("reopened", "in_progress", "resolved")
    assert shortest_path("pending", "resolved", "assigned") == ("assigned", "in_progress", "resolved")
    assert shortest_path("new", "closed", outcome="withdrawn") == ("closed",)
    assert shortest_path("triaged", "new") == ()


@st.composite
def walks(draw: st.DrawFn) -> tuple[list[str], str]:
    """A legal walk from new, and the outcome that makes it so."""
    outcome = draw(st.sampled_from(OUTCOMES))
    walk, left = ["new"], None
    for _ in range(draw(st.integers(0, 15))):
        new = draw(st.sampled_from(next_states(walk[-1], left, outcome)))
        left = walk[-1] if new == PENDING else None
        walk.append(new)
    return walk, outcome


@given(walks())
def test_every_legal_walk_is_accepted(drawn: tuple[list[str], str]) -> None:
    walk, outcome = drawn
    assert path_faults(history(*walk), walk[-1], outcome) == []


@given(walks(), st.data())
def test_one_illegal_move_is_refused_at_its_place(drawn: tuple[list[str], str], data: st.DataObject) -> None:
    walk, _ = drawn
    old = walk[-1]
    left = walk[-2] if old == PENDING else None
    new = data.draw(st.sampled_from([state for state in STATES if not is_legal(old, state, left, "withdrawn")]))
    found = path_faults(history(*walk, new), new, "withdrawn")
    assert [(fault.entry, fault.old, fault.new) for fault in found] == [(len(walk) - 1, old, new)]


@given(walks(), st.data())
def test_a_history_that_ends_elsewhere_is_refused(drawn: tuple[list[str], str], data: st.DataObject) -> None:
    walk, outcome = drawn
    state = data.draw(st.sampled_from([state for state in STATES if state != walk[-1]]))
    assert [fault.entry for fault in path_faults(history(*walk), state, outcome)] == [None]


def test_a_gap_is_told_once() -> None:
    changes = history("new", "triaged", "assigned", "in_progress", "resolved")
    found = path_faults([changes[0], *changes[2:]], "resolved")
    assert [(fault.entry, fault.old, fault.new) for fault in found] == [(1, "triaged", "assigned")]


def test_a_false_alarm_that_came_back_keeps_a_legal_history() -> None:
    """The outcome of a closing that was reopened later is not kept, so it is not held against the record."""
    changes = history("new", "closed", "reopened", "in_progress", "resolved")
    assert path_faults(changes, "resolved", FIXED) == []
    assert [fault.entry for fault in path_faults(history("new", "closed"), "closed", FIXED)] == [0]


def test_changes_of_severity_are_no_part_of_the_path() -> None:
    changes = [Change(at=AT, field="severity", old="SEV2", new="SEV1"), *history("new", "triaged")]
    assert path_faults(changes, "triaged") == []


def test_every_state_is_reachable_and_every_edge_is_between_states() -> None:
    assert {state for state in STATES if shortest_path("new", state)} == set(STATES) - {"new"}
    assert {state for edge in EDGES for state in edge} == set(STATES)
    assert set(NEEDS) <= set(STATES)


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
        ({"public_status": "identified", "times": {"restored": AT}}, "identified", "MITIGATED"),
    ],
)
def test_status_and_phase_are_derived(fields: dict[str, Any], status: str, phase_word: str) -> None:
    """C15, R83, R84."""
    record = incident(**fields)
    assert public_status(record) == status
    assert phase(record) == phase_word


def test_after_a_reopening_the_old_restoration_and_cause_do_not_count() -> None:
    fields: dict[str, Any] = {"times": {"restored": AT, "diagnosed": AT}, "cause": {"category": "deploy"}}
    reopened = "2025-01-27T12:00:00Z"
    record = incident(state="reopened", cycles=[{"reopened": reopened}], **fields)
    assert (public_status(record), phase(record)) == ("investigating", "ACTIVE")
    again = incident(
        state="in_progress",
        cycles=[{"reopened": reopened}],
        timeline=[{"at": "2025-01-27T13:00:00+01:00", "kind": "diagnosis", "event": "Again"}],
        **fields,
    )
    assert public_status(again) == "identified"


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
        ({"state": "resolved"}, False),
        ({"state": "closed", "action_items": [{"id": "AI-1", "title": "t"}]}, False),
        ({"state": "closed", "action_items": [{"id": "AI-1", "title": "t", "status": "wont_do"}]}, True),
        ({"state": "closed", "postmortem": {"status": "review"}}, False),
        ({"state": "closed", "postmortem": {"status": "final"}}, True),
    ],
)
def test_a_record_is_settled_when_nothing_is_left_to_do(fields: dict[str, Any], settled: bool) -> None:
    assert is_settled(incident(**fields)) is settled
