"""One key: what the record asks for against what the tracker holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from incident_ops.model.observed import DELETED, GITHUB, TRANSFERRED, Edit, Gone, Issue, Snapshot
from incident_ops.reconcile import edits, marker
from incident_ops.reconcile.changes import CLOSE, CREATE, REOPEN, UPDATE, Change, Kept, Verdict, joined
from incident_ops.reconcile.desired import DUPLICATE, MOST_ASSIGNEES, Desired, Wanted
from incident_ops.reconcile.owners import Owned, is_hands_off, keepers, missing_logins, numbers, owned


class View(NamedTuple):
    """Desired and observed side by side: `ours` are the issues of each key, `stay` the one of them that stays.

    `named` are the numbers that records carry, `recreate` the keys that get a new issue in place of one that is gone.
    """

    desired: Desired
    snapshot: Snapshot
    ours: Owned
    stay: Mapping[str, Issue]
    named: Mapping[str, int]
    gone: Mapping[int, Gone]
    issues: Mapping[int, Issue]
    unassignable: frozenset[str]
    recreate: frozenset[str]

    @property
    def is_hosted(self) -> bool:
        """True where the tracker's numbers are those that records carry."""
        return self.snapshot.source == GITHUB


def view(desired: Desired, snapshot: Snapshot, recreate: frozenset[str]) -> View:
    """Everything that judging a key asks for."""
    ours, named = owned(desired, snapshot), numbers(desired, snapshot)
    return View(
        desired=desired,
        snapshot=snapshot,
        ours=ours,
        stay=keepers(ours, named),
        named=named,
        gone={one.number: one for one in snapshot.gone},
        issues={issue.number: issue for issue in snapshot.issues},
        unassignable=frozenset(login.casefold() for login in snapshot.unassignable),
        recreate=recreate,
    )


def judge(wanted: Wanted, seen: View) -> Verdict:
    """What is to be done about one key."""
    issues: Sequence[Issue] = seen.ours.get(wanted.key, ())
    if not issues:
        return _missing(wanted, seen)
    stays = seen.stay[wanted.key]
    doubles = [_duplicate(wanted, issue, stays) for issue in issues if issue is not stays and issue.is_open]
    return joined([_compare(wanted, stays, seen), *doubles])


def _missing(wanted: Wanted, seen: View) -> Verdict:
    """A key without an issue of ours: a new one, unless the record is over or names one that is not at hand."""
    number = seen.named.get(wanted.key)
    if wanted.closed_as:
        never = "it never had an issue" if number is None else f"its issue #{number} is not among ours"
        return _keep(wanted, number, f"{wanted.why}; {never}")
    if number is not None and seen.ours and wanted.key not in seen.recreate:
        return _keep(wanted, number, _why_not(number, wanted.key, seen))
    body = marker.compose(wanted.key, marker.block(seen.desired.bodies[wanted.key]))
    logins = _assignable(wanted, None, seen)
    edit = Edit(title=wanted.title, body=body, labels=wanted.labels, assignees=logins)
    why = f"{wanted.why} and has no issue yet"
    if number is not None:
        why = f"{wanted.why} and its issue #{number} is not here" + (" (--recreate)" if seen.ours else "")
    return Verdict((Change(CREATE, wanted.kind, wanted.key, None, why, edit, parent=_parent(wanted, None, seen)),))


def _why_not(number: int, key: str, seen: View) -> str:
    """Why an issue that the record names is neither changed nor replaced."""
    gone, issue = seen.gone.get(number), seen.issues.get(number)
    new = f"--recreate {key} makes a new one"
    if gone and gone.why == DELETED:
        return f"#{number} was deleted on the tracker; {new}"
    if gone and gone.why == TRANSFERRED:
        return f"#{number} was moved to {gone.place or 'another repository'}; {new}"
    if gone:
        return f"#{number} cannot be reached with this token; {new}"
    if issue is None:
        return f"#{number} was not asked about when the tracker was observed; observe it again"
    owner = next((name for name, issues in seen.ours.items() if issue in issues), None)
    if owner:
        return f"the record names #{number}, which belongs to {owner}; take the number out of the record"
    return f"the record names #{number}, which is not an issue of ours; take the number out of the record"


def _duplicate(wanted: Wanted, issue: Issue, stays: Issue) -> Verdict:
    if is_hands_off(issue):
        return _hands_off(wanted, issue)
    return Verdict(
        (
            Change(
                CLOSE,
                wanted.kind,
                wanted.key,
                issue.number,
                f"#{stays.number} has the same key",
                Edit(body=marker.shut(issue.body)),
                DUPLICATE,
                issue,
                comment=f"#{stays.number} stands for the same record ({wanted.key}), so this one is closed as its "
                "duplicate. Nothing written here is lost; please go on there.",
            ),
        )
    )


