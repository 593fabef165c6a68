"""A closed incident was verified, where its level asks for that.

Resolved means that somebody did something; verified means that somebody looked whether service is really back. The
level says `verify: true`; `unknown` does not count as verified. Not checked when the outcome is not `fixed`.

    before: state: closed
            times: {resolved: 2025-01-26T13:05:00Z, closed: 2025-01-26T14:00:00Z}
    after:  state: closed
            times: {resolved: ..., verified: 2025-01-26T13:20:00Z, closed: ...}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.as_of import current_instant
from incident_ops.domain.lifecycle import FIXED
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import known, rule_finding

ID = "verified"
LEVEL = Level.WARNING
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """`verified` of the current cycle, against the level."""
    incident = record.incident
    level = world.policy.level_of(incident)
    if not incident.is_closed or incident.outcome != FIXED or level is None or not level.verify:
        return
    if known(current_instant(incident, "verified")):
        return
    where = f"cycles[{len(incident.cycles) - 1}].verified" if incident.cycles else "times.verified"
    message = f"state is closed, but {where} is missing: {incident.severity or level.id} asks to verify first"
    hint = f"incident-ops close {incident.id} --verified; if it was earlier: --at WHEN"
    yield rule_finding(ID, LEVEL, ("state",), message, hint)
