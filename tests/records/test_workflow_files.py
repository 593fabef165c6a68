"""A workflow file is read as GitHub reads it, and a bad one says why."""

from __future__ import annotations

import pytest

from incident_ops.domain.run_cost import SELF_HOSTED, WorkflowFile, WorkflowJob
from incident_ops.records.workflow_files import read_workflow

TEXT = """\
on:
  push: {branches: [main]}
  pull_request:
  schedule:
    - cron: "17 4 * * *"
    - cron: "0 6 * * 1"
jobs:
  one:
    if: github.event_name == 'schedule'
    runs-on: ubuntu-24.04
    timeout-minutes: 10
  two:
    runs-on: [self-hosted, linux]
    strategy: {matrix: {os: [a, b], v: [1, 2, 3]}}
  three:
    uses: ./.github/workflows/other.yml
"""


def test_events_crons_and_jobs_are_read() -> None:
    assert read_workflow(TEXT.encode(), "x.yml") == WorkflowFile(
        "x.yml",
        ("17 4 * * *", "0 6 * * 1"),
        frozenset({"push", "pull_request", "schedule"}),
        (
            WorkflowJob("one", "github.event_name == 'schedule'", limit=10),
            WorkflowJob("two", runner=SELF_HOSTED, copies=6),
            WorkflowJob("three", calls="other.yml"),
        ),
    )


@pytest.mark.parametrize(
    ("on", "events", "anywhere"),
    [
        ("push", {"push"}, True),
        ("[push, issues]", {"push", "issues"}, True),
        ("{push: }", {"push"}, True),
        ("{push: {paths: [a]}}", {"push"}, True),
        ("{push: {tags: [v1]}}", {"push"}, False),
        ("{issues: }", {"issues"}, False),
    ],
)
def test_what_starts_it_may_be_written_in_three_ways(on: str, events: set[str], anywhere: bool) -> None:
    found = read_workflow(f"on: {on}\njobs: {{a: {{runs-on: x}}}}\n".encode(), "x.yml")
    assert isinstance(found, WorkflowFile)
    assert (found.events, found.pushes_anywhere) == (events, anywhere)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("on: push\n", "no jobs"),
        ("[]\n", "no jobs"),
        ("on: [\n", ""),
        ("on: {schedule: [{cron: '99 * * * *'}]}\njobs: {a: {}}\n", "99"),
        ("on: {schedule: [{cron: '@daily'}]}\njobs: {a: {}}\n", "1 fields"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, words: str) -> None:
    found = read_workflow(text.encode(), "x.yml")
    assert isinstance(found, str)
    assert found
    assert words in found
