"""What doctor says of what runs by itself: workflows, their runs, the heartbeat and cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_ops.app import doctor_runs as checks
from incident_ops.app.doctor_runs import Expected, WorkflowSeen
from incident_ops.app.run_cost import CountedCost, UnreadWorkflow
from incident_ops.domain.ports import WorkflowRun
from incident_ops.domain.run_cost import RunCost, WorkflowFile
from incident_ops.render.set_up import SetUpState

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
NAME = "acme/records"
ERROR, WARNING, UNKNOWN, OK = SetUpState.ERROR, SetUpState.WARNING, SetUpState.UNKNOWN, SetUpState.OK


def run(hours: float, conclusion: str = "success", number: int = 5) -> WorkflowRun:
    began = NOW - timedelta(hours=hours)
    return WorkflowRun(number, "completed" if conclusion else "in_progress", conclusion, began, began)


def found(
    file: str, state: str, *runs: WorkflowRun, cron: str = "17 4 * * *", expected: Expected | None = None
) -> dict[str, SetUpState]:
    seen = WorkflowSeen(WorkflowFile(file, (cron,), frozenset({"schedule"}), ()), state, runs)
    return {one.check: one.state for one in checks.workflow_checks(NAME, seen, NOW, expected)}


@pytest.mark.parametrize(
    ("state", "expected"),
    [("active", OK), ("disabled_inactivity", ERROR), ("disabled_manually", ERROR), ("", WARNING)],
)
def test_a_schedule_that_rests_is_an_error(state: str, expected: SetUpState) -> None:
    assert found("reconcile.yml", state, run(3))["reconcile.yml"] is expected


@pytest.mark.parametrize(
    ("state", "ticks", "expected"),
    [
        ("disabled_manually", None, OK),
        ("disabled_manually", False, OK),
        ("disabled_manually", True, WARNING),
        ("active", True, OK),
        ("active", False, WARNING),
        ("active", None, OK),
        ("disabled_inactivity", True, ERROR),
    ],
)
def test_the_tick_is_on_while_something_is_due(state: str, ticks: bool | None, expected: SetUpState) -> None:
    asked = None if ticks is None else Expected(ticks, watches=False)
    assert found("tick.yml", state, expected=asked) == {"tick.yml": expected}


def test_an_alarm_clock_that_waits_for_a_reviewer_is_not_awake() -> None:
    """Just begun it may be let go on in a minute; after an hour nobody counts on it, and the way out is named."""
    for hours, state in ((0.01, None), (1.0, SetUpState.ERROR)):
        waits = run(hours)._replace(status="waiting", conclusion="", ended=None)
        seen = WorkflowSeen(WorkflowFile("watch.yml", (), frozenset(), ()), "active", (waits,))
        found = [one for one in checks.workflow_checks(NAME, seen, NOW, Expected(True, True)) if "runs" in one.check]
        assert [one.state for one in found] == ([state] if state else [])
        assert all("waits for somebody to let it go on" in one.message for one in found)


@pytest.mark.parametrize(
    ("watches", "runs", "expected"),
    [(True, (run(1, ""),), None), (True, (run(1),), WARNING), (True, (), WARNING), (False, (), None)],
)
def test_the_alarm_clock_is_awake_while_it_has_to_be(
    watches: bool, runs: tuple[WorkflowRun, ...], expected: SetUpState | None
) -> None:
    seen = WorkflowSeen(WorkflowFile("watch.yml", (), frozenset(), ()), "active", runs)
    first = {
        one.check: one.state for one in reversed([*checks.workflow_checks(NAME, seen, NOW, Expected(True, watches))])
    }
    assert first.get("watch.yml runs") in (expected, OK)
    assert (first.get("watch.yml runs") is WARNING) is (expected is WARNING)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ((run(3),), OK),
        ((run(1, ""), run(3)), OK),
        ((run(3, "failure"), run(27)), ERROR),
        ((run(3, "cancelled"),), OK),
        ((run(60),), ERROR),
        ((), WARNING),
    ],
)
def test_the_last_run_of_a_daily_schedule(runs: tuple[WorkflowRun, ...], expected: SetUpState) -> None:
    assert found("reconcile.yml", "active", *runs)["reconcile.yml runs"] is expected


def test_a_failed_run_is_named_with_the_command_that_shows_why() -> None:
    seen = WorkflowSeen(WorkflowFile("sla.yml", (), frozenset(), ()), "active", [run(3, "failure", 77)])
    last = [*checks.workflow_checks(NAME, seen, NOW, None)][-1]
    assert last.commands == ("gh run view 77 --log-failed --repo acme/records",)


@pytest.mark.parametrize(("hours", "state"), [(None, WARNING), (3, OK), (30, ERROR)])
def test_the_age_of_the_last_complete_run(hours: int | None, state: SetUpState) -> None:
    complete = None if hours is None else NOW - timedelta(hours=hours)
    for monitor, states in ((None, [state]), (True, [state, OK]), (False, [state, WARNING])):
        assert [one.state for one in checks.heartbeat_checks(complete, NOW, has_monitor=monitor)] == states


def test_files_that_nobody_laid_are_not_judged(tmp_path: Path) -> None:
    assert [one.state for one in checks.drift_checks(tmp_path)] == [UNKNOWN]


@pytest.mark.parametrize(
    ("readers", "at_rest", "unread", "state"),
    [
        ("private", 36, (), OK),
        ("private", 5000, (), WARNING),
        ("public", 5000, (), OK),
        ("private", 36, (UnreadWorkflow("x.yml", "bad"),), WARNING),
    ],
)
def test_the_cost_counts_in_a_private_repository(
    readers: str, at_rest: int, unread: tuple[UnreadWorkflow, ...], state: SetUpState
) -> None:
    assert checks.cost_check(CountedCost(RunCost((), at_rest, 200, 72), unread), readers).state is state
