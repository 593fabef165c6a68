"""A plan as the Markdown that a reviewer reads: as a comment on a pull request, and as the summary of a step.

The first screen says which issues change, who is notified and what is due next; old -> new of each field and the words
of each notice are folded below. Texts of records and trackers are inert: they link nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from incident_ops.documents.markdown import code, code_block, inline
from incident_ops.reconcile.changes import CREATE, EDIT, LABEL, MILESTONE, NOTIFY, PROPOSAL, LeftAlone, PlannedChange
from incident_ops.reconcile.plan import Plan
from incident_ops.reconcile.plan_difference import NO_BASIS, NextDue, PlanBasis
from incident_ops.render.findings import inert, plural
from incident_ops.render.plan import MOST_DUE, change_effect, kept_by_reason, nothing_added, plan_headline
from incident_ops.render.plan_fields import diff_lines
from incident_ops.render.text import spell_due

MOST_BYTES = 60_000
"""GitHub takes 65,536 characters in a comment, and more in the summary of a step."""
_FOLDED = 20  # a table with more rows is folded
_MOST_LINES = 60  # of one text that changes


class _Part(NamedTuple):
    """A titled list of texts, below a `head`: rows of a table, or blocks that are folded."""

    title: str
    head: str
    rows: Sequence[str]
    between: str = "\n"
    is_detail: bool = False

    def text(self, shown: int) -> str:
        """The part with its first `shown` rows, folded where it is long or a detail."""
        title = f"{self.title}: {len(self.rows)}"
        rows = self.between.join([*([self.head] if self.head else []), *self.rows[:shown]])
        if len(self.rows) <= _FOLDED and not self.is_detail:
            return f"### {title}\n\n{rows}"
        return f"<details><summary>{title}</summary>\n\n{rows}\n\n</details>"


def plan_markdown(plan: Plan, basis: PlanBasis = NO_BASIS) -> str:
    """The plan as Markdown of at most MOST_BYTES, ending in a newline: what cannot be read, who is notified, what is
    due next, a table for each action, what falls away, what is left unchanged, the details.

    What does not fit is counted at the end.
    """
    top = _top(plan, basis)
    end = f"Checksum for `apply --checksum`: `{plan.checksum}`" if plan.changes and not basis.commit else ""
    parts = [*_parts(plan, basis), *_details(plan, basis)]
    rows = sum(len(part.rows) for part in parts)
    room = MOST_BYTES - _size("\n\n".join((top, _left_out(rows, rows, basis), end, "")))
    texts, hidden = [], {True: 0, False: 0}
    for part in parts:
        shown = _fitting(part, room)
        hidden[part.is_detail] += len(part.rows) - shown
        if shown:
            texts.append(part.text(shown))
            room -= _size(texts[-1]) + 2
    rest = _left_out(hidden[False], hidden[True], basis)
    return "\n\n".join(text for text in (top, *texts, rest, end) if text) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _fitting(part: _Part, room: int) -> int:
    """How many rows of a part fit."""
    room -= _size(part.text(0)) + 2
    for shown, row in enumerate(part.rows):
        room -= _size(row) + len(part.between)
        if room < 0:
            return shown
    return len(part.rows)


def _left_out(rows: int, details: int, basis: PlanBasis) -> str:
    what = [plural(rows, "row")] if rows else []
    what += [f"the details of {plural(details, 'change')}"] if details else []
    if not what:
        return ""
    base = f" --base {inert(basis.revision)}" if basis.commit else ""
    return f"**{' and '.join(what)} did not fit here:** run {code(f'incident-ops plan{base} -v')} to see everything."


def _top(plan: Plan, basis: PlanBasis) -> str:
    if not basis.commit:
        return f"## Plan for the tracker\n\n**{inline(plan_headline(plan, basis.unsent))}**"
    where = f"base {code(inert(basis.revision))}, `{basis.commit[:7]}`"
    if not plan.changes:
        return f"## What this change does\n\n**{nothing_added(where, len(basis.dropped))}**"
    beside = f"On top of what would be done anyway ({where})."
    return f"## What this change does\n\n**{inline(plan_headline(plan, basis.unsent))}**\n\n{beside}"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> _Part:
    lines = [head, ["---" for _ in head], *rows]
    first, second, *rest = ["| " + " | ".join(cells) + " |" for cells in lines]
    return _Part(title, f"{first}\n{second}", rest)


def _parts(plan: Plan, basis: PlanBasis) -> Iterator[_Part]:
    if plan.unread:
        title = "Could not be read, their issues are left unchanged"
        yield _table(title, ("Record", "Issues", "Why"), _unread(plan.unread))
    groups: dict[str, list[PlannedChange]] = defaultdict(list)
    for change in plan.changes:
        groups[_group(change)].append(change)
    last = {_LABELS: 1}
    for title in sorted(groups, key=lambda title: (title != _NOTICES, last.get(title, 0))):
        yield _changes(title, groups[title])
        if title == _NOTICES:
            yield from _due(basis.due)
    if _NOTICES not in groups:
        yield from _due(basis.due)
    if basis.dropped:
        rows = [(inline(change.action), *_change_row(change)[:3]) for change in basis.dropped]
        yield _table("No longer to be done", ("What", "Issue", "Key", "How"), rows)
    if plan.kept:
        yield _table("Left unchanged, by reason", ("How many", "Why", "Which"), _kept(plan))


_NOTICES, _LABELS = "People to notify", "Labels to create"


def _group(change: PlannedChange) -> str:
    if change.action == NOTIFY:
        return _NOTICES
    if change.kind == PROPOSAL:
        return "Proposals to edit"
    if change.kind == LABEL:
        return _LABELS
    if change.kind == MILESTONE:
        return "Milestones to create"
    return "Records to edit" if change.action == EDIT else f"Issues to {inline(change.action)}"


def _changes(title: str, changes: Sequence[PlannedChange]) -> _Part:
    if title == _NOTICES:
        return _table(title, ("Who", "By", "What", "Key"), [_notice_row(change) for change in changes])
    if title == _LABELS:
        return _table(title, ("Label", "What for"), [_label_row(change) for change in changes])
    return _table(title, ("Issue", "Key", "What", "Why"), [_change_row(change) for change in changes])


def _change_row(change: PlannedChange) -> tuple[str, ...]:
    return _number(change), code(change.key), inline(change_effect(change)), inline(change.reason)


def _label_row(change: PlannedChange) -> tuple[str, ...]:
    where = f" in {code(change.repository)}" if change.repository else ""
    return code(change.key) + where, inline(change.label.description if change.label else "")


def _due(due: Sequence[NextDue]) -> Iterator[_Part]:
    if not due:
        return
    rows = [
        (f"{spell_due(one.due)} UTC", code(one.incident), inline(one.clock) + ", **late**" * one.is_late)
        for one in due[:MOST_DUE]
    ]
    more = [("...", "", f"{len(due) - MOST_DUE} more: `incident-ops sla check`")] if len(due) > MOST_DUE else []
    yield _table("Next due", ("When", "Incident", "Clock"), [*rows, *more])


def _unread(unread: Sequence[LeftAlone]) -> list[tuple[str, ...]]:
    return [
        (code(record.path), ", ".join(code(f"#{number}") for number in record.numbers) or "none", inline(record.reason))
        for record in unread
    ]


def _kept(plan: Plan) -> list[tuple[str, ...]]:
    return [
        (
            f"{len(names) + more:,}",
            inline(reason),
            ", ".join(code(name) for name in names) + (f" and {more:,} more" if more else ""),
        )
        for reason, (names, more) in kept_by_reason(plan.kept).items()
    ]


def _number(change: PlannedChange) -> str:
    """An issue's number as code: a comment must not write into the history of every issue it names."""
    if change.number is None:
        where = f" in {code(change.repository)}" if change.repository else ""
        return f"new{where}" if change.action == CREATE else "none"
    return code(change.issue_name)


