"""A plan as the comment that a reviewer reads. Texts of records and trackers in it do nothing and link nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from incident_ops.reconcile.changes import CREATE, EDIT, NOTIFY, Change, LeftAlone
from incident_ops.reconcile.plan import Plan
from incident_ops.render.findings import plural
from incident_ops.render.plan import headline, kept_by_reason, what
from incident_ops.render.safe import code, inline
from incident_ops.render.sections import table

MOST = 60_000  # GitHub takes 65,536 characters in a comment
_FOLDED = 20  # a table with more rows is folded


class _Part(NamedTuple):
    """A table with its heading; each row stands on a line of its own."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def text(self, shown: int) -> str:
        """The part with its first `shown` rows, folded where the table is long."""
        title = f"{self.title}: {len(self.rows)}"
        rows = table(self.head, self.rows[:shown])
        if len(self.rows) <= _FOLDED:
            return f"### {title}\n\n{rows}"
        return f"<details><summary>{title}</summary>\n\n{rows}\n\n</details>"


def plan_markdown(plan: Plan) -> str:
    """The plan as Markdown of at most MOST characters, ending in a newline: what cannot be read, a table for each
    action, what is kept, the checksum. Rows that find no room are counted at the end."""
    top = f"## Plan for the tracker\n\n**{inline(headline(plan))}**"
    end = f"Checksum for `apply --checksum`: `{plan.checksum}`" if plan.changes else ""
    parts = list(_parts(plan))
    room = MOST - len("\n\n".join((top, _left_out(sum(len(part.rows) for part in parts)), end, "")))
    texts, left = [], 0
    for part in parts:
        shown = _fitting(part, room)
        left += len(part.rows) - shown
        if shown:
            texts.append(part.text(shown))
            room -= len(texts[-1]) + 2
    return "\n\n".join(text for text in (top, *texts, _left_out(left), end) if text) + "\n"


def _parts(plan: Plan) -> Iterator[_Part]:
    if plan.unread:
        yield _Part(
            "Could not be read, their issues stay as they are", ("Record", "Issues", "Why"), _unread(plan.unread)
        )
    actions: dict[str, list[Change]] = defaultdict(list)
    for change in plan.changes:
        actions[change.action].append(change)
    for action, changes in actions.items():
        if action == NOTIFY:
            yield _Part("People to notify", ("Who", "By", "What", "Key"), [_told(one) for one in changes])
            continue
        rows = [(_number(one), code(one.key), inline(what(one)), inline(one.reason)) for one in changes]
        where = " in the records" if action == EDIT else ""
        yield _Part(f"To {inline(action)}{where}", ("Issue", "Key", "What", "Why"), rows)
    if plan.kept:
        yield _Part("Kept as it is, by reason", ("How many", "Why", "Which"), _kept(plan))


def _unread(unread: Sequence[LeftAlone]) -> list[tuple[str, ...]]:
    return [
        (code(one.path), ", ".join(code(f"#{number}") for number in one.numbers) or "none", inline(one.reason))
        for one in unread
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


def _number(change: Change) -> str:
    """An issue's number as code: a comment must not write into the history of every issue it names."""
    if change.number is None:
        return "new" if change.action == CREATE else "none"
    return code(f"#{change.number}")


def _told(change: Change) -> tuple[str, ...]:
    """A notice; a name as code, so that a comment calls nobody."""
    said = change.telling
    if said is None:
        return ("", "", inline(change.reason), code(change.key))
    held = f" (not sent: {inline(said.held)})" if said.held else ""
    return code(said.recipient), ", ".join(map(code, said.channels)), f"{inline(said.subject)}{held}", code(change.key)


def _fitting(part: _Part, room: int) -> int:
    """How many rows of a part fit."""
    room -= len(part.text(0)) + 2
    for shown, row in enumerate(part.rows):
        room -= sum(len(cell) + len(" | ") for cell in row) + len("|\n")
        if room < 0:
            return shown
    return len(part.rows)


def _left_out(rows: int) -> str:
    return f"**{plural(rows, 'row')} found no room here:** run `incident-ops plan` to see everything." if rows else ""
