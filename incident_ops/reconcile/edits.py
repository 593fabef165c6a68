"""What the tracker tells the records: numbers of issues, and items that people closed there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from incident_ops.model.edit import Edit, Route, Set
from incident_ops.model.observed import Closing, Issue
from incident_ops.model.time import UNKNOWN
from incident_ops.reconcile.changes import EDIT, Change, Kept, Verdict
from incident_ops.reconcile.desired import COMPLETED, DUPLICATE, NOT_PLANNED, Desired, Wanted

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", re.ASCII)
_LONGEST = 2_000  # characters the record takes for evidence

_DROPPED = {NOT_PLANNED: "closed as not planned", DUPLICATE: "closed as a duplicate"}


def number_edit(wanted: Wanted, number: int) -> Set:
    """Writes the number of its issue to the record of a key."""
    index = wanted.home.item
    route: Route = ("links", "tracking_issue") if index is None else ("action_items", index, "issue")
    return Set(route, number)


def numbered(wanted: Wanted, issue: Issue) -> Verdict:
    """The edit that brings the number into a merged record that does not have it."""
    if wanted.number == issue.number or wanted.home.is_pending:
        return Verdict()
    reason = "the record does not name its issue" if wanted.number is None else f"the record names #{wanted.number}"
    return Verdict((_change(wanted, issue, reason, number_edit(wanted, issue.number)),))


def closed_by_a_person(wanted: Wanted, issue: Issue, closing: Closing | None) -> Verdict:
    """The edit that follows from a person's closing of an item; what cannot be concluded is kept and told.

    Completed (or without a reason) is done, with who, when and the evidence; not planned and duplicate are wont_do.
    """
    index = wanted.home.item
    if index is None or closing is None or wanted.home.is_pending:
        waits = "; the record is not merged yet" if index is not None and wanted.home.is_pending else ""
        return Verdict(
            kept=(Kept(wanted.key, wanted.kind, issue.number, f"a person closed it, though {wanted.why}{waits}"),)
        )
    handle = f"@{closing.by}" if closing.by and _LOGIN.fullmatch(closing.by) else None
    how = _DROPPED.get(issue.state_reason or COMPLETED)
    fields: dict[str, str | None]
    if how is None:
        evidence = closing.evidence[:_LONGEST] if closing.evidence else None
        fields = {"status": "done", "done_at": closing.at or UNKNOWN, "done_by": handle, "evidence": evidence}
    else:
        by = f" by {handle or closing.by}" if closing.by else ""
        fields = {"status": "wont_do", "reason": f"{how}{by} on the tracker (#{issue.number})"}
    edits = [Set(("action_items", index, name), value) for name, value in fields.items() if value is not None]
    who = f"@{closing.by}" if closing.by else "a person"
    return Verdict((_change(wanted, issue, f"{who} {how or 'closed it as completed'}", *edits),))


def grouped(changes: Iterable[Change]) -> Mapping[str, tuple[Edit, ...]]:
    """Path of a record -> its edits, in the plan's order."""
    out: dict[str, tuple[Edit, ...]] = defaultdict(tuple)
    for change in changes:
        if change.action == EDIT and change.path is not None:
            out[change.path] += change.edits
    return dict(out)


def new_numbers(desired: Desired, made: Mapping[str, int]) -> Mapping[str, tuple[Edit, ...]]:
    """Path of a record -> the numbers of the issues that a run opened (`made`: key -> number)."""
    out: dict[str, tuple[Edit, ...]] = defaultdict(tuple)
    for key, wanted in desired.issues.items():
        if key in made and made[key] != wanted.number and not wanted.home.is_pending:
            out[wanted.home.path] += (number_edit(wanted, made[key]),)
    return dict(out)


def _change(wanted: Wanted, issue: Issue, reason: str, *edits: Edit) -> Change:
    return Change(EDIT, wanted.kind, wanted.key, issue.number, reason, path=wanted.home.path, edits=edits)
