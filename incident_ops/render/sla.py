"""Clocks as text for people, and as the JSON of `sla check`; what is due is in `due_notices`.

The text says first what is about to be breached (R54), then the status of each open incident (R52, R53), then every
clock. JSON: docs/contract.md#json.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from incident_ops.domain.item_due import ItemDue
from incident_ops.domain.record import UndatedFields, Unread
from incident_ops.domain.ticket import TICKET
from incident_ops.domain.time import spell_ago, spell_clock, spell_duration, spell_minute, stamp
from incident_ops.render.findings import inert, json_text
from incident_ops.render.text import (
    DEFAULT_WIDTH,
    UNCUT,
    Style,
    Table,
    fit_line,
    fold,
    fold_record,
    spell_due,
    undated_lines,
)
from incident_ops.sla.clocks import CLOCK_NAMES, Clock, ClockState, Risk
from incident_ops.sla.status import TRIAGE, ClockReport, IncidentStatus, PhaseStatus

BREACHED, AT_RISK, MISSED, PAUSED, NO_DUE = "breached", "at risk", "missed", "paused", "no due"
CLOCK_COLOURS = {BREACHED: "red", MISSED: "red", AT_RISK: "yellow", "met": "green"}
URGENCY = (BREACHED, AT_RISK, "ok", PAUSED, NO_DUE, MISSED, "met", "cancelled")
"""Words of the first column, the most urgent first: running out, paused, over."""

CLOCK_HEADER = ("STATUS", "INCIDENT", "CLOCK", "LEVEL", "LEFT", "DUE (UTC)")
STATUS_HEADER = ("STATUS", "INCIDENT", "LEVEL", "AGE", "DUE NEXT", "UPDATED", "STATE, WHO: TITLE")
RISKS = {Risk.BREACHED: BREACHED, Risk.AT_RISK: AT_RISK, Risk.OK: "ok"}


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


def clock_rows(report: ClockReport, *, narrow: bool = False) -> list[ClockRow]:
    """The clocks as rows, the most urgent first; among equals the one that is due first.

    `narrow`: the day of an item with a mark, which `due_notes` explain, instead of words.
    """
    last = datetime.max.replace(tzinfo=report.at.tzinfo)
    ordered = sorted(report.clocks, key=lambda clock: (URGENCY.index(status_of(clock)), clock.due or last))
    return [
        ClockRow(
            status_of(clock),
            clock.incident,
            clock_name(clock),
            clock.level,
            _left(clock),
            clock_due(clock, narrow=narrow),
        )
        for clock in ordered
    ]


def clock_due(clock: Clock, *, narrow: bool = True) -> str:
    """When a clock is due: `2025-01-26 12:05` (UTC), an action item on a day; `-` where there is no due time."""
    if clock.item_due is None:
        return spell_due(clock.due)
    return clock.item_due.marked if narrow else str(clock.item_due)


def due_notes(dates: Iterable[ItemDue | None]) -> list[str]:
    """A line for what the marks of items' due dates stand for; nothing where each is a date of its own."""
    notes = sorted({due.note for due in dates if due is not None and due.note})
    return [f"DUE: {', '.join(notes)}"] if notes else []


def clock_name(clock: Clock) -> str:
    """`resolution`, `public upd.`; an action item's clock goes by its id."""
    return clock.item or CLOCK_NAMES[clock.clock].short


def warning(clock: Clock) -> str | None:
    """`1 hour to SLA breach` (R54) for a clock that is at risk; None for every other one."""
    if clock.risk is not Risk.AT_RISK or clock.remaining_seconds is None:
        return None
    return f"{spell_duration(clock.remaining_seconds, in_words=True)} to {clock.item if clock.duty else 'SLA breach'}"


def to_text(
    report: ClockReport,
    style: Style = lambda _, line: line,
    due_lines: Sequence[str] = (),
    width: int = DEFAULT_WIDTH,
) -> str:
    """Summary, warnings, lines of due notifications, open incidents, clocks, unread records."""
    table = clock_rows(report, narrow=True)
    out = [f"Clocks at {spell_minute(report.at)}", *fold(_summary(table), width=width)]
    for part in (
        _warnings(report, style, width),
        list(due_lines),
        _incidents(report, style, width),
        *(
            [line for text in texts for line in fold_record(text, rest="  ", width=width)]
            for texts in (
                _phases(report),
                _commanders(report),
                _stagnation(report),
                _snoozed(report),
                _declared_afterwards(report),
            )
        ),
    ):
        out += ["", *part] if part else []
    if table:
        lines = Table(CLOCK_HEADER, table, tones=[row.status for row in table]).lines(width, style)
        out += ["", *lines, *due_notes(clock.item_due for clock in report.clocks)]
    out += left_out_lines(report.undated, width)
    out += unread_lines("Could not be read, so their clocks are unknown", report.unread)
    return "\n".join(out) + "\n"


