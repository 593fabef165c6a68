"""The end of an incident as `close` and `show --final` print it, and as JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from incident_ops.documents.incident_end import IncidentEnd
from incident_ops.documents.incident_facts import FactRow
from incident_ops.domain.incident import Incident
from incident_ops.render.findings import inert, json_text
from incident_ops.render.incident import HEAD_LINE
from incident_ops.render.text import DEFAULT_WIDTH, Style, fold_record, pad

_LABELS = 23


def to_text(end: IncidentEnd, style: Style = lambda _, line: line, width: int = DEFAULT_WIDTH) -> str:
    """The view as lines of at most `width` columns; a part without anything is not there."""
    parts = [
        list(_rows(end.head, "", width)),
        _part("Impact", _rows(end.impact, "  ", width), style),
        _part("Resolution", _rows(end.resolution, "  ", width), style),
        _part(f"Postmortem: {end.postmortem}" if end.postmortem else "", _rows(end.counts, "  ", width), style),
        _part("Left to do", _items(end, width), style),
        _part("Lessons", _bullets(end.lessons, width), style),
        _part("Files", _bullets(end.files, width), style),
        _part("Next steps", _bullets(end.next, width), style),
    ]
    return "\n".join("".join(f"{line}\n" for line in part) for part in parts if part)


def _part(title: str, lines: Iterable[str], style: Style) -> list[str]:
    below = list(lines)
    return [*([style(HEAD_LINE, title)] if title and below else []), *below]


def _rows(rows: Iterable[FactRow], margin: str, width: int) -> Iterator[str]:
    for row in rows:
        label = margin + pad(row.name, _LABELS - len(margin))
        yield from fold_record(inert(row.text), label, " " * _LABELS, width)


def _items(end: IncidentEnd, width: int) -> Iterator[str]:
    for item in end.items:
        owner, due = item.owner or "no owner", f"due {item.due}" if item.due else "no date"
        yield from fold_record(inert(f"{item.id}, {owner}, {due}: {item.title}"), "  ", "    ", width)


def _bullets(texts: Iterable[str], width: int) -> Iterator[str]:
    for text in texts:
        yield from fold_record(inert(text), "  ", "    ", width)


def to_json(incident: Incident, end: IncidentEnd) -> str:
    """The same for programs: docs/contract.md#json."""
    return json_text(
        {
            "schema": 1,
            "id": incident.id,
            "title": incident.title,
            "severity": incident.severity,
            "priority": incident.priority,
            "state": incident.state,
            "outcome": incident.outcome,
            "drill": incident.drill,
            "visibility": incident.visibility,
            **{name: [row._asdict() for row in getattr(end, name)] for name in ("head", "impact", "resolution")},
            "postmortem": end.postmortem,
            "counts": [row._asdict() for row in end.counts],
            "left": [item._asdict() for item in end.items],
            "lessons": list(end.lessons),
            "files": list(end.files),
            "next": list(end.next),
            "follow_up_on": end.follow_up_on,
        }
    )
