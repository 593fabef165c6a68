"""doctor --cost: the billed minutes of the workflows that lie in the repository."""

from __future__ import annotations

import json
import math
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from dateutil.rrule import DAILY, rrule

from incident_ops.resources import OWN_WORKFLOWS
from tests.cli.scene import ROOT, SERVICES, Folder, call

OURS = ROOT / ".github/workflows"


def cost(folder: Path, code: int = 0) -> dict[str, Any]:
    done = call("doctor", "--cost", "--format", "json", at=folder)
    assert done.code == code, done
    found: dict[str, Any] = json.loads(done.out)
    return found


def _numbers(text: str, top: int) -> list[int]:
    """The few forms that our own workflows have: *, */n, and a list of numbers."""
    if text.startswith("*"):
        return [*range(0, top + 1, int(text.partition("/")[2] or 1))]
    return [int(part) for part in text.split(",")]


def counted_by_hand(cron: str) -> int:
    """The most firings of a month of 31 days, by the calendar of ten years."""
    minutes, hours, date, month, weekday = cron.split()
    assert (date, month) == ("*", "*"), "count it here as well"
    days = _numbers(weekday, 6) if weekday != "*" else [*range(7)]
    most = 0
    for year in range(2024, 2034):
        for number in (1, 3, 5, 7, 8, 10, 12):
            start, end = datetime(year, number, 1, tzinfo=UTC), datetime(year, number, 31, 23, tzinfo=UTC)
            most = max(most, sum(1 for _ in rrule(DAILY, start, until=end, byweekday=[(day - 1) % 7 for day in days])))
    return most * len(_numbers(minutes, 59)) * len(_numbers(hours, 23))


def jobs_by_hand(document: dict[str, Any]) -> int:
    """The jobs of a workflow; in place of one that calls a workflow those of the called one."""
    called = [job["uses"] for job in document["jobs"].values() if "uses" in job]
    own = len(document["jobs"]) - len(called)
    return own + sum(jobs_by_hand(yaml.load((ROOT / name).read_text(), yaml.BaseLoader)) for name in called)


def test_the_crons_of_our_own_workflows_are_what_doctor_says(folder: Folder) -> None:
    shutil.copytree(OURS, folder.path / ".github/workflows")
    found, at_rest = cost(folder.path), 0
    rows = {row["file"]: row for row in found["workflows"]}
    assert set(rows) == {file.name for file in OURS.glob("*.yml")}
    for file in OURS.glob("*.yml"):
        row, document = rows[file.name], yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
        crons = [one["cron"] for one in (document["on"] or {}).get("schedule", [])]
        assert [(one["cron"], one["runs_a_month"]) for one in row["crons"]] == [
            (cron, counted_by_hand(cron)) for cron in crons
        ]
        if crons and file.name not in ("tick.yml", "watch.yml"):
            started = math.ceil((row["seconds"] + 20) / 60)
            minutes = sum(map(counted_by_hand, crons)) * jobs_by_hand(document) * started
            assert row["minutes_at_rest"] == minutes
            at_rest += minutes
    assert found["minutes_at_rest"] == at_rest


def test_a_repository_without_workflows_costs_nothing(folder: Folder) -> None:
    found = cost(folder.path)
    assert (found["minutes_at_rest"], found["minutes_per_rank1"], found["workflows"]) == (0, 0, [])
    assert "no workflow is here" in call("doctor", "--cost", at=folder.path).out


def test_records_below_the_top_count_the_workflows_of_the_top(tmp_path: Path, folder: Folder) -> None:
    folder.write(".github/workflows/daily.yml", "on: {schedule: [{cron: '0 4 * * *'}]}\njobs: {a: {runs-on: x}}\n")
    folder.write("ops/records/policy.yaml", "extends: sev0-3\n")
    folder.write("ops/records/services.yaml", SERVICES)
    folder.commit()
    assert cost(folder.path / "ops/records")["minutes_at_rest"] == 31