def _compare(wanted: Wanted, issue: Issue, seen: View) -> Verdict:
    """One wanted issue against the one that is there. A person's closing or reopening is not fought."""
    if is_hands_off(issue):
        return _hands_off(wanted, issue)
    number = edits.numbered(wanted, issue) if seen.is_hosted else Verdict()
    parts = marker.parse(issue.body)
    edit, parent, reason = _drift(wanted, issue, parts, seen)

    def step(action: str, why: str, state_reason: str | None = None) -> Verdict:
        change = Change(action, wanted.kind, wanted.key, issue.number, why, edit, state_reason, issue, parent)
        return joined([Verdict((change,)), number])

    if wanted.closed_as and issue.is_open:
        if parts.was_closed:
            return joined([_keep(wanted, issue.number, f"a person reopened it, though {wanted.why}"), number])
        return step(CLOSE, wanted.why, wanted.closed_as)
    if not wanted.closed_as and not issue.is_open:
        if parts.was_closed:
            return step(REOPEN, wanted.why)
        closing = seen.snapshot.closings.get(issue.number)
        return joined([edits.closed_by_a_person(wanted, issue, closing), number])
    return step(UPDATE, reason) if edit != Edit() or parent else number


def _drift(wanted: Wanted, issue: Issue, parts: marker.Parts, seen: View) -> tuple[Edit, str | None, str]:
    """What differs -> new values, the key of a parent to be linked, and the reason."""
    block = marker.block(seen.desired.bodies[wanted.key], closed=wanted.closed_as is not None)
    body = marker.compose(wanted.key, block, parts)
    new = _assignable(wanted, issue, seen)
    parent = _parent(wanted, issue, seen)
    same_text = marker.normal(body) == marker.normal(issue.body)
    edit = Edit(
        title=wanted.title if wanted.title != issue.title else None,
        body=None if same_text else body,
        labels=_labels(wanted, issue, seen.desired),
        assignees=(*issue.assignees, *new) if new else None,
    )
    if not same_text and (parts.key is None or parts.block is None):
        return edit, parent, "a marker was removed"
    if not same_text:
        return edit, parent, "the record changed" if parts.is_ours else "the generated text was edited; the record wins"
    names = [name for name in ("title", "labels", "assignees") if getattr(edit, name) is not None]
    differ = " and ".join([*names, "parent"] if parent else names)
    return edit, parent, f"not as in the record: {differ}"


def _labels(wanted: Wanted, issue: Issue, desired: Desired) -> tuple[str, ...] | None:
    """The record's labels and those that are people's; None where nothing of ours differs, whatever the case."""
    theirs = {label.casefold() for label in issue.labels}
    ours = {label.casefold() for label in wanted.labels}
    known = desired.vocabulary | ours  # a level outside the scheme is a finding elsewhere; here it is the record's
    if ours == theirs & known:
        return None
    return (*wanted.labels, *(label for label in issue.labels if label.casefold() not in known))


def _assignable(wanted: Wanted, issue: Issue | None, seen: View) -> tuple[str, ...]:
    """Who is to be put on an issue beside those who are there, as far as there is room."""
    room = MOST_ASSIGNEES - (len(issue.assignees) if issue else 0)
    new = [login for login in missing_logins(wanted, issue) if login.casefold() not in seen.unassignable]
    return tuple(new[: max(0, room)])


def _parent(wanted: Wanted, issue: Issue | None, seen: View) -> str | None:
    """The key whose issue becomes the parent: of an issue that has none, where the tracker has such and may be told."""
    if wanted.parent is None or wanted.closed_as or not seen.is_hosted or seen.snapshot.has_sub_issues is False:
        return None
    above = seen.stay.get(wanted.parent)
    if issue is None:  # the parent's issue may be made in the same run
        return None if above and is_hands_off(above) else wanted.parent
    known = above is not None and not is_hands_off(above) and seen.snapshot.has_sub_issues is True
    return wanted.parent if known and issue.parent is None else None


def _hands_off(wanted: Wanted, issue: Issue) -> Verdict:
    return _keep(wanted, issue.number, "people asked for hands off")


def _keep(wanted: Wanted, number: int | None, why: str) -> Verdict:
    return Verdict(kept=(Kept(wanted.key, wanted.kind, number, why),))
