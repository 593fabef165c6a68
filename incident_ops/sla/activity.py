"""What people did on an incident, as instants, and the state changes due where they did nothing (R59, R68, R79-R81).

What the automation did itself never counts: a bot that writes does not hide that everybody else is silent. Each change
of state says since when it is due, and why. Comments matter for some incidents only, and the tracker is asked about no
others.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, current_instant
from incident_ops.domain.automation import is_automation
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import CLOSED, PENDING, REOPENED, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import instant, parse_instant, shift, stamp
from incident_ops.domain.tracker import Act, Comment, Snapshot
from incident_ops.domain.waits import user_wait
from incident_ops.sla.targets import seconds_of

EVERYONE = "everyone"
"""`states.reopen.by`: customers and strangers, too."""

MILESTONES = ("acknowledged", "assembled", "diagnosed", "mitigated", "restored", "resolved", "verified", "stood_down")
"""Instants of `times` and `cycles` that only people bring about."""


class Seen(NamedTuple):
    """What the tracker shows of an incident: the comments of its issue, whether a person reopened it, and who set the
    label that brings it back."""

    comments: tuple[Comment, ...] = ()
    reopened: bool = False
    label: Act | None = None


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


def said_by_people(comments: Iterable[Comment], policy: Policy, now: datetime) -> list[tuple[datetime, str]]:
    """Instant and text of the comments that people of the repository, or of `access`, wrote up to `now`, in order."""
    by_people = (one for one in comments if not _is_machine(one, policy) and _is_of_team(one, policy))
    return sorted((at, comment.body) for comment in by_people if (at := parse_instant(comment.at)) <= now)


def _is_machine(comment: Comment, policy: Policy) -> bool:
    return comment.is_bot or is_automation(comment.by, policy)


def _is_of_team(comment: Comment, policy: Policy) -> bool:
    return not comment.is_stranger or comment.by.casefold() in policy.access.logins


def _asked_back(comments: Iterable[Comment], policy: Policy) -> list[tuple[datetime, str]]:
    """Instant and login of those who asked for an incident to be reopened, in order: by the word of the policy at the
    beginning of a line, which no quotation has. Thanks, notes and questions do not ask for it."""
    asked = policy.states.reopen
    word = re.compile(rf"^{re.escape(asked.word)}(?![\w-])", re.IGNORECASE | re.MULTILINE)
    spoken = (one for one in comments if not _is_machine(one, policy) and word.search(one.body))
    allowed = (one for one in spoken if asked.by == EVERYONE or _is_of_team(one, policy))
    return sorted((parse_instant(one.at), one.by) for one in allowed)


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


class StateMove(NamedTuple):
    """A change of state that is due: to which state, since which instant (aware UTC), and why."""

    incident: str
    key: str
    state: str
    due: datetime
    reason: str


def due_moves(view: IncidentAt, policy: Policy, seen: Seen) -> list[StateMove]:
    """The move that is due now, none or one. `seen` is what the tracker shows of the incident."""
    if view.state != view.incident.state:  # seen from before its last move: a further one would not be legal
        return []
    move = _closing(view, policy, seen) or _waiting(view, policy) or _reopening(view, policy, seen)
    return [move] if move else []


def _closing(view: IncidentAt, policy: Policy, seen: Seen) -> StateMove | None:
    """Resolved, and no activity for `auto_close` (R79); never before a required postmortem is final."""
    limit, incident = policy.states.auto_close, view.incident
    if limit is None or view.state != RESOLVED or policy.level_of(incident) is None:
        return None
    if policy.requires_postmortem(incident) and not _is_postmortem_final(incident):
        return None
    active = activity(view, policy, seen.comments)
    over = instant(current_instant(incident, "resolved"))
    last = max((*active, *([over] if over else [])), default=None)
    if last is None:
        return None
    due = shift(last, seconds_of(limit))
    return _move(view, CLOSED, due, f"No activity for {limit} since {stamp(last)}") if view.now > due else None


def _waiting(view: IncidentAt, policy: Policy) -> StateMove | None:
    """A pause that waits for the user has lasted longer than `auto_pending`, and the state is not pending yet (R80)."""
    wait = user_wait(view.incident, policy)
    if wait is None or view.now <= wait.pending_at:
        return None
    reason = f"Waiting for the user since {stamp(wait.since)}, longer than {policy.states.auto_pending}"
    return _move(view, PENDING, wait.pending_at, reason)


def _reopening(view: IncidentAt, policy: Policy, seen: Seen) -> StateMove | None:
    """Somebody asked for a closed incident to be reopened, or reopened its issue, within `auto_reopen` (R81)."""
    limit, incident = policy.states.auto_reopen, view.incident
    closed = instant(current_instant(incident, "closed")) or _closed_by_change(incident)
    if limit is None or view.state != CLOSED or closed is None or incident.duplicate_of is not None:
        return None
    last = shift(closed, seconds_of(limit))
    asking = policy.states.reopen
    asked_back = [(at, login, asking.word) for at, login in _asked_back(seen.comments, policy)]
    if seen.label and seen.label.at:
        asked_back.append((parse_instant(seen.label.at), seen.label.by or "a person", f"the label {asking.label}"))
    for at, login, way in sorted(asked_back):
        if closed < at <= min(last, view.now):
            who = login if " " in login else f"@{login.removeprefix('@')}"
            asked = f"{who} asked for it with {way}"
            return _move(view, REOPENED, at, f"{asked} at {stamp(at)}, within {limit} of the closing")
    if seen.reopened and closed < view.now <= last:
        return _move(view, REOPENED, view.now, f"A person reopened the issue within {limit} of the closing")
    return None


def _move(view: IncidentAt, state: str, due: datetime, reason: str) -> StateMove:
    key = f"{view.incident.id}/state/{view.cycle}/{state}"
    return StateMove(view.incident.id, key, state, due, reason)


def _is_postmortem_final(incident: Incident) -> bool:
    return incident.postmortem is not None and incident.postmortem.status == "final"


def _closed_by_change(incident: Incident) -> datetime | None:
    closings = [change.at for change in incident.changes if change.field == "state" and change.new == CLOSED]
    return parse_instant(closings[-1]) if closings else None


_LATE = timedelta(days=1)
"""How late a run may still look for a comment made within the window of `auto_reopen`."""


def watched_since(view: IncidentAt, policy: Policy) -> datetime | None:
    """Since when people's comments on an incident matter to what is due now; None where they do not.

    A comment is activity (stagnation, deferral, auto-close), may hold a keyword, or asks to reopen a closed incident.
    """
    incident, now, policy = view.incident, view.now, policy.for_incident(view.incident)
    level = policy.level_of(incident)
    if level is None or now < view.declared:
        return None
    if view.state == CLOSED:
        limit, closed = policy.states.auto_reopen, instant(current_instant(incident, "closed"))
        if limit is None or closed is None or incident.duplicate_of is not None:
            return None
        return closed if now <= shift(closed, seconds_of(limit) + _LATE.total_seconds()) else None
    if view.is_cancelled:
        return None
    if view.state == RESOLVED:
        return instant(current_instant(incident, "resolved")) if policy.states.auto_close else None
    matters = policy.escalation.keywords or level.stagnation or (level.escalate_at and level.defer_if_active_within)
    return view.declared if matters else None
