"""The record is closed: restoration is verified, the team stood down, the postmortem final (R88, R89)."""

from __future__ import annotations

from datetime import datetime

from incident_ops.doors.moving import instant_edit, move, path, refused, spelled
from incident_ops.doors.step import Step, row, words
from incident_ops.lifecycle import CLOSED, FIXED, RESOLVED, current, effective
from incident_ops.model.edit import Edit, Set
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import stamp


def close(
    incident: Incident,
    policy: Policy,
    now: datetime,
    by: str | None,
    *,
    verified: bool = False,
    stood_down: bool = False,
) -> Step:
    """Moves from resolved to closed; warns where nobody verified, or a postmortem that is owed is not final."""
    if incident.state == CLOSED:
        return Step((), (f"was closed already, at {current(incident, 'closed')}; nothing changed",))
    if incident.state != RESOLVED:
        way = " -> ".join(map(words, (incident.state, *path(incident, policy, CLOSED))))
        hint = f"the way is {way}: `incident-ops resolve {incident.id}` first; no incident at all: `withdraw`"
        raise refused(incident, policy, "closed", hint)
    at = stamp(now)
    edits: list[Edit] = []
    told = [f"closed ({spelled(incident, policy, CLOSED)})"]
    if verified and current(incident, "verified") is None:
        edits.append(instant_edit(incident, "verified", at))
        told.append(f"restoration verified at {at}")
    if stood_down and "times.stood_down" not in effective(incident):
        edits.append(Set(("times", "stood_down"), at))
        told.append(f"team stood down at {at}")
    edits += [*move(incident, policy, CLOSED, now, by), row(now, "status", "Closed", by)]
    return Step(tuple(edits), tuple(told), _guards(incident, policy, verified))


def _guards(incident: Incident, policy: Policy, verified: bool) -> tuple[str, ...]:
    told = []
    if not verified and current(incident, "verified") is None:
        told.append("closed without anybody having verified that service is restored; say it with --verified")
    level = policy.duties(incident.severity, incident.priority)
    owed = level is not None and level.postmortem.required and incident.outcome == FIXED and not incident.drill
    status = incident.postmortem.status if incident.postmortem else None
    if owed and status != "final":
        label = incident.severity or incident.priority
        told.append(f"{label} requires a postmortem, and it is " + (f"in status {status}" if status else "not begun"))
    return tuple(told)
