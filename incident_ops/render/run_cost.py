"""What `doctor --cost` prints: the billed minutes of each workflow, as a table and as JSON (docs/contract.md#json)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from incident_ops.domain.run_cost import OPEN_MINUTES, START_SECONDS, RunCost, WorkflowCost
from incident_ops.render.findings import inert, json_text, plural
from incident_ops.render.text import DEFAULT_WIDTH, Table, fold, fold_record

_HEADER = ("WORKFLOW", "JOBS", "SECONDS", "MINUTES", "RUNS A MONTH", "AT REST", "RANK 1")


class Unread(Protocol):
    """A workflow that could not be counted, and why."""

    @property
    def file(self) -> str: ...
    @property
    def reason(self) -> str: ...


def cost_text(cost: RunCost, unread: Sequence[Unread], width: int = DEFAULT_WIDTH) -> str:
    """A row a workflow, the sums, and what they rest on."""
    rows = [_row(one) for one in cost.workflows]
    lines = Table(_HEADER, rows, range(1, len(_HEADER))).lines(width) if rows else ["no workflow is here"]
    lines += ["", *fold(_sums(cost), width=width)]
    for text in _notes(cost):
        lines += fold(text, "  ", "  ", width)
    for one in unread:
        lines += fold_record(f"not counted: {inert(one.file)}: {inert(one.reason)}", first="  ", rest="  ", width=width)
    return "".join(f"{line}\n" for line in lines)


def cost_json(cost: RunCost, unread: Sequence[Unread]) -> str:
    """The same for programs."""
    data: dict[str, Any] = {
        "schema": 1,
        "minutes_at_rest": cost.at_rest,
        "minutes_per_rank1": cost.per_rank1,
        "minutes_tick_day": cost.tick_day,
        "workflows": [
            {
                "file": one.file,
                "crons": [{"cron": cron.cron, "runs_a_month": cron.runs} for cron in one.crons],
                "only_while_due": one.is_switched,
                "jobs": one.jobs,
                "seconds": one.seconds,
                "measured": one.is_measured,
                "minutes_a_run": one.minutes,
                "minutes_at_rest": one.at_rest,
                "runs_per_rank1": one.starts,
                "minutes_per_rank1": one.per_rank1,
            }
            for one in cost.workflows
        ],
        "unread": [{"file": one.file, "reason": one.reason} for one in unread],
    }
    return json_text(data)


def _row(one: WorkflowCost) -> tuple[str, ...]:
    runs = str(sum(cron.runs for cron in one.crons)) if one.crons else "-"
    seconds = f"{one.seconds}{'' if one.is_measured else '*'}"
    return (
        inert(one.file),
        str(one.jobs),
        seconds,
        str(one.minutes),
        f"{runs}{' if due' if one.is_switched and one.crons else ''}",
        str(one.at_rest),
        str(one.per_rank1),
    )


def _sums(cost: RunCost) -> str:
    tick = f"; {cost.tick_day} on a day on which something of a lower rank is due" if cost.tick_day else ""
    return f"{cost.at_rest:,} billed minutes a month at rest; {cost.per_rank1:,} for an incident of rank 1{tick}"


def _notes(cost: RunCost) -> list[str]:
    supposed = [one for one in cost.workflows if not one.is_measured]
    return [
        *([f"* supposed, not measured: {plural(len(supposed), 'workflow')}"] if supposed else []),
        "At rest: a month of 31 days without a push and with nothing due. A job is billed by whole minutes: its seconds"
        f" and {START_SECONDS} s for its machine, rounded up.",
        f"Rank 1: declared and resolved by pull request, {OPEN_MINUTES} minutes open, 8 comments, one alert.",
        "A public repository, and jobs on runners of your own, are billed nothing. What changes the figures:"
        " docs/cost.md of incident-ops",
    ]
