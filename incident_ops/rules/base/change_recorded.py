"""Changing a merged state, severity or priority requires an entry in `changes`.

Whoever reads the record later must see what the value was, when it changed and why. The entry's `from` is the merged
value. Whether the sequence of states is allowed, and ends at the record's state, is checked by the rule `moves`.

    before: severity: SEV1            # was SEV2
    after:  severity: SEV1
            changes:
            - {at: 2025-01-26T12:40:00Z, field: severity, from: SEV2, to: SEV1, reason: All regions}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import fresh, rule_finding

ID = "change-recorded"
LEVEL = Level.ERROR
TIMED = False

FIELDS = ("state", "severity", "priority")


def check(before: Record, after: Record, _world: World | None) -> Iterator[Finding]:
    """Each of the three fields."""
    was, now = before.incident, after.incident
    new = list(fresh(was.changes, now.changes))
    for field in FIELDS:
        old, value = getattr(was, field), getattr(now, field)
        if old is None or old == value:
            continue
        if value is None:
            message = f"{field} was {old} when it was merged, and is gone"
            yield rule_finding(ID, LEVEL, (field,), message, f"write {field}: {old} again")
            continue
        entries = [(place, change) for place, change in new if change.field == field]
        if not entries:
            hint = f"add to changes {{at: ..., field: {field}, from: {old}, to: {value}, by: ..., reason: ...}}"
            yield rule_finding(
                ID, LEVEL, (field,), f"{field} was {old} when it was merged, and no entry in changes records it", hint
            )
        elif field != "state" and entries[0][1].old != old and not any(change.field == field for change in was.changes):
            # with a history before it, the rule `moves` checks where it begins
            message = f"{field} was {old} when it was merged, not {entries[0][1].old}"
            yield rule_finding(ID, LEVEL, ("changes", entries[0][0], "from"), message, f"from: {old}")
