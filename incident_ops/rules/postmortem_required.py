"""A closed incident has a final postmortem if its level requires one.

Not checked for drills, or when the outcome is not `fixed`.

    before: severity: SEV0
            state: closed
    after:  severity: SEV0
            state: closed
            postmortem: {status: final, ...}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "postmortem-required"
LEVEL = Level.WARNING
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """The postmortem of a closed incident."""
    incident = record.incident
    if not incident.is_closed or not world.policy.requires_postmortem(incident):
        return
    label = incident.severity or incident.priority
    if incident.postmortem is None:
        message = f"closed without a postmortem, which {label} requires"
        yield rule_finding(ID, LEVEL, ("state",), message, "postmortem: {status: draft, summary: ...}")
    elif incident.postmortem.status != "final":
        message = f"closed while the postmortem is in status {incident.postmortem.status}; {label} requires a final one"
        yield rule_finding(ID, LEVEL, ("postmortem", "status"), message, "finish the review")
