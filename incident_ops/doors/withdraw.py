"""No incident after all: a false alarm, a duplicate, or withdrawn."""

from __future__ import annotations

from datetime import datetime

from incident_ops.doors.moving import move, refused, spelled
from incident_ops.doors.step import Step, row, words
from incident_ops.errors import UserError
from incident_ops.lifecycle import CLOSED
from incident_ops.model.edit import Edit, Set
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy

OUTCOMES = ("false_alarm", "duplicate", "withdrawn")
DUPLICATE = "duplicate"


def withdraw(
    incident: Incident, policy: Policy, now: datetime, by: str | None, outcome: str, reason: str, of: str | None
) -> Step:
    """Any open state goes to closed with an outcome that keeps it out of metrics; `of` is the incident it repeats."""
    if incident.state == CLOSED:
        first = f"`incident-ops reopen {incident.id} --reason TEXT` first"
        raise refused(incident, policy, "withdrawn", f"it was closed as {words(incident.outcome)}; {first}")
    if (outcome == DUPLICATE) != (of is not None):
        raise UserError("--of INC goes with --as duplicate", hint="--as duplicate --of INC-...")
    if of == incident.id:
        raise UserError(f"{incident.id} cannot be a duplicate of itself", hint="name the other one")
    edits: list[Edit] = [Set(("outcome",), outcome)]
    if of is not None:
        edits.append(Set(("duplicate_of",), of))
    edits += move(incident, policy, CLOSED, now, by, reason=reason, outcome=outcome)
    kind = f"duplicate of {of}" if of else words(outcome)
    told = f"closed as {kind} ({spelled(incident, policy, CLOSED, outcome)})"
    return Step((*edits, row(now, "status", f"Closed as {kind}: {reason}", by)), (told,))
