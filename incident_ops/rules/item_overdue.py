"""No open action item is past its due date.

An item is late after the end of that day, in the time zone of the policy's business calendar. Without a date of its
own it is due by its priority, else within `action_items.metric_days`. Only a warning: the passing of time never blocks
a merge.

    before: - {id: AI-1, status: open, due: 2025-02-01}      # it is 2025-02-02
    after:  - {id: AI-1, status: done, due: 2025-02-01, done_at: 2025-02-01}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.item_due import days_late, item_due
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "item-overdue"
LEVEL = Level.WARNING
TIMED = True


def check(record: Record, world: World) -> Iterator[Finding]:
    """Open items against today."""
    items = record.incident.action_items
    for index in days_late(record.incident, world.policy, world.now):
        item = items[index]
        due = item_due(item, record.incident, world.policy)
        owner = item.owner or "nobody"
        message = f"{item.id} was due on {due} and is {item.status.replace('_', ' ')} ({owner})"
        postpone = f"`incident-ops action edit {item.id} --due DATE`"
        hint = f"finish it, agree on another date ({postpone}), or say wont_do and why"
        place = ("action_items", index, "due") if item.due else ("action_items", index)
        yield rule_finding(ID, LEVEL, place, message, hint)
