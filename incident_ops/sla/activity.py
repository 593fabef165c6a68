"""What people did on an incident, as instants: stagnation, deferral and automatic states rest on it (R59, R68, R79).

What the automation did itself never counts: a bot that writes does not hide that everybody else is silent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import instant, parse_instant
from incident_ops.domain.tracker import Comment, Snapshot

AUTOMATION = "incident-ops"
"""Who writes what the automation decides: `by` of its changes and of its lines in the timeline."""

MILESTONES = ("acknowledged", "assembled", "diagnosed", "mitigated", "restored", "resolved", "verified", "stood_down")
"""Instants of `times` and `cycles` that only people bring about."""


class Seen(NamedTuple):
    """What the tracker shows of an incident: the comments of its issue, and whether a person reopened it."""

    comments: tuple[Comment, ...] = ()
    reopened: bool = False


NOTHING_SEEN = Seen()


def seen_of(
    incident: Incident, snapshot: Snapshot | None, reopened: Collection[int] = (), number: int | None = None
) -> Seen:
    """What a snapshot shows of an incident; `reopened` are the numbers of the issues that people reopened.

    The issue is `number` where that is known, else the one the record names, else the one with the incident's key.
    """
    if snapshot is None:
        return NOTHING_SEEN
    if number is None:
        number = incident.links.tracking_issue
    if number is None:
        number = next((issue.number for issue in snapshot.issues if issue.key == incident.id), None)
    return Seen(tuple(comment for comment in snapshot.comments if comment.issue == number), number in reopened)


def is_automation(by: str | None, policy: Policy) -> bool:
    """True for the automation itself, any login that ends in [bot], and the identities the tracker trusts."""
    name = (by or "").removeprefix("@")
    return name == AUTOMATION or name.endswith("[bot]") or name in policy.tracker.identities


def said_by_people(comments: Iterable[Comment], policy: Policy, now: datetime) -> list[tuple[datetime, str]]:
    """Instant and text of the comments that people wrote up to `now`, in order."""
    by_people = (comment for comment in comments if not comment.is_bot and not is_automation(comment.by, policy))
    return sorted((at, comment.body) for comment in by_people if (at := parse_instant(comment.at)) <= now)


def activity(view: IncidentAt, policy: Policy, comments: Iterable[Comment] = ()) -> tuple[datetime, ...]:
    """Every instant up to `now` at which a person did something for the incident, in order.

    Timeline entries, updates, changes, corrections, assignments, the milestones of `times` and `cycles`, and comments.
    An entry without an author counts as a person's: the automation always signs its own.
    """
    incident = view.incident
    instants = {parse_instant(update.at) for update in incident.updates}
    instants |= {parse_instant(assignment.at) for assignment in incident.assignments}
    for history in (incident.timeline, incident.changes, incident.corrections):
        instants |= {parse_instant(entry.at) for entry in history if not is_automation(entry.by, policy)}
    instants |= _milestones(view, MILESTONES)
    instants |= {at for at, _ in said_by_people(comments, policy, view.now)}
    return tuple(sorted(at for at in instants if at <= view.now))


def answers(view: IncidentAt, policy: Policy) -> tuple[datetime, ...]:
    """The instants up to `now` at which somebody took on the incident: acknowledged, assigned or moved it.

    A comment is not an answer: a customer who asks for news must not stop a page.
    """
    moves = (change for change in view.incident.changes if change.field == "state")
    instants = {parse_instant(change.at) for change in moves if not is_automation(change.by, policy)}
    instants |= {parse_instant(assignment.at) for assignment in view.incident.assignments}
    # the moves made by the declaration itself say that it was triaged, not that somebody has it
    instants = {at for at in instants if at > view.declared} | _milestones(view, ("acknowledged",))
    return tuple(sorted(at for at in instants if at <= view.now))


def last_before(instants: Sequence[datetime], at: datetime) -> datetime | None:
    """The last of the ordered instants that is not after `at`."""
    index = bisect_right(instants, at)
    return instants[index - 1] if index else None


def first_after(instants: Sequence[datetime], at: datetime) -> datetime | None:
    """The first of the ordered instants that is after `at`."""
    index = bisect_right(instants, at)
    return instants[index] if index < len(instants) else None


def _milestones(view: IncidentAt, names: Collection[str]) -> set[datetime]:
    fields = ((field.rpartition(".")[2], text) for field, text in view.instants.items())
    return {at for name, text in fields if name in names and (at := instant(text)) is not None}