def test_a_workflow_that_cannot_be_read_is_named_and_the_sum_is_not_whole(folder: Folder) -> None:
    folder.write(".github/workflows/bad.yml", "on: [\n")
    folder.write(".github/workflows/notes.md", "no workflow")
    found = cost(folder.path, code=3)
    assert [row["file"] for row in found["unread"]] == ["bad.yml"]
    assert "not counted: bad.yml: " in call("doctor", "--cost", at=folder.path).out


@pytest.mark.parametrize("columns", [None, 80, 40])
def test_the_table_says_what_it_rests_on(folder: Folder, columns: int | None) -> None:
    folder.write(".github/workflows/tick.yml", "on: {schedule: [{cron: '*/20 * * * *'}]}\njobs: {a: {runs-on: x}}\n")
    folder.write(".github/workflows/daily.yml", "on: {schedule: [{cron: '0 4 * * *'}]}\njobs: {a: {runs-on: x}}\n")
    out = " ".join(call("doctor", "--cost", at=folder.path, columns=columns).out.split())
    for words in (
        "31 billed minutes a month at rest",
        "6 for an incident of rank 1",
        "72 on a day",
        "40*",
        "2232 if due",
    ):
        assert words in out


def test_our_own_workflows_stay_within_what_is_promised(folder: Folder) -> None:
    """At rest at most 100 billed minutes a month, an incident of rank 1 at most 250."""
    shutil.copytree(OURS, folder.path / ".github/workflows")
    found = cost(folder.path)
    assert (found["minutes_at_rest"] <= 100, found["minutes_per_rank1"] <= 250) == (True, True), found


EVENTS = {
    "pull_request": 4,
    "push to a branch": 4,
    "push to the default branch": 4,
    "issue_comment": 8,
    "issues": 2,
    "repository_dispatch": 1,
}
"""What an incident of rank 1 is for GitHub: four pull requests and their merges, eight comments, two changes of its
issue, one alert; that a job of a push leaves out other branches counts for nothing."""


def bill_by_hand(files: list[Path], seconds: dict[str, int]) -> int:
    """The minutes of those events, begun ones included, 120 of the alarm clock, and six ticks."""
    minutes = 0
    for file in files:
        document, each = yaml.load(file.read_text(), yaml.BaseLoader), math.ceil((seconds[file.name] + 20) / 60)
        for event, times in EVENTS.items():
            name = event.partition(" ")[0]
            jobs = [job for job in document["jobs"].values() if name in document["on"]]
            only = [re.fullmatch(r"\$\{\{ github.event_name == '(\w+)' \}\}", job.get("if", "")) for job in jobs]
            minutes += times * each * sum(found is None or found[1] == name for found in only)
        if file.name == "tick.yml":
            minutes += 6 * each
        if file.name == "watch.yml":
            minutes += 120 + 1
    return minutes


def test_the_minutes_of_an_incident_are_what_its_events_start(folder: Folder) -> None:
    """Of the workflows that a repository of records gets."""
    files = [file for file in sorted(OURS.glob("*.yml")) if file.name not in OWN_WORKFLOWS]
    for file in files:
        folder.write(f".github/workflows/{file.name}", file.read_text(encoding="utf-8"))
    found = cost(folder.path)
    assert len(files) == len(found["workflows"]) == 6
    assert found["minutes_per_rank1"] == bill_by_hand(
        files, {row["file"]: row["seconds"] for row in found["workflows"]}
    )
    assert found["minutes_per_rank1"] <= 250


def test_the_policy_caps_the_alarm_clock(folder: Folder) -> None:
    shutil.copytree(OURS, folder.path / ".github/workflows")
    before = cost(folder.path)["minutes_per_rank1"]
    folder.write("policy.yaml", "extends: sev0-3\nwatch: {minutes: {incident: 60}}\n")
    assert cost(folder.path)["minutes_per_rank1"] == before - 60
