"""The workflow files of a repository (`.github/workflows/*.yml`) as values: what starts each, and its jobs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from incident_ops.domain.run_cost import HOSTED, PUSH, SCHEDULE, SELF_HOSTED, WorkflowFile, WorkflowJob, cron_runs
from incident_ops.records.yaml_reader import read_bytes

WORKFLOWS = ".github/workflows"
_HERE = f"./{WORKFLOWS}/"
_LIMIT = 360  # minutes after which GitHub ends a job that names no limit


def read_workflow(raw: bytes, file: str) -> WorkflowFile | str:
    """The bytes of a file of this name -> the workflow, or why it cannot be read. Never raises for bad content."""
    document = read_bytes(raw, file)
    if isinstance(document, list):
        return document[0].message
    data = document.data
    jobs = data.get("jobs") if isinstance(data, Mapping) else None
    if not isinstance(jobs, Mapping):
        return "it has no jobs"
    events = _events(data.get("on"))
    crons = tuple(_crons(events.get(SCHEDULE)))
    for cron in crons:
        try:
            cron_runs(cron)
        except ValueError as error:
            return str(error)
    push = events.get(PUSH)
    anywhere = PUSH in events and not (isinstance(push, Mapping) and {"branches", "tags"} & push.keys())
    found = tuple(_job(name, job) for name, job in jobs.items() if isinstance(job, Mapping))
    return WorkflowFile(file, crons, frozenset(events), found, anywhere)


def _events(on: Any) -> Mapping[str, Any]:
    if isinstance(on, Mapping):
        return on
    names = on if isinstance(on, list) else [on]
    return {name: None for name in names if isinstance(name, str)}


def _crons(schedule: Any) -> list[str]:
    rows = schedule if isinstance(schedule, list) else []
    return [row["cron"] for row in rows if isinstance(row, Mapping) and isinstance(row.get("cron"), str)]


def _job(name: str, job: Mapping[str, Any]) -> WorkflowJob:
    called = str(job.get("uses") or "")
    limit = job.get("timeout-minutes")
    return WorkflowJob(
        name,
        str(job.get("if") or ""),
        SELF_HOSTED if _is_own(job.get("runs-on")) else HOSTED,
        limit if isinstance(limit, int) else _LIMIT,
        _copies(job.get("strategy")),
        called.removeprefix(_HERE) if called.startswith(_HERE) else "",
    )


def _is_own(runs_on: Any) -> bool:
    """True for a runner of the people's own: it says so by its label, or is named by a group."""
    if isinstance(runs_on, Mapping):
        runs_on = runs_on.get("labels")
    return SELF_HOSTED in (runs_on if isinstance(runs_on, list) else [runs_on])


def _copies(strategy: Any) -> int:
    matrix = strategy.get("matrix") if isinstance(strategy, Mapping) else None
    lists = [value for value in matrix.values() if isinstance(value, list)] if isinstance(matrix, Mapping) else []
    return max(math.prod(len(value) for value in lists), 1)
