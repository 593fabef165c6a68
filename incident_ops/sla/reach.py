"""Which incidents a change of the policy can reach at all; of the others both policies say the same."""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import Any

from incident_ops.model.incident import Incident
from incident_ops.model.policy import LevelPolicy, Policy
from incident_ops.sla.replay import retargeted
from incident_ops.sla.targets import business_calendar, targets


class Reach:
    """What differs between two policies for clocks and escalations, worked out once for each pair of labels."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self._old, self._new = old, new
        self._levels: dict[tuple[str | None, str | None], bool] = {}

    def covers(self, incident: Incident) -> bool:
        """False where clocks and escalations of the incident are the same under both policies for certain."""
        return self._everywhere or any(self._differs(incident, *pair) for pair in _labels(incident))

    def _differs(self, incident: Incident, severity: str | None, priority: str | None) -> bool:
        pair = severity, priority
        if pair not in self._levels:
            self._levels[pair] = _judged(self._old, *pair) != _judged(self._new, *pair)
        if self._levels[pair] or incident.policy is None:
            return self._levels[pair]
        before, after = self._old.duties(*pair), self._new.duties(*pair)
        if before is None or after is None:
            return before is not after
        return targets(incident, self._old, before) != targets(retargeted(incident), self._new, after)

    @cached_property
    def _everywhere(self) -> bool:
        return bool(_common(self._old) != _common(self._new))


def _labels(incident: Incident) -> product[tuple[str | None, str | None]]:
    """Every pair of labels it can have had."""
    had: dict[str, set[str | None]] = {"severity": {incident.severity}, "priority": {incident.priority}}
    for change in incident.changes:
        if change.field in had:
            had[change.field] |= {change.old, change.new}
    return product(had["severity"], had["priority"])


def _judged(policy: Policy, severity: str | None, priority: str | None) -> Any:
    level: LevelPolicy | None = policy.duties(severity, priority)
    return level, level and policy.calendar(level.calendar)


def _common(policy: Policy) -> Any:
    """What every incident is judged by, whatever its level."""
    contacts = policy.contacts
    above = {handle: person.manager for handle, person in contacts.people.items()}
    return (
        (policy.scheme.drives_clocks, policy.labels, policy.major_labels),
        (policy.escalation, above, contacts.roles, contacts.tiers, contacts.executive),
        (policy.action_items.due_by_priority, policy.releases, business_calendar(policy)),
        policy.tracker.identities,
    )
