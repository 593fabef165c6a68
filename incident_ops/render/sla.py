"""The clocks as a table for people and as the JSON of `sla check` (contract 4)."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.model.time import spell_duration, stamp
from incident_ops.model.unread import Unread
from incident_ops.render.dates import spell_clock
from incident_ops.sla.clocks import Clock, Report, Risk, State

BREACHED, AT_RISK, MISSED, PAUSED, NO_DUE = "breached", "at risk", "missed", "paused", "no due"
URGENCY = (BREACHED, AT_RISK, "ok", PAUSED, NO_DUE, MISSED, "met", "cancelled")
"""Words of the first column, the most urgent first: what is running out, what rests, what is over."""

WIDTH = 80
HEADER = ("STATUS", "INCIDENT", "CLOCK", "LEVEL", "LEFT", "DUE (UTC)")
CLOCK_WORDS = {"update_internal": "update"}

Style = Callable[[str, str], str]
"""(word of URGENCY, a whole line) -> the line as it is to be shown, e.g. coloured."""


class Row(NamedTuple):
    """One line of the table, as text."""

    status: str
    incident: str
    clock: str
    level: str
    left: str
    due: str


def rows(report: Report) -> list[Row]:
    """The clocks as rows, the most urgent first; among equals the one that is due first."""
    last = datetime.max.replace(tzinfo=report.at.tzinfo)
    ordered = sorted(report.clocks, key=lambda clock: (URGENCY.index(_status(clock)), clock.due or last))
    return [
        Row(
            _status(clock),
            clock.incident,
            CLOCK_WORDS.get(clock.clock, clock.clock),
            clock.level,
            _left(clock),
            spell_clock(clock.due, dated=True) if clock.due else "-",
        )
        for clock in ordered
    ]


def to_text(report: Report, style: Style = lambda _, line: line) -> str:
    """The table with a summary above it and the unread records below; at most 80 columns for ids of our own forms."""
    table = rows(report)
    out = [f"Clocks at {spell_clock(report.at, dated=True)} UTC", *textwrap.wrap(_summary(table), WIDTH)]
    if table:
        widths = [max(map(len, column)) for column in zip(HEADER, *table, strict=True)]
        out += ["", _line(HEADER, widths), *(style(row.status, _line(row, widths)) for row in table)]
    if report.unread:
        out += ["", f"Not read, so their clocks are not known ({len(report.unread)}):"]
        out += [f"  {record.path}: {record.reason.removeprefix(record.path + ': ')}" for record in report.unread]
    return "\n".join(out) + "\n"


def to_json(report: Report, lag_seconds: int = 0) -> str:
    """The JSON of contract 4; `unread` is there only when a record could not be used. Same report, same bytes."""
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(report.at),
        "lag_seconds": lag_seconds,
        "clocks": [clock_data(clock) for clock in report.clocks],
        "obligations": [],
    }
    if report.unread:
        data["unread"] = unread_data(report.unread)
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def unread_data(unread: Sequence[Unread]) -> list[dict[str, str]]:
    """Unread records as JSON data."""
    return [{"file": record.path, "message": record.reason} for record in unread]


def clock_data(clock: Clock) -> dict[str, Any]:
    """One clock as JSON data, in the fields of contract 4."""
    return {
        "incident": clock.incident,
        "clock": clock.clock,
        "cycle": clock.cycle,
        "level": clock.level,
        "start": stamp(clock.start),
        "due": stamp(clock.due) if clock.due else None,
        "state": clock.state.value,
        "risk": clock.risk.value,
        "elapsed_seconds": clock.elapsed_seconds,
        "remaining_seconds": clock.remaining_seconds,
        "paused_seconds": clock.paused_seconds,
        "stopped_at": stamp(clock.stopped_at) if clock.stopped_at else None,
    }


def _status(clock: Clock) -> str:
    """The state, and for a clock that is not over its risk: the one word a person looks for."""
    if clock.state is State.MISSED:
        return MISSED
    if clock.risk is not Risk.OK:
        return BREACHED if clock.risk is Risk.BREACHED else AT_RISK
    if clock.state is State.NO_DUE:
        return NO_DUE
    return "ok" if clock.state is State.RUNNING else clock.state.value


def _left(clock: Clock) -> str:
    """Working time left, or how late: in hours from a day on, in seconds under a minute; nothing is left once met."""
    seconds = clock.remaining_seconds
    if seconds is None or clock.state is State.MET:
        return "-"
    size = abs(seconds)
    step = 3_600 if size >= 86_400 else 60 if size >= 60 else 1
    spelled = spell_duration(size - size % step)
    return f"{spelled} late" if seconds < 0 else spelled


def _summary(table: Sequence[Row]) -> str:
    """`1 breached, 2 at risk, 5 met`; words nobody wears are left out."""
    counts = ((sum(1 for row in table if row.status == word), word) for word in URGENCY)
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "no clock runs"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
