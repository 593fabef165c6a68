"""The priority of an action item is one that the policy lists in `action_items.priorities`.

Items have a scale of their own, apart from the incident's. Where the policy lists no priorities, any will do.

    before: - {id: AI-1, title: Add alerts, priority: P9}
    after:  - {id: AI-1, title: Add alerts, priority: P2}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "item-priority"
LEVEL = Level.WARNING
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """The priority of every item that has one."""
    listed = world.policy.action_items.priorities
    for index, item in enumerate(record.incident.action_items):
        if listed and item.priority is not None and item.priority not in listed:
            message = f"{item.id} has priority {item.priority}, which the policy does not list"
            hint = f"one of {', '.join(listed)}, or add it to action_items.priorities"
            yield rule_finding(ID, LEVEL, ("action_items", index, "priority"), message, hint)
