"""Somebody takes the incident: in progress from now on, and the response clock stops."""

from __future__ import annotations

from datetime import datetime

from incident_ops.doors.moving import left, move, path, refused, spelled
from incident_ops.doors.step import Step, row, said, words
from incident_ops.lifecycle import ASSIGNED, IN_PROGRESS, OVER, PENDING, effective
from incident_ops.model.edit import Append, Edit
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import stamp


def ack(incident: Incident, policy: Policy, now: datetime, by: str | None) -> Step:
    """Moves to in progress and writes `times.acknowledged` where it is missing (R76).

    Whoever acknowledges an incident that nobody is assigned to has taken it. Twice is no error.
    """
    if incident.state == IN_PROGRESS:
        at = effective(incident).get("times.acknowledged", "an instant that was not written down")
        return Step((), (f"was acknowledged already, at {at}; nothing changed",))
    if incident.state in OVER:
        raise refused(incident, policy, "acknowledged", f"`incident-ops reopen {incident.id} --reason TEXT` first")
    if incident.state == PENDING:
        waits = words(left(incident) or "before")
        hint = f"`incident-ops pause {incident.id} --end` first: it goes back to {waits}"
        raise refused(incident, policy, "acknowledged", hint)
    edits: tuple[Edit, ...] = move(incident, policy, IN_PROGRESS, now, by)
    if ASSIGNED in path(incident, policy, IN_PROGRESS) and not incident.assignments and by is not None:
        edits = (*edits, Append(("assignments",), said(at=stamp(now), to=by)))
    who = f" by {by}" if by else ""
    told = f"acknowledged{who} ({spelled(incident, policy, IN_PROGRESS)})"
    return Step((*edits, row(now, "status", "Acknowledged", by)), (told,))
