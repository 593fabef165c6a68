"""The timeline of an incident to read, by time and in full, and as the JSON of `timeline --list`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.domain.incident import Event, Incident
from incident_ops.domain.time import parse_instant, spell_clock, stamp
from incident_ops.render.findings import inert, json_text, plural
from incident_ops.render.incident import HEAD_LINE
from incident_ops.render.text import DEFAULT_WIDTH, Style, fit_line, pad, wrap

HEADER = ("#", "TIME", "KIND", "EVENT")


class NumberedEvent(NamedTuple):
    """An entry under its number in the record, counted from 1, and that of the entry which corrects it."""

    number: int
    event: Event
    corrected_by: int | None


class TimelineList(NamedTuple):
    """The entries by time, simultaneous ones in the record's order; of one `kind` where it is asked for.

    `total` counts those of every kind.
    """

    incident: Incident
    entries: list[NumberedEvent]
    total: int
    kind: str | None


def to_text(listed: TimelineList, style: Style = lambda _, line: line, width: int = DEFAULT_WIDTH) -> str:
    """A table of full texts, each wrapped in its column; `width` in columns."""
    head = fit_line(f"Timeline of {listed.incident.id}: {listed.incident.title}", width - 17)
    lines = [style(HEAD_LINE, f"{head} (times in UTC)"), ""]
    rows = [
        (str(one.number), spell_clock(parse_instant(one.event.at), dated=True), one.event.kind)
        for one in listed.entries
    ]
    widths = [max(map(len, cells)) for cells in zip(HEADER[:3], *rows, strict=True)]
    margin = sum(widths) + 2 * len(widths)
    for cells, texts in zip((HEADER[:3], *rows), ([HEADER[3]], *map(_texts, listed.entries)), strict=True):
        front = "".join(pad(cell, width) + "  " for cell, width in zip(cells, widths, strict=True))
        body = [line for text in texts for line in wrap(inert(text).split(), width - margin)]
        lines += [f"{front if not place else ' ' * margin}{line}".rstrip() for place, line in enumerate(body)]
    if not listed.entries:
        lines = lines[:2]
    return "".join(f"{line}\n" for line in [*lines, *[""] * bool(listed.entries), _count(listed)])


def _texts(entry: NumberedEvent) -> Iterator[str]:
    event = entry.event
    yield event.event
    yield from (f"{name}: {text}" for name, text in (("action", event.action), ("result", event.result)) if text)
    notes = [
        f"corrects {event.corrects}" if event.corrects else "",
        f"corrected by {entry.corrected_by}" if entry.corrected_by else "",
        f"ref {event.ref}" if event.ref else "",
        f"noted by {event.by}" if event.by else "",
    ]
    if any(notes):
        yield ", ".join(note for note in notes if note)


def _count(listed: TimelineList) -> str:
    if listed.kind is None:
        return plural(listed.total, "event")
    if not listed.entries:
        return f"no event of {listed.total} is of kind {listed.kind}"
    return f"{plural(len(listed.entries), 'event')} of {listed.total}: {listed.kind}"


def to_json(listed: TimelineList, now: datetime) -> str:
    """`{"schema", "at", "incident", "entries"}` in the order of the table."""
    entries = [_data(one) for one in listed.entries]
    return json_text({"schema": 1, "at": stamp(now), "incident": listed.incident.id, "entries": entries})


def _data(entry: NumberedEvent) -> dict[str, Any]:
    event = entry.event
    return {
        "number": entry.number,
        "at": event.at,
        "kind": event.kind,
        "event": event.event,
        "action": event.action,
        "result": event.result,
        "by": event.by,
        "ref": event.ref,
        "corrects": event.corrects,
        "corrected_by": entry.corrected_by,
    }
