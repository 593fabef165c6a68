"""Runs a plan against a tracker, one change at a time.

After a crash there is nothing to mend: the next plan has the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from incident_ops.model.observed import Issue
from incident_ops.ports import IssueTracker
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import CLOSE, REOPEN, Change, Plan, key_of

DONE = "done"
EXISTS = "exists already"
MOVED = "changed since the plan; left for the next run"


class Applied(NamedTuple):
    """What became of a change: `outcome` is DONE, EXISTS or MOVED; `number` is the issue's."""

    change: Change
    number: int
    outcome: str


def apply(plan: Plan, tracker: IssueTracker) -> Iterator[Applied]:
    """Yields each change as it is done; the first refused write raises `WriteFailed`, and what was yielded stays done.

    The tracker is listed once more before the first write: a key that got its issue meanwhile is not created
    again, and an issue that a person touched meanwhile is not written over.
    """
    if not plan.changes:
        return
    issues = observe(tracker).issues
    numbers = {key: issue.number for issue in reversed(issues) if (key := key_of(issue))}
    now = {issue.number: issue for issue in issues}
    for change in plan.changes:
        if change.number is None:
            yield _create(change, numbers.get(change.key), tracker)
        else:
            yield _change(change, change.number, now.get(change.number), tracker)


def _create(change: Change, known: int | None, tracker: IssueTracker) -> Applied:
    if known is not None:
        return Applied(change, known, EXISTS)
    edit = change.edit
    number = tracker.create(change.key, edit.title or "", edit.body or "", edit.labels or (), edit.assignees or ())
    return Applied(change, number, DONE)


def _change(change: Change, number: int, now: Issue | None, tracker: IssueTracker) -> Applied:
    if now != change.seen:
        return Applied(change, number, MOVED)
    if change.action == CLOSE:
        tracker.close(number, change.state_reason or "", change.edit)
    elif change.action == REOPEN:
        tracker.reopen(number, change.edit)
    else:
        tracker.update(number, change.edit)
    return Applied(change, number, DONE)
