"""Who has taken over an incident from somebody else, and whom the present phase of the response brings in."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from incident_ops.domain.as_of import IDENTIFIED, IncidentAt, assignee_at, current_instant, known_status
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import ASSIGNED, NEW, OVER, TRIAGED
from incident_ops.domain.policy_sections import ON_CALL, Contacts, Routing
from incident_ops.domain.time import instant, parse_instant

_ASSIGNEE, _COMMANDER = "assignee", "commander"
_FIRST, _INVESTIGATION, _FIX, _DEPLOYMENT, _DOCUMENTATION = (
    "initial_response",
    "investigation",
    "fix",
    "deployment",
    "documentation",
)
_PHASES = (_FIRST, _INVESTIGATION, _FIX, _DEPLOYMENT, _DOCUMENTATION)


class Takeover(NamedTuple):
    """`whom` has the `role` since an instant (aware UTC), and `before` had it."""

    at: datetime
    role: str
    whom: str
    before: str


def takeovers(incident: Incident, now: datetime) -> list[Takeover]:
    """The changes of assignee and commander that are in force; not the first of each, who relieves nobody, nor whoever
    gave the command to themselves."""
    dated = sorted(
        ((parse_instant(one.at), place, one.to) for place, one in enumerate(incident.assignments)),
        key=lambda entry: entry[:2],
    )
    found = []
    for (_, _, before), (at, _, whom) in reversed(list(pairwise(entry for entry in dated if entry[0] <= now))):
        if whom != before:
            found.append(Takeover(at, _ASSIGNEE, whom, before))
            break
    for change in reversed(incident.changes):
        if change.field != "roles.commander" or (at := parse_instant(change.at)) > now:
            continue
        if change.old and change.new and change.new == incident.roles.commander and change.by != change.new:
            found.append(Takeover(at, _COMMANDER, change.new, change.old))
        break
    return found


class BroughtIn(NamedTuple):
    """`whom` (a handle or a role) the routing names for a phase that began at an instant (aware UTC)."""

    at: datetime
    phase: str
    whom: str
    leads: bool


def came_on_call(view: IncidentAt, contacts: Contacts) -> tuple[datetime, list[str]] | None:
    """The last change of who is on call since the cycle began: when (aware UTC), and whom it brought who does not have
    the incident already. None without a change."""
    changes = contacts.on_call_changes(ON_CALL, view.cycle_start, view.now)
    if not changes:
        return None
    before = contacts.handles(ON_CALL, changes[-1] - timedelta(microseconds=1))
    there = {*before, assignee_at(view.incident, view.now), view.incident.roles.commander}
    return changes[-1], [who for who in contacts.handles(ON_CALL, changes[-1]) if who not in there]


def response_phase(incident: Incident) -> str:
    """The phase that `routing.by_phase` speaks of: from the first response to the documentation."""
    if incident.state in OVER:
        return _DOCUMENTATION
    if incident.state in (NEW, TRIAGED, ASSIGNED):
        return _FIRST
    status = known_status(incident)
    if status == IDENTIFIED:
        return _DEPLOYMENT if incident.times.mitigated and not incident.cycles else _FIX
    return _INVESTIGATION if status == "investigating" else _DEPLOYMENT


def brought_in(view: IncidentAt, routing: Routing) -> list[BroughtIn]:
    """Those whom the present phase brings in: who was named for the phase before it is there already. None in the first
    phase, whose people hear of the declaration, nor where it is not known when the phase began, nor where that was
    before a reopening."""
    phase = response_phase(view.incident)
    place, at = _PHASES.index(phase), _began(view, phase)
    route = routing.by_phase.get(phase)
    if route is None or at is None or view.is_cancelled or (view.cycle > 1 and at < view.cycle_start):
        return []
    before = (routing.by_phase[one] for one in reversed(_PHASES[:place]) if one in routing.by_phase)
    there = next(({*one.lead, *one.supporting} for one in before), set())
    people = {**dict.fromkeys(route.supporting, False), **dict.fromkeys(route.lead, True)}
    return [BroughtIn(at, phase, whom, leads) for whom, leads in people.items() if whom not in there]


def _began(view: IncidentAt, phase: str) -> datetime | None:
    if phase == _INVESTIGATION:
        return view.acknowledged.at
    if phase == _FIX:
        return view.diagnosed.at
    if phase == _DOCUMENTATION:
        return view.resolved.at
    if phase != _DEPLOYMENT:
        return None
    mitigated = None if view.incident.cycles else view.at("times.mitigated")
    ended = (mitigated, instant(current_instant(view.incident, "restored")))
    return min((at for at in ended if at), default=None)
