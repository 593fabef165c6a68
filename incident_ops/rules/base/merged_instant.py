"""A merged time in `times` is not edited; a wrong one is corrected by an entry in `corrections`.

Clocks, reports and people have already used it. A missing time may be added at any point; one that was there, even
as `unknown`, needs an entry in `corrections` that says who found what, and why.

    before: times: {started: 2025-01-26T11:58:00Z, ...}      # was 12:00
    after:  times: {started: 2025-01-26T12:00:00Z, ...}
            corrections:
            - {field: times.started, from: 2025-01-26T12:00:00Z, to: 2025-01-26T11:58:00Z, by: ..., reason: ...}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.incident import Incident, Times
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding, same_instant

ID = "merged-instant"
LEVEL = Level.ERROR
TIMED = False


def check(before: Record, after: Record, _world: World | None) -> Iterator[Finding]:
    """Each instant of the first cycle; those of later ones are entries of `cycles`."""
    for name in Times.__struct_fields__:
        was, now = getattr(before.incident.times, name), getattr(after.incident.times, name)
        if was is None or was == now:
            continue
        if now is None:
            message = f"times.{name} was {was} when it was merged, and is gone"
            yield rule_finding(ID, LEVEL, ("times",), message, f"write {name}: {was} again", on_key=True)
            continue
        hint = _fix(after.incident, name, was, now)
        yield rule_finding(ID, LEVEL, ("times", name), f"times.{name} was {was} when it was merged", hint)


def _fix(incident: Incident, name: str, was: str, now: str) -> str:
    """How to restore the merged instant and record the new one, where corrections do not have it yet."""
    corrected = [correction.new for correction in incident.corrections if correction.field == f"times.{name}"]
    latest = corrected[-1] if corrected else was
    if corrected and same_instant(latest, now):
        return f"put it back: {name}: {was}; corrections already has {now}"
    if same_instant(was, now):
        return f"put it back: {name}: {was}"
    entry = f"{{at: ..., field: times.{name}, from: {latest}, to: {now}, by: ..., reason: ...}}"
    return f"put it back, and add to corrections {entry}"
