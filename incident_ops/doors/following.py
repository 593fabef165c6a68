"""What an incident asks for next: a command or a place a line, the most urgent first."""

from __future__ import annotations

from incident_ops.lifecycle import (
    ASSIGNED,
    CLOSED,
    IN_PROGRESS,
    NEW,
    PENDING,
    REOPENED,
    RESOLVED,
    TRIAGED,
    current,
)
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy


def following(incident: Incident, policy: Policy) -> tuple[str, ...]:
    """What comes next from the state, the roles and the instants; empty where nothing is asked any more.

    `@who` and `"..."` stand for what only a person knows; commands refuse them as they are.
    """
    level = policy.duties(incident.severity, incident.priority)
    asks = []
    working = incident.state in (NEW, TRIAGED, ASSIGNED, IN_PROGRESS, REOPENED)
    if working and not incident.roles.commander and level is not None and level.ic_after is not None:
        asks.append(f"incident-ops assign commander @who {incident.id}")
    by_state = {
        **dict.fromkeys((NEW, TRIAGED, ASSIGNED, REOPENED), f"incident-ops ack {incident.id}"),
        PENDING: f"incident-ops pause {incident.id} --end",
        RESOLVED: f"incident-ops close {incident.id} --verified",
    }
    if incident.state in by_state:
        asks.append(by_state[incident.state])
    if incident.state == IN_PROGRESS:
        asks.append(_progress(incident))
    if incident.state in (RESOLVED, CLOSED) and level is not None and level.postmortem.required and _is_due(incident):
        asks.append(f"write `postmortem` in incidents/{incident.id}/incident.yaml")
    return tuple(asks)


def _progress(incident: Incident) -> str:
    if current(incident, "restored") is None and not incident.updates:
        return f'incident-ops update {incident.id} --internal "..."'
    return f"incident-ops resolve {incident.id}"


def _is_due(incident: Incident) -> bool:
    final = incident.postmortem is not None and incident.postmortem.status == "final"
    return not final and incident.outcome == "fixed" and not incident.drill
