"""How many requests a run will send to a hosted tracker, told before it runs.

The difference between what records ask for and what a tracker holds. Pure: same inputs, same plan, same checksum.

Planned notices as changes of a plan: what is sent now is a change, what is held is kept and says why. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from incident_ops.domain import record
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Message
from incident_ops.domain.record import Unread, is_incident_id
from incident_ops.domain.tracker import Issue, IssueEdit, Label, Snapshot
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
    NOTIFY,
    PROPOSAL,
    Kept,
    KeyDecision,
    LeftAlone,
    PlannedChange,
    Telling,
    joined,
)
from incident_ops.reconcile.desired import INCIDENT_ISSUE, ITEM_ISSUE, NOT_PLANNED, Desired, incident_of
from incident_ops.reconcile.diff import Owned, SideBySide, decide_key, is_hands_off, missing_logins, view

PAGE = 100  # entries in one answer


def requests(desired: Desired, snapshot: Snapshot, changes: Sequence[PlannedChange]) -> int:
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


def _questions(desired: Desired, snapshot: Snapshot, changes: Sequence[PlannedChange]) -> int:
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


def _cost(change: PlannedChange) -> int:
    """One request; a parent is one more, a comment two: those that are there are read first."""
    fields = (
        change.action == CREATE or change.state_reason is not None or change.edit != IssueEdit() or not change.parent
    )
    return int(fields) + int(change.parent is not None) + 2 * int(change.comment is not None)


def _is_read_alone(change: PlannedChange, seen: Issue, desired: Desired) -> bool:
    """True where an issue is read once more right before it is changed: its text changes, or no list has it."""
    return change.edit.body is not None or not _is_listed(seen.labels, desired)


def _is_listed(labels: Sequence[str], desired: Desired, name: str | None = None) -> bool:
    names = desired.listed if name is None else (name,)
    return any(label.casefold() in names for label in labels)


def _pages(count: int) -> int:
    return max(1, -(-count // PAGE))


PLAN_SCHEMA = 1


class Plan(NamedTuple):
    """What an apply would do, in order. `requests_estimate` counts the reads and writes of the whole run.

    `owned_open` is how many open issues are ours; `lost` how many numbers records carry while the tracker shows no
    issue of ours at all; `proposed` is, by path, the sha256 of each file that waits in our proposal.
    """

    changes: tuple[PlannedChange, ...]
    kept: tuple[Kept, ...]
    unread: tuple[LeftAlone, ...]
    requests_estimate: int
    checksum: str
    owned_open: int = 0
    lost: int = 0
    proposed: Mapping[str, str] = {}

    @property
    def record_edits(self) -> Mapping[str, tuple[record.Edit, ...]]:
        """Path of a record -> the edits that write back what the tracker tells."""
        return diff.grouped(self.changes)


def make_plan(
    desired: Desired,
    snapshot: Snapshot,
    unread: Iterable[Unread] = (),
    deleted: Mapping[str, str] | None = None,
    recreate: Collection[str] = (),
) -> Plan:
    """Desired and observed -> Plan: labels, updates, creates (worst level, then oldest, first), record edits, closes.

    Issues of `unread` records, of clashing keys and of records that are not found stay as they are and are listed;
    only a key in `deleted` (key -> the commit that deleted it) is closed. `recreate`: keys that get a new issue in
    place of one that is gone. UserError where such a key is not wanted, or where a bot that is not trusted owns one.
    """
    _must_be_wanted(recreate, desired)
    broken = [(one, _ids_in(one.path)) for one in unread]
    broken += [(Unread(key, "claimed by more than one record"), frozenset({key})) for key in sorted(desired.clashes)]
    untouchable = frozenset(name for _, names in broken for name in names)
    seen = view(desired, snapshot, frozenset(recreate))
    judged = (
        decide_key(wanted, seen)
        for key, wanted in desired.issues.items()
        if untouchable.isdisjoint((key, incident_of(key)))
    )
    verdict = joined([_foreign(seen), *judged, *_orphans(seen, untouchable, deleted or {}), _nobodies(seen)])
    changes = tuple(sorted((*_labels(verdict.changes, seen), *verdict.changes), key=lambda change: change.turn))
    return Plan(
        changes=changes,
        kept=verdict.kept,
        unread=tuple(LeftAlone(one.path, one.reason, _numbers(names, seen.ours)) for one, names in broken),
        requests_estimate=requests(desired, snapshot, changes),
        checksum=checksum(changes),
        owned_open=sum(1 for issues in seen.ours.values() for issue in issues if issue.is_open),
        lost=0 if seen.ours else len(seen.named),
        proposed=snapshot.proposed,
    )


def waiting(made: Plan, spelled: Mapping[str, str]) -> Plan:
    """A plan less the record edits that stand in our open proposal already: they are kept, and said to wait there.

    `spelled`: path of a record -> sha256 of the text to which the plan's edits lead. A proposal that says more than is
    due, and nothing new, is one more change: it is written anew, or closed.
    """
    wait = {path for path, digest in spelled.items() if made.proposed.get(path) == digest}
    changes = tuple(change for change in made.changes if change.action != EDIT or change.path not in wait)
    if set(made.proposed) - wait and not any(change.action == EDIT for change in changes):
        stale = PlannedChange(EDIT, PROPOSAL, PROPOSAL, None, "it says more than is due")
        changes = tuple(sorted((*changes, stale), key=lambda change: change.turn))
    kept = tuple(
        Kept(change.key, change.kind, change.number, "waiting in the proposal")
        for change in made.changes
        if change.action == EDIT and change.path in wait
    )
    return made._replace(changes=changes, kept=(*made.kept, *kept), checksum=checksum(changes))


def without(made: Plan, refused: Mapping[str, str]) -> Plan:
    """A plan less the edits of records that cannot be made: key -> why; they are kept and told."""
    if not refused:
        return made
    changes = tuple(change for change in made.changes if change.action != EDIT or change.key not in refused)
    kept = tuple(
        Kept(change.key, change.kind, change.number, f"{change.reason}, but {why}")
        for change in made.changes
        if change.action == EDIT and (why := refused.get(change.key))
    )
    return made._replace(changes=changes, kept=(*made.kept, *kept), checksum=checksum(changes))


def together(made: Plan, more: KeyDecision) -> Plan:
    """A plan and what else is due, in the order of a run."""
    changes = tuple(sorted((*made.changes, *more.changes), key=lambda change: change.turn))
    return made._replace(changes=changes, kept=(*made.kept, *more.kept), checksum=checksum(changes))


def checksum(changes: Iterable[PlannedChange]) -> str:
    """sha256 over the canonical JSON of the changes: equal when, and only when, the same would be done."""
    rows = [[one.action, one.kind, one.key, one.number, one.bound] for one in changes]
    text = json.dumps([PLAN_SCHEMA, rows], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _must_be_wanted(keys: Collection[str], desired: Desired) -> None:
    for key in sorted(keys):
        if key not in desired.issues:
            raise UserError(f"--recreate {key}: no record asks for it", hint="give a key such as INC-1 or INC-1/AI-2")


def _ids_in(path: str) -> frozenset[str]:
    """The incident id a record's path tells, since its text cannot."""
    return frozenset(part for part in path.split("/") if is_incident_id(part))


