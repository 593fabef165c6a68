"""The difference between what records ask for and what a tracker holds. Pure: same inputs, same plan, same checksum."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.model import edit as record
from incident_ops.model.ids import is_incident_id
from incident_ops.model.observed import Edit, Issue, Label, Snapshot
from incident_ops.model.unread import Unread
from incident_ops.reconcile import edits, marker
from incident_ops.reconcile.changes import (
    ASSIGNEE,
    CLOSE,
    CREATE,
    EDIT,
    LABEL,
    PROPOSAL,
    Change,
    Kept,
    LeftAlone,
    Verdict,
    joined,
)
from incident_ops.reconcile.compare import View, judge, view
from incident_ops.reconcile.desired import ACTION_ITEM, INCIDENT, NOT_PLANNED, Desired, incident_of
from incident_ops.reconcile.estimate import requests
from incident_ops.reconcile.owners import Owned, is_hands_off, missing_logins

SCHEMA = 1


class Plan(NamedTuple):
    """What an apply would do, in order. `requests_estimate` counts the reads and writes of the whole run.

    `owned_open` is how many open issues are ours; `lost` how many numbers records carry while the tracker shows no
    issue of ours at all; `proposed` is, by path, the sha256 of each file that waits in our proposal.
    """

    changes: tuple[Change, ...]
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
        return edits.grouped(self.changes)


def plan(
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
        judge(wanted, seen) for key, wanted in desired.issues.items() if untouchable.isdisjoint((key, incident_of(key)))
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
        stale = Change(EDIT, PROPOSAL, PROPOSAL, None, "it says more than is due")
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


def together(made: Plan, more: Verdict) -> Plan:
    """A plan and what else is due, in the order of a run."""
    changes = tuple(sorted((*made.changes, *more.changes), key=lambda change: change.turn))
    return made._replace(changes=changes, kept=(*made.kept, *more.kept), checksum=checksum(changes))


def checksum(changes: Iterable[Change]) -> str:
    """sha256 over the canonical JSON of the changes: equal when, and only when, the same would be done."""
    rows = [[one.action, one.kind, one.key, one.number, one.bound] for one in changes]
    text = json.dumps([SCHEMA, rows], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
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


def _foreign(seen: View) -> Verdict:
    """Issues with the mark of a wanted key that others opened: a bot may be a forgotten setting of ours."""
    ours = {issue.number for issues in seen.ours.values() for issue in issues}
    kept = []
    for issue in seen.snapshot.issues:
        key = marker.owner(issue.body)
        if issue.number in ours or key is None or key not in seen.desired.issues:
            continue
        if key not in seen.ours and issue.author.endswith("[bot]"):
            message = f"#{issue.number} carries our mark of {key}, and {issue.author}, who opened it, is not trusted"
            raise UserError(message, hint=f"add {issue.author} to tracker.identities in policy.yaml, or remove line 1")
        who = issue.author or "somebody"
        kept.append(
            Kept(key, seen.desired.issues[key].kind, issue.number, f"our mark, pasted by {who}, counts nothing")
        )
    return Verdict(kept=tuple(kept))


def _orphans(seen: View, untouchable: frozenset[str], deleted: Mapping[str, str]) -> Iterator[Verdict]:
    """Open issues whose record, or whose item in it, is not there: only a deletion in git history closes them."""
    for key, issues in sorted(seen.ours.items()):
        if key in seen.desired.issues or not untouchable.isdisjoint((key, incident_of(key))):
            continue
        commit = deleted.get(key) or deleted.get(incident_of(key))
        yield from (_orphan(key, issue, commit) for issue in issues if issue.is_open)


def _orphan(key: str, issue: Issue, commit: str | None) -> Verdict:
    kind = ACTION_ITEM if "/" in key else INCIDENT
    if commit is None or is_hands_off(issue):
        why = "no record names it any more" if commit is None else "people asked for hands off"
        return Verdict(kept=(Kept(key, kind, issue.number, why),))
    edit = Edit(body=marker.shut(issue.body))
    reason = f"its record was deleted in git by {commit[:12]}"
    return Verdict((Change(CLOSE, kind, key, issue.number, reason, edit, NOT_PLANNED, issue),))


def _nobodies(seen: View) -> Verdict:
    """People who cannot be assigned, each told once."""
    wanting: dict[str, list[str]] = defaultdict(list)
    for wanted in seen.desired.issues.values():
        for login in missing_logins(wanted, seen.stay.get(wanted.key)):
            if login.casefold() in seen.unassignable:
                wanting[login.casefold()].append(wanted.key)
    return Verdict(
        kept=tuple(
            Kept(keys[0], ASSIGNEE, None, f"@{login} cannot be assigned on this tracker ({len(keys)} of our issues)")
            for login, keys in sorted(wanting.items())
        )
    )


def _labels(changes: Iterable[Change], seen: View) -> list[Change]:
    """The labels of ours that issues of this plan carry and the tracker does not have, in any case."""
    if seen.snapshot.labels is None:
        return []
    there = {label.name.casefold() for label in seen.snapshot.labels}
    used = {label.casefold() for change in changes for label in change.edit.labels or ()}
    missing = [seen.desired.palette[name] for name in sorted(used - there) if name in seen.desired.palette]
    return [_label(label) for label in missing]


def _label(label: Label) -> Change:
    return Change(CREATE, LABEL, label.name, None, "issues carry it and the tracker does not have it", label=label)
