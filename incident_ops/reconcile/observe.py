"""One complete look at a tracker: the list, and what only a question about one issue or one person answers.

And a snapshot as a document: what `--save-observed` writes and `--observed` reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.time import instant, stamp
from incident_ops.domain.tracker import Act, Closing, Comment, Issue, MissingIssue, Snapshot
from incident_ops.errors import Incomplete, UserError
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.desired import ITEM_ISSUE, Desired, DesiredIssue, milestone_to_set
from incident_ops.reconcile.diff import (
    is_hands_off,
    kept_issues,
    key_of,
    missing_logins,
    recorded_numbers,
)
from incident_ops.reconcile.people import asks_who_acted, boxes_to_ask_about, who_ticked
from incident_ops.reconcile.stored_list import Increment, up_to_date

Item = TypeVar("Item")

SNAPSHOT_SCHEMA = 1
MOST_ASKED = 40  # issues of which one run asks who did what: closed, reopened, assigned or ticked


def save_snapshot(snapshot: Snapshot) -> str:
    """Snapshot -> JSON text ending in a newline; the same snapshot gives the same bytes."""
    data = msgspec.to_builtins(snapshot, str_keys=True)
    return json.dumps({"schema": SNAPSHOT_SCHEMA, **data}, indent=1, ensure_ascii=False) + "\n"


def load_snapshot(text: str, where: str = "") -> Snapshot:
    """JSON text -> Snapshot. UserError, with `where` (a path), for anything that `save` did not write."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(f"this is not JSON: {error}", where) from error
    if not isinstance(data, dict) or "schema" not in data:
        raise _refused("this is not a saved tracker: it has no `schema`", where)
    if data["schema"] != SNAPSHOT_SCHEMA or isinstance(data["schema"], bool):
        raise _refused(f"the saved tracker has schema {data['schema']!r}, expected {SNAPSHOT_SCHEMA}", where)
    try:
        snapshot = msgspec.convert(data, Snapshot, str_keys=True)
    except msgspec.ValidationError as error:
        raise _refused(f"this is not a saved tracker: {error}", where) from error
    for name, at in _instants(snapshot):
        try:
            instant(at)
        except ValueError as error:
            raise _refused(
                f"`{name}` is {at!r}, which is not an instant such as 2025-01-26T12:05:00Z", where
            ) from error
    if len({issue.number for issue in snapshot.issues}) != len(snapshot.issues):
        raise _refused("the saved tracker has one issue twice", where)
    return snapshot


def _instants(snapshot: Snapshot) -> Iterator[tuple[str, str | None]]:
    """Every instant of a snapshot, each with its name."""
    yield "heard_since", snapshot.heard_since
    yield from ((f"noticed.{key}", at) for key, at in snapshot.noticed.items())
    yield from ((f"closings.{number}.at", closing.at) for number, closing in snapshot.closings.items())
    yield from ((f"comments.{place}.at", comment.at) for place, comment in enumerate(snapshot.comments))
    yield from ((f"pager.{name}.acts.at", act.at) for name, seen in snapshot.pager.items() for act in seen.acts)
    yield from ((f"pager.{name}.at", seen.at or None) for name, seen in snapshot.pager.items())
    yield from (named for team in snapshot.elsewhere for named in _instants(team))
    yield from ((f"acts.{number}.at", act.at) for number, known in snapshot.acts.items() for act in known)
    yield from ((f"ticks.{number}.at", act.at) for number, known in snapshot.ticks.items() for act in known.values())


def _refused(message: str, where: str) -> UserError:
    return UserError(message, where=where, hint="write a new one with `incident-ops plan --save-observed FILE`")


DesiredOf = Callable[[Snapshot], Desired]
"""What records ask for, those among them of which this much of a tracker holds something."""


