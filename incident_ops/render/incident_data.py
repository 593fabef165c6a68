"""One incident as the JSON of `show`: what the screen shows, uncut."""

from __future__ import annotations

from typing import Any

import msgspec

from incident_ops.domain.as_of import corrected_instants, phase
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER, PENDING, known_outcome
from incident_ops.domain.public_updates import public_status
from incident_ops.domain.time import stamp
from incident_ops.domain.waits import snoozed_until, user_wait
from incident_ops.render.findings import json_text
from incident_ops.render.incident import IncidentView, cycle_began, impact_seconds, last_events, last_update, next_item
from incident_ops.render.sla import clock_data, phase_data


def to_json(view: IncidentView) -> str:
    """What the screen shows, uncut, in a fixed order.

    `clocks_unknown` says why there are no clocks, `undated` what a view of an earlier time leaves out.
    """
    record, incident = view.record, view.record.incident
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(view.now),
        "id": incident.id,
        "kind": view.kind,
        "file": record.path,
        "title": incident.title,
        "severity": incident.severity,
        "priority": incident.priority,
        "state": incident.state,
        "outcome": known_outcome(incident),
        "phase": phase(incident),
        "response_phase": phase_data(view.phase) if view.phase else None,
        "public_status": public_status(incident),
        "services": list(incident.services),
        **_teams(view),
        "pending": record.pending,
        "drill": incident.drill,
        "visibility": incident.visibility,
        "declared": corrected_instants(incident)["times.declared"],
        **_impact_data(view),
        "roles": _roles(incident),
        "commander_due": stamp(view.commander_due) if view.commander_due else None,
        "waiting": _waiting_data(view),
        "snooze": msgspec.to_builtins(incident.snooze) if snoozed_until(incident, view.now) else None,
        "assigned_to": incident.assignments[-1].to if incident.assignments else None,
        "last_update": _update_data(view),
        "clocks": [] if isinstance(view.clocks, str) else [clock_data(clock) for clock in view.clocks],
        "timeline": _events(view),
        "action_items": _items_data(view),
        "links": msgspec.to_builtins(incident.links),
        "related": msgspec.to_builtins(view.related),
        "next": list(view.next),
    }
    if isinstance(view.clocks, str):
        data["clocks_unknown"] = view.clocks
    if record.undated:
        data["undated"] = list(record.undated)
    return json_text(data)


def _teams(view: IncidentView) -> dict[str, Any]:
    """The teams of its services; nothing where no service has one."""
    teams = view.policy.teams_of(view.record.incident.services)
    return {} if teams is None else {"teams": teams}


def _impact_data(view: IncidentView) -> dict[str, Any]:
    incident = view.record.incident
    over = incident.state in OVER
    return {
        "age_seconds": None if over else int((view.now - cycle_began(incident)).total_seconds()),
        "impact_seconds": impact_seconds(incident) if over else None,
        "impact": incident.impact.summary,
        "impact_services": msgspec.to_builtins(incident.impact.services),
        "contributing": list(incident.cause.contributing) if incident.cause else [],
    }


def _roles(incident: Incident) -> dict[str, Any]:
    roles = incident.roles
    return {name: getattr(roles, name) for name in roles.__struct_fields__ if name != "others"} | {
        "others": dict(roles.others)
    }


def _update_data(view: IncidentView) -> dict[str, Any] | None:
    latest = last_update(view.record.incident, view.now)
    if latest is None:
        return None
    age, update = latest
    return {
        "at": update.at,
        "age_seconds": age,
        "audience": update.audience,
        "status": update.status,
        "text": update.text,
        "eta": update.eta,
    }


def _events(view: IncidentView) -> list[dict[str, Any]]:
    last = last_events(view.record.incident, view.now)
    return [{"at": event.at, "kind": event.kind, "event": event.event, "by": event.by} for event in last]


def _items_data(view: IncidentView) -> dict[str, Any]:
    incident = view.record.incident
    first = None
    if (following := next_item(incident, view.policy)) is not None:
        item, due = following
        dated = {"due": str(due.day) if due else None, "due_by": due.by if due else None}
        first = {"id": item.id, "title": item.title, "owner": item.owner, **dated}
    return {
        "total": len(incident.action_items),
        "open": len(incident.open_items),
        "late": len(view.late),
        "next": first,
    }


def _waiting_data(view: IncidentView) -> dict[str, Any] | None:
    """What is waited for; `pending_at` is None where it is pending already."""
    incident = view.record.incident
    wait = user_wait(incident, view.policy)
    if incident.state != PENDING and wait is None:
        return None
    pause = next((one for one in reversed(incident.pauses) if one.end is None), None)
    since = pause.start if pause else None
    return {
        "for": pause.waiting_for if pause else None,
        "since": stamp(wait.since) if wait else since,
        "pending_at": stamp(wait.pending_at) if wait else None,
    }
