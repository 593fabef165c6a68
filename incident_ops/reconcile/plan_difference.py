"""What one plan would do that another would not: the plan of a change beside that of what it is based on. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from incident_ops.domain.tracker import Issue
from incident_ops.reconcile.changes import CLOSE, CREATE, LABEL, MILESTONE, PROPOSAL, REOPEN, UPDATE, PlannedChange
from incident_ops.reconcile.field_changes import FieldChange, edit_between, field_changes, issue_after
from incident_ops.reconcile.plan import Plan, checksum

IssueName = tuple[str, int | None, str] | None
"""The key of an issue with its number and repository; None for a change that is about no issue."""

_IN_BOTH = "it is done anyway, but the change alters it"


class NextDue(NamedTuple):
    """A clock that runs: its incident, its name (of an item's with the item), when it is due (aware UTC)."""

    incident: str
    clock: str
    due: datetime
    is_late: bool


class PlanBasis(NamedTuple):
    """What a plan is shown beside.

    `revision` and `commit` name the base, "" without one; `issues` (by key, number and repository) are as the base's
    plan would leave them; `records` (path -> data) those that are edited; `dropped` is what the base's plan would do
    and this one does not; `due` the clocks of the incidents concerned; `unsent` why none of its notices is sent, ""
    where they are.
    """

    revision: str = ""
    commit: str = ""
    issues: Mapping[IssueName, Issue] = MappingProxyType({})
    records: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    dropped: tuple[PlannedChange, ...] = ()
    due: tuple[NextDue, ...] = ()
    unsent: str = ""

    def fields(self, change: PlannedChange, *, with_texts: bool = True) -> tuple[FieldChange, ...]:
        """What a change alters, as far as the old is known; as `field_changes`."""
        before, record = self.issues.get(_issue(change)), self.records.get(change.path or "")
        return field_changes(change, before, record, with_texts=with_texts)


NO_BASIS = PlanBasis()


def compare_plans(plan: Plan, base: Plan, basis: PlanBasis) -> tuple[Plan, PlanBasis]:
    """The plan with nothing but what the base's would not do, and the basis with what falls away.

    What both do to an issue, in different ways, is shown as the difference. Both must be of the same tracker and
    instant.
    """
    in_base: dict[object, list[object]] = defaultdict(list)
    for change in base.changes:
        in_base[_name(change)].append(_effect(change))
    before = _issues_after(base.changes)
    alone = (change for change in plan.changes if _effect(change) not in in_base[_name(change)])
    changes = tuple(_beside(change, before, in_both=bool(in_base[_name(change)])) for change in alone)
    names, issues = {_name(change) for change in plan.changes}, {_issue(change) for change in plan.changes} - {None}
    dropped = tuple(change for change in base.changes if _name(change) not in names and _issue(change) not in issues)
    known = set(base.kept)
    kept = tuple(one for one in plan.kept if one not in known)
    shown = plan._replace(changes=changes, kept=kept, checksum=checksum(changes))
    return shown, basis._replace(issues=before, dropped=dropped)


def _issues_after(changes: Iterable[PlannedChange]) -> dict[IssueName, Issue]:
    """The issues that changes concern, once they were made."""
    found: dict[IssueName, Issue] = {}
    for change in changes:
        name = _issue(change)
        if name is not None and (change.seen or change.action == CREATE):
            found[name] = issue_after(change, found.get(name, change.seen))
    return found


def _beside(change: PlannedChange, before: Mapping[IssueName, Issue], *, in_both: bool) -> PlannedChange:
    """The change as the difference to what the base's plan does to that issue; as an update where both open or close
    it."""
    was = before.get(_issue(change))
    if was is None or not in_both:
        return change
    after = issue_after(change, change.seen)
    if change.action in (CREATE, CLOSE, REOPEN):
        change = change._replace(action=UPDATE, reason=_IN_BOTH)
    reason = after.state_reason if after.state_reason != was.state_reason else None
    return change._replace(edit=edit_between(was, after), seen=was, state_reason=reason)


def _name(change: PlannedChange) -> object:
    return change.action, change.kind, change.key, change.number, change.path, change.repository


def _issue(change: PlannedChange) -> IssueName:
    is_issue = change.is_on_tracker and change.kind not in (LABEL, MILESTONE, PROPOSAL)
    return (change.key, change.number, change.repository) if is_issue else None


def _effect(change: PlannedChange) -> object:
    return change.fields, change.edits, change.state_reason
