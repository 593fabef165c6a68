"""The times of an incident are in the order in which things happened.

started <= detected <= all others; mitigated <= restored <= resolved <= closed; each cycle begins after the one before
has ended; a pause ends after it began. Clocks and durations are computed from these times. `acknowledged` and
`declared` may come in either order, `unknown` is skipped, and for a corrected time the last correction counts.

    before: restored: 2025-01-26T12:30:00Z
            resolved: 2025-01-26T12:03:00Z
    after:  restored: 2025-01-26T12:30:00Z
            resolved: 2025-01-26T12:45:00Z
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import UNKNOWN
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import effective_instants, instant_route, later, rule_finding

ID = "instant-order"
LEVEL = Level.ERROR
TIMED = False

CHAIN = ("mitigated", "restored", "resolved", "closed")
HINT = "one of them is wrong; `incident-ops correct` puts a time right, merged or not"


def check(record: Record, _world: World) -> Iterator[Finding]:
    """The first cycle, the later ones, the pauses."""
    incident = record.incident
    at = {field: text for field, text in effective_instants(incident).items() if text != UNKNOWN}
    yield from _first_cycle(incident, at)
    last = _latest_end(at, "times")
    for number in range(1, len(incident.cycles) + 1):
        prefix = f"cycles.{number}"
        yield from _after(incident, at, f"{prefix}.reopened", last)
        yield from _chained(incident, at, prefix, f"{prefix}.reopened")
        last = _latest_end(at, prefix) or last
    for index, pause in enumerate(incident.pauses):
        if pause.end is not None and later(pause.start, pause.end):
            message = f"this pause ends at {pause.end}, before it began at {pause.start}"
            yield rule_finding(ID, LEVEL, ("pauses", index, "to"), message, "swap them, or fix the wrong one")


def _first_cycle(incident: Incident, at: dict[str, str]) -> Iterator[Finding]:
    started, detected = "times.started", "times.detected"
    yield from _after(incident, at, detected, started)
    floor = detected if detected in at else started
    yield from _chained(incident, at, "times", floor)
    for name in incident.times.__struct_fields__:
        if name not in CHAIN and name not in ("started", "detected"):
            yield from _after(incident, at, f"times.{name}", floor)


def _chained(incident: Incident, at: dict[str, str], prefix: str, floor: str) -> Iterator[Finding]:
    before = floor
    for name in CHAIN:
        field = f"{prefix}.{name}"
        if field in at:
            yield from _after(incident, at, field, before)
            before = field
    if prefix != "times":
        yield from _after(incident, at, f"{prefix}.verified", floor)


def _after(incident: Incident, at: dict[str, str], field: str, before: str | None) -> tuple[Finding, ...]:
    if before is None or field not in at or before not in at or not later(at[before], at[field]):
        return ()
    message = f"{field} is {at[field]}, before {before} ({at[before]})"
    return (rule_finding(ID, LEVEL, instant_route(incident, field), message, HINT),)


def _latest_end(at: dict[str, str], prefix: str) -> str | None:
    return next((field for name in ("closed", "resolved") if (field := f"{prefix}.{name}") in at), None)
