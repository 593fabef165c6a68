"""Which issue belongs to which key: whom a marker is believed, and which of several issues stays."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from incident_ops.model.observed import GITHUB, Issue, Snapshot
from incident_ops.reconcile import marker
from incident_ops.reconcile.desired import DUPLICATE, Desired, Wanted
from incident_ops.reconcile.labels import HANDS_OFF

Owned = Mapping[str, Sequence[Issue]]
"""Key -> the issues it owns, by number."""


def key_of(issue: Issue, identities: Collection[str]) -> str | None:
    """The key that owns an issue: what the tracker keeps, else the marker on line 1; None = not ours.

    A marker counts only where one of `identities` (case-folded logins) opened the issue: anybody can paste one.
    """
    if issue.key:
        return issue.key
    return marker.owner(issue.body) if issue.author.casefold() in identities else None


def owned(desired: Desired, snapshot: Snapshot) -> Owned:
    """Key -> its issues. One of ours that lost its marker is known by its number in the one record that names it."""
    named = numbers(desired, snapshot)
    times = Counter(named.values())
    claimed = {number: key for key, number in named.items() if times[number] == 1}
    out: dict[str, list[Issue]] = defaultdict(list)
    for issue in sorted(snapshot.issues, key=lambda one: one.number):
        key = key_of(issue, desired.identities)
        if key is None and issue.author.casefold() in desired.identities and marker.owner(issue.body) is None:
            key = claimed.get(issue.number)
        if key:
            out[key].append(issue)
    return out


def numbers(desired: Desired, snapshot: Snapshot) -> Mapping[str, int]:
    """Key -> the number in its record; empty where the tracker is not the one that records carry numbers of."""
    if snapshot.source != GITHUB:
        return {}
    return {one.key: one.number for one in desired.issues.values() if one.number is not None}


def keeper(issues: Iterable[Issue], number: int | None = None) -> Issue:
    """The one of several issues of a key that stays: the record's number, else the lowest.

    One that is closed as a duplicate is the last choice, whatever the record says.
    """
    return min(issues, key=lambda one: (is_duplicate(one), one.number != number, one.number))


def keepers(ours: Owned, named: Mapping[str, int]) -> Mapping[str, Issue]:
    """Key -> the issue that stays, of all that `owned` found; `named` as from `numbers`."""
    return {key: keeper(issues, named.get(key)) for key, issues in ours.items()}


def is_duplicate(issue: Issue) -> bool:
    """True where it is closed because another issue stands for the same."""
    return not issue.is_open and issue.state_reason == DUPLICATE


def is_hands_off(issue: Issue) -> bool:
    """True where people asked us to leave an issue alone."""
    return any(label.casefold() == HANDS_OFF for label in issue.labels)


def missing_logins(wanted: Wanted, issue: Issue | None) -> list[str]:
    """Those the record wants on an open issue who are not there yet; on what is over or left alone, nobody."""
    if wanted.closed_as is not None or (issue and is_hands_off(issue)):
        return []
    there = {login.casefold() for login in issue.assignees} if issue else set()
    return [login for login in wanted.assignees if login.casefold() not in there]
