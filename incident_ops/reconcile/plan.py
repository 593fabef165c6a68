"""The difference between what records ask for and what a tracker holds. Pure: same inputs, same plan, same checksum.

With it notices as changes of a plan: what is sent now is a change, what is not is listed with its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from incident_ops.domain import record
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Message
from incident_ops.domain.record import Unread, is_incident_id
from incident_ops.domain.tracker import Issue, IssueEdit, Label, Snapshot, fold_title
from incident_ops.errors import UserError
from incident_ops.notifications.plan import SENT, PlannedNotice, is_urgent
from incident_ops.notifications.recipients import Notices
from incident_ops.reconcile import diff, generated_block
from incident_ops.reconcile.changes import (
    ASSIGNEE,
    CLOSE,
    CREATE,
    EDIT,
    LABEL,
    MILESTONE,
    NOTIFY,
    PEOPLE,
    Kept,
    KeyDecision,
    LeftAlone,
    NoticeDetails,
    PlannedChange,
    join_decisions,
)
from incident_ops.reconcile.desired import INCIDENT_ISSUE, ITEM_ISSUE, NOT_PLANNED, Desired, incident_of
from incident_ops.reconcile.diff import OwnedIssues, SideBySide, decide_key, is_hands_off, missing_logins, side_by_side
from incident_ops.reconcile.proposals import Left, fingerprint

PLAN_SCHEMA = 1
UNREACHABLE_CHANNEL = "unreachable"
_ENDS = {ACKNOWLEDGED: "somebody has it", RESOLVED_EVENT: "it is over"}


class Plan(NamedTuple):
    """What an apply would do, in order.

    `owned_open` is how many open issues are ours; `lost` how many numbers records carry while the tracker shows no
    issue of ours at all.
    """

    changes: tuple[PlannedChange, ...]
    kept: tuple[Kept, ...]
    unread: tuple[LeftAlone, ...]
    checksum: str
    owned_open: int = 0
    lost: int = 0

    @property
    def record_edits(self) -> Mapping[str, tuple[record.Edit, ...]]:
        """Path of a record -> all its edits, of every topic."""
        return diff.edits_by_path(self.changes)


def make_plan(
    desired: Desired,
    snapshot: Snapshot,
    unread: Iterable[Unread] = (),
    deleted: Mapping[str, str] | None = None,
    recreate: Collection[str] = (),
    returning: Collection[str] = (),
) -> Plan:
    """Desired and observed -> Plan: labels, milestones, updates, creates (worst level, then oldest, first), record
    edits, closes.

    Issues of `unread` records, of clashing keys and of records that are not found stay as they are and are listed;
    only a key in `deleted` (key -> the commit that deleted it) is closed. `recreate`: keys that get a new issue in
    place of one that is gone; `returning`: incidents that another edit of the run reopens. UserError where a key to
    recreate is not wanted, or where a bot that is not trusted owns one.
    """
    _must_be_wanted(recreate, desired)
    broken = [(record, _ids_in(record.path)) for record in unread]
    broken += [(Unread(key, "claimed by more than one record"), frozenset({key})) for key in sorted(desired.clashes)]
    untouchable = frozenset(name for _, names in broken for name in names)
    sides = side_by_side(desired, snapshot, frozenset(recreate), frozenset(returning))
    decisions = (
        decide_key(wanted, sides)
        for key, wanted in desired.issues.items()
        if untouchable.isdisjoint((key, incident_of(key)))
    )
    orphans = _orphans(sides, untouchable, deleted or {})
    decision = join_decisions([_foreign(sides), *decisions, *orphans, _unclaimed(sides), _unassignable(sides)])
    made = (*_labels(decision.changes, sides), *_milestones(decision.changes, sides))
    changes = tuple(sorted((*made, *decision.changes), key=lambda change: change.turn))
    return Plan(
        changes=changes,
        kept=decision.kept,
        unread=tuple(LeftAlone(left.path, left.reason, _numbers(names, sides.ours)) for left, names in broken),
        checksum=checksum(changes),
        owned_open=sum(1 for issues in sides.ours.values() for issue in issues if issue.is_open),
        lost=0 if sides.is_known else len(sides.recorded),
    )


def leave_edits(plan: Plan, left: Mapping[str, Left]) -> Plan:
    """A plan less some edits of records (by fingerprint); they are listed as left unchanged, each with its reason."""
    reasons = [(change, left.get(fingerprint(change)) if change.action == EDIT else None) for change in plan.changes]
    kept = tuple(
        Kept(change.key, change.kind, change.number, why.reason, _said_of(change, why))
        for change, why in reasons
        if why is not None
    )
    changes = tuple(change for change, why in reasons if why is None)
    return plan._replace(changes=changes, kept=(*plan.kept, *kept), checksum=checksum(changes)) if kept else plan


def _said_of(change: PlannedChange, left: Left) -> str:
    """What the issue's comment says of an edit that is left."""
    return change.said if left.said is None or change.topic != PEOPLE else left.said


