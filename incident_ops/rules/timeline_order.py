"""The entries of a history are in the order in which things happened.

A timeline is read from top to bottom. An entry that corrects another stands below it and is not checked, and neither is
one below an entry that is merged: merged entries stay where they are.

    before: - at: 2025-01-26T12:10:00Z
            - at: 2025-01-26T12:05:00Z
    after:  - at: 2025-01-26T12:05:00Z
            - at: 2025-01-26T12:10:00Z
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import later, rule_finding

ID = "timeline-order"
LEVEL = Level.WARNING
TIMED = False

ORDER_HINT = "put the earlier one first; `incident-ops timeline --at` does it by itself"
DATED_LISTS = ("timeline", "updates", "changes", "assignments", "escalations")


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Each history by its `at`."""
    for name in DATED_LISTS:
        before = ""
        for index, entry in enumerate(getattr(record.incident, name)):
            if name == "timeline" and entry.corrects is not None:
                continue
            if before and later(before, entry.at):
                message = f"{name}[{index}] is at {entry.at}, but the entry above is at {before}"
                yield rule_finding(ID, LEVEL, (name, index, "at"), message, ORDER_HINT)
            before = entry.at
