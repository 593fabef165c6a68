"""It came back: a new cycle of the same incident (C16)."""

from __future__ import annotations

from datetime import datetime

from incident_ops.doors.moving import move, refused, spelled
from incident_ops.doors.step import Step, row
from incident_ops.errors import UserError
from incident_ops.lifecycle import CLOSED, FIXED, OVER, REOPENED
from incident_ops.model.edit import Append, Edit, Set
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import duration, parse_instant, stamp


def reopen(incident: Incident, policy: Policy, now: datetime, by: str | None, reason: str) -> Step:
    """Moves from resolved or closed to reopened and begins an entry of `cycles`.

    UserError where the incident is not over, was closed longer ago than `states.auto_reopen`, or is a duplicate.
    """
    if incident.state not in OVER:
        raise refused(incident, policy, "reopened", "it is still open: only a resolved or closed one can be")
    if incident.duplicate_of is not None:
        hint = f"reopen {incident.duplicate_of}, of which it is a duplicate"
        raise UserError(f"{incident.id} is a duplicate", hint=hint)
    _must_be_recent(incident, policy, now)
    moved = move(incident, policy, REOPENED, now, by, reason=reason)
    edits: list[Edit] = [Append(("cycles",), {"reopened": stamp(now)})]
    if incident.outcome != FIXED:
        edits.append(Set(("outcome",), FIXED))
    event = row(now, "status", f"Reopened: {reason}", by)
    return Step((*edits, *moved, event), (f"reopened ({spelled(incident, policy, REOPENED)})",))


def _must_be_recent(incident: Incident, policy: Policy, now: datetime) -> None:
    limit = policy.states.auto_reopen
    if limit is None or incident.state != CLOSED:
        return
    closed = next((change.at for change in reversed(incident.changes) if change.new == CLOSED), None)
    if closed is not None and (now - parse_instant(closed)).total_seconds() > duration(limit):
        raise UserError(
            f"{incident.id} was closed at {closed}, more than {limit} ago: it cannot be reopened",
            hint="declare a new incident, and name this one in `related`",
        )
