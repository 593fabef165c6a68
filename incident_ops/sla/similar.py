"""Incidents that are alike: perhaps one problem behind them all (R62, R69)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from incident_ops.lifecycle import FIXED
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import UNKNOWN, shift
from incident_ops.sla.facts import declared_at
from incident_ops.sla.targets import seconds_of

Neighbours = Mapping[str, Sequence[tuple[datetime, Incident]]]
"""Incidents by service, each with the instant of its declaration, the earliest first."""


def neighbours(incidents: Iterable[Incident]) -> Neighbours:
    """Incidents by service, those left out that never make a pattern: drills, and what was no incident after all."""
    found: dict[str, list[tuple[datetime, Incident]]] = defaultdict(list)
    for incident in incidents:
        if _counts(incident):
            at = declared_at(incident)
            for service in incident.services:
                found[service].append((at, incident))
    for of in found.values():
        of.sort(key=_when)
    return found


def similar(incident: Incident, among: Neighbours, policy: Policy, now: datetime) -> list[str]:
    """The ids of the incidents that make a pattern with this one, its own among them; empty below the policy's count.

    Same service and same cause category (or a tag in common), declared within the window that ends with this one.
    Whoever is linked to it, or belongs to a problem already, makes no pattern with it (R69).
    """
    pattern = policy.escalation.pattern
    if not pattern.count or not pattern.window or not _counts(incident) or incident.problem:
        return []
    end = declared_at(incident)
    begin = shift(end, -seconds_of(pattern.window))
    found = {incident.id}
    for service in incident.services:
        there = among.get(service, ())
        first, last = bisect_left(there, begin, key=_when), bisect_right(there, min(end, now), key=_when)
        found.update(other.id for _, other in there[first:last] if _is_alike(incident, other))
    return sorted(found) if len(found) >= pattern.count else []


def _is_alike(one: Incident, other: Incident) -> bool:
    if other.problem or one.id in other.related or other.id in one.related:
        return False
    same = _category(one) is not None and _category(one) == _category(other)
    return same or not set(one.tags).isdisjoint(other.tags)


def _category(incident: Incident) -> str | None:
    category = incident.cause.category if incident.cause else None
    return None if category == UNKNOWN else category


def _counts(incident: Incident) -> bool:
    return not incident.drill and incident.outcome == FIXED and incident.duplicate_of is None


def _when(pair: tuple[datetime, Incident]) -> datetime:
    return pair[0]
