"""How many requests a run will send to a hosted tracker, told before it runs."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.model.observed import Edit, Issue, Snapshot
from incident_ops.reconcile.changes import CREATE, LABEL, Change
from incident_ops.reconcile.desired import Desired

PAGE = 100  # entries in one answer


def requests(desired: Desired, snapshot: Snapshot, changes: Sequence[Change]) -> int:
    """Reads of the observation; and, where something is written, the list once more and each write with what it needs.

    Issues are listed by the two labels of kinds. A token that opens issues is asked once whose it is; an issue whose
    text changes is read once more.
    """
    writes = [change for change in changes if change.is_on_tracker]
    reads = _listing(desired, snapshot) + _questions(desired, snapshot, changes)
    if not writes:
        return reads
    opens = any(change.action == CREATE and change.kind != LABEL for change in writes)
    alone = sum(1 for change in writes if change.seen and _is_read_alone(change, change.seen, desired))
    return reads + _listing(desired, snapshot) + int(opens) + alone + sum(_cost(change) for change in writes)


def _listing(desired: Desired, snapshot: Snapshot) -> int:
    counts = [sum(1 for issue in snapshot.issues if _is_listed(issue.labels, desired, name)) for name in desired.listed]
    return sum(_pages(count) for count in counts)


def _questions(desired: Desired, snapshot: Snapshot, changes: Sequence[Change]) -> int:
    """Labels, comments, one by one the numbers and closings that were asked about, and people new on an issue."""
    labels = 0 if snapshot.labels is None else _pages(len(snapshot.labels))
    heard = 0 if snapshot.heard_since is None else _pages(len(snapshot.comments))
    alone = sum(1 for issue in snapshot.issues if not _is_listed(issue.labels, desired))
    there = {change.number: {login.casefold() for login in change.seen.assignees} for change in changes if change.seen}
    new = {
        login.casefold()
        for change in changes
        for login in change.edit.assignees or ()
        if login.casefold() not in there.get(change.number, ())
    }
    return labels + heard + alone + len(snapshot.gone) + len(snapshot.closings) + len(snapshot.unassignable) + len(new)


def _cost(change: Change) -> int:
    """One request; a parent is one more, a comment two: those that are there are read first."""
    fields = change.action == CREATE or change.state_reason is not None or change.edit != Edit() or not change.parent
    return int(fields) + int(change.parent is not None) + 2 * int(change.comment is not None)


def _is_read_alone(change: Change, seen: Issue, desired: Desired) -> bool:
    """True where an issue is read once more right before it is changed: its text changes, or no list has it."""
    return change.edit.body is not None or not _is_listed(seen.labels, desired)


def _is_listed(labels: Sequence[str], desired: Desired, name: str | None = None) -> bool:
    names = desired.listed if name is None else (name,)
    return any(label.casefold() in names for label in labels)


def _pages(count: int) -> int:
    return max(1, -(-count // PAGE))
