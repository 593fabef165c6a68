"""Who has taken over an incident from somebody else, and still has it."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from incident_ops.domain.incident import Incident
from incident_ops.domain.time import parse_instant

_ASSIGNEE, _COMMANDER = "assignee", "commander"


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