def observe(
    tracker: IssueTracker,
    desired: Desired,
    watched: Mapping[str, datetime] | None = None,
    numbers: Mapping[str, int] | None = None,
    now: datetime | None = None,
    asked_for: DesiredOf | None = None,
    increment: Increment | None = None,
    records_at: str = "",
) -> Snapshot:
    """Everything a plan may ask of the tracker, or `Incomplete`: a partial list must never look like the whole.

    Asked alone: the keys of open incidents whose number is not in the list; who closed an item's issue that the record
    wants open; who reopened, closed, assigned or took off whom where that decides, and whether they belong to the
    repository; whether people who are not on their issue yet can be assigned. A tracker with nothing of ours in it is
    not asked about numbers: they belong to another one. Milestones are listed only where an issue is to get one.
    `watched`: the incidents whose comments matter, and since when; where none of them has an issue no comment is read.
    `numbers`: key -> the issue that an earlier run opened for it, or saw. `now` tells which issues are asked about
    first where there are too many for a run, so that each has its turn. `asked_for`: takes the place of `desired` as
    soon as something of the tracker is seen, where `desired` leaves settled records out. `increment`: only what changed
    is listed, as long as that leaves no doubt. `records_at` as of a snapshot.
    """
    wish: DesiredOf = asked_for or (lambda _: desired)
    labels = tracker.labels()  # before the issues: one that is deleted meanwhile is then seen by the next run
    snapshot = Snapshot(
        source=tracker.source,
        repository=tracker.repository,
        records_id=tracker.records_id,
        repository_id=tracker.repository_id,
        numbers=dict(numbers or {}),
        records_at=records_at,
    )
    snapshot = _listed(tracker, snapshot, wish, increment)
    snapshot = _with_unlisted(tracker, wish(snapshot), snapshot)
    desired = wish(snapshot)
    kept = kept_issues(desired, snapshot)
    milestones = tracker.milestones() if _gets_milestone(desired, kept) else None
    since = {kept[key].number: at for key, at in (watched or {}).items() if key in kept}
    snapshot = _with_comments(tracker, snapshot, since)
    unassignable = _unassignable(tracker, desired, kept)
    snapshot = replace(
        snapshot,
        labels=None if labels is None else tuple(sorted(labels, key=lambda label: label.name)),
        milestones=None if milestones is None else tuple(sorted(milestones, key=lambda one: one.title)),
        unassignable=unassignable,
        has_sub_issues=_has_sub_issues(tracker, snapshot, increment),
    )
    return _with_acts(tracker, snapshot, _questions(desired, kept, unassignable), desired.named, now)


def _listed(tracker: IssueTracker, snapshot: Snapshot, wish: DesiredOf, increment: Increment | None) -> Snapshot:
    """With the list of issues: what is remembered and what changed, else the whole list."""
    known = up_to_date(tracker, increment, snapshot, wish) if increment else None
    return known or replace(snapshot, issues=list_issues(tracker))


def _has_sub_issues(tracker: IssueTracker, snapshot: Snapshot, increment: Increment | None) -> bool | None:
    is_answered = increment is None or not snapshot.is_incremental or tracker.has_sub_issues is not None
    return tracker.has_sub_issues if is_answered or increment is None else increment.stored.has_sub_issues


def list_issues(tracker: IssueTracker) -> tuple[Issue, ...]:
    """The tracker's list, by number."""
    issues = tuple(sorted(tracker.owned(), key=lambda issue: issue.number))
    if len({issue.number for issue in issues}) != len(issues):
        raise Incomplete("the tracker listed one issue twice", hint="it changed while it was read; run again")
    return issues


def _with_unlisted(tracker: IssueTracker, desired: Desired, snapshot: Snapshot) -> Snapshot:
    """With the issues, or the gaps, behind the numbers of keys that are not in the list.

    Of open incidents all keys: an item may be done while its issue stands open, emptied by somebody.
    """
    is_known = snapshot.numbers or desired.repository  # a record that names a repository means that one
    if not is_known and not any(key_of(issue, desired.identities, snapshot.records_id) for issue in snapshot.issues):
        return snapshot
    listed = {issue.number for issue in snapshot.issues}
    over = {wanted.key for wanted in desired.here if wanted.closed_as and wanted.incident.is_closed}
    recorded = recorded_numbers(desired, snapshot)
    unlisted = sorted({number for key, number in recorded.items() if key not in over} - listed)
    answers = [tracker.look_up(number) for number in unlisted]
    found = [answer for answer in answers if isinstance(answer, Issue)]
    return replace(
        snapshot,
        issues=tuple(sorted((*snapshot.issues, *found), key=lambda issue: issue.number)),
        gone=tuple(answer for answer in answers if isinstance(answer, MissingIssue)),
    )


def _with_comments(tracker: IssueTracker, snapshot: Snapshot, watched: Mapping[int, datetime]) -> Snapshot:
    """With the comments under these issues, from the earliest instant at which one of them matters."""
    if not watched:
        return snapshot
    since = min(watched.values())
    found = (comment for comment in tracker.comments_since(since) if comment.issue in watched)
    ordered = tuple(sorted(found, key=lambda comment: (comment.issue, comment.at, comment.by, comment.body)))
    return replace(snapshot, comments=ordered, heard_since=stamp(since))


def _gets_milestone(desired: Desired, kept: Mapping[str, Issue]) -> bool:
    """True where an issue is to get a milestone that it does not have."""
    here = ((wanted, kept.get(wanted.key)) for wanted in desired.here if wanted.milestone)
    return any(
        milestone_to_set(wanted, issue, desired) for wanted, issue in here if issue is None or not is_hands_off(issue)
    )


