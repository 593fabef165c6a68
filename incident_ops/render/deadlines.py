"""What is owed to others: a line of the screen of one incident, and the list of `deadline list`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from incident_ops.domain.policy import AfterReport
from incident_ops.domain.time import spell_duration, spell_minute, stamp
from incident_ops.render.findings import inert, json_text
from incident_ops.render.sla import clock_rows, missing_data, unread_lines
from incident_ops.render.text import DEFAULT_WIDTH, Style, Table, fold_record
from incident_ops.sla.clocks import Clock
from incident_ops.sla.status import ClockReport

TABLE_HEADER = ("STATUS", "INCIDENT", "DEADLINE", "LEFT", "DUE (UTC)")


def to_text(report: ClockReport, style: Style = lambda _, line: line, width: int = DEFAULT_WIDTH) -> str:
    """The deadlines of a report as a table, what each of them asks for, and the command for the first that is open."""
    if not report.clocks:
        return "Nothing is owed to others by what the records say.\n"
    rows = [(row.status, row.incident, row.clock, row.left, row.due) for row in clock_rows(report)]
    lines = Table(TABLE_HEADER, rows, tones=[row[0] for row in rows]).lines(width, style)
    asked = {duty.deadline.id: duty.deadline for clock in report.clocks if (duty := clock.duty)}
    lines += [""]
    for one in asked.values():
        said = "; ".join(filter(None, (one.to and f"to {one.to}", one.source)))
        lines += fold_record(inert(f"{one.id}: {said}" if said else one.id), rest="  ", width=width)
    if (first := _first_open(report.clocks)) is not None:
        lines += ["", f'Once it is made: incident-ops deadline done {first.item} {first.incident} --ref "..."']
    return "\n".join(lines + unread_lines("Could not be read", report.unread)) + "\n"


def to_json(report: ClockReport) -> str:
    """The same as data; `unread` only where there is some."""
    rows = [_data(clock) for clock in report.clocks]
    return json_text({"schema": 1, "at": stamp(report.at), "deadlines": rows, **missing_data((), report.unread)})


def _data(clock: Clock) -> dict[str, Any]:
    duty = clock.duty
    assert duty is not None  # noqa: S101
    return {
        "incident": clock.incident,
        "id": duty.deadline.id,
        "to": duty.deadline.to,
        "source": duty.deadline.source,
        "start": stamp(duty.start) if duty.start else None,
        "due": stamp(duty.due) if duty.due else None,
        "state": clock.state.value,
        "done_at": duty.report.done_at if duty.report else None,
        "by": duty.report.by if duty.report else None,
        "ref": duty.report.ref if duty.report else None,
    }


def _first_open(clocks: Sequence[Clock]) -> Clock | None:
    running = [clock for clock in clocks if not clock.is_over]
    return min(running, key=lambda clock: (clock.due is None, clock.due or clock.start), default=None)


def spell_duty(clock: Clock) -> str:
    """`nis2-early-warning by 2026-11-28 22:10 UTC (23h left), to the CSIRT`; of one without a due time, why it has
    none."""
    if clock.duty is None:
        return ""
    deadline, to = clock.duty.deadline, ""
    if deadline.to:
        to = f", to {inert(deadline.to)}"
    if clock.due is not None and clock.remaining_seconds is not None:
        left = clock.remaining_seconds
        words = f"{spell_duration(left)} left" if left >= 0 else f"{spell_duration(-left)} late"
        return f"{deadline.id} by {spell_minute(clock.due)} ({words}){to}"
    if clock.duty.start is not None:
        return f"{deadline.id} without undue delay{to}"
    begins = deadline.start.deadline if isinstance(deadline.start, AfterReport) else f"`{deadline.start}`"
    return f"{deadline.id}: its time begins with {begins}"
