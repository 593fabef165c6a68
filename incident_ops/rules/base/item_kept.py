"""A merged action item is never removed, and its id is never reused.

Its issue is found by the id. If it will not be done, set `wont_do` and give the reason. Merged entries of its `changes`
stay as well, in their order; new ones go below.

    before: action_items: []                 # AI-2 was here
    after:  action_items:
            - {id: AI-2, title: Add alerts, status: wont_do, reason: The service was retired}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.incident import ActionItem
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "item-kept"
LEVEL = Level.ERROR
TIMED = False


def check(before: Record, after: Record, _world: World | None) -> Iterator[Finding]:
    """Ids of items that are gone, issues that now belong to another id, and changes that are gone."""
    now = {item.id: item for item in after.incident.action_items}
    for item in before.incident.action_items:
        if item.id not in now:
            message = f"{item.id} was merged, and is gone"
            hint = "put it back; if it will not be done: status: wont_do, with a reason"
            yield rule_finding(ID, LEVEL, ("action_items",), message, hint, on_key=True)
    merged = {item.id: item for item in before.incident.action_items}
    for place, new in enumerate(after.incident.action_items):
        if new.id in merged and not _holds(new, merged[new.id]):
            message = f"merged entries of the changes of {new.id} were rewritten"
            hint = "put them back in their order; a new one goes below"
            yield rule_finding(ID, LEVEL, ("action_items", place), message, hint)
    owners = {item.issue: item.id for item in before.incident.action_items if item.issue is not None}
    for place, new in enumerate(after.incident.action_items):
        owner = owners.get(new.issue, new.id) if new.issue is not None else new.id
        if owner != new.id:
            message = f"issue {new.issue} belongs to {owner}"
            yield rule_finding(
                ID, LEVEL, ("action_items", place, "issue"), message, f"remove it, or give {owner} its id back"
            )


def _holds(new: ActionItem, old: ActionItem) -> bool:
    """True where all changes of `old` are in `new` in their order; a reason may be reworded."""
    rest = iter([(one.at, one.field, one.old, one.new, one.by) for one in new.changes])
    return all((one.at, one.field, one.old, one.new, one.by) in rest for one in old.changes)