class _Questions(NamedTuple):
    """The issues of which it decides who closed them, who did what else, and who ticked which boxes; hands off none."""

    closings: frozenset[int]
    acts: frozenset[int]
    boxes: Mapping[int, frozenset[str]]


def _questions(desired: Desired, kept: Mapping[str, Issue], unassignable: Iterable[str]) -> _Questions:
    cannot = frozenset(login.casefold() for login in unassignable)
    wanted_here = {wanted.key: wanted for wanted in desired.here}
    here = [
        (wanted, issue)
        for key, issue in kept.items()
        if (wanted := wanted_here.get(key)) is not None and not is_hands_off(issue)
    ]
    boxes = {issue.number: boxes_to_ask_about(wanted, issue) for wanted, issue in here}
    return _Questions(
        closings=frozenset(issue.number for wanted, issue in here if _is_closed_by_others(wanted, issue)),
        acts=frozenset(issue.number for wanted, issue in here if _asks_who_acted(wanted, issue, cannot)),
        boxes={number: asked for number, asked in boxes.items() if asked},
    )


def _is_closed_by_others(wanted: DesiredIssue, issue: Issue) -> bool:
    """True for the issue of an item that the record wants open and did not close."""
    is_wanted_open = wanted.kind == ITEM_ISSUE and wanted.closed_as is None
    return is_wanted_open and not issue.is_open and not generated_block.parse_body(issue.body).was_closed


def _asks_who_acted(wanted: DesiredIssue, issue: Issue, unassignable: frozenset[str]) -> bool:
    if not asks_who_acted(wanted, issue):
        return False
    missing = (login.casefold() for login in missing_logins(wanted, issue))
    return wanted.closed_as is not None or unassignable.isdisjoint(missing)


def _with_acts(
    tracker: IssueTracker, snapshot: Snapshot, questions: _Questions, named: Collection[str], now: datetime | None
) -> Snapshot:
    """With the answers about as many issues as a run has room for, and the numbers of the others."""
    numbers = sorted({*questions.closings, *questions.acts, *questions.boxes})
    ordered = turn(numbers, now)
    asked = sorted(ordered[:MOST_ASKED])
    closings = {number: tracker.closing(number) for number in asked if number in questions.closings}
    acts = {number: tuple(tracker.acts(number)) for number in asked if number in questions.acts}
    boxes = {number: questions.boxes[number] for number in asked if number in questions.boxes}
    ticks = {number: who_ticked(tracker.body_edits(number), keys) for number, keys in boxes.items()}
    return replace(
        snapshot,
        closings=closings,
        acts=acts,
        ticks=ticks,
        not_asked=tuple(sorted(ordered[MOST_ASKED:])),
        members=_members(tracker, named, snapshot.comments, [*closings.values(), *_all_acts(acts, ticks)]),
    )


def turn(items: Sequence[Item], now: datetime | None) -> list[Item]:
    """The same in order, but each hour from another start, so that each is among the first at some time.

    By the hour, so that a plan and the run that follows it are the same.
    """
    if now is None or not items:
        return list(items)
    start = int.from_bytes(sha256(f"{now:%Y-%m-%dT%H}".encode()).digest()[:8]) % len(items)
    return [*items[start:], *items[:start]]


def _all_acts(acts: Mapping[int, Sequence[Act]], ticks: Mapping[int, Mapping[str, Act]]) -> Iterator[Act]:
    yield from (act for known in acts.values() for act in known)
    yield from (act for known in ticks.values() for act in known.values())


def _members(
    tracker: IssueTracker, named: Collection[str], comments: Iterable[Comment], acts: Sequence[Act | Closing]
) -> dict[str, bool]:
    """Whether those who acted on issues belong to the repository; bots are not asked about.

    Nor is anybody of whom an answer said it already, or whom the policy names (`named`).
    """
    who = {act.by.casefold() for act in acts if act.by and not act.by.endswith("[bot]")}
    known = {act.by.casefold() for act in acts if act.by and act.belongs}
    known |= {comment.by.casefold() for comment in comments if not (comment.is_bot or comment.is_stranger)}
    asked = sorted(who - known - set(named))
    belong = tracker.assignable(asked) if asked else frozenset()
    return {login: login in belong or login in known for login in sorted(who - set(named) | who & known)}


def _unassignable(tracker: IssueTracker, desired: Desired, kept: Mapping[str, Issue]) -> tuple[str, ...]:
    """Those who are wanted on an issue, are not there, and cannot be."""
    asked = {
        login.casefold(): login for wanted in desired.here for login in missing_logins(wanted, kept.get(wanted.key))
    }
    can = {login.casefold() for login in tracker.assignable(sorted(asked.values()))} if asked else set()
    return tuple(sorted(login for folded, login in asked.items() if folded not in can))
