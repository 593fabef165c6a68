"""What a change of a plan alters, field by field: the value before and the value after. Pure.

Of an issue's text only the lines that people see are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from incident_ops.domain.record import Append, Edit, Insert, Route, Set, blocks
from incident_ops.domain.tracker import Issue, IssueEdit
from incident_ops.reconcile.changes import CLOSE, CREATE, EDIT, LABEL, MILESTONE, PROPOSAL, REOPEN, PlannedChange
from incident_ops.reconcile.references import leave_places

_HIDDEN = re.compile(r"<!--.*?-->|\u200b")


class FieldChange(NamedTuple):
    """A field before and after; None where it has no value.

    Of names (labels, people) it says which are `added` and `removed`, of a text which `lines` go and come, each
    beginning with `- ` or `+ `; a text without any differs in what nobody sees.
    """

    name: str
    was: object = None
    now: object = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def is_value(self) -> bool:
        """True where it is a value that gives way to another, and no list or text."""
        return self.was is not None or self.now is not None


def field_changes(
    change: PlannedChange,
    before: Issue | None = None,
    record: Mapping[str, Any] | None = None,
    *,
    with_texts: bool = True,
) -> tuple[FieldChange, ...]:
    """What a change of an issue or a record alters; nothing for a new issue, a notice, and where the old is not known.

    `before` is the issue as it would be without the change, if not as it was seen; `record` the data of the record
    that is edited. Without `with_texts` the texts of issues are not compared.
    """
    if change.action == EDIT:
        return () if record is None else tuple(_edited_field(edit, record) for edit in change.edits)
    before = before or change.seen
    if (
        before is None
        or change.action == CREATE
        or not change.is_on_tracker
        or change.kind in (LABEL, MILESTONE, PROPOSAL)
    ):
        return ()
    after = issue_after(change, before)
    found = tuple(_issue_fields(before, after, change))
    if not with_texts or after.body == before.body:
        return found
    lines = _changed_lines(seen_lines(before.body), seen_lines(after.body))
    return (*found, FieldChange("body", lines=tuple(lines)))


def issue_after(change: PlannedChange, before: Issue | None) -> Issue:
    """The issue once a change was made; `before` None = a new one."""
    edit = change.edit
    if before is None:
        return Issue(
            0,
            edit.title or "",
            edit.body or "",
            edit.labels or (),
            edit.assignees or (),
            milestone=edit.milestone or None,
        )
    state, reason = before.state, change.state_reason or before.state_reason
    if change.action in (CLOSE, REOPEN):
        state, reason = ("closed", change.state_reason) if change.action == CLOSE else ("open", None)
    return Issue(
        number=before.number,
        title=before.title if edit.title is None else edit.title,
        body=before.body if edit.body is None else edit.body,
        labels=edit.labels_after(before.labels),
        assignees=edit.assignees_after(before.assignees),
        state=state,
        state_reason=reason,
        parent=before.parent,
        milestone=before.milestone if edit.milestone is None else edit.milestone or None,
    )


def edit_between(before: Issue, after: Issue) -> IssueEdit:
    """What makes one issue of another."""
    return IssueEdit(
        title=after.title if after.title != before.title else None,
        body=after.body if after.body != before.body else None,
        add_labels=_missing(after.labels, before.labels) or None,
        remove_labels=_missing(before.labels, after.labels) or None,
        add_assignees=_missing(after.assignees, before.assignees) or None,
        remove_assignees=_missing(before.assignees, after.assignees) or None,
        milestone=(after.milestone or "") if after.milestone != before.milestone else None,
    )


def _issue_fields(before: Issue, after: Issue, change: PlannedChange) -> Iterator[FieldChange]:
    if after.title != before.title:
        yield FieldChange("title", before.title, after.title)
    if _state(after) != _state(before):
        yield FieldChange("state", _state(before), _state(after))
    if after.milestone != before.milestone:
        yield FieldChange("milestone", before.milestone or "none", after.milestone or "none")
    for name, was, now in (
        ("labels", before.labels, after.labels),
        ("assignees", before.assignees, after.assignees),
    ):
        added, removed = _missing(now, was), _missing(was, now)
        if added or removed:
            yield FieldChange(name, added=added, removed=removed)
    if change.parent is not None:
        yield FieldChange("parent", None if before.parent is None else f"#{before.parent}", change.parent)
    if change.comment is not None:
        yield FieldChange("comment", lines=tuple(f"+ {line}" for line in seen_lines(change.comment)))


def seen_lines(text: str) -> list[str]:
    """The lines of a Markdown text as people see them: none that are empty or hidden, no character references."""
    import html  # only a text that changes needs it

    shown = (html.unescape(_HIDDEN.sub("", line)) for line in leave_places(text).splitlines())
    return [line.rstrip() for line in (_HIDDEN.sub("", line) for line in shown) if line.strip()]


def _changed_lines(was: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    for block in blocks(was, now):
        if not block.same:
            yield from (f"- {was[place]}" for place in block.was)
            yield from (f"+ {now[place]}" for place in block.now)


def _missing(names: Iterable[str], among: Iterable[str]) -> tuple[str, ...]:
    there = {name.casefold() for name in among}
    return tuple(name for name in names if name.casefold() not in there)


def _state(issue: Issue) -> str:
    if issue.is_open or not issue.state_reason:
        return issue.state
    return f"{issue.state} as {issue.state_reason.replace('_', ' ')}"


def _edited_field(edit: Edit, record: Mapping[str, Any]) -> FieldChange:
    name = _field_name(edit.route)
    if isinstance(edit, Set):
        return FieldChange(name, _value_at(record, edit.route), edit.value)
    if isinstance(edit, Append | Insert):
        return FieldChange(name, lines=(f"+ {spell_value(edit.value)}",))
    return FieldChange(name, _value_at(record, edit.route))


def _field_name(route: Route) -> str:
    """The keys of a route behind its last index: `times.resolved`, `status` of an item."""
    last = max((place for place, key in enumerate(route) if isinstance(key, int)), default=-1)
    return ".".join(map(str, route[last + 1 :] or route))


def _value_at(data: Any, route: Route) -> object:
    for key in route:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    found: object = data
    return found


def spell_value(value: object) -> str:
    """A value of a record as text: `at: 2025-01-26T12:05:00Z, kind: note`; `none` where there is none."""
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {spell_value(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(spell_value, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
