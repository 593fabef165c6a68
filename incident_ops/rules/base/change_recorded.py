"""Changing a merged state, severity or priority requires an entry in `changes`.

Whoever reads the record later must see what the value was, when it changed and why. The entry's `from` is the merged
value, `null` where there was none: a level given late counts from its entry on. A severity that is taken away has an
entry to `null`. Whether the sequence of states is allowed, and ends at the record's state, is checked by the rule
`moves`.

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
        if old == value:
            continue
        entries = [(place, change) for place, change in new if change.field == field]
        if value is None and not entries:
            message = f"{field} was {old} when it was merged, and is gone"
            hint = f"write {field}: {old} again, or say in changes when and why it was taken away (to: null)"
            yield rule_finding(ID, LEVEL, (field,), message, hint)
        elif not entries:
            start = f"from: {old or 'null'}, to: {value}"
            hint = f"add to changes {{at: ..., field: {field}, {start}, by: ..., reason: ...}}"
            message = f"{field} was {old or 'not set'} when it was merged, and no entry in changes records it"
            yield rule_finding(ID, LEVEL, (field,), message, hint)
        elif field != "state" and entries[0][1].old != old and not any(change.field == field for change in was.changes):
            # with a history before it, the rule `moves` checks where it begins
            message = f"{field} was {old or 'not set'} when it was merged, not {entries[0][1].old or 'null'}"
            yield rule_finding(ID, LEVEL, ("changes", entries[0][0], "from"), message, f"from: {old or 'null'}")
