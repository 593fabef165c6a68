"""An action item that is done says when, and one that will not be done says why.

The date is used for the time to completion; `unknown` is accepted. Whoever asked for the item deserves a reason.

    before: - {id: AI-1, title: Add alerts, status: done}
            - {id: AI-2, title: Rewrite it, status: wont_do}
    after:  - {id: AI-1, title: Add alerts, status: done, done_at: 2025-02-01}
            - {id: AI-2, title: Rewrite it, status: wont_do, reason: replaced by AI-3}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "item-done"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check(record: Record, _world: World) -> Iterator[Finding]:
    """`done_at` of done items, `reason` of those that will not be done."""
    for index, item in enumerate(record.incident.action_items):
        route = ("action_items", index, "status")
        if item.status == "done" and item.done_at is None:
            hint = "done_at: the date, or unknown; evidence: a link to what was done"
            yield rule_finding(ID, Level.WARNING, route, f"{item.id} is done, but done_at is missing", hint)
        elif item.status == "wont_do" and item.reason is None:
            yield rule_finding(
                ID, Level.ERROR, route, f"{item.id} will not be done, and no reason is given", "reason: why not"
            )
        elif item.is_open and item.done_at is not None:
            message = f"{item.id} has a done_at, but its status is {item.status}"
            yield rule_finding(ID, Level.WARNING, route, message, "status: done, or remove done_at")
