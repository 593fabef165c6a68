"""Billed minutes are counted as GitHub does: a schedule's firings in the fullest month, each job by whole minutes."""

from __future__ import annotations

import pytest

from incident_ops.domain.run_cost import (
    HOSTED,
    OPEN_MINUTES,
    SELF_HOSTED,
    SUPPOSED_SECONDS,
    TICK,
    WATCH,
    RunCost,
    WorkflowFile,
    WorkflowJob,
    cron_runs,
    job_minutes,
)
from incident_ops.domain.run_cost import run_cost as counted

CAP = 360
ONE = (WorkflowJob("one"),)


def run_cost(files: list[WorkflowFile], watch_cap: int = CAP) -> RunCost:
    return counted(files, watch_cap)


def workflow(
    file: str = "daily.yml", *crons: str, events: str = "", jobs: tuple[WorkflowJob, ...] = ONE
) -> WorkflowFile:
    return WorkflowFile(file, crons, frozenset(events.split()) | ({"schedule"} if crons else set()), jobs)


@pytest.mark.parametrize(
    ("cron", "runs"),
    [
        ("17 4 * * *", 31),
        ("*/20 * * * *", 31 * 24 * 3),
        ("7,17,27,37,47,57 * * * *", 31 * 24 * 6),
        ("41 * * * *", 31 * 24),
        ("0 6 * * 1", 5),
        ("0 6 * * MON-FRI", 23),
        ("0 6 * * 7", 5),
        ("0 0 1 * *", 1),
        ("0 0 30 4 *", 1),
        ("0 0 31 feb *", 0),
        ("0 0 1,15 * 1", 7),
        ("5/10 1-3 * * *", 6 * 3 * 31),
        ("0 */5 * * *", 5 * 31),
    ],
)
def test_a_cron_line_is_counted_in_the_month_in_which_it_fires_most(cron: str, runs: int) -> None:
    assert cron_runs(cron) == runs


@pytest.mark.parametrize("cron", ["@daily", "60 * * * *", "* * * *", "* * * * mo", "*/0 * * * *", "5-1 * * * *", ""])
def test_what_is_no_cron_line_is_refused(cron: str) -> None:
    with pytest.raises(ValueError):
        cron_runs(cron)


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 1), (40, 1), (41, 2), (100, 2), (101, 3)])
def test_a_job_is_billed_by_whole_minutes_with_its_machine(seconds: int, minutes: int) -> None:
    assert job_minutes(seconds) == minutes


def test_at_rest_only_what_a_schedule_starts_is_billed() -> None:
    files = [workflow("daily.yml", "0 4 * * *"), workflow("weekly.yml", "0 6 * * 1"), workflow("ci.yml", events="push")]
    cost = run_cost(files)
    assert SUPPOSED_SECONDS == 40
    assert (cost.at_rest, [row.at_rest for row in cost.workflows]) == (36, [0, 31, 5])


def test_the_tick_rests_while_nothing_is_due_and_counts_while_an_incident_is_open() -> None:
    cost = run_cost([workflow(TICK, "*/20 * * * *")])
    assert (cost.at_rest, cost.per_rank1, cost.tick_day) == (0, OPEN_MINUTES // 20, 72)


def test_the_alarm_clock_runs_while_the_incident_is_open_up_to_its_cap() -> None:
    files = [workflow(WATCH, jobs=(WorkflowJob("watch", limit=350),), events="workflow_dispatch")]
    assert run_cost(files).per_rank1 == OPEN_MINUTES + 1
    assert run_cost(files, watch_cap=60).per_rank1 == 61
    short = [workflow(WATCH, jobs=(WorkflowJob("watch", limit=50),), events="workflow_dispatch")]
    assert run_cost(short).per_rank1 == OPEN_MINUTES + 3


def test_each_event_of_the_incident_starts_what_it_starts() -> None:
    events = "pull_request push issue_comment issues repository_dispatch workflow_dispatch merge_group"
    assert run_cost([workflow(events=events)]).per_rank1 == 4 + 4 + 8 + 2 + 1
    assert run_cost([workflow(events="push")._replace(pushes_anywhere=True)]).per_rank1 == 8


def test_a_job_of_another_event_is_not_started() -> None:
    preview = WorkflowJob("preview", "${{ github.event_name == 'pull_request' }}")
    unsure = WorkflowJob("unsure", "github.event_name == 'issues' || inputs.again")
    jobs = (WorkflowJob("validate"), preview, unsure)
    assert run_cost([workflow(events="push", jobs=jobs)]).per_rank1 == 8
    assert run_cost([workflow(events="pull_request", jobs=jobs)]).per_rank1 == 12


def test_a_runner_of_your_own_is_billed_nothing() -> None:
    jobs = (WorkflowJob("one", runner=SELF_HOSTED),)
    assert run_cost([workflow("daily.yml", "0 4 * * *", events="push", jobs=jobs)])[1:3] == (0, 0)
    assert run_cost([workflow(WATCH, jobs=jobs)]).per_rank1 == 0


def test_the_jobs_of_a_called_workflow_are_the_caller_s_and_a_circle_ends() -> None:
    inner = workflow("inner.yml", events="workflow_call", jobs=(WorkflowJob("a"), WorkflowJob("b", copies=3)))
    outer = workflow("outer.yml", "0 4 * * *", jobs=(WorkflowJob("own"), WorkflowJob("other", calls="inner.yml")))
    assert run_cost([inner, outer]).at_rest == 31 * 5
    own = workflow("outer.yml", "0 4 * * *", jobs=(WorkflowJob("own", calls="outer.yml", runner=HOSTED),))
    assert run_cost([own]).at_rest > 0
