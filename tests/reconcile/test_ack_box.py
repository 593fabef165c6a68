"""Whose tick acknowledges an incident, and what is said where one does not."""

from __future__ import annotations

import pytest

from incident_ops.domain.record import Record
from incident_ops.domain.tracker import Act
from incident_ops.reconcile.ack_box import Ticked, ack_box, asked_ack_box, ticked_edits
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.people import Acts, ticked_ack
from incident_ops.reconcile.plan import make_plan
from tests.reconcile.builders import NOW, run, wanted
from tests.reconcile.builders import record as made
from tests.support.memory_tracker import MemoryTracker
from tests.support.policies import policy

AT = "2025-02-28T12:00:00Z"


def untaken() -> Record:
    return made(1, state="triaged")


def box(record: Record, by: str, at: str = AT, tracker: MemoryTracker | None = None) -> Ticked | None:
    """What a run makes of it that `by` ticks the box."""
    tracker = tracker or MemoryTracker(can_be_assigned={"alice", "bob"})
    run(make_plan(wanted([record]), observe(tracker, wanted([record]))), tracker)
    tracker.tick_by(by, 1, "ack.1", at)
    seen = observe(tracker, wanted([record]))
    return ticked_ack(record, tracker.issues[1], Acts(seen, wanted([record]).identities))


def test_a_person_of_the_team_acknowledges_at_the_time_of_the_tick() -> None:
    found = box(untaken(), "bob")
    assert found is not None
    (change,) = ticked_edits(untaken(), found, policy(), NOW).changes
    assert (change.reason, change.at) == ("@bob ticked the box `I have it` at 2025-02-28 12:00 UTC", AT)


def test_a_login_that_no_record_takes_acknowledges_too() -> None:
    """GitHub gives the accounts that a company manages names with an underscore."""
    tracker = MemoryTracker(can_be_assigned={"alice", "bob_acme"})
    found = box(untaken(), "bob_acme", tracker=tracker)
    assert found is not None
    (change,) = ticked_edits(untaken(), found, policy(), NOW).changes
    assert "@bob_acme" not in str(change.edits)
    assert "Acknowledged on the issue (#1) by bob_acme" in str(change.edits)


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ("mallory", "is not an owner"),
        ("renovate[bot]", "only what people do counts"),
        ("github-actions[bot]", "the automation writes as @github-actions[bot]"),
    ],
)
def test_anybody_else_acknowledges_nothing_and_the_issue_says_so(by: str, why: str) -> None:
    found = box(untaken(), by)
    assert found is not None
    decision = ticked_edits(untaken(), found, policy(), NOW)
    assert decision.changes == ()
    assert why in decision.kept[0].said
    assert "`incident-ops ack INC-1` acknowledges it" in decision.kept[0].said


def test_a_tick_that_nobody_is_known_to_have_made_counts_for_nothing() -> None:
    (kept,) = ticked_edits(untaken(), Ticked(1, None), policy(), NOW).kept
    assert kept.said.startswith("The box `I have it` is ticked, and nothing tells by whom. Untick it and tick it anew")


def test_a_tick_that_lies_ahead_has_not_happened_yet() -> None:
    assert ticked_edits(untaken(), Ticked(1, Act("ticked", "bob", "2025-03-02T12:00:00Z")), policy(), NOW).changes == ()


def test_whoever_has_it_needs_no_box_and_each_cycle_has_its_own() -> None:
    assert asked_ack_box(made(1, state="in_progress").incident) == frozenset()
    assert ack_box(untaken().incident) == "ack.1"
