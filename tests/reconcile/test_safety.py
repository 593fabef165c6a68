"""What one run may do, and that what is cut off gets its turn."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.policy_sections import Limits
from incident_ops.reconcile.apply import apply_changes, outcome_summary
from incident_ops.reconcile.changes import CLOSE, CREATE, EDIT, LABEL
from incident_ops.reconcile.diff import edits_by_path, new_numbers
from incident_ops.reconcile.limits import LimitOverrides, WithinLimits, allow
from tests.reconcile.builders import item, plan_for, record, run, steps, sync, wanted, written_back
from tests.support.laws import law
from tests.support.memory_tracker import MemoryTracker
from tests.support.policies import policy

MANY = [record(number, item(1), severity=f"SEV{number % 4}") for number in range(1, 14)]
OVER = [record(number, item(1, "done"), severity=f"SEV{number % 4}", state="closed") for number in range(1, 14)]
WIDE = Limits(creates=100, closes=100, writes=100)


def keys(allowed: WithinLimits, action: str = CREATE) -> list[str]:
    return [one.key for one in allowed.now if one.action == action and one.kind != LABEL]


def flags(allowed: WithinLimits) -> list[tuple[int, str, bool]]:
    return [(one.count, one.flag, one.continues) for one in allowed.held]


def test_within_the_limits_all_is_done() -> None:
    """Nothing is held, and the order is the plan's."""
    made = plan_for(MANY, MemoryTracker())
    assert allow(made, WIDE) == WithinLimits(made.changes, ())


def test_creates_are_cut_to_the_worst_first() -> None:
    """26 issues, 20 a run: SEV0 first; the rest is told with the flag, and labels do not count."""
    made = plan_for(MANY, MemoryTracker())
    cut = allow(made, Limits())
    assert keys(cut) == [key for action, key in steps(made) if action == CREATE and "INC" in key][:20]
    assert cut.now[:7] == made.changes[:7]
    assert flags(cut) == [(6, "--max-creates 26", True)]
    assert cut.held[0].message == (
        "26 issues to create, 20 allowed in one run, 6 left; the next run continues. --max-creates 26 lifts it"
    )
    assert allow(made, Limits(), LimitOverrides(creates=26)).held == ()


def test_writes_are_cut_in_order() -> None:
    """Labels, updates and creates count; edits of records do not."""
    tracker = MemoryTracker()
    sync(MANY[:3], tracker)
    made = plan_for(MANY, tracker)
    cut = allow(made, Limits(writes=3))
    assert [one for one in cut.now if one.action != EDIT] == [one for one in made.changes if one.action != EDIT][:3]
    assert keys(cut, EDIT) == [one.key for one in made.changes if one.action == EDIT]
    assert [flag for _, flag, _ in flags(cut)] == [f"--max-writes {len(made.changes) - 6}"]


@pytest.mark.parametrize(
    ("closes", "pct", "done"), [(5, 30, False), (26, 30, True), (25, 100, True), (25, 99, False), (0, 0, False)]
)
def test_many_closes_are_all_held_or_all_done(closes: int, pct: int, done: bool) -> None:
    """More than the number and more than the share: none is closed, however many would be allowed."""
    tracker = MemoryTracker()
    sync(MANY, tracker)
    made = plan_for(OVER, tracker)
    cut = allow(made, Limits(closes=closes, closes_pct=pct, writes=100))
    assert len(keys(cut, CLOSE)) == (26 if done else 0)
    assert flags(cut) == ([] if done else [(26, "--max-closes 26", False)])
    if not done:
        assert f"26 of 26 open issues would be closed, more than {closes} and more than {pct} %" in cut.held[0].message
    assert allow(made, Limits(writes=100), LimitOverrides(closes=26)).held == ()


def test_an_empty_tracker_while_records_carry_numbers_holds_everything() -> None:
    """The wrong repository, or a token that sees nothing: only the flag lets the issues be made again."""
    tracker = MemoryTracker()
    made = {one.change.key: one.number for one in sync(MANY, tracker) if one.number}
    numbered = written_back(MANY, edits_by_path(new_numbers(wanted(MANY), made)))
    empty = MemoryTracker()
    empty.open_by("carol", "theirs", "text", ("incident",))
    again = plan_for(numbered, empty)
    cut = allow(again, WIDE)
    assert cut.now == ()
    assert flags(cut) == [(len(again.changes), "--accept-empty-tracker", False)]
    assert "records name 26" in cut.held[0].message
    lifted = allow(again, WIDE, LimitOverrides(accept_empty=True))
    assert len(keys(lifted)) == 26
    run(again, empty)
    after = plan_for(numbered, empty)
    assert set(dict(steps(after))) == {EDIT}, "the numbers of the new issues go into the records"
    assert allow(plan_for(MANY, MemoryTracker()), WIDE).held == (), "records without numbers are a first run"


LIMIT = st.integers(1, 9)


@law("limits that starve nothing", whole=60, sample=10)
@given(LIMIT, LIMIT, LIMIT, st.sampled_from([(MANY, OVER), (OVER, MANY), ([], MANY), (MANY, MANY[3:9])]))
def test_no_limit_starves_anything(creates: int, closes: int, writes: int, story: tuple[list, list]) -> None:
    """With any limits, run after run comes to its end: each does as much as it may, and the last has nothing left.

    Closes that are held as an accident are let through by the flag, as a person would."""
    before, after = story
    tracker = MemoryTracker()
    sync(before, tracker)
    limits = Limits(creates=creates, closes=closes, closes_pct=0, writes=writes)
    for _ in range(100):
        made = plan_for(after, tracker)
        todo = [one for one in made.changes if one.action != EDIT]
        if not todo:
            break
        allowed = allow(made, limits)
        if not any(one.action != EDIT for one in allowed.now):
            assert flags(allowed) == [(len(todo), f"--max-closes {len(todo)}", False)]
            allowed = allow(made, limits, LimitOverrides(closes=len(todo)))
        held = sum(one.count for one in allowed.held)
        done = outcome_summary(apply_changes(allowed.now, tracker, wanted([])), held)
        assert done.done >= 1
        assert done.done + done.left == len(todo)
        assert done.exit_code == (5 if held else 0)
    assert {action for action, _ in steps(plan_for(after, tracker))} <= {EDIT}


@pytest.mark.parametrize(
    ("key", "others", "action"),
    [
        ("creates", {"writes": 100}, CREATE),
        ("writes", {"creates": 100}, CREATE),
        ("closes", {"creates": 100, "writes": 100, "closes_pct": 1}, CLOSE),
        ("closes_pct", {"creates": 100, "writes": 100, "closes": 1}, CLOSE),
    ],
)
def test_each_limit_of_the_policy_limits_a_run(key: str, others: dict[str, int], action: str) -> None:
    """`creates`, `writes`, `closes` and `closes_pct` under `tracker.limits` of policy.yaml."""
    tracker = MemoryTracker()
    if action == CLOSE:
        sync(MANY, tracker)
    made = plan_for(OVER if action == CLOSE else MANY, tracker)
    limits = [policy("sev0-3", f"tracker: {{limits: {json.dumps({**others, key: most})}}}\n") for most in (1, 100)]
    strict, wide = (allow(made, one.tracker.limits) for one in limits)
    assert len(keys(strict, action)) < len(keys(wide, action))
