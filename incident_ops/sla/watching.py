"""Of which incidents the comments matter, and since when: the tracker is asked about no other (R59, R61, R79, R81)."""

from __future__ import annotations

from datetime import datetime, timedelta

from incident_ops.lifecycle import CLOSED, RESOLVED, current
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import instant, shift
from incident_ops.sla.facts import declared, facts
from incident_ops.sla.targets import seconds_of

_LATE = timedelta(days=1)
"""How late a run may look for a word that was said within the window of `auto_reopen`."""


def watched_since(incident: Incident, policy: Policy, now: datetime) -> datetime | None:
    """Since when people's comments on an incident bear on what is due at `now`; None where they do not.

    A comment is activity (stagnation, deferral, auto-close), may hold a keyword, or brings a closed incident back.
    """
    given = facts(incident, now)
    level = policy.duties(incident.severity, incident.priority)
    if level is None or now < declared(given):
        return None
    if given.state == CLOSED:
        limit, closed = policy.states.auto_reopen, instant(current(incident, "closed"))
        if limit is None or closed is None or incident.duplicate_of is not None:
            return None
        return closed if now <= shift(closed, seconds_of(limit) + _LATE.total_seconds()) else None
    if given.is_cancelled:
        return None
    if given.state == RESOLVED:
        return instant(current(incident, "resolved")) if policy.states.auto_close else None
    told = policy.escalation.keywords or level.stagnation or (level.escalate_at and level.defer_if_active_within)
    return declared(given) if told else None
