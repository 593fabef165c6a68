"""The escalations of an incident told again from the beginning, as runs at every instant would have told them.

What people did stays as it was, escalations by hand among it; what rules had found before is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import structs

from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.sla.activity import NOTHING_SEEN, Seen
from incident_ops.sla.escalation import MANUAL, Due, escalations

_MOMENT = timedelta(microseconds=1)


def replay(
    incident: Incident, policy: Policy, now: datetime, seen: Seen = NOTHING_SEEN, pattern: Sequence[str] = ()
) -> list[Due]:
    """The escalations by rule up to `now` (aware UTC) that somebody was to be told of at their own due instant.

    UserError as `sla.escalation.escalations`.
    """
    bare = structs.replace(incident, escalations=[one for one in incident.escalations if one.rule == MANUAL])
    told: list[Due] = []
    for at in sorted({one.due for one in escalations(bare, policy, now, seen, pattern) if one.recorded is None}):
        then = escalations(bare, policy, at + _MOMENT, seen, pattern)
        told += [one for one in then if one.due == at and not one.superseded and one.recorded is None]
    return told


def retargeted(incident: Incident) -> Incident:
    """The incident as if it were declared under another policy: the targets of its declaration are forgotten."""
    return structs.replace(incident, policy=None)