def _notice_row(change: PlannedChange) -> tuple[str, ...]:
    """A notice; names as code, so that a comment pings nobody."""
    notice = change.notice
    if notice is None:
        return ("", "", inline(change.reason), code(change.key))
    held = f" (not sent: {inline(notice.held)})" if notice.held else ""
    return (
        code(notice.recipient),
        ", ".join(map(code, notice.channels)),
        f"{inline(notice.subject)}{held}",
        code(change.key),
    )


def _details(plan: Plan, basis: PlanBasis) -> Iterator[_Part]:
    """Old -> new of each field, and the words of each notice."""
    changed = [(change, basis.fields(change)) for change in plan.changes]
    blocks = [
        f"{_number(change)} {code(change.key)}: {inline(change.action)}\n\n"
        + code_block([line for field in fields for line in diff_lines(field, _MOST_LINES)], "diff")
        for change, fields in changed
        if fields
    ]
    if blocks:
        yield _Part("Old and new", "", blocks, "\n\n", is_detail=True)
    notices = [change.notice for change in plan.changes if change.notice and change.notice.words]
    words = [
        f"{code(notice.recipient)} by {code(', '.join(notice.channels))}: {inline(notice.subject)}\n\n"
        + code_block([inert(line) for line in notice.words.splitlines()[:_MOST_LINES]], "text")
        for notice in notices
    ]
    if words:
        yield _Part("What the notices say", "", words, "\n\n", is_detail=True)
