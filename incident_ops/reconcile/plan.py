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
from incident_ops.domain.issue_places import spell_issue
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Message
from incident_ops.domain.record import SettledRecords, Unread, is_incident_id
from incident_ops.domain.tracker import FAILED, Issue, IssueEdit, Label, Snapshot, Unreached, fold_title
from incident_ops.errors import UserError
from incident_ops.notifications.alert_state import RINGS_ANEW, is_ended_first
from incident_ops.notifications.plan import SENT, SUMMED, UNCONFIRMED, PlannedNotice, is_urgent
from incident_ops.notifications.recipients import NOBODY, Notices
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
    located,
)
from incident_ops.reconcile.desired import INCIDENT_ISSUE, ITEM_ISSUE, NOT_PLANNED, Desired, DesiredIssue, incident_of
from incident_ops.reconcile.diff import OwnedIssues, SideBySide, decide_key, is_hands_off, missing_logins, side_by_side
from incident_ops.reconcile.places import left_in_teams
from incident_ops.reconcile.proposals import Left, fingerprint

PLAN_SCHEMA = 1
UNREACHABLE_CHANNEL = "unreachable"
NOBODY_REACHED = "nobody"
_ENDS = {ACKNOWLEDGED: "somebody has it", RESOLVED_EVENT: "it is over"}


class Plan(NamedTuple):
    """What an apply would do, in order.

    `owned_open` is how many open issues are ours; `lost` how many numbers records carry while the tracker shows no
    issue of ours at all. `incomplete` are the incidents of which some items' issues are not known.
    """

    changes: tuple[PlannedChange, ...]
    kept: tuple[Kept, ...]
    unread: tuple[LeftAlone, ...]
    checksum: str
    owned_open: int = 0
    lost: int = 0
    incomplete: frozenset[str] = frozenset()

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
    recreating, returns = frozenset(recreate), frozenset(returning)
    home = side_by_side(desired, snapshot, recreating, returns)
    decision, every, left = _decided(home, untouchable, deleted or {}), [home], list(snapshot.unreached)
    for team in snapshot.elsewhere:
        sides = side_by_side(desired._replace(repository=team.repository), team, recreating, returns, home)
        try:
            there = located(_decided(sides, untouchable, deleted or {}), team.repository)
        except UserError as error:  # it hides nobody else's work
            why, numbers = f"is left alone: {error.message}", dict(team.numbers)
            left.append(Unreached(team.repository, FAILED, why, error.hint, team.names, numbers))
            continue
        decision, every = join_decisions([decision, there]), [*every, sides]
    planned = {sides.desired.repository for sides in every}
    unknown = left_in_teams(desired, planned, left, untouchable)
    decision = join_decisions([decision, unknown.decision])
    changes = tuple(sorted(decision.changes, key=lambda change: change.turn))
    unread_records = (LeftAlone(left.path, left.reason, _numbers(names, home.ours)) for left, names in broken)
    return Plan(
        changes=changes,
        kept=decision.kept,
        unread=(*unread_records, *unknown.alone),
        checksum=checksum(changes),
        owned_open=sum(1 for sides in every for issues in sides.ours.values() for issue in issues if issue.is_open),
        lost=0 if home.is_known else len(home.recorded) + desired.beside.numbers * home.is_hosted,
        incomplete=unknown.incidents,
    )


def _decided_key(wanted: DesiredIssue, sides: SideBySide) -> KeyDecision:
    """The same for one key. What became restricted is no longer written into the repository of a team, which may be
    open to more people than the records."""
    if wanted.repository and wanted.incident.visibility == "restricted":
        why = "the incident is restricted: its issue there is left as it is"
        return KeyDecision(kept=(Kept(wanted.key, wanted.kind, wanted.number, why),))
    return decide_key(wanted, sides)


def _decided(sides: SideBySide, untouchable: frozenset[str], deleted: Mapping[str, str]) -> KeyDecision:
    """All that is to be done in one repository, its labels and milestones first."""
    decisions = (
        _decided_key(wanted, sides)
        for wanted in sides.desired.here
        if untouchable.isdisjoint((wanted.key, incident_of(wanted.key)))
    )
    settled = _settled(sides.desired.beside) if sides.home is None else KeyDecision()
    orphans = _orphans(sides, untouchable, deleted)
    decision = join_decisions([_foreign(sides), *decisions, settled, *orphans, _unclaimed(sides), _unassignable(sides)])
    made = (*_labels(decision.changes, sides), *_milestones(decision.changes, sides))
    return KeyDecision((*made, *decision.changes), decision.kept)


