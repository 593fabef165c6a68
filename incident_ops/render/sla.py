"""The clocks as text for people and as the JSON of `sla check` (docs/contract.md#json).

The text says first what is about to be breached (R54), then how each open incident stands (R52, R53), then every clock.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.model.time import spell_ago, spell_duration, stamp
from incident_ops.model.unread import Unread
from incident_ops.render.aligned import aligned
from incident_ops.render.dates import spell_clock
from incident_ops.render.fit import fit
from incident_ops.sla.clock import (
    POSTMORTEM_FINAL,
    POSTMORTEM_MEETING,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
    Clock,
    Risk,
    State,
)
from incident_ops.sla.report import Report
from incident_ops.sla.standing import Standing

BREACHED, AT_RISK, MISSED, PAUSED, NO_DUE = "breached", "at risk", "missed", "paused", "no due"
URGENCY = (BREACHED, AT_RISK, "ok", PAUSED, NO_DUE, MISSED, "met", "cancelled")
"""Words of the first column, the most urgent first: what is running out, what rests, what is over."""

WIDTH = 80
HEADER = ("STATUS", "INCIDENT", "CLOCK", "LEVEL", "LEFT", "DUE (UTC)")
STANDING = ("STATUS", "INCIDENT", "LEVEL", "AGE", "DUE NEXT", "UPDATED")
CLOCK_WORDS = {
    UPDATE_INTERNAL: "update",
    UPDATE_PUBLIC: "public upd.",
    POSTMORTEM_MEETING: "meeting",
    POSTMORTEM_FINAL: "postmortem",
}
RISKS = {Risk.BREACHED: BREACHED, Risk.AT_RISK: AT_RISK, Risk.OK: "ok"}

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

    @property
    def time(self) -> str:
        """`1h left`, `5m late`, or `-`."""
        return self.left if self.left == "-" or self.left.endswith("late") else f"{self.left} left"


def rows(report: Report) -> list[Row]:
    """The clocks as rows, the most urgent first; among equals the one that is due first."""
    last = datetime.max.replace(tzinfo=report.at.tzinfo)
    ordered = sorted(report.clocks, key=lambda clock: (URGENCY.index(status_of(clock)), clock.due or last))
    return [
        Row(
            status_of(clock),
            clock.incident,
            clock_name(clock),
            clock.level,
            _left(clock),
            spell_clock(clock.due, dated=True) if clock.due else "-",
        )
        for clock in ordered
    ]


def clock_name(clock: Clock) -> str:
    """`resolution`, `public upd.`; an action item's clock goes by its id."""
    return clock.item or CLOCK_WORDS.get(clock.clock, clock.clock)


def warning(clock: Clock) -> str | None:
    """`1 hour to SLA breach` (R54) for a clock that is at risk; None for every other one."""
    if clock.risk is not Risk.AT_RISK or clock.remaining_seconds is None:
        return None
    return f"{spell_duration(clock.remaining_seconds, in_words=True)} to SLA breach"


def to_text(report: Report, style: Style = lambda _, line: line, owed: Sequence[str] = ()) -> str:
    """Summary, warnings, what is owed (lines), open incidents, clocks, unread records; at most 80 columns for ids of
    our own forms."""
    table = rows(report)
    out = [f"Clocks at {spell_clock(report.at, dated=True)} UTC", *textwrap.wrap(_summary(table), WIDTH)]
    for part in (
        _warnings(report, style),
        list(owed),
        _standings(report, style),
        _late_phases(report),
        _told_afterwards(report),
    ):
        out += ["", *part] if part else []
    if table:
        out += ["", *_table(HEADER, table, style)]
    if report.unread:
        out += ["", f"Not read, so their clocks are not known ({len(report.unread)}):"]
        out += [f"  {record.path}: {record.why}" for record in report.unread]
    return "\n".join(out) + "\n"


def to_json(report: Report, lag_seconds: int = 0, owed: Sequence[dict[str, str]] = ()) -> str:
    """The JSON of `sla check`; `unread` is there only when a record could not be used. Same report, same bytes."""
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(report.at),
        "lag_seconds": lag_seconds,
        "clocks": [clock_data(clock) for clock in report.clocks],
        "obligations": [*owed],
    }
    if report.unread:
        data["unread"] = unread_data(report.unread)
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def unread_data(unread: Sequence[Unread]) -> list[dict[str, str]]:
    """Unread records as JSON data."""
    return [{"file": record.path, "message": record.reason} for record in unread]


