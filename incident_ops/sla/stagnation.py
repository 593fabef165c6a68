"""How long an incident may lie still: since when nobody did anything for it, and when that escalates."""

from __future__ import annotations

from datetime import datetime

from incident_ops.domain.as_of import IncidentAt
from incident_ops.domain.lifecycle import PENDING
from incident_ops.domain.policy import Policy
from incident_ops.sla.activity import activity
from incident_ops.sla.calendar import MergedPauses, due
from incident_ops.sla.targets import calendar_of, level_of, seconds_of


def last_activity(view: IncidentAt, policy: Policy) -> datetime:
    """When somebody last did anything for an incident, by its record; its declaration counts."""
    return max((view.cycle_start, *activity(view, policy)[-1:]))


def stagnates_at(view: IncidentAt, policy: Policy) -> datetime | None:
    """When the present silence escalates; None where the level has no such rule, or the incident waits or is over.

    UserError as `level_of`.
    """
    policy = policy.for_incident(view.incident)
    level = level_of(view.incident, policy)
    waits = view.state == PENDING or view.resolved.ended or view.is_retroactive
    if not level.stagnation or waits:
        return None
    pauses = MergedPauses(view.closed_pauses(policy.states.pausing))
    return due(last_activity(view, policy), seconds_of(level.stagnation), calendar_of(level, policy), pauses)
