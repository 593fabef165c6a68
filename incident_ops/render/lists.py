"""Many incidents, or their action items, as tables and as the JSON of `list`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.domain.as_of import corrected_instants, declared_at
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import ActionItem, Incident
from incident_ops.domain.item_due import ItemDue, item_due
from incident_ops.domain.lifecycle import OVER, RESOLVED, known_outcome
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import HIDDEN, Record, Unread, all_undated, item_key, title_of
from incident_ops.domain.ticket import TICKET, kind_of
from incident_ops.domain.time import spell_age, stamp
from incident_ops.domain.waits import snoozed_until
from incident_ops.render.findings import json_text, plural
from incident_ops.render.incident import HEAD_LINE, LATE_LINE, NEXT_LINE, RANK_TONES, level_labels, rank_tone, state_of
from incident_ops.render.sla import CLOCK_COLOURS, due_notes, unread_data
from incident_ops.render.text import (
    DEFAULT_WIDTH,
    UNCUT,
    Style,
    Table,
    columns,
    fit_line,
    pad,
    undated_lines,
)

LATE_STYLE, LIVE_STYLE, PLAIN_STYLE = "late", "live", ""
TONE_COLOURS = {**CLOCK_COLOURS, **dict(zip(RANK_TONES, ("red", "yellow"), strict=True)), LATE_LINE: "red"}
BOLD_TONES = (LIVE_STYLE, HEAD_LINE, NEXT_LINE, *RANK_TONES)
INCIDENT_HEADER = ("INCIDENT", "LEVEL", "STATE", "AGE", "TITLE")
ITEM_HEADER = ("ITEM", "OWNER", "DUE", "PRI", "STATUS", "TITLE")


class IncidentRow(NamedTuple):
    """An incident or a ticket (`kind`) in a list; `rank` 1 is the worst, 0 a level that the policy does not know; `age`
    in seconds; `snoozed` until when reminders wait; `teams` None where no service has one."""

    record: Record
    level: str
    rank: int
    age: int
    title: str | None
    kind: str
    snoozed: datetime | None = None
    teams: list[str] | None = None


class ItemRow(NamedTuple):
    """An action item in a list; `due` None = never; `late` in days, 0 = not late; `title` None = restricted."""

    record: Record
    item: ActionItem
    due: ItemDue | None
    late: int
    title: str | None


def incident_rows(records: Iterable[Record], policy: Policy, now: datetime) -> list[IncidentRow]:
    """The incidents by urgency: worked on, resolved, closed; then the worst rank, then the oldest."""
    return sorted(evaluate_each(records, lambda record: _entry(record, policy, now)), key=_urgency)


def item_rows(records: Iterable[Record], policy: Policy, now: datetime) -> list[ItemRow]:
    """The action items of records: open ones by due date, so that the latest come first; then those that are closed."""
    found = evaluate_each(records, lambda record: list(_item_entries(record, policy, now)))
    rows = [row for rows in found for row in rows]
    return sorted(rows, key=lambda row: (not row.item.is_open, str(row.due.day) if row.due else "9999", _place(row)))


def incidents_text(rows: Sequence[IncidentRow], style: Style = lambda _, line: line, width: int = DEFAULT_WIDTH) -> str:
    """The table of incidents, the title cut to fit `width` columns."""
    has_teams = any(row.teams for row in rows)
    header = (*INCIDENT_HEADER[:-1], *(["TEAM"] * has_teams), INCIDENT_HEADER[-1])
    table = [
        (
            row.record.incident.id,
            f"{row.level} {row.kind}" if row.kind == TICKET else row.level,
            state_of(row.record.incident),
            spell_age(row.age),
            *([",".join(row.teams or ()) or "-"] * has_teams),
            _marks(row) + (row.title if row.title is not None else HIDDEN),
        )
        for row in rows
    ]
    tones = [PLAIN_STYLE if row.record.incident.state in OVER else LIVE_STYLE for row in rows]
    tickets = sum(row.kind == TICKET for row in rows)
    left_out = undated_lines(all_undated(row.record for row in rows), width, of_several=len(rows) > 1)
    counts = _count(len(rows) - tickets, tickets)
    levels = [rank_tone(row.rank) if row.record.incident.state not in OVER else PLAIN_STYLE for row in rows]
    return _table(header, table, tones, style, width, levels) + _lines([counts, *left_out])


def _marks(row: IncidentRow) -> str:
    return "(not merged yet) " * row.record.pending + "(snoozed) " * (row.snoozed is not None)


def _count(incidents: int, tickets: int) -> str:
    counts = [plural(incidents, "incident")] * bool(incidents or not tickets)
    return ", ".join([*counts, *[plural(tickets, "ticket")] * bool(tickets)])


def items_text(
    rows: Sequence[ItemRow],
    style: Style = lambda _, line: line,
    undated: Sequence[str] = (),
    of: str = "",
    width: int = DEFAULT_WIDTH,
) -> str:
    """The table of action items, the title cut to fit `width` columns; `undated`: what a view of an earlier
    time leaves out.

    `of`: the incident that all of them belong to, which is then named once.
    """
    table = [
        (
            row.item.id if of else _key(row),
            row.item.owner or "nobody",
            row.due.marked if row.due else "-",
            row.item.priority or "-",
            f"{row.late}d late" if row.late else row.item.status.replace("_", " "),
            row.title if row.title is not None else HIDDEN,
        )
        for row in rows
    ]
    late = sum(1 for row in rows if row.late)
    count = f"{plural(len(rows), 'action item')}{f' of {of}' if of else ''}{f', {late} late' if late else ''}"
    tones = [LATE_STYLE if row.late else PLAIN_STYLE for row in rows]
    notes = due_notes(row.due for row in rows)
    left_out = undated_lines(undated, width, of_several=True)
    return _table(ITEM_HEADER, table, tones, style, width) + _lines([count, *notes, *left_out])


def incidents_json(rows: Sequence[IncidentRow], now: datetime, unread: Sequence[Unread]) -> str:
    """`{"schema", "at", "incidents": [...]}` in the order of the table; `unread` where a record could not be read."""
    return _json("incidents", [_incident_data(row) for row in rows], now, unread)


def items_json(rows: Sequence[ItemRow], now: datetime, unread: Sequence[Unread], undated: Sequence[str] = ()) -> str:
    """`{"schema", "at", "action_items": [...]}` in the order of the table; `unread` as above, `undated` likewise."""
    return _json("action_items", [_item_data(row) for row in rows], now, unread, undated)


def choice_lines(records: Sequence[Record], policy: Policy) -> list[str]:
    """A line for each incident to choose from: id, level, state, services, title, which is not cut."""
    cells = [
        (one.id, level_labels(one, policy), _real_state(one), " ".join(one.services), title_of(one, policy) or HIDDEN)
        for one in (record.incident for record in records)
    ]
    shown = [[*(fit_line(cell, 20) for cell in row[:-1]), fit_line(row[-1], UNCUT)] for row in cells]
    widths = [max(map(columns, column)) for column in zip(*shown, strict=True)][:-1]
    return ["  ".join([*map(pad, row[:-1], widths), row[-1]]) for row in shown]


def _real_state(incident: Incident) -> str:
    return f"drill, {state_of(incident)}" if incident.drill else state_of(incident)


def _entry(record: Record, policy: Policy, now: datetime) -> IncidentRow:
    incident = record.incident
    duties = policy.duties(incident.severity, incident.priority)
    age = now - declared_at(incident)
    rank = duties.rank if duties else 0
    return IncidentRow(
        record,
        level_labels(incident, policy),
        rank,
        int(age.total_seconds()),
        title_of(incident, policy),
        kind_of(incident, policy, now),
        snoozed_until(incident, now),
        policy.teams_of(incident.services),
    )


def _item_entries(record: Record, policy: Policy, now: datetime) -> Iterator[ItemRow]:
    incident, is_shown = record.incident, title_of(record.incident, policy) is not None
    policy = policy.for_incident(incident)
    for item in incident.action_items:
        due = item_due(item, incident, policy)
        late = due.days_late(now, policy) if due is not None and item.is_open else 0
        yield ItemRow(record, item, due, late, item.title if is_shown else None)


def _place(row: ItemRow) -> tuple[str, int]:
    return row.record.incident.id, int(row.item.id.removeprefix("AI-"))


def _urgency(row: IncidentRow) -> tuple[int, int, int, str]:
    state = row.record.incident.state
    return (0 if state not in OVER else 1 if state == RESOLVED else 2), row.rank, -row.age, row.record.incident.id


def _key(row: ItemRow) -> str:
    return item_key(row.record.incident.id, row.item.id)


def _table(
    header: Sequence[str],
    table: Sequence[Sequence[str]],
    tones: Sequence[str],
    style: Style,
    width: int,
    levels: Sequence[str] = (),
) -> str:
    """The table and an empty line; "" where it has no row. `levels`: tones of the second column."""
    if not table:
        return ""
    most = max(26, width // 4)
    shown = [[*(fit_line(cell, most) for cell in row[:-1]), fit_line(row[-1], UNCUT)] for row in table]
    lines = Table(header, shown, has_prose=True, tones=tones, spot=(1, levels)).lines(width, style)
    return "\n".join(lines) + "\n\n"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _json(
    name: str, rows: list[dict[str, Any]], now: datetime, unread: Sequence[Unread], undated: Sequence[str] = ()
) -> str:
    data: dict[str, Any] = {"schema": 1, "at": stamp(now), name: rows}
    if undated:
        data["undated"] = list(undated)
    if unread:
        data["unread"] = unread_data(unread)
    return json_text(data)


def _incident_data(row: IncidentRow) -> dict[str, Any]:
    incident = row.record.incident
    return {
        "id": incident.id,
        "kind": row.kind,
        "severity": incident.severity,
        "priority": incident.priority,
        "rank": row.rank or None,
        "state": incident.state,
        "outcome": known_outcome(incident),
        "title": row.title,
        "services": list(incident.services),
        **({} if row.teams is None else {"teams": row.teams}),
        "declared": corrected_instants(incident)["times.declared"],
        "age_seconds": row.age,
        "snoozed_until": stamp(row.snoozed) if row.snoozed else None,
        "open_items": len(incident.open_items),
        "pending": row.record.pending,
        "visibility": incident.visibility,
        "file": row.record.path,
        **({"undated": list(row.record.undated)} if row.record.undated else {}),
    }


def _item_data(row: ItemRow) -> dict[str, Any]:
    item = row.item
    return {
        "key": _key(row),
        "incident": row.record.incident.id,
        "id": item.id,
        "title": row.title,
        "owner": item.owner,
        "due": str(row.due.day) if row.due else None,
        "due_by": row.due.by if row.due else None,
        "days_late": row.late,
        "priority": item.priority,
        "status": item.status,
        "pending": row.record.pending,
    }
