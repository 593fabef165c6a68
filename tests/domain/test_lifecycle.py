"""States and moves: what is legal."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
