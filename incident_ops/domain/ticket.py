"""Tickets: what a level with `declare: false` makes.

A record is a ticket as long as no level that it has had declares an incident. Raising it over that line, or giving it
its first major level, makes it an incident at that instant. Once an incident, always an incident: lowering it ends the
duties of the higher level (`Policy.duties`), not the label and not the metrics.
"""

from __future__ import annotations

from datetime import datetime

from incident_ops.domain.as_of import declared_at, labels_held
from incident_ops.domain.incident import Incident
from incident_ops.domain.memo import memoised
from incident_ops.domain.policy import Policy

INCIDENT, TICKET = "incident", "ticket"
BECOMES_INCIDENT = "the ticket is an incident from now on"


def is_ticket(incident: Incident, policy: Policy, now: datetime | None = None) -> bool:
    """True for a record that has not been an incident up to `now` (aware UTC; None = as the record is written).

    One without a level of the policy counts as an incident.
    """
    level = policy.level_of(incident)
    if now is None and level is not None and level.declare:
        return False
    since = became_incident_at(incident, policy)
    return since is None or (now is not None and declared_at(incident) < since and now < since)


def kind_of(incident: Incident, policy: Policy, now: datetime | None = None) -> str:
    """INCIDENT or TICKET, the word that outputs and labels use."""
    return TICKET if is_ticket(incident, policy, now) else INCIDENT


@memoised
def became_incident_at(incident: Incident, policy: Policy) -> datetime | None:
    """The instant (aware UTC) from which a record is an incident; None for a ticket.

    That is its declaration, unless the levels it had first declare no incident: then the change to the first one that
    does. New duties start there: response, diagnosis and updates; the resolution keeps its origin.
    """
    duties = ((since, policy.duties(severity, priority)) for since, severity, priority in labels_held(incident))
    levels = [(since, level) for since, level in duties if level is not None]
    if not levels:
        return declared_at(incident)
    return next((since for since, level in levels if level.declare), None)