def to_json(
    report: ClockReport,
    lag_seconds: int = 0,
    obligations: Sequence[dict[str, str]] = (),
    delivery: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """The JSON of `sla check`. Same report, same bytes. `delivery` is what is known of it, as `delivery_data` gives it.

    `commanders` (who is missing), `snoozed`, `undated` and `unread` are there only when there is some.
    """
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(report.at),
        "lag_seconds": lag_seconds,
        "clocks": [clock_data(clock) for clock in report.clocks],
        "obligations": [*obligations],
        **delivery,
        "incidents": [_status_data(one, report.titles) for one in report.statuses],
    }
    wanted = [_commander_data(one, one.commander_due, report.at) for one in report.statuses if one.commander_due]
    if wanted:
        data["commanders"] = wanted
    snoozed = [(one.incident, *one.snoozed) for one in report.statuses if one.snoozed]
    if snoozed:
        data["snoozed"] = [{"incident": name, "until": stamp(until), "by": by} for name, until, by in snoozed]
    return json_text({**data, **missing_data(report.undated, report.unread)})


def unread_lines(title: str, unread: Sequence[Unread]) -> list[str]:
    """A title and a line for each unread record, after an empty line; nothing where there is none."""
    return ["", f"{title} ({len(unread)}):", *(f"  {record.path}: {record.why}" for record in unread)] if unread else []


def left_out_lines(undated: UndatedFields, width: int = DEFAULT_WIDTH) -> list[str]:
    """What a view of an earlier time leaves out of several incidents, each field once."""
    fields = dict.fromkeys(field for _, names in undated for field in names)
    return undated_lines(fields, width, of_several=len(undated) > 1)


def missing_data(undated: UndatedFields, unread: Sequence[Unread]) -> dict[str, Any]:
    """What a report lacks, as JSON data: `undated` and `unread`, each only where there is some."""
    data: dict[str, Any] = {}
    if undated:
        data["undated"] = [{"incident": name, "fields": list(fields)} for name, fields in undated]
    if unread:
        data["unread"] = unread_data(unread)
    return data


def unread_data(unread: Sequence[Unread]) -> list[dict[str, str]]:
    """Unread records as JSON data."""
    return [{"file": record.path, "message": record.reason} for record in unread]


