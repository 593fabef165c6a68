"""An entry of the timeline, written when it happens (R253), and an instant of `times` that it marks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from incident_ops.doors.moving import instant_edit, route_of
from incident_ops.doors.step import Step, quote, said
from incident_ops.errors import UserError
from incident_ops.lifecycle import effective
from incident_ops.model.edit import Append, Edit
from incident_ops.model.incident import Incident
from incident_ops.model.time import instant, parse_instant, stamp

KINDS = (
    "detection",
    "change",
    "diagnosis",
    "decision",
    "action",
    "communication",
    "escalation",
    "status",
    "note",
    "runbook",
)
MARKS = ("started", "detected", "assembled", "diagnosed", "mitigated", "restored", "verified", "stood_down")


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened, in the words of whoever saw it; `at` is RFC 3339 text, None = now."""

    event: str
    kind: str = "note"
    action: str | None = None
    result: str | None = None
    ref: str | None = None
    at: str | None = None
    corrects: int | None = None
    marks: tuple[str, ...] = ()


def timeline(incident: Incident, now: datetime, by: str | None, entry: Entry) -> Step:
    """Appends an entry; each of `marks` also becomes the instant of that name. UserError where one is given already."""
    if entry.corrects is not None and not 1 <= entry.corrects <= len(incident.timeline):
        hint = f"entries are counted from 1; there are {len(incident.timeline)}"
        raise UserError(f"{incident.id} has no timeline entry {entry.corrects}", hint=hint)
    at = stamp(now) if entry.at is None else entry.at
    fields = said(
        at=at,
        kind=entry.kind,
        event=entry.event,
        action=entry.action,
        result=entry.result,
        by=by,
        ref=entry.ref,
        corrects=entry.corrects,
    )
    edits: list[Edit] = [_mark(incident, name, at) for name in entry.marks]
    when = f", {at}" if entry.at is not None else ""
    told = [f"timeline: {quote(entry.event)} ({entry.kind}{when})", *(f"{name} at {at}" for name in entry.marks)]
    return Step((*edits, Append(("timeline",), fields)), tuple(told), _late(incident, at, entry.corrects))


def _mark(incident: Incident, name: str, at: str) -> Edit:
    edit = instant_edit(incident, name, at)
    if incident.cycles and edit.route == route_of(f"times.{name}"):
        hint = "after a reopening only restored and verified are marked; tell the rest in words"
        raise UserError(f"{incident.id} was reopened: {name} belongs to the first outage", hint=hint)
    return edit


def _late(incident: Incident, at: str, corrects: int | None) -> tuple[str, ...]:
    told = []
    others = [event.at for event in incident.timeline if event.corrects is None]
    if corrects is None and others and parse_instant(at) < parse_instant(others[-1]):
        told.append(f"it happened before the entry above it ({others[-1]}); the order of the timeline is not changed")
    started = instant(effective(incident).get("times.started"))
    if started is not None and parse_instant(at) < started:
        told.append("it happened before times.started")
    return tuple(told)