def add_decision(plan: Plan, decision: KeyDecision) -> Plan:
    """A plan with what else is due, in the order of a run."""
    changes = tuple(sorted((*plan.changes, *decision.changes), key=lambda change: change.turn))
    return plan._replace(changes=changes, kept=(*plan.kept, *decision.kept), checksum=checksum(changes))


def checksum(changes: Iterable[PlannedChange]) -> str:
    """sha256 over the canonical JSON of the changes: equal when, and only when, the same would be done."""
    rows = [[change.action, change.kind, change.key, change.number, change.bound] for change in changes]
    text = json.dumps([PLAN_SCHEMA, rows], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _must_be_wanted(keys: Collection[str], desired: Desired) -> None:
    for key in sorted(keys):
        if key not in desired.issues:
            raise UserError(f"--recreate {key}: no record asks for it", hint="give a key such as INC-1 or INC-1/AI-2")


def _ids_in(path: str) -> frozenset[str]:
    """The incident id in the path of a record whose text cannot be read."""
    return frozenset(part for part in path.split("/") if is_incident_id(part))


def _numbers(names: frozenset[str], owned: OwnedIssues) -> tuple[int, ...]:
    found = (issue.number for key, issues in owned.items() if names & {key, incident_of(key)} for issue in issues)
    return tuple(sorted(found))


def _foreign(sides: SideBySide) -> KeyDecision:
    """Issues with the mark of a wanted key that others opened: a bot may be a forgotten setting of ours."""
    ours = {issue.number for issues in sides.ours.values() for issue in issues}
    kept = []
    for issue in sides.snapshot.issues:
        key = generated_block.owner(issue.body, sides.snapshot.records_id)
        if issue.number in ours or key is None or key not in sides.desired.issues:
            continue
        if issue.author.casefold() in sides.desired.identities:
            continue  # it may be of other records
        if key not in sides.ours and issue.author.endswith("[bot]"):
            message = f"#{issue.number} carries our mark of {key}, and {issue.author}, who opened it, is not trusted"
            raise UserError(message, hint=f"add {issue.author} to tracker.identities in policy.yaml, or remove line 1")
        who = issue.author or "somebody"
        kept.append(
            Kept(key, sides.desired.issues[key].kind, issue.number, f"our mark, pasted by {who}, does not count")
        )
    return KeyDecision(kept=tuple(kept))


def _unclaimed(sides: SideBySide) -> KeyDecision:
    """Open issues that we opened and that nothing leads back to a record."""
    ours = {issue.number for issues in sides.ours.values() for issue in issues}
    return KeyDecision(
        kept=tuple(
            Kept("unmarked", INCIDENT_ISSUE, issue.number, f"{issue.author} opened it, and no record claims it")
            for issue in sides.snapshot.issues
            if issue.is_open and issue.number not in ours and issue.author.casefold() in sides.desired.identities
            if generated_block.owner(issue.body) is None
        )
    )


def _orphans(sides: SideBySide, untouchable: frozenset[str], deleted: Mapping[str, str]) -> Iterator[KeyDecision]:
    """Open issues whose record, or whose item in it, is missing: only a deletion in git history closes them."""
    for key, issues in sorted(sides.ours.items()):
        if key in sides.desired.issues or not untouchable.isdisjoint((key, incident_of(key))):
            continue
        commit = deleted.get(key) or deleted.get(incident_of(key))
        yield from (_orphan(key, issue, commit, sides.snapshot.records_id) for issue in issues if issue.is_open)


def _orphan(key: str, issue: Issue, commit: str | None, records_id: int) -> KeyDecision:
    kind = ITEM_ISSUE if "/" in key else INCIDENT_ISSUE
    if commit is None or is_hands_off(issue):
        why = "no record names it any more" if commit is None else "people asked for hands off"
        return KeyDecision(kept=(Kept(key, kind, issue.number, why),))
    edit = IssueEdit(body=generated_block.mark_closed(issue.body, records_id))
    reason = f"its record was deleted in git by {commit[:12]}"
    return KeyDecision((PlannedChange(CLOSE, kind, key, issue.number, reason, edit, NOT_PLANNED, issue),))


def _unassignable(sides: SideBySide) -> KeyDecision:
    """People who cannot be assigned, each listed once."""
    wanting: dict[str, list[str]] = defaultdict(list)
    for wanted in sides.desired.issues.values():
        for login in missing_logins(wanted, sides.kept.get(wanted.key)):
            if login.casefold() in sides.unassignable:
                wanting[login.casefold()].append(wanted.key)
    return KeyDecision(
        kept=tuple(
            Kept(keys[0], ASSIGNEE, None, f"@{login} cannot be assigned on this tracker ({len(keys)} of our issues)")
            for login, keys in sorted(wanting.items())
        )
    )


def _labels(changes: Iterable[PlannedChange], sides: SideBySide) -> list[PlannedChange]:
    """The labels of ours that issues of this plan carry and the tracker does not have, in any case."""
    if sides.snapshot.labels is None:
        return []
    there = {label.name.casefold() for label in sides.snapshot.labels}
    used = {label.casefold() for change in changes for label in change.edit.labels or change.edit.add_labels or ()}
    missing = [sides.desired.palette[name] for name in sorted(used - there) if name in sides.desired.palette]
    return [_label(label) for label in missing]


def _label(label: Label) -> PlannedChange:
    return PlannedChange(
        CREATE, LABEL, label.name, None, "issues carry it and the tracker does not have it", label=label
    )


def _milestones(changes: Iterable[PlannedChange], sides: SideBySide) -> Iterator[PlannedChange]:
    """The milestones that issues of this plan get and the tracker does not have, open or closed."""
    if sides.snapshot.milestones is None:
        return
    there = {fold_title(milestone.title) for milestone in sides.snapshot.milestones}
    used = {fold_title(change.edit.milestone) for change in changes if change.edit.milestone}
    for name in sorted(used - there):
        release = sides.desired.releases[name]
        reason = "issues are due by this release and the tracker has no milestone of its name"
        yield PlannedChange(CREATE, MILESTONE, release.title, None, reason, milestone=release)


def notice_changes(
    due: Notices, planned: Iterable[PlannedNotice], reasons: Mapping[str, str], held: str = ""
) -> KeyDecision:
    """One change for each notice that goes out on at least one channel; who cannot be reached is listed.

    `reasons` gives the reason of each obligation that somebody is still to hear of; `held` is why all of them are only
    planned, "" where they are sent.
    """
    going_out: dict[str, list[PlannedNotice]] = {}
    kept: list[Kept] = []
    for notice in planned:
        message = notice.message
        if notice.goes_out:
            going_out.setdefault(message.key, []).append(notice)
        elif notice.action != SENT:
            kept.append(Kept(message.key, _notice_kind(message), None, f"not sent: {notice.why}"))
    changes = tuple(_notice_change(same_key, reasons, held) for same_key in going_out.values())
    unreachable = (
        Kept(person.obligation, UNREACHABLE_CHANNEL, None, f"{person.whom} cannot be notified: {person.why}")
        for person in due.unreachable
        if person.obligation in reasons
    )
    return KeyDecision(changes, (*dict.fromkeys(kept), *unreachable))


def _notice_change(same_key: list[PlannedNotice], reasons: Mapping[str, str], held: str) -> PlannedChange:
    message = same_key[0].message
    reason = reasons.get(message.obligation, "") if message.obligation else _ENDS.get(message.mark, "")
    repeat = next((planned.why for planned in same_key if planned.why), "")
    details = NoticeDetails(
        message.audience,
        message.recipient,
        tuple(planned.message.channel for planned in same_key),
        message.subject,
        is_urgent(message),
        held,
    )
    shown = message.mark if message.restricted else reason
    full_reason = "; ".join(filter(None, (shown, repeat)))
    return PlannedChange(NOTIFY, _notice_kind(message), message.key, None, full_reason, notice=details)


def _notice_kind(message: Message) -> str:
    return message.kind or message.mark
