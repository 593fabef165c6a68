"""An escalation on the issue of its incident: a label, and those it calls as assignees. Pure.

The hidden line of the text remembers what we set, so that only that is taken off again once somebody has answered. What
people set stays, and what they took off does not come back.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from incident_ops.domain.tracker import Issue
from incident_ops.reconcile.desired import MOST_ASSIGNEES, Desired, DesiredIssue

_LABEL = "#"
_OFF = "-"


class CalledMarks(NamedTuple):
    """What an issue gets and loses because of an escalation, and what its text is to remember of that."""

    add_labels: tuple[str, ...] = ()
    remove_labels: tuple[str, ...] = ()
    add_assignees: tuple[str, ...] = ()
    remove_assignees: tuple[str, ...] = ()
    memory: frozenset[str] = frozenset()


def room_on(issue: Issue | None) -> int:
    """How many people can still be assigned."""
    return max(0, MOST_ASSIGNEES - (len(issue.assignees) if issue else 0))


def called_marks(
    wanted: DesiredIssue,
    issue: Issue | None,
    memory: Collection[str],
    desired: Desired,
    unassignable: Collection[str],
    others: int,
) -> CalledMarks:
    """`issue` None = one that is to be made; `memory` is what its text remembers. `unassignable` are case-folded
    logins, and `others` is how many people it gets beside."""
    label, room = desired.escalated, room_on(issue) - others
    there = {login.casefold(): login for login in issue.assignees} if issue else {}
    own = [name for name in (issue.labels if issue else ()) if name.casefold() == label.casefold()]
    there |= {_LABEL: own[0]} if own else {}
    calls = {} if wanted.called is None else {_LABEL: label} | {login.casefold(): login for login in wanted.called}
    known = {one.removeprefix(_OFF) for one in memory}
    new = [one for one in calls if one not in there and one not in known and one not in unassignable]
    fitting = [one for one in new if one != _LABEL][: max(0, room)]
    new = [*(one for one in new if one == _LABEL), *fitting]
    with_role = {login.casefold() for login in wanted.assignees}
    gone = sorted(one for one in memory if one in there and one not in calls and one not in with_role)
    stay = {one if one in memory and one in there else _OFF + one for one in known if one in calls}
    return CalledMarks(
        add_labels=tuple(calls[one] for one in new if one == _LABEL),
        remove_labels=tuple(there[one] for one in gone if one == _LABEL),
        add_assignees=tuple(calls[one] for one in new if one != _LABEL),
        remove_assignees=tuple(there[one] for one in gone if one != _LABEL),
        memory=frozenset(stay.union(new)),
    )
