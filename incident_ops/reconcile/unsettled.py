"""The one comment on an issue that says what a run did not do there, and the way on. Pure.

Which text it has stands in a hidden line below the generated block, so that no run reads comments to know; where that
line is lost, the comment is written once more, in its place.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from incident_ops.domain.tracker import Issue, IssueEdit, Snapshot
from incident_ops.reconcile.changes import EDIT, UPDATE, PlannedChange
from incident_ops.reconcile.desired import Desired, DesiredIssue, incident_of
from incident_ops.reconcile.diff import by_repository, is_hands_off, kept_issues
from incident_ops.reconcile.generated_block import END
from incident_ops.reconcile.plan import Plan, checksum

CommentText = Callable[[Sequence[str]], str]
"""What is to be said on an issue -> the text of the comment; nothing = that all is settled."""

_SAID = re.compile(r"<!-- incident-ops said=([0-9a-f]{16}) -->")


def say_unsettled(
    plan: Plan, desired: Desired, snapshot: Snapshot, text_of: CommentText, *, do_edits_wait: bool = True
) -> Plan:
    """A plan with the comments that are to be written, changed, or settled, each with what else changes on its issue.

    An issue that people want left alone, or that a run had no room to ask about, keeps the comment that it has.
    `do_edits_wait`: for the merge of a proposal; False where this very run makes them, so that nothing is said of them.
    """
    points = _points(plan, do_edits_wait=do_edits_wait)
    sides = [(there, seen, kept_issues(there, seen)) for there, seen in by_repository(desired, snapshot)]
    unasked = {key for _, seen, kept in sides for key, issue in kept.items() if issue.number in seen.not_asked}
    for there, _, kept in sides:
        left = {key: issue for key, issue in kept.items() if unasked.isdisjoint((key, incident_of(key)))}
        plan = _said_in(plan, there, left, points, text_of)
    return plan


def _said_in(
    plan: Plan,
    desired: Desired,
    kept: Mapping[str, Issue],
    points: Mapping[str, Sequence[str]],
    text_of: CommentText,
) -> Plan:
    """The same for issues of one repository."""
    repository = desired.repository
    on_tracker = [change for change in plan.changes if change.is_on_tracker and change.repository == repository]
    here = {change.number: change for change in on_tracker if change.number is not None}
    said: dict[int | None, PlannedChange] = {}
    for key, issue in kept.items():
        wanted = desired.issues.get(key)
        if wanted is not None and wanted.repository == repository and not is_hands_off(issue):
            change = _said(wanted, issue, points.get(key, ()), here.get(issue.number), text_of)
            said |= {issue.number: change._replace(repository=repository)} if change else {}
    if not said:
        return plan
    replaced = {id(here[number]) for number in said if number in here}
    others = (change for change in plan.changes if id(change) not in replaced)
    changes = tuple(sorted((*others, *said.values()), key=lambda change: change.turn))
    return plan._replace(changes=changes, checksum=checksum(changes))


def _points(plan: Plan, *, do_edits_wait: bool) -> Mapping[str, Sequence[str]]:
    """By key what is to be said, each once: what was left, and edits that wait for a person."""
    points: dict[str, dict[str, None]] = defaultdict(dict)
    said = [(kept.key, kept.said) for kept in plan.kept]
    said += [(change.key, change.said) for change in plan.changes if change.action == EDIT and do_edits_wait]
    for key, text in said:
        if text:
            points[key][text] = None
    return {key: tuple(texts) for key, texts in points.items()}


def _said(
    wanted: DesiredIssue, issue: Issue, points: Sequence[str], change: PlannedChange | None, text_of: CommentText
) -> PlannedChange | None:
    """The change of an issue that brings its comment up to date; None where it is."""
    now = _digest(points)
    before = _SAID.search(issue.body)
    once = (change.said,) if change and change.said else ()
    if (before[1] if before else None) == now and not once:
        return None
    if change is None:
        why = "its comment says what is left to people" if points else "nothing is left to people there"
        change = PlannedChange(UPDATE, wanted.kind, wanted.key, issue.number, why, seen=issue)
    body = change.edit.body if change.edit.body is not None else issue.body
    marked = _marked(body, now)
    edit: IssueEdit = replace(change.edit, body=marked if marked != issue.body else change.edit.body)
    return change._replace(edit=edit, comment=text_of((*once, *points)))


def said_in(body: str) -> str:
    """The digest of our comment that the hidden line of a body has, "" without one."""
    found = _SAID.search(body)
    return found[1] if found else ""


def said_line(digest: str) -> str:
    """That hidden line."""
    return f"<!-- incident-ops said={digest} -->"


def _marked(body: str, digest: str | None) -> str:
    """A body with the hidden line of a comment below the generated block; None = without."""
    if not digest and not _SAID.search(body):
        return body
    lines = [line for line in body.split("\n") if not _SAID.fullmatch(line.rstrip("\r"))]
    if digest:
        lines.insert(lines.index(END) + 1 if END in lines else len(lines), said_line(digest))
    return "\n".join(lines)


def _digest(points: Sequence[str]) -> str | None:
    return hashlib.sha256("\n".join(points).encode()).hexdigest()[:16] if points else None
