"""Waiting for somebody outside: pending, and back to the state that was left (R82, C16)."""

from __future__ import annotations

from datetime import datetime

from incident_ops.doors.moving import left, move, refused, spelled
from incident_ops.doors.step import Step, row, said, words
from incident_ops.errors import UserError
from incident_ops.lifecycle import CLOSED, PENDING
from incident_ops.model.edit import Append
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import stamp

WAITING_FOR = ("user", "vendor", "approval")


def pause(
    incident: Incident, policy: Policy, now: datetime, by: str | None, waiting_for: str, reason: str | None
) -> Step:
    """Any open state goes to pending, and a pause begins that says what is waited for."""
    if incident.state == PENDING:
        waits = incident.pauses[-1].waiting_for if incident.pauses else "somebody"
        raise refused(incident, policy, "paused again", f"it waits for {waits} already; `--end` ends that")
    if incident.state == CLOSED:
        raise refused(incident, policy, "paused", f"`incident-ops reopen {incident.id} --reason TEXT` first")
    entry = Append(("pauses",), said(from_=stamp(now), waiting_for=waiting_for, reason=reason))
    moved = move(incident, policy, PENDING, now, by, reason=reason)
    told = f"paused, waiting for {waiting_for} ({spelled(incident, policy, PENDING)})"
    event = row(now, "status", f"Waiting for {waiting_for}" + (f": {reason}" if reason else ""), by)
    return Step((*moved, entry, event), (told,))


def end_pause(incident: Incident, policy: Policy, now: datetime, by: str | None) -> Step:
    """Back to the state that was left; the pause gets its end."""
    if incident.state != PENDING:
        raise refused(incident, policy, "resumed", "no pause is open")
    back = left(incident)
    if back is None:
        hint = "mend the last entry of changes: it must end in pending"
        raise UserError(f"{incident.id} is pending, but its changes do not say which state was left", hint=hint)
    moved = move(incident, policy, back, now, by)
    told = f"the wait is over ({spelled(incident, policy, back)})"
    return Step((*moved, row(now, "status", f"The wait is over: {words(back)} again", by)), (told,))