def _numbers(names: frozenset[str], owned: Owned) -> tuple[int, ...]:
    found = (issue.number for key, issues in owned.items() if names & {key, incident_of(key)} for issue in issues)
    return tuple(sorted(found))


def _foreign(seen: SideBySide) -> KeyDecision:
    """Issues with the mark of a wanted key that others opened: a bot may be a forgotten setting of ours."""
    ours = {issue.number for issues in seen.ours.values() for issue in issues}
    kept = []
    for issue in seen.snapshot.issues:
        key = generated_block.owner(issue.body)
        if issue.number in ours or key is None or key not in seen.desired.issues:
            continue
        if key not in seen.ours and issue.author.endswith("[bot]"):
            message = f"#{issue.number} carries our mark of {key}, and {issue.author}, who opened it, is not trusted"
            raise UserError(message, hint=f"add {issue.author} to tracker.identities in policy.yaml, or remove line 1")
        who = issue.author or "somebody"
        kept.append(
            Kept(key, seen.desired.issues[key].kind, issue.number, f"our mark, pasted by {who}, counts nothing")
        )
    return KeyDecision(kept=tuple(kept))


def _orphans(seen: SideBySide, untouchable: frozenset[str], deleted: Mapping[str, str]) -> Iterator[KeyDecision]:
    """Open issues whose record, or whose item in it, is not there: only a deletion in git history closes them."""
    for key, issues in sorted(seen.ours.items()):
        if key in seen.desired.issues or not untouchable.isdisjoint((key, incident_of(key))):
            continue
        commit = deleted.get(key) or deleted.get(incident_of(key))
        yield from (_orphan(key, issue, commit) for issue in issues if issue.is_open)


