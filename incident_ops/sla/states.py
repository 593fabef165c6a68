"""States that time, or a person's word on the tracker, brings about (R79-R81): which, since when, and why."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from incident_ops.lifecycle import CLOSED, FIXED, PENDING, REOPENED, RESOLVED, current
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import instant, parse_instant, shift, stamp
from incident_ops.sla.activity import Seen, activity, said_by_people
from incident_ops.sla.facts import Facts, facts
from incident_ops.sla.targets import level_of, seconds_of

WAITING = "user"


class Move(NamedTuple):
    """A move of the state that is due: to which state, since which instant (aware UTC), and why."""

    incident: str
    key: str
    state: str
    due: datetime
    reason: str


def moves(incident: Incident, policy: Policy, now: datetime, seen: Seen) -> list[Move]:
    """The move that is due at `now`, none or one. `seen` is what the tracker shows of the incident.

    UserError for a record whose label is no level of the policy.
    """
    given = facts(incident, now)
    if given.state != incident.state:  # looked at from before its last move: later ones would not be legal
        return []
    found = _closing(given, policy, seen) or _waiting(given, policy) or _return(given, policy, seen)
    return [found] if found else []


def _closing(given: Facts, policy: Policy, seen: Seen) -> Move | None:
    """Resolved, and nobody did anything for `auto_close` (R79); never while a postmortem is owed that is not final."""
    limit, incident = policy.states.auto_close, given.incident
    if limit is None or given.state != RESOLVED or _owes_postmortem(incident, policy):
        return None
    done = activity(given, policy, seen.comments)
    over = instant(current(incident, "resolved"))
    last = max((*done, *([over] if over else [])), default=None)
    if last is None:
        return None
    due = shift(last, seconds_of(limit))
    return _move(given, CLOSED, due, f"No activity for {limit} since {stamp(last)}") if given.now > due else None


def _waiting(given: Facts, policy: Policy) -> Move | None:
    """A pause that waits for the user is on for longer than `auto_pending`, and the state does not say so (R80)."""
    limit, state = policy.states.auto_pending, given.state
    if limit is None or (state, PENDING) not in policy.states.moves:
        return None
    begins = [
        parse_instant(pause.start)
        for pause in given.incident.pauses
        if pause.waiting_for == WAITING and pause.end is None
    ]
    if not begins:
        return None
    due = shift(min(begins), seconds_of(limit))
    reason = f"Waiting for the user since {stamp(min(begins))}, longer than {limit}"
    return _move(given, PENDING, due, reason) if given.now > due else None


def _return(given: Facts, policy: Policy, seen: Seen) -> Move | None:
    """A person wrote under the issue of a closed incident, or opened it again, within `auto_reopen` (R81)."""
    limit, incident = policy.states.auto_reopen, given.incident
    closed = instant(current(incident, "closed")) or _closed_by_change(incident)
    if limit is None or given.state != CLOSED or closed is None or incident.duplicate_of is not None:
        return None
    last = shift(closed, seconds_of(limit))
    for at, _ in said_by_people(seen.comments, policy, given.now):
        if closed < at <= last:
            return _move(given, REOPENED, at, f"A person wrote at {stamp(at)}, within {limit} of the closing")
    if seen.reopened and closed < given.now <= last:
        return _move(given, REOPENED, given.now, f"A person opened the issue again within {limit} of the closing")
    return None


def _move(given: Facts, state: str, due: datetime, reason: str) -> Move:
    key = f"{given.incident.id}/state/{given.cycle}/{state}"
    return Move(given.incident.id, key, state, due, reason)


def _owes_postmortem(incident: Incident, policy: Policy) -> bool:
    level, text = level_of(incident, policy), incident.postmortem
    owed = level.postmortem.required and incident.outcome == FIXED and not incident.drill
    return owed and (text is None or text.status != "final")


def _closed_by_change(incident: Incident) -> datetime | None:
    found = [one.at for one in incident.changes if one.field == "state" and one.new == CLOSED]
    return parse_instant(found[-1]) if found else None
