"""One complete look at a tracker: the list, and what only a question about one issue or one person answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from incident_ops.errors import Incomplete
from incident_ops.model.observed import Closing, Gone, Issue, Snapshot
from incident_ops.model.time import stamp
from incident_ops.ports import IssueTracker
from incident_ops.reconcile import marker
from incident_ops.reconcile.desired import ACTION_ITEM, Desired
from incident_ops.reconcile.owners import is_hands_off, keepers, key_of, missing_logins, numbers, owned


def observe(
    tracker: IssueTracker,
    desired: Desired,
    proposed: Mapping[str, str] | None = None,
    watched: Mapping[str, datetime] | None = None,
) -> Snapshot:
    """Everything a plan may ask of the tracker, or `Incomplete`: a partial list must never look like the whole.

    Asked alone: the open keys whose number is not in the list; who closed an item's issue that the record wants open;
    whether people who are not on their issue yet can be assigned. A tracker with nothing of ours in it is not asked
    about numbers: they belong to another one. `proposed`: path -> sha256 of each file on the branch of our proposal.
    `watched`: the incidents whose comments matter, and since when; where none of them has an issue nobody is asked.
    """
    issues = listing(tracker)
    seen = Snapshot(source=tracker.source, repository=tracker.repository, issues=issues, proposed=dict(proposed or {}))
    seen = _looked_up(tracker, desired, seen)
    stay = keepers(owned(desired, seen), numbers(desired, seen))
    labels = tracker.labels()
    seen = _heard(tracker, seen, {stay[key].number: at for key, at in (watched or {}).items() if key in stay})
    return replace(
        seen,
        labels=None if labels is None else tuple(sorted(labels, key=lambda label: label.name)),
        closings=_closings(tracker, desired, stay),
        unassignable=_unassignable(tracker, desired, stay),
        has_sub_issues=tracker.has_sub_issues,
    )


def listing(tracker: IssueTracker) -> tuple[Issue, ...]:
    """The tracker's list, by number."""
    issues = tuple(sorted(tracker.owned(), key=lambda issue: issue.number))
    if len({issue.number for issue in issues}) != len(issues):
        raise Incomplete("the tracker listed one issue twice", hint="it changed while it was read; run again")
    return issues


def _looked_up(tracker: IssueTracker, desired: Desired, seen: Snapshot) -> Snapshot:
    """With the issues and the gaps behind the numbers of open keys that are not in the list."""
    if not any(key_of(issue, desired.identities) for issue in seen.issues):
        return seen
    listed = {issue.number for issue in seen.issues}
    named = numbers(desired, seen)
    asked = sorted({number for key, number in named.items() if desired.issues[key].closed_as is None} - listed)
    answers = [tracker.look_up(number) for number in asked]
    found = [one for one in answers if isinstance(one, Issue)]
    return replace(
        seen,
        issues=tuple(sorted((*seen.issues, *found), key=lambda issue: issue.number)),
        gone=tuple(one for one in answers if isinstance(one, Gone)),
    )


def _heard(tracker: IssueTracker, seen: Snapshot, watched: Mapping[int, datetime]) -> Snapshot:
    """With the comments under these issues, from the earliest instant at which one of them matters."""
    if not watched:
        return seen
    since = min(watched.values())
    found = (one for one in tracker.comments_since(since) if one.issue in watched)
    ordered = tuple(sorted(found, key=lambda one: (one.issue, one.at, one.by, one.body)))
    return replace(seen, comments=ordered, heard_since=stamp(since))


def _closings(tracker: IssueTracker, desired: Desired, stay: Mapping[str, Issue]) -> dict[int, Closing]:
    """How people closed issues of items that the record wants open, by number."""
    asked = [
        issue.number
        for key, issue in stay.items()
        if (wanted := desired.issues.get(key)) and wanted.kind == ACTION_ITEM and wanted.closed_as is None
        if not (issue.is_open or is_hands_off(issue) or marker.parse(issue.body).was_closed)
    ]
    return {number: tracker.closing(number) for number in sorted(asked)}


def _unassignable(tracker: IssueTracker, desired: Desired, stay: Mapping[str, Issue]) -> tuple[str, ...]:
    """Those who are wanted on an issue, are not there, and cannot be."""
    asked = {
        login.casefold(): login
        for wanted in desired.issues.values()
        for login in missing_logins(wanted, stay.get(wanted.key))
    }
    can = {login.casefold() for login in tracker.assignable(sorted(asked.values()))} if asked else set()
    return tuple(sorted(login for folded, login in asked.items() if folded not in can))
