"""A resolved incident says when service was restored, and what the cause was.

Without `restored` there is no duration, and without a cause nothing to learn from; `unknown` is accepted for both.
Not checked when the outcome is not `fixed`.

    before: state: resolved
            times: {declared: ..., acknowledged: ..., resolved: ...}
    after:  state: resolved
            times: {declared: ..., acknowledged: ..., restored: ..., resolved: ...}
            cause: {category: unknown}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.as_of import current_instant
from incident_ops.domain.lifecycle import FIXED, OVER
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "resolved-complete"
LEVEL = Level.ERROR
TIMED = False


def check(record: Record, _world: World) -> Iterator[Finding]:
    """`restored` of the current cycle, and the cause."""
    incident = record.incident
    if incident.state not in OVER or incident.outcome != FIXED:
        return
    if current_instant(incident, "restored") is None:
        where = f"cycles[{len(incident.cycles) - 1}].restored" if incident.cycles else "times.restored"
        message = f"state is {incident.state}, but {where} is missing"
        yield rule_finding(ID, LEVEL, ("state",), message, "when was service back? unknown is an answer")
    if incident.cause is None:
        message = f"state is {incident.state}, but cause is missing"
        yield rule_finding(ID, LEVEL, ("state",), message, "cause: {category: unknown} while it is not known")