def clock_data(clock: Clock) -> dict[str, Any]:
    """One clock as JSON data, in the fields of docs/contract.md#json.

    `item` is there only for an action item, `deadline` and `to` only for a deadline,
    `breached_by_retarget` only where it is true.
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
    if clock.duty is not None:
        data |= {"deadline": clock.item, "to": clock.duty.deadline.to}
    elif clock.item is not None:
        data |= {"item": clock.item, "due_by": clock.item_due.by if clock.item_due else None}
    if clock.breached_by_retarget:
        data["breached_by_retarget"] = True
    return data


def status_of(clock: Clock) -> str:
    """The state, and for a clock that is not over its risk: in one word."""
    if clock.state is ClockState.MISSED:
        return MISSED
    if clock.risk is not Risk.OK:
        return BREACHED if clock.risk is Risk.BREACHED else AT_RISK
    if clock.state is ClockState.NO_DUE:
        return NO_DUE
    return "ok" if clock.state is ClockState.RUNNING else clock.state.value


def _left(clock: Clock) -> str:
    """Working time left, or how late; `-` once met."""
    seconds = clock.remaining_seconds
    if seconds is None or clock.state is ClockState.MET:
        return "-"
    return f"{_spell_left(-seconds)} late" if seconds < 0 else _spell_left(seconds)


def _spell_left(seconds: int) -> str:
    """Beyond 100 days the hours say nothing, and the table would be too wide for them."""
    return spell_duration(seconds if seconds < 100 * 86_400 else seconds // 86_400 * 86_400)


def _warnings(report: ClockReport, style: Style, width: int) -> list[str]:
    """What is about to be breached and who has it, the nearest breach first."""
    assignees = {status.incident: status.assignee for status in report.statuses}
    near = [(clock, text) for clock in report.clocks if (text := warning(clock))]
    near.sort(key=lambda pair: (pair[0].remaining_seconds or 0, pair[0].incident, pair[0].clock))
    lines = []
    for clock, text in near:
        due = f"due {spell_minute(clock.due)}" if clock.due else "paused"
        lines.append(style(AT_RISK, f"{clock.incident}: {text}"))
        whose = assignees.get(clock.incident) or "nobody assigned"
        lines.append("  " + fit_line(f"{clock_name(clock)}, {due}; {whose}", width - 2))
    return lines


def _incidents(report: ClockReport, style: Style, width: int) -> list[str]:
    """Open incidents, the worst and the one due first on top."""
    last = datetime.max.replace(tzinfo=report.at.tzinfo)
    ordered = sorted(
        report.statuses,
        key=lambda status: (
            URGENCY.index(RISKS[status.risk]),
            (status.clock and status.clock.due) or last,
            status.incident,
        ),
    )
    table = [
        (
            RISKS[status.risk],
            status.incident,
            f"{status.level} {status.kind}" if status.kind == TICKET else status.level,
            spell_duration(status.age_seconds),
            f"{clock_name(status.clock)} {_left(status.clock)}" if status.clock else "-",
            spell_ago(int((report.at - status.updated_at).total_seconds())),
            fit_line(f"{_whose(status)}: {report.titles.get(status.incident, '')}", UNCUT),
        )
        for status in ordered
    ]
    tones = [row[0] for row in table]
    return Table(STATUS_HEADER, table, has_prose=True, tones=tones).lines(width, style) if table else []


def _whose(status: IncidentStatus) -> str:
    """The state and who has it: `in progress, @ann`."""
    return f"{status.state.replace('_', ' ')}, {inert(status.assignee) if status.assignee else 'nobody'}"


def _stagnation(report: ClockReport) -> Iterator[str]:
    """Incidents that escalate unless somebody works on them, or that do so now."""
    for one in report.statuses:
        if one.stagnates_at is not None and not one.snoozed:
            at = clock_of_day(one.stagnates_at, report.at)
            last = clock_of_day(one.updated_at, report.at)
            if one.stagnates_at < report.at:
                yield f"{one.incident}: no activity since {last} UTC, so it is to escalate since {at} UTC"
            else:
                yield f"{one.incident}: escalates at {at} UTC unless somebody works on it (last activity {last} UTC)"


def _phases(report: ClockReport) -> Iterator[str]:
    """Phases that last longer than planned; that of a single incident in any case."""
    shown = (one for one in report.statuses if one.phase and (one.phase.over_seconds or len(report.statuses) == 1))
    yield from (f"{one.incident}: {phase_words(one.phase, report.at)}" for one in shown if one.phase)


def _commanders(report: ClockReport) -> Iterator[str]:
    """Incidents that should have a commander by now and have none."""
    late = ((one.incident, one.commander_due) for one in report.statuses if one.commander_due)
    yield from (f"{name}: commander {missing_commander(due, report.at, True)}" for name, due in late if due < report.at)


def _snoozed(report: ClockReport) -> Iterator[str]:
    """Incidents whose reminders wait."""
    for name, until, by in ((one.incident, *one.snoozed) for one in report.statuses if one.snoozed):
        yield f"{name}: snoozed until {clock_of_day(until, report.at)} UTC by {inert(by)}"


def missing_commander(due: datetime, now: datetime, with_due: bool = False) -> str:
    """`nobody yet (due 12:20 UTC)`, `nobody yet (14m late)`; `with_due`: when it was due in any case."""
    planned = f"due {clock_of_day(due, now)} UTC"
    if now <= due:
        return f"nobody yet ({planned})"
    late = f"{spell_duration(int((now - due).total_seconds()))} late"
    return f"nobody yet ({late}, {planned})" if with_due else f"nobody yet ({late})"


def _status_data(status: IncidentStatus, titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "incident": status.incident,
        "kind": status.kind,
        "level": status.level,
        "title": titles.get(status.incident, ""),
        "state": status.state,
        "assignee": status.assignee,
        "updated_at": stamp(status.updated_at),
        "stagnates_at": stamp(status.stagnates_at) if status.stagnates_at else None,
    }


def _commander_data(status: IncidentStatus, due: datetime, now: datetime) -> dict[str, Any]:
    late = max(int((now - due).total_seconds()), 0)
    return {"incident": status.incident, "due": stamp(due), "late_seconds": late}


def phase_words(phase: PhaseStatus, now: datetime) -> str:
    """`triage, planned 12:05 to 12:15 UTC, 1m over: nobody has acknowledged it`; a date only where not today's."""
    words = [phase.id.replace("_", " ")]
    if phase.start is not None and phase.due is not None:
        end = spell_clock(phase.due, dated=phase.due.date() != phase.start.date())
        words.append(f"planned {clock_of_day(phase.start, now)} to {end} UTC")
    if phase.over_seconds:
        nobody = ": nobody has acknowledged it" if phase.id == TRIAGE else ""
        words.append(f"{spell_duration(phase.over_seconds)} over{nobody}")
    return ", ".join(words)


def phase_data(phase: PhaseStatus) -> dict[str, Any]:
    """A phase as JSON data: `id`, when it was planned, and by how many seconds it overran."""
    start, due = (stamp(at) if at else None for at in (phase.start, phase.due))
    return {"id": phase.id, "from": start, "due": due, "over_seconds": phase.over_seconds}


def clock_of_day(at: datetime, now: datetime) -> str:
    """`12:15`, and with its date where that is not today's."""
    return spell_clock(at, dated=at.date() != now.date())


def _declared_afterwards(report: ClockReport) -> Iterator[str]:
    """Incidents declared after the fact."""
    yield from (
        f"{status.incident}: declared after the fact{_lag(status)}; nobody is paged"
        for status in report.statuses
        if status.retroactive
    )


def _lag(status: IncidentStatus) -> str:
    return "" if status.lag_seconds is None else f", {spell_duration(status.lag_seconds)} after detection"


def _summary(table: Sequence[ClockRow]) -> str:
    """`1 breached, 2 at risk, 5 met`; words without a clock are left out."""
    counts = ((sum(1 for row in table if row.status == word), word) for word in URGENCY)
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "no clock runs"
