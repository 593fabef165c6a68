"""By when an incident must have a commander: the window that its level gives (`levels[].ic`).

It begins with the first level that asks for one, be that at the declaration or at a later change. A change between two
levels that both ask keeps its beginning; nobody is late for the time before, and a delay that there was stays.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from incident_ops.domain.as_of import labels_held
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.policy import Policy


def commander_due(incident: Incident, policy: Policy, now: datetime) -> datetime | None:
    """The instant (aware UTC) by which somebody must be in command; it may lie ahead, or be past.

    None where somebody is, where the incident is over, and where its level at `now` asks for nobody.
    """
    if incident.roles.commander or incident.state in OVER:
        return None
    due: datetime | None = None
    for number, (at, severity, priority) in enumerate(labels_held(incident)):
        if number and at > now:
            break
        level = policy.duties(severity, priority)
        if level is None or level.ic_after is None:
            due = None
            continue
        window = timedelta(seconds=level.ic_after)
        if due is None:
            begin, due = at, at + window
        elif due > at:
            due = max(at, begin + window)
    return due
