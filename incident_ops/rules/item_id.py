"""Each action item of an incident has its own id.

The id is the key of the item's issue; two items with one id would share an issue.

    before: - {id: AI-1, title: Add alerts}
            - {id: AI-1, title: Add tests}
    after:  - {id: AI-1, title: Add alerts}
            - {id: AI-2, title: Add tests}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "item-id"
LEVEL = Level.ERROR
TIMED = False


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Ids of action items that are used twice."""
    items = record.incident.action_items
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        first = seen.setdefault(item.id, index)
        if first != index:
            free = max(int(item.id.removeprefix("AI-")) for item in items) + 1
            message = f"{item.id} is already the id of action_items[{first}]"
            yield rule_finding(ID, LEVEL, ("action_items", index, "id"), message, f"the next free id is AI-{free}")
