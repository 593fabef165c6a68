"""No open action item is past its due date.

An item is late after the end of that day, in the time zone of the policy's business calendar. Only a warning: the
passing of time never blocks a merge.

    before: - {id: AI-1, status: open, due: 2025-02-01}      # it is 2025-02-02
    after:  - {id: AI-1, status: done, due: 2025-02-01, done_at: 2025-02-01}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from functools import lru_cache

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import parse_date
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
        owner = item.owner or "nobody"
        message = f"{item.id} was due on {item.due} and is {item.status.replace('_', ' ')} ({owner})"
        hint = "finish it, agree on a new due date, or say wont_do and why"
        yield rule_finding(ID, LEVEL, ("action_items", index, "due"), message, hint)


def days_late(incident: Incident, policy: Policy, now: datetime) -> dict[int, int]:
    """Index of each late action item -> for how many days; `now` is aware UTC."""
    dated = [(index, item.due) for index, item in enumerate(incident.action_items) if item.due and item.is_open]
    if not dated:
        return {}
    business = policy.calendar("business")
    today = now.astimezone(_zone(business.tz if business else "Etc/UTC")).date()
    late = ((index, (today - parse_date(due)).days) for index, due in dated)
    return {index: days for index, days in late if days > 0}


@lru_cache(maxsize=16)
def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # costs every start, and few records need it

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("Etc/UTC")  # `policy lint` reports a wrong zone
