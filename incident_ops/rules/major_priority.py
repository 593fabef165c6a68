"""A major incident has a priority that is as urgent as its severity.

Where a scheme has both, the priority gives the times to respond and to resolve. A priority that is milder than the one
the triage rules give beside that severity makes the most urgent incident wait for hours. Checked until it is closed.

    before: severity: SEV-1
            priority: P4
    after:  severity: SEV-1
            priority: P1
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "major-priority"
LEVEL = Level.WARNING
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """The priority beside the severity of a major incident."""
    incident = record.incident
    wanted = None if incident.is_closed else world.policy.wanted_priority(incident.severity, incident.priority)
    if wanted is not None:
        severity, priority = incident.severity, incident.priority
        message = f"{priority} beside {severity}: the triage rules give {severity} a {wanted}"
        hint = f"priority: {wanted}, or a severity that fits {priority}"
        yield rule_finding(ID, LEVEL, ("priority",), message, hint)
