"""A correction names a time in the record and the value it had; a corrected timeline entry is above the new one.

A correction of a field that does not exist would change nothing and look as if it did. Cycles and timeline entries are
counted from 1. The declaration time cannot become unknown.

    before: - {field: times.start, from: 2025-01-26T12:00:00Z, to: 2025-01-26T11:58:00Z, ...}
    after:  - {field: times.started, from: 2025-01-26T12:00:00Z, to: 2025-01-26T11:58:00Z, ...}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.incident import Cycle, Incident, Times
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import UNKNOWN
from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.rules._support import rule_finding, same_instant

ID = "correction"
LEVEL = Level.ERROR
TIMED = False
NOT_SUPPRESSIBLE = True


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Corrections of instants, then those of timeline entries."""
    incident = record.incident
    if incident.corrections:
        yield from _instants(incident)
    for index, event in enumerate(incident.timeline):
        if event.corrects is not None and event.corrects > index:
            message = f"entry {index + 1} corrects entry {event.corrects}, which is not above it"
            yield rule_finding(ID, LEVEL, ("timeline", index, "corrects"), message, "entries are counted from 1")


def _instants(incident: Incident) -> Iterator[Finding]:
    value: dict[str, str] = {
        f"times.{name}": getattr(incident.times, name) or UNKNOWN for name in Times.__struct_fields__
    }
    for number, cycle in enumerate(incident.cycles, 1):
        value.update({f"cycles.{number}.{name}": getattr(cycle, name) or UNKNOWN for name in Cycle.__struct_fields__})
    for index, correction in enumerate(incident.corrections):
        route, field = ("corrections", index), correction.field
        if field not in value:
            yield rule_finding(
                ID, LEVEL, (*route, "field"), f"{field!r} is not a time in this record", did_you_mean(field, value)
            )
            continue
        if not same_instant(correction.old, value[field]):
            message = f"{field} was {value[field]}, not {correction.old}"
            yield rule_finding(ID, LEVEL, (*route, "from"), message, f"from: {value[field]}")
        if correction.new == UNKNOWN and field.endswith((".declared", ".reopened")):
            yield rule_finding(ID, LEVEL, (*route, "to"), f"{field} cannot be unknown", "clocks start there")
        value[field] = correction.new
