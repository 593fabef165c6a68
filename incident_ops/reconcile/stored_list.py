"""A list of issues that is remembered from one run to the next without a word of it, and brought up to date. Pure.

A text is not kept but made anew from the record, and counts only where its digest is that of the text that was seen.
What people wrote around it is missing then: such a list says no more than that there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.tracker import Issue, Snapshot, StoredIssue, StoredList
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.desired import Desired, DesiredIssue
from incident_ops.reconcile.diff import SideBySide, is_hands_off, numbered_text, side_by_side
from incident_ops.reconcile.references import known_addresses, leave_places
from incident_ops.reconcile.unsettled import said_in, said_line

_FORMAT = "1"
_DIGITS = 32


class Increment(NamedTuple):
    """What a run has in place of a whole list: the list that is remembered, the labels by which ours are listed, and
    what lists the issues that changed since (None where in doubt).

    `home` are the sides of the repository with the tracking issues, None where this is that one; `former` are the names
    that the repository with the records had.
    """

    stored: StoredList
    labels: Collection[str]
    changed: Callable[[], Sequence[Issue] | None]
    home: SideBySide | None = None
    former: tuple[str, ...] = ()


def scope_of(labels: Iterable[str], identities: Iterable[str]) -> str:
    """A digest over what a list is read by: one that was read by anything else is not remembered."""
    return _digest("\n".join([_FORMAT, *sorted(labels), "", *sorted(identities)]))


def list_to_store(snapshot: Snapshot, labels: Collection[str], identities: Collection[str]) -> StoredList | None:
    """The whole list that a snapshot was made from; None where it was none, or has no date."""
    if snapshot.whole is None or snapshot.is_incremental:
        return None
    listed = [issue for issue in snapshot.issues if _is_listed(issue, labels)]
    return StoredList(
        whole=snapshot.whole,
        scope=scope_of(labels, identities),
        issues=tuple(_stored_issue(issue) for issue in listed),
        has_sub_issues=snapshot.has_sub_issues,
    )


def up_to_date(
    tracker: IssueTracker, increment: Increment, snapshot: Snapshot, asked_for: Callable[[Snapshot], Desired]
) -> Snapshot | None:
    """A snapshot with the issues that are remembered, as far as they did not change, and those that did.

    An issue of ours whose text no record gives is looked up alone. None where in doubt: the list is to be read whole.
    """
    changed = increment.changed()
    if changed is None:
        return None
    new = {issue.number for issue in changed}
    rows = {row.number: row for row in increment.stored.issues if row.number not in new}
    issues = [_outline(row) for row in rows.values()] + [one for one in changed if _is_listed(one, increment.labels)]
    known = replace(snapshot, issues=tuple(sorted(issues, key=lambda issue: issue.number)), is_incremental=True)
    found = _texts(tracker, increment, known, asked_for(known), rows)
    if found is None:
        return None
    return replace(known, issues=tuple(found.get(issue.number, issue) for issue in known.issues))


def _texts(
    tracker: IssueTracker,
    increment: Increment,
    known: Snapshot,
    desired: Desired,
    rows: Mapping[int, StoredIssue],
) -> Mapping[int, Issue] | None:
    """By number the issues of which a plan reads title and text: those that a record asks for."""
    sides = side_by_side(desired, known, frozenset(), home=increment.home)
    here = {wanted.key: wanted for wanted in desired.here}
    addresses = known_addresses(sides.above.snapshot.records_at, increment.former)
    found: dict[int, Issue] = {}
    alone: list[int] = []
    for key, issue in sides.kept.items():
        row, wanted = rows.get(issue.number), here.get(key)
        if row is None or wanted is None or is_hands_off(issue):
            continue
        if not row.text:
            alone.append(row.number)
            continue
        bodies = (_body(wanted, row, sides, address) for address in addresses)
        body = next((made for made in bodies if _digest(made) == row.text), None)
        if body is None or _digest(wanted.title) != row.title:
            return None  # the record asks for something else by now
        found[row.number] = replace(issue, title=wanted.title, body=body)
    if len(alone) > increment.stored.whole.pages // 2:
        return None
    for number in alone:
        answer = tracker.look_up(number)
        if not isinstance(answer, Issue):
            return None
        found[number] = answer
    return found


def _body(wanted: DesiredIssue, row: StoredIssue, sides: SideBySide, address: str) -> str:
    """The text that a run would give the issue now, with the records at this address and the boxes that were ticked."""
    text = numbered_text(wanted.key, sides, address)
    block = generated_block.generated_text(leave_places(text), closed=wanted.closed_as is not None)
    below = said_line(row.said) if row.said else ""
    ticked, called = frozenset(row.ticked), frozenset(row.called)
    return generated_block.body_with_ticks(wanted.key, block, ticked, below, sides.snapshot.records_id, called)


def _stored_issue(issue: Issue) -> StoredIssue:
    said = said_in(issue.body)
    own = generated_block.own_body(issue.body, said_line(said) if said else "")
    first = issue.body.replace("\r", "\n").split("\n", 1)[0]
    return StoredIssue(
        number=issue.number,
        mark=first if generated_block.owner(first) else "",
        title=_digest(issue.title),
        text="" if own is None else _digest(own),
        ticked=tuple(sorted(generated_block.ticks_in(issue.body))) if own is not None else (),
        said=said,
        called=tuple(sorted(generated_block.parse_body(issue.body).called)) if own is not None else (),
        labels=issue.labels,
        assignees=issue.assignees,
        state=issue.state,
        state_reason=issue.state_reason,
        author=issue.author,
        parent=issue.parent,
        milestone=issue.milestone,
    )


def _outline(row: StoredIssue) -> Issue:
    """An issue without title and text, but for the line that says whose it is."""
    return Issue(
        number=row.number,
        title="",
        body=row.mark,
        labels=row.labels,
        assignees=row.assignees,
        state=row.state,
        state_reason=row.state_reason,
        author=row.author,
        parent=row.parent,
        milestone=row.milestone,
    )


def _is_listed(issue: Issue, labels: Iterable[str]) -> bool:
    there = {label.casefold() for label in issue.labels}
    return any(label.casefold() in there for label in labels)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