def _settled(beside: SettledRecords) -> KeyDecision:
    """Settled records without an issue, counted: an import brings thousands, and none is opened for them."""
    if not beside.records:
        return KeyDecision()
    one = beside.records == 1
    reason = f"{beside.records:,} {'record is' if one else 'records are'} over and {'has' if one else 'have'} no issue"
    return KeyDecision(kept=(Kept("settled", INCIDENT_ISSUE, None, reason),))


def leave_edits(plan: Plan, left: Mapping[str, Left]) -> Plan:
    """A plan less some edits of records (by fingerprint); they are listed as left unchanged, each with its reason."""
    reasons = [(change, left.get(fingerprint(change)) if change.action == EDIT else None) for change in plan.changes]
    kept = tuple(
        Kept(change.key, change.kind, change.number, why.reason, _said_of(change, why), change.repository)
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
            name = spell_issue(issue.number, sides.desired.repository)
            message = f"{name} carries our mark of {key}, and {issue.author}, who opened it, is not trusted"
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
        wanted = sides.desired.issues.get(key)
        if wanted is not None and wanted.repository != sides.desired.repository:
            yield from (_elsewhere(wanted, issue) for issue in issues if issue.is_open)
        if wanted is not None or not untouchable.isdisjoint((key, incident_of(key))):
            continue
        commit = deleted.get(key) or deleted.get(incident_of(key))
        yield from (_orphan(key, issue, commit, sides.snapshot.records_id) for issue in issues if issue.is_open)


def _elsewhere(wanted: DesiredIssue, issue: Issue) -> KeyDecision:
    """An issue of ours whose key has its issue in another repository: people close it, once they have looked."""
    where = wanted.repository or "the repository with the tracking issues"
    why = f"the issue of this key is in {where}; close this one"
    return KeyDecision(kept=(Kept(wanted.key, wanted.kind, issue.number, why),))


def _orphan(key: str, issue: Issue, commit: str | None, records_id: int) -> KeyDecision:
    kind = ITEM_ISSUE if "/" in key else INCIDENT_ISSUE
    if commit is None or is_hands_off(issue):
        why = "no record names it any more" if commit is None else "people asked that it be left alone"
        return KeyDecision(kept=(Kept(key, kind, issue.number, why),))
    edit = IssueEdit(body=generated_block.mark_closed(issue.body, records_id))
    reason = f"its record was deleted in git by {commit[:12]}"
    return KeyDecision((PlannedChange(CLOSE, kind, key, issue.number, reason, edit, NOT_PLANNED, issue),))


def _unassignable(sides: SideBySide) -> KeyDecision:
    """People who cannot be assigned, each listed once."""
    wanting: dict[str, list[str]] = defaultdict(list)
    for wanted in sides.desired.here:
        for login in missing_logins(wanted, sides.kept.get(wanted.key)):
            if login.casefold() in sides.unassignable:
                wanting[login.casefold()].append(wanted.key)
    where = f"in {sides.desired.repository}" if sides.desired.repository else "on this tracker"
    return KeyDecision(
        kept=tuple(
            Kept(keys[0], ASSIGNEE, None, f"@{login} cannot be assigned {where} ({len(keys)} of our issues)")
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
            what = {SUMMED: "", UNCONFIRMED: "not confirmed, nor sent again: "}.get(notice.action, "not sent: ")
            why = f"{what}{notice.why}"
            kept.append(Kept(message.key, _notice_kind(message), None, why))
    changes = tuple(_notice_change(same_key, reasons, held) for same_key in going_out.values())
    unreachable = (
        Kept(person.obligation, NOBODY_REACHED, None, f"{NOBODY} can be reached: {person.why}")
        if person.whom == NOBODY
        else Kept(person.obligation, UNREACHABLE_CHANNEL, None, f"{person.whom} cannot be notified: {person.why}")
        for person in due.unreachable
        if person.obligation in reasons
    )
    return KeyDecision(changes, (*dict.fromkeys(kept), *unreachable))


def _notice_change(same_key: list[PlannedNotice], reasons: Mapping[str, str], held: str) -> PlannedChange:
    message = same_key[0].message
    ends = RINGS_ANEW if is_ended_first(message) else _ENDS.get(message.mark, "")
    reason = reasons.get(message.obligation, "") if message.obligation else ends
    repeat = next((planned.why for planned in same_key if planned.why), "")
    details = NoticeDetails(
        message.audience,
        message.recipient,
        tuple(planned.message.channel for planned in same_key),
        message.subject,
        is_urgent(message),
        held,
        message.text,
    )
    shown = message.mark if message.restricted else reason
    full_reason = "; ".join(filter(None, (shown, repeat)))
    return PlannedChange(NOTIFY, _notice_kind(message), message.key, None, full_reason, notice=details)


def _notice_kind(message: Message) -> str:
    return message.kind or message.mark
