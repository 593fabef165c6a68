"""Many incidents, or their action items, as tables of 80 columns and as the JSON of `list`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.domain.as_of import corrected_instants, declared_at
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import ActionItem, Incident
from incident_ops.domain.lifecycle import OVER, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record, Unread, item_key
from incident_ops.domain.time import spell_age, stamp
from incident_ops.render.findings import json_text, plural
from incident_ops.render.incident import HEAD_LINE, LATE_LINE, NEXT_LINE, level_labels, state_of
from incident_ops.render.sla import AT_RISK, BREACHED, MISSED, unread_data
from incident_ops.render.text import columns, fit_line, pad

WIDTH = 80
LATE_STYLE, LIVE_STYLE, PLAIN_STYLE = "late", "live", ""
INCIDENT_HEADER = ("INCIDENT", "LEVEL", "STATE", "AGE", "TITLE")
ITEM_HEADER = ("ITEM", "OWNER", "DUE", "LATE", "TITLE")
HIDDEN = "(restricted)"
TONE_COLOURS = {BREACHED: "red", MISSED: "red", LATE_LINE: "red", AT_RISK: "yellow", "met": "green"}
BOLD_TONES = (LIVE_STYLE, HEAD_LINE, NEXT_LINE)

Style = Callable[[str, str], str]
"""(LATE, LIVE or PLAIN, a whole line) -> the line as it is to be shown."""


class IncidentRow(NamedTuple):
    """An incident in a list; `rank` 1 is the worst, 0 a level that the policy does not know; `age` in seconds."""

    record: Record
    level: str
    rank: int
    age: int
    title: str | None


class ItemRow(NamedTuple):
    """An action item in a list; `late` in days, 0 = not late; `title` None = restricted."""

    record: Record
    item: ActionItem
    late: int
    title: str | None


def incident_rows(records: Iterable[Record], policy: Policy, now: datetime) -> list[IncidentRow]:
    """The incidents by urgency: worked on, resolved, closed; then the worst rank, then the oldest."""
    return sorted(evaluate_each(records, lambda record: _entry(record, policy, now)), key=_urgency)


def item_rows(records: Iterable[tuple[Record, dict[int, int]]], policy: Policy) -> list[ItemRow]:
    """The action items of records, each given with the days its late items are late by index.

    Open ones by due date, so that the latest come first; then those that are closed.
    """
    found = [
        ItemRow(record, item, late.get(index, 0), item.title if title_of(record.incident, policy) is not None else None)
        for record, late in records
        for index, item in enumerate(record.incident.action_items)
    ]
    return sorted(found, key=lambda one: (not one.item.is_open, one.item.due or "9999", _key(one)))


def incidents_text(found: Sequence[IncidentRow], style: Style = lambda _, line: line) -> str:
    """The table of incidents, the title cut to fit."""
    table = [
        (
            one.record.incident.id,
            one.level,
            state_of(one.record.incident),
            spell_age(one.age),
            f"{'(not merged yet) ' if one.record.pending else ''}{one.title if one.title is not None else HIDDEN}",
        )
        for one in found
    ]
    tones = [PLAIN_STYLE if one.record.incident.state in OVER else LIVE_STYLE for one in found]
    return _table(INCIDENT_HEADER, table, tones, style) + f"{plural(len(found), 'incident')}\n"


def items_text(found: Sequence[ItemRow], style: Style = lambda _, line: line) -> str:
    """The table of action items, the title cut to fit."""
    table = [
        (
            _key(one),
            one.item.owner or "nobody",
            one.item.due or "-",
            plural(one.late, "day") if one.late else "-" if one.item.is_open else one.item.status.replace("_", " "),
            one.title if one.title is not None else HIDDEN,
        )
        for one in found
    ]
    late = sum(1 for one in found if one.late)
    count = f"{plural(len(found), 'action item')}{f', {late} late' if late else ''}\n"
    return _table(ITEM_HEADER, table, [LATE_STYLE if one.late else PLAIN_STYLE for one in found], style) + count


def incidents_json(found: Sequence[IncidentRow], now: datetime, unread: Sequence[Unread]) -> str:
    """`{"schema", "at", "incidents": [...]}` in the order of the table; `unread` where a record could not be read."""
    return _json("incidents", [_incident_data(one) for one in found], now, unread)


def items_json(found: Sequence[ItemRow], now: datetime, unread: Sequence[Unread]) -> str:
    """`{"schema", "at", "action_items": [...]}` in the order of the table; `unread` as above."""
    return _json("action_items", [_item_data(one) for one in found], now, unread)


def _entry(record: Record, policy: Policy, now: datetime) -> IncidentRow:
    incident = record.incident
    duties = policy.duties(incident.severity, incident.priority)
    age = now - declared_at(incident)
    rank = duties.rank if duties else 0
    return IncidentRow(
        record, level_labels(incident, policy), rank, int(age.total_seconds()), title_of(incident, policy)
    )


def _urgency(one: IncidentRow) -> tuple[int, int, int, str]:
    state = one.record.incident.state
    return (0 if state not in OVER else 1 if state == RESOLVED else 2), one.rank, -one.age, one.record.incident.id


def title_of(incident: Incident, policy: Policy) -> str | None:
    """The title where it may be listed; None = restricted, in a repository that is not private."""
    return incident.title if incident.visibility != "restricted" or policy.access.private else None


def _key(one: ItemRow) -> str:
    return item_key(one.record.incident.id, one.item.id)


def _table(header: Sequence[str], table: Sequence[Sequence[str]], tones: Sequence[str], style: Style) -> str:
    if not table:
        return ""
    shown = [[*(fit_line(cell, 26) for cell in row[:-1]), row[-1]] for row in table]
    widths = [max(columns(row[place]) for row in (header, *shown)) for place in range(len(header) - 1)]
    lines = []
    for tone, row in zip((PLAIN_STYLE, *tones), (header, *shown), strict=True):
        front = "".join(pad(cell, width) + "  " for cell, width in zip(row, widths, strict=False))
        lines.append(style(tone, (front + fit_line(row[-1], max(WIDTH - columns(front), 8))).rstrip()))
    return "\n".join(lines) + "\n\n"


def _json(name: str, rows: list[dict[str, Any]], now: datetime, unread: Sequence[Unread]) -> str:
    data: dict[str, Any] = {"schema": 1, "at": stamp(now), name: rows}
    if unread:
        data["unread"] = unread_data(unread)
    return json_text(data)


def _incident_data(one: IncidentRow) -> dict[str, Any]:
    incident = one.record.incident
    return {
        "id": incident.id,
        "severity": incident.severity,
        "priority": incident.priority,
        "rank": one.rank or None,
        "state": incident.state,
        "outcome": incident.outcome,
        "title": one.title,
        "services": list(incident.services),
        "declared": corrected_instants(incident)["times.declared"],
        "age_seconds": one.age,
        "open_items": len(incident.open_items),
        "pending": one.record.pending,
        "visibility": incident.visibility,
        "file": one.record.path,
    }


def _item_data(one: ItemRow) -> dict[str, Any]:
    item = one.item
    return {
        "key": _key(one),
        "incident": one.record.incident.id,
        "id": item.id,
        "title": one.title,
        "owner": item.owner,
        "due": item.due,
        "days_late": one.late,
        "priority": item.priority,
        "status": item.status,
        "pending": one.record.pending,
    }
