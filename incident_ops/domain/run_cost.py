"""The minutes that GitHub bills for the workflows of a repository: in a month at rest, and for one incident of rank 1.

GitHub bills each job by whole minutes, begun ones included, where its runner is GitHub's and the repository is
private. How long a job takes is a table; what starts it is read from the workflow files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

START_SECONDS = 20
"""What a job takes beside its steps: a machine is made ready, the log is closed."""
SUPPOSED_SECONDS = 40
"""What the steps of a job are supposed to take where nobody has measured them."""
MEASURED_SECONDS: Mapping[str, int] = MappingProxyType(
    {"doctor.yml": 22, "reconcile.yml": 38, "sla.yml": 19, "tick.yml": 19, "validate.yml": 13}
)
"""Seconds of the steps of a job by the name of its workflow, as measured in runs under act with an empty cache, of
`reconcile.yml` in the run that declares: docs/cost.md."""

TICK, WATCH = "tick.yml", "watch.yml"
"""Workflows that are switched on only while something is due; the second runs until nothing is."""
OPEN_MINUTES = 120
"""How long the incident of `minutes_per_rank1` is open."""
HOSTED, SELF_HOSTED = "hosted", "self-hosted"
_DAY_MINUTES = 24 * 60

SCHEDULE, PUSH = "schedule", "push"
STARTS: Mapping[str, int] = MappingProxyType(
    {"pull_request": 4, PUSH: 4, "issue_comment": 8, "issues": 2, "repository_dispatch": 1}
)
"""What happens in that incident, by the event it is for GitHub: it is declared and resolved by pull request, the
automation proposes two edits, all four are merged; eight comments and two changes of the issue by people; one alert."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTH_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(?:\*|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>[0-9]+))?", re.ASCII)
_ONE_EVENT = re.compile(r"\s*(?:\$\{\{)?\s*github\.event_name\s*==\s*'(\w+)'")


class WorkflowJob(NamedTuple):
    """A job: its `if`, its runner (HOSTED or SELF_HOSTED), the minutes after which it is ended, how many of it a
    matrix makes, and the workflow that it calls ("" = it has steps of its own)."""

    name: str
    condition: str = ""
    runner: str = HOSTED
    limit: int = 360
    copies: int = 1
    calls: str = ""


class WorkflowFile(NamedTuple):
    """A workflow: the name of its file, its crons, the events that start it, and its jobs.

    `pushes_anywhere`: a push to any branch starts it, not only one to the default branch.
    """

    file: str
    crons: tuple[str, ...]
    events: frozenset[str]
    jobs: tuple[WorkflowJob, ...]
    pushes_anywhere: bool = False


class CronRuns(NamedTuple):
    """A line of a schedule, and how often it fires in the fullest month."""

    cron: str
    runs: int


class WorkflowCost(NamedTuple):
    """What one workflow costs; `minutes` are those of one run that its schedule starts, or else any event.

    `is_switched`: its schedule rests while nothing is due. `seconds` of a job are measured, or supposed.
    """

    file: str
    crons: tuple[CronRuns, ...]
    jobs: int
    seconds: int
    is_measured: bool
    minutes: int
    is_switched: bool
    at_rest: int
    starts: int
    per_rank1: int


class RunCost(NamedTuple):
    """Minutes billed in a month without a push and with nothing due, and for one incident; `tick_day` is what a day
    costs on which something of another rank is due."""

    workflows: tuple[WorkflowCost, ...]
    at_rest: int
    per_rank1: int
    tick_day: int


def run_cost(files: Sequence[WorkflowFile], watch_cap: int) -> RunCost:
    """What the workflows of a private repository cost; `watch_cap` minutes is the most of the alarm clock."""
    by_name = {one.file: one for one in files}
    rows = tuple(_workflow_cost(one, by_name, watch_cap) for one in sorted(files))
    tick = [row.minutes * sum(cron.runs for cron in row.crons) for row in rows if row.file == TICK]
    return RunCost(
        rows,
        sum(row.at_rest for row in rows),
        sum(row.per_rank1 for row in rows),
        math.ceil(sum(tick) / _MONTH_LENGTHS[0]),
    )


def job_minutes(seconds: int) -> int:
    """Billed minutes of a job whose steps take so many seconds."""
    return math.ceil((seconds + START_SECONDS) / 60)


