"""The difference between what records ask for and what a tracker holds. Pure: same inputs, same plan, same checksum."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from incident_ops.model.ids import is_incident_id
from incident_ops.model.observed import Edit, Issue, Snapshot
from incident_ops.model.unread import Unread
from incident_ops.reconcile import marker
from incident_ops.reconcile.desired import ACTION_ITEM, DUPLICATE, INCIDENT, Desired, Wanted, incident_of

SCHEMA = 1
CREATE, UPDATE, CLOSE, REOPEN = "create", "update", "close", "reopen"
PAGE = 100  # issues a tracker lists in one request

_ORDER = {REOPEN: 0, UPDATE: 0, CREATE: 1, CLOSE: 2}


class Change(NamedTuple):
    """One step on the tracker. `number` and `seen` (the issue the step was planned against) are None for a create."""

    action: str
    kind: str
    key: str
    number: int | None
    reason: str
    edit: Edit
    state_reason: str | None = None
    seen: Issue | None = None

    @property
    def fields(self) -> dict[str, object]:
        """What will be set, by the tracker's names; JSON-like."""
        out: dict[str, object] = {
            "title": self.edit.title,
            "labels": self.edit.labels,
            "assignees": self.edit.assignees,
        }
        out |= {"state_reason": self.state_reason, "body": self.edit.body}
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in out.items() if value is not None
        }


class Kept(NamedTuple):
    """A key about which nothing is done, and why; `number` None where it has no issue."""

    key: str
    kind: str
    number: int | None
    reason: str


class LeftAlone(NamedTuple):
    """A record that could not be used, and the numbers of its issues, which stay as they are."""

    path: str
    reason: str
    numbers: tuple[int, ...]


class Plan(NamedTuple):
    """What an apply would do, in order. `requests_estimate` counts the reads and writes of the whole run."""

    changes: tuple[Change, ...]
    kept: tuple[Kept, ...]
    unread: tuple[LeftAlone, ...]
    requests_estimate: int
    checksum: str


class _Verdict(NamedTuple):
    changes: Sequence[Change] = ()
    kept: Sequence[Kept] = ()


def plan(desired: Desired, snapshot: Snapshot, unread: Iterable[Unread] = ()) -> Plan:
    """Desired and observed -> Plan: updates, then creates (worst level, then oldest, first), then closes.

    Issues of `unread` records, of clashing keys and of records that are not found stay as they are and are listed.
    """
    broken = [(one, _ids_in(one.path)) for one in unread]
    broken += [(Unread(key, "claimed by more than one record"), frozenset({key})) for key in sorted(desired.clashes)]
    untouchable = {name for _, names in broken for name in names}
    owned = _by_key(snapshot)
    verdicts = [
        _judge(wanted, owned.get(key, ()), desired)
        for key, wanted in desired.issues.items()
        if untouchable.isdisjoint((key, incident_of(key)))
    ]
    changes = tuple(
        sorted((change for one in verdicts for change in one.changes), key=lambda change: _ORDER[change.action])
    )
    kept = [entry for one in verdicts for entry in one.kept]
    kept += _orphans(owned, desired, untouchable)
    left = tuple(LeftAlone(one.path, one.reason, _numbers(names, owned)) for one, names in broken)
    return Plan(changes, tuple(kept), left, _requests(len(snapshot.issues), len(changes)), checksum(changes))


