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
    """What the tracker shows of an incident: the comments of its issue, and whether a person opened it again."""

    comments: tuple[Comment, ...] = ()
    reopened: bool = False


NOTHING_SEEN = Seen()


def seen_of(
    incident: Incident, snapshot: Snapshot | None, reopened: Collection[int] = (), number: int | None = None
) -> Seen:
    """What a snapshot holds of an incident; `reopened` are the numbers of the issues that people opened again.

    The issue is `number` where that is known, else the one the record names, else the one whose key the tracker keeps.
    """
    if snapshot is None:
        return NOTHING_SEEN
    if number is None:
        number = incident.links.tracking_issue
    if number is None:
        number = next((issue.number for issue in snapshot.issues if issue.key == incident.id), None)
    return Seen(tuple(one for one in snapshot.comments if one.issue == number), number in reopened)


def is_automation(by: str | None, policy: Policy) -> bool:
    """True for the automation itself, any login that ends in [bot], and the identities the tracker trusts."""
    name = (by or "").removeprefix("@")
    return name == AUTOMATION or name.endswith("[bot]") or name in policy.tracker.identities


def said_by_people(comments: Iterable[Comment], policy: Policy, now: datetime) -> list[tuple[datetime, str]]:
    """Instant and text of the comments that people had written by `now`, in order."""
    theirs = (one for one in comments if not one.is_bot and not is_automation(one.by, policy))
    return sorted((at, one.body) for one in theirs if (at := parse_instant(one.at)) <= now)


def activity(view: IncidentAt, policy: Policy, comments: Iterable[Comment] = ()) -> tuple[datetime, ...]:
    """Every instant up to `now` at which a person did something for the incident, in order.

    Entries of the timeline, updates, changes, corrections, assignments, the milestones of `times` and `cycles`, and
    comments. An entry that does not say who made it counts as a person's: the automation always says so.
    """
    incident = view.incident
    found = {parse_instant(one.at) for one in incident.updates} | {
        parse_instant(one.at) for one in incident.assignments
    }
    for history in (incident.timeline, incident.changes, incident.corrections):
        found |= {parse_instant(one.at) for one in history if not is_automation(one.by, policy)}
    found |= _milestones(view, MILESTONES)
    found |= {at for at, _ in said_by_people(comments, policy, view.now)}
    return tuple(sorted(at for at in found if at <= view.now))


def answers(view: IncidentAt, policy: Policy) -> tuple[datetime, ...]:
    """The instants up to `now` at which somebody took the incident in hand: acknowledged, assigned or moved it.

    A remark is no answer: a customer who asks for news must not stop a page.
    """
    moved = {
        parse_instant(one.at)
        for one in view.incident.changes
        if one.field == "state" and not is_automation(one.by, policy)
    }
    begin = view.declared
    taken = moved | {parse_instant(one.at) for one in view.incident.assignments}
    # the moves of the declaration itself say that it was triaged, not that somebody has it
    taken = {at for at in taken if at > begin} | _milestones(view, ("acknowledged",))
    return tuple(sorted(at for at in taken if at <= view.now))


def last_before(instants: Sequence[datetime], at: datetime) -> datetime | None:
    """The last of ordered instants that is not after `at`."""
    index = bisect_right(instants, at)
    return instants[index - 1] if index else None


def first_after(instants: Sequence[datetime], at: datetime) -> datetime | None:
    """The first of ordered instants that is after `at`."""
    index = bisect_right(instants, at)
    return instants[index] if index < len(instants) else None


def _milestones(view: IncidentAt, names: Collection[str]) -> set[datetime]:
    fields = ((field.rpartition(".")[2], text) for field, text in view.instants.items())
    return {at for name, text in fields if name in names and (at := instant(text)) is not None}
