"""The clocks as text for people and as the JSON of `sla check` (docs/contract.md#json).

The text says first what is about to be breached (R54), then how each open incident stands (R52, R53), then every clock.

What is owed now: as lines for people, as the JSON of `sla check`, and as GitHub shows it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from incident_ops.documents.markdown import code, inline
from incident_ops.domain.record import Unread
from incident_ops.domain.time import spell_ago, spell_clock, spell_duration, stamp
from incident_ops.render.findings import MOST_ANNOTATIONS, MOST_SUMMARY_BYTES, command, inert, plural
from incident_ops.render.text import aligned, fit_line
from incident_ops.sla.clocks import (
    POSTMORTEM_FINAL,
    POSTMORTEM_MEETING,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
    Clock,
    ClockState,
    Risk,
)
from incident_ops.sla.obligations import (
    DECLARED_NOTICE,
    ESCALATION_NOTICE,
    NEWS_NOTICE,
    RAISED_NOTICE,
    REOPENED_NOTICE,
    RESOLVED_NOTICE,
    Obligation,
    Owed,
)
from incident_ops.sla.status import ClockReport, IncidentStatus, PhaseStatus

BREACHED, AT_RISK, MISSED, PAUSED, NO_DUE = "breached", "at risk", "missed", "paused", "no due"
URGENCY = (BREACHED, AT_RISK, "ok", PAUSED, NO_DUE, MISSED, "met", "cancelled")
"""Words of the first column, the most urgent first: what is running out, what rests, what is over."""

WIDTH = 80
CLOCK_HEADER = ("STATUS", "INCIDENT", "CLOCK", "LEVEL", "LEFT", "DUE (UTC)")
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


class ClockRow(NamedTuple):
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


def rows(report: ClockReport) -> list[ClockRow]:
    """The clocks as rows, the most urgent first; among equals the one that is due first."""
    last = datetime.max.replace(tzinfo=report.at.tzinfo)
    ordered = sorted(report.clocks, key=lambda clock: (URGENCY.index(status_of(clock)), clock.due or last))
    return [
        ClockRow(
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


def to_text(report: ClockReport, style: Style = lambda _, line: line, owed: Sequence[str] = ()) -> str:
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
        out += ["", *_table(CLOCK_HEADER, table, style)]
    if report.unread:
        out += ["", f"Not read, so their clocks are not known ({len(report.unread)}):"]
        out += [f"  {record.path}: {record.why}" for record in report.unread]
    return "\n".join(out) + "\n"


def to_json(report: ClockReport, lag_seconds: int = 0, owed: Sequence[dict[str, str]] = ()) -> str:
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
    if clock.state is ClockState.MISSED:
        return MISSED
    if clock.risk is not Risk.OK:
        return BREACHED if clock.risk is Risk.BREACHED else AT_RISK
    if clock.state is ClockState.NO_DUE:
        return NO_DUE
    return "ok" if clock.state is ClockState.RUNNING else clock.state.value


def _left(clock: Clock) -> str:
    """Working time left, or how late; nothing is left once met."""
    seconds = clock.remaining_seconds
    if seconds is None or clock.state is ClockState.MET:
        return "-"
    return f"{spell_duration(-seconds)} late" if seconds < 0 else spell_duration(seconds)


def _warnings(report: ClockReport, style: Style) -> list[str]:
    """What is about to be breached and who has it, the nearest breach first."""
    assignees = {one.incident: one.assignee for one in report.standings}
    near = [(clock, text) for clock in report.clocks if (text := warning(clock))]
    near.sort(key=lambda pair: (pair[0].remaining_seconds or 0, pair[0].incident, pair[0].clock))
    lines = []
    for clock, text in near:
        due = f"due {spell_clock(clock.due, dated=True)} UTC" if clock.due else "held by a pause"
        lines.append(style(AT_RISK, f"{clock.incident}: {text}"))
        lines.append(
            "  "
            + fit_line(f"{clock_name(clock)}, {due}; {assignees.get(clock.incident) or 'nobody assigned'}", WIDTH - 2)
        )
    return lines


def _standings(report: ClockReport, style: Style) -> list[str]:
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


def _late_phases(report: ClockReport) -> list[str]:
    """Phases that last longer than planned (R49, R50)."""
    late = (
        f"{one.incident}: {one.phase.id.replace('_', ' ')} over by {spell_duration(one.phase.over_seconds)} "
        f"({_planned(one.phase)})"
        for one in report.standings
        if one.phase is not None and one.phase.over_seconds > 0
    )
    return [line for text in late for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]


def _planned(phase: PhaseStatus) -> str:
    """From when to when a phase was planned; the date of its end only where it is another one."""
    start, end = (spell_clock(at, dated=True) for at in (phase.start, phase.due))
    return f"{start} to {end.removeprefix(start.partition(' ')[0]).strip()}"


def _told_afterwards(report: ClockReport) -> list[str]:
    """Incidents declared after the fact."""
    late = (
        f"{one.incident}: declared after the fact{_lag(one)}; nobody is paged"
        for one in report.standings
        if one.retroactive
    )
    return [line for text in late for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]


def _lag(one: IncidentStatus) -> str:
    return "" if one.lag_seconds is None else f", {spell_duration(one.lag_seconds)} after its detection"


def _summary(table: Sequence[ClockRow]) -> str:
    """`1 breached, 2 at risk, 5 met`; words nobody wears are left out."""
    counts = ((sum(1 for row in table if row.status == word), word) for word in URGENCY)
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "no clock runs"


def _table(header: Sequence[str], table: Sequence[Sequence[str]], style: Style) -> list[str]:
    """The lines of a table; the first cell of a row is the word its style goes by."""
    head, *lines = aligned(header, table)
    return [head, *(style(row[0], line) for row, line in zip(table, lines, strict=True))]


_TOLD_ONCE = frozenset({DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE, RESOLVED_NOTICE, NEWS_NOTICE})
_NEWS_FOR = timedelta(days=1)


def owed_data(owed: Owed) -> list[dict[str, str]]:
    """The obligations as JSON data, in the fields of docs/contract.md#json."""
    return [
        {
            "key": one.key,
            "kind": one.kind,
            "incident": one.incident,
            "reason": one.reason,
            "due": stamp(one.due),
            "noticed_at": stamp(one.noticed_at),
        }
        for one in owed.obligations
    ]


