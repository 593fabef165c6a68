"""An open action item is not past its due date.

The day counts to its end in the zone of the policy's business calendar. A warning only: time alone never blocks.

    before: - {id: AI-1, status: open, due: 2025-02-01}      # it is 2025-02-02
    after:  - {id: AI-1, status: done, due: 2025-02-01, done_at: 2025-02-01}
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incident_ops.findings import Finding, Level
from incident_ops.model.record import Record, World
from incident_ops.rules.tell import tell

ID = "item-overdue"
LEVEL = Level.WARNING
TIMED = True


def check(record: Record, world: World) -> Iterator[Finding]:
    """Open items against today."""
    late = [(index, item) for index, item in enumerate(record.incident.action_items) if item.due and item.is_open]
    if not late:
        return
    business = world.policy.calendar("business")
    today = world.now.astimezone(_zone(business.tz if business else "Etc/UTC")).date().isoformat()
    for index, item in late:
        if item.due is not None and item.due < today:
            owner = item.owner or "nobody"
            message = f"{item.id} was due on {item.due} and is {item.status.replace('_', ' ')} ({owner})"
            hint = "finish it, agree on a new due date, or say wont_do and why"
            yield tell(ID, LEVEL, ("action_items", index, "due"), message, hint)


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("Etc/UTC")  # a wrong zone is an error of `policy lint`, told there
