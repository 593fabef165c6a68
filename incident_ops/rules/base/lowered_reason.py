"""Lowering a merged severity or priority, or taking one away, requires a reason.

A lower level stops pages and gives clocks more time. The reason goes into the entry in `changes`, where a reviewer
sees it.

    before: - {at: 2025-01-26T12:40:00Z, field: severity, from: SEV1, to: SEV2}
    after:  - {at: 2025-01-26T12:40:00Z, field: severity, from: SEV1, to: SEV2, reason: Only one region is affected}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.incident import LABEL_FIELDS
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import fresh, rule_finding

ID = "lowered-reason"
LEVEL = Level.ERROR
TIMED = False


def check(before: Record, after: Record, world: World | None) -> Iterator[Finding]:
    """Each new change to a higher rank, or to none; nothing is known of ranks without a policy."""
    if world is None:
        return
    for place, change in fresh(before.incident.changes, after.incident.changes):
        if change.field not in LABEL_FIELDS or any(map(str.isalnum, change.reason or "")):
            continue
        old, new = world.policy.level(change.old), world.policy.level(change.new)
        if change.new is None:
            message = f"{change.field} {change.old} was taken away without a reason"
            yield rule_finding(ID, LEVEL, ("changes", place), message, "add `reason:` to this entry")
        elif old and new and new.rank > old.rank:
            message = f"{change.field} was lowered from {change.old} to {change.new} without a reason"
            yield rule_finding(ID, LEVEL, ("changes", place), message, "add `reason:` to this entry")