def owed_lines(owed: Owed) -> list[str]:
    """What is owed, the longest due first: reason, key, when it was due, when noticed. What was announced more than a
    day ago is left to the JSON. Empty where nothing is owed."""
    shown = _shown(owed)
    if not shown:
        return []
    out = [f"Owed now: {len(shown)}, the longest due for {spell_duration(max(map(_owed_lag, shown)))}"]
    for one in shown:
        head = f"{one.incident}: {inert(one.reason)}"
        out += textwrap.wrap(head, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
        noticed = "now" if one.noticed_at == owed.at else spell_clock(one.noticed_at, dated=True)
        out.append(
            f"    due {spell_clock(one.due, dated=True)}, noticed {noticed}, {spell_duration(_owed_lag(one))} later"
        )
        out.append(f"    {one.key}")
    return out


def owed_commands(report: ClockReport, owed: Owed) -> str:
    """Workflow commands: an error for what is breached or escalates, a warning for what is at risk; "" for neither."""
    table = rows(report)
    errors = [_of_row(row) for row in table if row.status == BREACHED]
    errors += [(one.incident, one.reason) for one in owed.obligations if one.kind == ESCALATION_NOTICE]
    warnings = [_of_row(row) for row in table if row.status == AT_RISK]
    return "".join(f"{line}\n" for line in (*_capped("error", errors), *_capped("warning", warnings)))


def owed_summary(report: ClockReport, owed: Owed, room: int = MOST_SUMMARY_BYTES) -> str:
    """Clocks that are breached or at risk, and what is owed, as Markdown of at most `room` bytes; what does not fit is
    counted in the last line."""
    at = spell_clock(report.at, dated=True)
    urgent = [row for row in rows(report) if row.status in (BREACHED, AT_RISK)]
    shown = _shown(owed)
    head = f"## Clocks at {at} UTC\n\n{plural(len(urgent), 'clock')} at risk or breached, {len(shown)} owed\n"
    lines: list[str] = []
    if urgent:
        lines += ["\n| status | incident | clock | level | time | due (UTC) |\n| --- | --- | --- | --- | --- | --- |\n"]
        lines += [
            _row(row.status, code(row.incident), *map(inline, (row.clock, row.level, row.time, row.due)))
            for row in urgent
        ]
    if shown:
        lines += ["\n| owed | incident | why | due (UTC) | noticed |\n| --- | --- | --- | --- | --- |\n"]
        lines += [_row(one.kind, code(one.incident), inline(inert(one.reason)), *_when(one)) for one in shown]
    left = room - len(head.encode()) - len(_left_out(len(lines)).encode())
    for place, line in enumerate(lines):
        left -= len(line.encode())
        if left < 0:
            return head + "".join(lines[:place]) + _left_out(len(lines) - place)
    return head + "".join(lines)


def _when(one: Obligation) -> tuple[str, str]:
    return spell_clock(one.due, dated=True), f"{spell_duration(_owed_lag(one))} later"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _left_out(count: int) -> str:
    return f"\nand {plural(count, 'line')} more: run `incident-ops sla check`\n"


def _of_row(row: ClockRow) -> tuple[str, str]:
    return row.incident, f"{row.clock} of {row.level} {row.status}: {row.time}, due {row.due} UTC"


def _capped(level: str, told: Sequence[tuple[str, str]]) -> Iterable[str]:
    yield from (command(level, {"title": name}, inert(text)) for name, text in told[:MOST_ANNOTATIONS])
    if more := len(told) - MOST_ANNOTATIONS if len(told) > MOST_ANNOTATIONS else 0:
        yield command(level, {"title": "incident-ops"}, f"and {more} more: the summary of this step lists them")


def _shown(owed: Owed) -> list[Obligation]:
    return [one for one in owed.obligations if one.kind not in _TOLD_ONCE or owed.at - one.due <= _NEWS_FOR]


def _owed_lag(one: Obligation) -> int:
    return max(0, int((one.noticed_at - one.due).total_seconds()))