def clock_data(clock: Clock) -> dict[str, Any]:
    """One clock as JSON data, in the fields of docs/contract.md#json.

    `item` is there only for an action item, `breached_by_retarget` only where it is true.
    """
    data: dict[str, Any] = {
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
    if clock.item is not None:
        data["item"] = clock.item
    if clock.breached_by_retarget:
        data["breached_by_retarget"] = True
    return data


def status_of(clock: Clock) -> str:
    """The state, and for a clock that is not over its risk: the one word a person looks for."""
    if clock.state is State.MISSED:
        return MISSED
    if clock.risk is not Risk.OK:
        return BREACHED if clock.risk is Risk.BREACHED else AT_RISK
    if clock.state is State.NO_DUE:
        return NO_DUE
    return "ok" if clock.state is State.RUNNING else clock.state.value


def _left(clock: Clock) -> str:
    """Working time left, or how late; nothing is left once met."""
    seconds = clock.remaining_seconds
    if seconds is None or clock.state is State.MET:
        return "-"
    return f"{spell_duration(-seconds)} late" if seconds < 0 else spell_duration(seconds)


def _warnings(report: Report, style: Style) -> list[str]:
    """What is about to be breached and who has it, the nearest breach first."""
    assignees = {one.incident: one.assignee for one in report.standings}
    near = [(clock, text) for clock in report.clocks if (text := warning(clock))]
    near.sort(key=lambda pair: (pair[0].remaining_seconds or 0, pair[0].incident, pair[0].clock))
    lines = []
    for clock, text in near:
        due = f"due {spell_clock(clock.due, dated=True)} UTC" if clock.due else "held by a pause"
        lines.append(style(AT_RISK, f"{clock.incident}: {text}"))
        lines.append(
            "  " + fit(f"{clock_name(clock)}, {due}; {assignees.get(clock.incident) or 'nobody assigned'}", WIDTH - 2)
        )
    return lines


def _standings(report: Report, style: Style) -> list[str]:
    """Open incidents, the worst and the one due first on top."""
    last = datetime.max.replace(tzinfo=report.at.tzinfo)
    ordered = sorted(
        report.standings,
        key=lambda one: (URGENCY.index(RISKS[one.risk]), (one.clock and one.clock.due) or last, one.incident),
    )
    table = [
        (
            RISKS[one.risk],
            one.incident,
            one.level,
            spell_duration(one.age_seconds),
            f"{clock_name(one.clock)} {_left(one.clock)}" if one.clock else "-",
            spell_ago(int((report.at - one.updated_at).total_seconds())) if one.updated_at else "never",
        )
        for one in ordered
    ]
    return _table(STANDING, table, style) if table else []


def _late_phases(report: Report) -> list[str]:
    """Phases that last longer than planned (R49, R50)."""
    return [
        f"{one.incident}: {one.phase.id.replace('_', ' ')} over by {spell_duration(one.phase.over_seconds)} "
        f"(end {spell_clock(one.phase.due, dated=True)})"
        for one in report.standings
        if one.phase is not None and one.phase.over_seconds > 0
    ]


def _told_afterwards(report: Report) -> list[str]:
    """Incidents declared after the fact."""
    late = (
        f"{one.incident}: declared after the fact{_lag(one)}; nobody is paged"
        for one in report.standings
        if one.retroactive
    )
    return [line for text in late for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]


def _lag(one: Standing) -> str:
    return "" if one.lag_seconds is None else f", {spell_duration(one.lag_seconds)} after its detection"


def _summary(table: Sequence[Row]) -> str:
    """`1 breached, 2 at risk, 5 met`; words nobody wears are left out."""
    counts = ((sum(1 for row in table if row.status == word), word) for word in URGENCY)
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "no clock runs"


def _table(header: Sequence[str], table: Sequence[Sequence[str]], style: Style) -> list[str]:
    """The lines of a table; the first cell of a row is the word its style goes by."""
    head, *lines = aligned(header, table)
    return [head, *(style(row[0], line) for row, line in zip(table, lines, strict=True))]
