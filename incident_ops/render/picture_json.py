"""One incident as the JSON of `show`."""

from __future__ import annotations

from typing import Any

from incident_ops.lifecycle import OVER, effective, phase, public_status
from incident_ops.model.incident import Incident
from incident_ops.model.time import stamp
from incident_ops.render.findings import dump
from incident_ops.render.picture import View, begun, impact_seconds, last_events, last_update, next_item
from incident_ops.render.sla import clock_data


def to_json(view: View) -> str:
    """What the picture shows, uncut, in a fixed order; `clocks_unknown` says why there are no clocks."""
    record, incident = view.record, view.record.incident
    over = incident.state in OVER
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(view.now),
        "id": incident.id,
        "file": record.path,
        "title": incident.title,
        "severity": incident.severity,
        "priority": incident.priority,
        "state": incident.state,
        "outcome": incident.outcome,
        "phase": phase(incident),
        "public_status": public_status(incident),
        "services": list(incident.services),
        "pending": record.pending,
        "drill": incident.drill,
        "visibility": incident.visibility,
        "declared": effective(incident)["times.declared"],
        "age_seconds": None if over else int((view.now - begun(incident)).total_seconds()),
        "impact_seconds": impact_seconds(incident) if over else None,
        "impact": incident.impact.summary,
        "roles": _roles(incident),
        "assigned_to": incident.assignments[-1].to if incident.assignments else None,
        "last_update": _update(view),
        "clocks": [] if isinstance(view.clocks, str) else [clock_data(one) for one in view.clocks],
        "timeline": _events(view),
        "action_items": _items(view),
        "links": {name: link for name in incident.links.__struct_fields__ if (link := getattr(incident.links, name))},
        "next": list(view.next),
    }
    if isinstance(view.clocks, str):
        data["clocks_unknown"] = view.clocks
    return dump(data)


def _roles(incident: Incident) -> dict[str, Any]:
    held = incident.roles
    return {name: getattr(held, name) for name in held.__struct_fields__ if name != "others"} | {
        "others": dict(held.others)
    }


def _update(view: View) -> dict[str, Any] | None:
    told = last_update(view.record.incident, view.now)
    if told is None:
        return None
    age, update = told
    return {
        "at": update.at,
        "age_seconds": age,
        "audience": update.audience,
        "status": update.status,
        "text": update.text,
        "eta": update.eta,
    }


def _events(view: View) -> list[dict[str, Any]]:
    last = last_events(view.record.incident, view.now)
    return [{"at": one.at, "kind": one.kind, "event": one.event, "by": one.by} for one in last]


def _items(view: View) -> dict[str, Any]:
    incident = view.record.incident
    item = next_item(incident)
    first = None if item is None else {"id": item.id, "title": item.title, "owner": item.owner, "due": item.due}
    return {
        "total": len(incident.action_items),
        "open": len(incident.open_items),
        "late": len(view.late),
        "next": first,
    }