def cron_runs(cron: str) -> int:
    """How often a cron line of five fields fires in the month in which it fires most. ValueError for other texts.

    Where both a day of the month and a day of the week are named, either one is enough, as cron has it.
    """
    fields = cron.split()
    if len(fields) != 5:
        raise ValueError(f"{cron!r} has {len(fields)} fields, and a cron line has 5")
    minutes, hours = (_values(text, 0, top, ()) for text, top in zip(fields[:2], (59, 23), strict=True))
    dates, months = _values(fields[2], 1, 31, ()), _values(fields[3], 1, 12, _MONTHS)
    weekdays = {day % 7 for day in _values(fields[4], 0, 7, _DAYS)}
    either = not (fields[2].startswith("*") or fields[4].startswith("*"))

    def fires(date: int, weekday: int) -> bool:
        on = (date in dates, weekday in weekdays)
        return any(on) if either else all(on)

    days = max(
        sum(fires(date, (first + date) % 7) for date in range(1, _MONTH_LENGTHS[month - 1] + 1))
        for month in months
        for first in range(7)
    )
    return days * len(minutes) * len(hours)


def _values(text: str, low: int, high: int, names: Sequence[str]) -> set[int]:
    found = set[int]()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} does not belong in a cron line")
        first = _number(match["low"], low, names) if match["low"] else low
        last = _number(match["high"], low, names) if match["high"] else first
        if not match["low"] or (match["step"] and not match["high"]):
            last = high
        if not low <= first <= last <= high or match["step"] in ("0", "00"):
            raise ValueError(f"{part!r} is not within {low} to {high}")
        found |= set(range(first, last + 1, int(match["step"] or 1)))
    return found


def _number(text: str, low: int, names: Sequence[str]) -> int:
    if text.isdecimal():
        return int(text)
    if text.lower() not in names:
        raise ValueError(f"{text!r} is neither a number nor a name")
    return names.index(text.lower()) + low


def _workflow_cost(one: WorkflowFile, files: Mapping[str, WorkflowFile], watch_cap: int) -> WorkflowCost:
    crons = tuple(CronRuns(cron, cron_runs(cron)) for cron in one.crons)
    a_month = sum(cron.runs for cron in crons)
    seconds = MEASURED_SECONDS.get(one.file, SUPPOSED_SECONDS)
    scheduled = _minutes(one, files, SCHEDULE)
    starts = {event: _starts(one, event) for event in STARTS if event in one.events}
    is_switched = one.file in (TICK, WATCH)
    incident = sum(times * _minutes(one, files, event) for event, times in starts.items())
    count = sum(starts.values())
    if one.file == TICK:
        ticks = math.ceil(a_month * OPEN_MINUTES / (_MONTH_LENGTHS[0] * _DAY_MINUTES))
        incident, count = incident + ticks * scheduled, count + ticks
    elif one.file == WATCH:
        watched, shifts = _watching(one, watch_cap)
        incident, count = incident + watched, count + shifts
    return WorkflowCost(
        one.file,
        crons,
        len([*_billed(one, files, SCHEDULE if crons else "")]),
        seconds,
        one.file in MEASURED_SECONDS,
        _minutes(one, files, SCHEDULE if crons else ""),
        is_switched,
        0 if is_switched else a_month * scheduled,
        count,
        incident,
    )


def _starts(one: WorkflowFile, event: str) -> int:
    """How often an event of the incident starts it: a push to any branch counts those of pull requests as well."""
    return STARTS[event] * (2 if event == PUSH and one.pushes_anywhere else 1)


def _watching(one: WorkflowFile, cap: int) -> tuple[int, int]:
    """Minutes of the alarm clock while the incident is open, and how often it hands itself on."""
    billed = [job for job in one.jobs if job.runner == HOSTED]
    if not billed:
        return 0, 0
    shift = max(min(job.limit for job in billed), 1)
    watched = min(OPEN_MINUTES, cap)
    shifts = math.ceil(watched / shift)
    return sum(watched + shifts * job_minutes(0) for _ in billed), shifts


def _minutes(one: WorkflowFile, files: Mapping[str, WorkflowFile], event: str) -> int:
    """Billed minutes of one run that an event starts; "" = of one in which every job runs."""
    return sum(job_minutes(MEASURED_SECONDS.get(file, SUPPOSED_SECONDS)) for file in _billed(one, files, event))


def _billed(
    one: WorkflowFile, files: Mapping[str, WorkflowFile], event: str, above: Collection[str] = ()
) -> Iterator[str]:
    """The name of the workflow of every job that is billed, those of called workflows among them."""
    for job in one.jobs:
        asked = _ONE_EVENT.match(job.condition)
        if event and asked and asked[1] != event and "||" not in job.condition:
            continue
        called = files.get(job.calls)
        for _ in range(job.copies):
            if called is not None and job.calls not in above:
                yield from _billed(called, files, event, (*above, one.file))
            elif job.runner == HOSTED:
                yield one.file
