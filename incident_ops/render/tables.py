"""The longer tables of a document as rows: the timeline and the measured series."""

from __future__ import annotations

from typing import NamedTuple

from incident_ops.model.incident import Event, Incident, Series
from incident_ops.model.time import parse_instant
from incident_ops.render.dates import spell_clock
from incident_ops.render.facts import Row, spell_amount, spell_word


class TimelineRow(NamedTuple):
    """A line of the timeline; `at` is a clock time in UTC. `note` says what it corrects or that it was corrected."""

    at: str
    event: str
    action: str
    result: str
    by: str
    note: str


class Measurement(NamedTuple):
    """A series as a table: `rows` are (interval in UTC, value)."""

    title: str
    rows: list[Row]


def timeline(incident: Incident) -> list[TimelineRow]:
    """The events by time, those of one instant in the record's order; with the day where they lie on several (C21)."""
    events = incident.timeline
    dated = days(incident) > 1
    order = sorted(range(len(events)), key=lambda index: parse_instant(events[index].at))
    corrected_by = {event.corrects: index for index, event in enumerate(events) if event.corrects}
    return [_timeline_row(events, index, corrected_by, dated) for index in order]


def days(incident: Incident) -> int:
    """On how many days (UTC) the timeline's events lie."""
    return len({parse_instant(event.at).date() for event in incident.timeline})


def measurements(incident: Incident) -> list[Measurement]:
    """The series of the impact by interval (R180)."""
    return [_measurement(series) for series in incident.impact.series]


def _timeline_row(events: list[Event], index: int, corrected_by: dict[int, int], dated: bool) -> TimelineRow:
    event = events[index]
    notes = []
    if event.corrects and event.corrects <= len(events):
        notes.append(f"corrects the line of {spell_clock(parse_instant(events[event.corrects - 1].at), dated)}")
    if (later := corrected_by.get(index + 1)) is not None:
        notes.append(f"corrected by the line of {spell_clock(parse_instant(events[later].at), dated)}")
    ref = event.ref or ""
    told = ref in f"{event.event} {event.action or ''} {event.result or ''}"
    text = event.event if told else f"{event.event} ({ref})"
    at = spell_clock(parse_instant(event.at), dated)
    return TimelineRow(at, text, event.action or "", event.result or "", event.by or "", "; ".join(notes))


def _measurement(series: Series) -> Measurement:
    spans = [(parse_instant(point.start), parse_instant(point.end)) for point in series.points]
    dated = len({at.date() for span in spans for at in span}) > 1
    rows = [
        Row(f"{spell_clock(start, dated)} – {spell_clock(end, dated)}", spell_amount(point.value))
        for (start, end), point in zip(spans, series.points, strict=True)
    ]
    return Measurement(f"{spell_word(series.name)} ({series.unit})", rows)
