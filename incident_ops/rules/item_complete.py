"""An action item has an owner and a due date before its postmortem goes to review.

An item that nobody owns does not get done. A due date by its priority, or by `action_items.metric_days`, will do. With
no postmortem, or only a draft, this is a note: an item may be written down first and assigned later.

    before: - {id: AI-1, title: Add alerts}
    after:  - {id: AI-1, title: Add alerts, owner: "@alice", due: 2025-02-01}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.item_due import item_due
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "item-complete"
LEVEL = (Level.ERROR, Level.NOTE)
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """Owner and due of every item but those that will not be done (R190, R192)."""
    postmortem = record.incident.postmortem
    status = postmortem.status if postmortem else "draft"
    for index, item in enumerate(record.incident.action_items):
        missing = ["owner"] * (item.owner is None) + ["due"] * (item_due(item, record.incident, world.policy) is None)
        if not missing or item.status == "wont_do":
            continue
        lacks = f"{item.id} has no {' and no '.join(missing)}"
        route = ("action_items", index)
        if status == "draft":
            yield rule_finding(
                ID, Level.NOTE, route, f"{lacks}: incomplete", "needed before the postmortem goes to review"
            )
        else:
            hint = "give " + " and ".join(missing) + ", or set the postmortem back to draft"
            yield rule_finding(ID, Level.ERROR, route, f"{lacks}, but the postmortem is in status {status}", hint)