def _orphan(key: str, issue: Issue, commit: str | None) -> KeyDecision:
    kind = ITEM_ISSUE if "/" in key else INCIDENT_ISSUE
    if commit is None or is_hands_off(issue):
        why = "no record names it any more" if commit is None else "people asked for hands off"
        return KeyDecision(kept=(Kept(key, kind, issue.number, why),))
    edit = IssueEdit(body=generated_block.shut(issue.body))
    reason = f"its record was deleted in git by {commit[:12]}"
    return KeyDecision((PlannedChange(CLOSE, kind, key, issue.number, reason, edit, NOT_PLANNED, issue),))


def _nobodies(seen: SideBySide) -> KeyDecision:
    """People who cannot be assigned, each told once."""
    wanting: dict[str, list[str]] = defaultdict(list)
    for wanted in seen.desired.issues.values():
        for login in missing_logins(wanted, seen.stay.get(wanted.key)):
            if login.casefold() in seen.unassignable:
                wanting[login.casefold()].append(wanted.key)
    return KeyDecision(
        kept=tuple(
            Kept(keys[0], ASSIGNEE, None, f"@{login} cannot be assigned on this tracker ({len(keys)} of our issues)")
            for login, keys in sorted(wanting.items())
        )
    )


def _labels(changes: Iterable[PlannedChange], seen: SideBySide) -> list[PlannedChange]:
    """The labels of ours that issues of this plan carry and the tracker does not have, in any case."""
    if seen.snapshot.labels is None:
        return []
    there = {label.name.casefold() for label in seen.snapshot.labels}
    used = {label.casefold() for change in changes for label in change.edit.labels or ()}
    missing = [seen.desired.palette[name] for name in sorted(used - there) if name in seen.desired.palette]
    return [_label(label) for label in missing]


def _label(label: Label) -> PlannedChange:
    return PlannedChange(
        CREATE, LABEL, label.name, None, "issues carry it and the tracker does not have it", label=label
    )


UNREACHABLE_CHANNEL = "unreachable"

_ENDS = {ACKNOWLEDGED: "somebody has it", RESOLVED_EVENT: "it is over"}


def telling(told: Notices, planned: Iterable[PlannedNotice], why: Mapping[str, str], held: str = "") -> KeyDecision:
    """One change for each notice that goes out by one channel at least; who cannot be reached is kept and named.

    `why` tells the reason of each obligation that somebody is still to hear of; `held` is why all of them are only
    planned, "" where they are sent.
    """
    going: dict[str, list[PlannedNotice]] = {}
    kept: list[Kept] = []
    for one in planned:
        if one.goes_out:
            going.setdefault(one.message.key, []).append(one)
        elif one.action != SENT:
            kept.append(Kept(one.message.key, _kind(one.message), None, f"not sent: {one.why}"))
    changes = tuple(_change(of, why, held) for of in going.values())
    lost = (
        Kept(one.obligation, UNREACHABLE_CHANNEL, None, f"{one.whom} cannot be notified: {one.why}")
        for one in told.unreachable
        if one.obligation in why
    )
    return KeyDecision(changes, (*dict.fromkeys(kept), *lost))


def _change(of: list[PlannedNotice], why: Mapping[str, str], held: str) -> PlannedChange:
    message = of[0].message
    reason = why.get(message.obligation, "") if message.obligation else _ENDS.get(message.mark, "")
    again = next((one.why for one in of if one.why), "")
    said = Telling(
        message.audience,
        message.recipient,
        tuple(one.message.channel for one in of),
        message.subject,
        is_urgent(message),
        held,
    )
    told = message.mark if message.restricted else reason
    return PlannedChange(
        NOTIFY, _kind(message), message.key, None, "; ".join(filter(None, (told, again))), telling=said
    )


def _kind(message: Message) -> str:
    return message.kind or message.mark