def checksum(changes: Iterable[Change]) -> str:
    """sha256 over the canonical JSON of the changes: equal when, and only when, the same would be done."""
    rows = [[one.action, one.kind, one.key, one.number, one.fields] for one in changes]
    text = json.dumps([SCHEMA, rows], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _requests(issues: int, changes: int) -> int:
    """Pages to list, once more before the first write, and one request a change."""
    pages = max(1, -(-issues // PAGE))
    return pages + (pages + changes if changes else 0)


def _ids_in(path: str) -> frozenset[str]:
    """The incident id a record's path tells, since its text cannot."""
    return frozenset(part for part in path.split("/") if is_incident_id(part))


def _numbers(names: frozenset[str], owned: Mapping[str, Sequence[Issue]]) -> tuple[int, ...]:
    found = (issue.number for key, issues in owned.items() if names & {key, incident_of(key)} for issue in issues)
    return tuple(sorted(found))


def key_of(issue: Issue) -> str | None:
    """The key that owns an issue: what the tracker keeps, else the marker on line 1 of the body; None = not ours."""
    return issue.key or marker.owner(issue.body)


def _by_key(snapshot: Snapshot) -> dict[str, list[Issue]]:
    out: dict[str, list[Issue]] = defaultdict(list)
    for issue in snapshot.issues:
        key = key_of(issue)
        if key:
            out[key].append(issue)
    return out


def _orphans(owned: Mapping[str, Sequence[Issue]], desired: Desired, untouchable: set[str]) -> list[Kept]:
    """Open issues whose record, or whose item in it, is not there: only a deletion in git history may close them."""
    return [
        Kept(key, ACTION_ITEM if "/" in key else INCIDENT, issue.number, "no record names it any more")
        for key, issues in sorted(owned.items())
        if key not in desired.issues and untouchable.isdisjoint((key, incident_of(key)))
        for issue in issues
        if issue.is_open
    ]


def _judge(wanted: Wanted, issues: Sequence[Issue], desired: Desired) -> _Verdict:
    """What is to be done about one key."""
    if not issues:
        return _missing(wanted, desired)
    keeper = min(issues, key=lambda issue: (issue.state_reason == DUPLICATE, issue.number))
    doubles = [_duplicate(wanted, issue, keeper) for issue in issues if issue is not keeper and issue.is_open]
    verdict = _compare(wanted, keeper, desired)
    return _Verdict([*verdict.changes, *doubles], verdict.kept)


def _missing(wanted: Wanted, desired: Desired) -> _Verdict:
    if wanted.closed_as:
        return _Verdict(kept=[Kept(wanted.key, wanted.kind, None, f"{wanted.why}; it never had an issue")])
    body = marker.compose(wanted.key, marker.block(desired.bodies[wanted.key]))
    edit = Edit(title=wanted.title, body=body, labels=wanted.labels, assignees=wanted.assignees)
    return _Verdict([Change(CREATE, wanted.kind, wanted.key, None, f"{wanted.why} and has no issue yet", edit)])


def _duplicate(wanted: Wanted, issue: Issue, keeper: Issue) -> Change:
    reason = f"#{keeper.number} has the same key"
    return Change(CLOSE, wanted.kind, wanted.key, issue.number, reason, Edit(), DUPLICATE, issue)


def _compare(wanted: Wanted, issue: Issue, desired: Desired) -> _Verdict:
    """One wanted issue against the one that is there. A person's closing or reopening is not fought."""
    parts = marker.parse(issue.body)
    edit, reason = _drift(wanted, issue, parts, desired)

    def step(action: str, why: str, state_reason: str | None = None) -> _Verdict:
        return _Verdict([Change(action, wanted.kind, wanted.key, issue.number, why, edit, state_reason, issue)])

    def keep(why: str) -> _Verdict:
        return _Verdict(kept=[Kept(wanted.key, wanted.kind, issue.number, why)])

    if wanted.closed_as and issue.is_open:
        if parts.was_closed:
            return keep(f"a person reopened it, though {wanted.why}")
        return step(CLOSE, wanted.why, wanted.closed_as)
    if not wanted.closed_as and not issue.is_open:
        if parts.was_closed:
            return step(REOPEN, wanted.why)
        return keep(f"a person closed it, though {wanted.why}")
    return step(UPDATE, reason) if edit != Edit() else _Verdict()


def _drift(wanted: Wanted, issue: Issue, parts: marker.Parts, desired: Desired) -> tuple[Edit, str]:
    """What differs -> new values and the reason; an empty Edit where nothing does."""
    block = marker.block(desired.bodies[wanted.key], closed=wanted.closed_as is not None)
    body = marker.compose(wanted.key, block, parts)
    theirs = {label.casefold() for label in issue.labels}
    ours = {label.casefold() for label in wanted.labels}
    known = (
        desired.vocabulary | ours
    )  # a label outside the scheme is a finding elsewhere, here it is still the record's
    others = tuple(label for label in issue.labels if label.casefold() not in known)
    logins = {login.casefold() for login in issue.assignees}
    new = tuple(login for login in wanted.assignees if login.casefold() not in logins)
    same_text = marker.normal(body) == marker.normal(issue.body)
    edit = Edit(
        title=wanted.title if wanted.title != issue.title else None,
        body=None if same_text else body,
        labels=(*wanted.labels, *others) if ours != theirs & known else None,
        assignees=(*issue.assignees, *new) if new else None,
    )
    if same_text:
        return edit, "title, labels or assignees differ from the record"
    if parts.key is None or parts.block is None:
        return edit, "a marker was removed"
    return edit, "the record changed" if parts.is_ours else "the generated text was edited; the record wins"
