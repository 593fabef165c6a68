"""States that time, or a person's word on the tracker, brings about (R79-R81): which, since when, and why.

Of which incidents the comments matter, and since when: the tracker is asked about no other (R59, R61, R79, R81).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, current_instant
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import CLOSED, PENDING, REOPENED, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import instant, parse_instant, shift, stamp
from incident_ops.sla.activity import Seen, activity, said_by_people
from incident_ops.sla.targets import seconds_of

WAITING = "user"


class StateMove(NamedTuple):
    """A move of the state that is due: to which state, since which instant (aware UTC), and why."""

    incident: str
    key: str
    state: str
    due: datetime
    reason: str


def due_moves(view: IncidentAt, policy: Policy, seen: Seen) -> list[StateMove]:
    """The move that is due now, none or one. `seen` is what the tracker shows of the incident."""
    if view.state != view.incident.state:  # looked at from before its last move: later ones would not be legal
        return []
    found = _closing(view, policy, seen) or _waiting(view, policy) or _return(view, policy, seen)
    return [found] if found else []


def _closing(view: IncidentAt, policy: Policy, seen: Seen) -> StateMove | None:
    """Resolved, and nobody did anything for `auto_close` (R79); never before a postmortem that is required is final."""
    limit, incident = policy.states.auto_close, view.incident
    if limit is None or view.state != RESOLVED or policy.level_of(incident) is None:
        return None
    if policy.requires_postmortem(incident) and not _is_postmortem_final(incident):
        return None
    done = activity(view, policy, seen.comments)
    over = instant(current_instant(incident, "resolved"))
    last = max((*done, *([over] if over else [])), default=None)
    if last is None:
        return None
    due = shift(last, seconds_of(limit))
    return _move(view, CLOSED, due, f"No activity for {limit} since {stamp(last)}") if view.now > due else None


def _waiting(view: IncidentAt, policy: Policy) -> StateMove | None:
    """A pause that waits for the user is on for longer than `auto_pending`, and the state does not say so (R80)."""
    limit, state = policy.states.auto_pending, view.state
    if limit is None or (state, PENDING) not in policy.states.moves:
        return None
    begins = [
        parse_instant(pause.start)
        for pause in view.incident.pauses
        if pause.waiting_for == WAITING and pause.end is None
    ]
    if not begins:
        return None
    due = shift(min(begins), seconds_of(limit))
    reason = f"Waiting for the user since {stamp(min(begins))}, longer than {limit}"
    return _move(view, PENDING, due, reason) if view.now > due else None


def _return(view: IncidentAt, policy: Policy, seen: Seen) -> StateMove | None:
    """A person wrote under the issue of a closed incident, or opened it again, within `auto_reopen` (R81)."""
    limit, incident = policy.states.auto_reopen, view.incident
    closed = instant(current_instant(incident, "closed")) or _closed_by_change(incident)
    if limit is None or view.state != CLOSED or closed is None or incident.duplicate_of is not None:
        return None
    last = shift(closed, seconds_of(limit))
    for at, _ in said_by_people(seen.comments, policy, view.now):
        if closed < at <= last:
            return _move(view, REOPENED, at, f"A person wrote at {stamp(at)}, within {limit} of the closing")
    if seen.reopened and closed < view.now <= last:
        return _move(view, REOPENED, view.now, f"A person opened the issue again within {limit} of the closing")
    return None


def _move(view: IncidentAt, state: str, due: datetime, reason: str) -> StateMove:
    key = f"{view.incident.id}/state/{view.cycle}/{state}"
    return StateMove(view.incident.id, key, state, due, reason)


def _is_postmortem_final(incident: Incident) -> bool:
    return incident.postmortem is not None and incident.postmortem.status == "final"


def _closed_by_change(incident: Incident) -> datetime | None:
    found = [one.at for one in incident.changes if one.field == "state" and one.new == CLOSED]
    return parse_instant(found[-1]) if found else None


_LATE = timedelta(days=1)
"""How late a run may look for a word that was said within the window of `auto_reopen`."""


def watched_since(view: IncidentAt, policy: Policy) -> datetime | None:
    """Since when people's comments on an incident bear on what is due at `now`; None where they do not.

    A comment is activity (stagnation, deferral, auto-close), may hold a keyword, or brings a closed incident back.
    """
    incident, now = view.incident, view.now
    level = policy.level_of(incident)
    if level is None or now < view.declared:
        return None
    if view.state == CLOSED:
        limit, closed = policy.states.auto_reopen, instant(current_instant(incident, "closed"))
        if limit is None or closed is None or incident.duplicate_of is not None:
            return None
        return closed if now <= shift(closed, seconds_of(limit) + _LATE.total_seconds()) else None
    if view.is_cancelled:
        return None
    if view.state == RESOLVED:
        return instant(current_instant(incident, "resolved")) if policy.states.auto_close else None
    told = policy.escalation.keywords or level.stagnation or (level.escalate_at and level.defer_if_active_within)
    return view.declared if told else None
