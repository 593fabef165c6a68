"""Issues of the embedded tracker as a table, as the text of one, and as the JSON of `issues`.

What is hidden in an issue's text is left out, and nothing in it can steer a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from incident_ops.domain.tracker import Issue
from incident_ops.render.findings import inert, json_text
from incident_ops.render.text import DEFAULT_WIDTH, Style, Table, cut_line

ISSUE_HEADER = ("NUMBER", "STATE", "LABELS", "TITLE")
ISSUE_COLOURS = {"open": "green", "closed": "bright_black"}
_WIDE = 100
_HIDDEN = re.compile(r"<!--.*?-->")
_FOLD_BEGIN = re.compile(r"<details>\s*<summary>(.*?)</summary>")
_FOLD_END = re.compile(r"</?details>")


class ShownIssue(NamedTuple):
    """An issue with the texts of its comments, and, of an incident's, the issues of its items."""

    issue: Issue
    comments: tuple[str, ...]
    items: tuple[Issue, ...]


def issue_lines(issues: Sequence[Issue], width: int, style: Style) -> list[str]:
    """A line for each issue below a header; where titles would have little room, each has a line of its own.

    Milestones have a column where an issue has one.
    """
    rows: list[tuple[str, ...]] = [(f"#{one.number}", one.state, inert(", ".join(one.labels))) for one in issues]
    *header, last = ISSUE_HEADER
    if any(one.milestone for one in issues):
        rows = [(*row, inert(one.milestone or "")) for row, one in zip(rows, issues, strict=True)]
        header.append("MILESTONE")
    titles, tones = [inert(one.title) for one in issues], [one.state for one in issues]
    if width >= _WIDE:
        table = Table(
            (*header, last), [(*row, title) for row, title in zip(rows, titles, strict=True)], (), True, tones
        )
        return table.lines(width, style)
    head, *lines = Table(header, rows, tones=tones).lines(width, style)
    below = [f"  {cut_line(title, width - 2)}" for title in titles]
    return [head, *(line for pair in zip(lines, below, strict=True) for line in pair)]


def issue_head(issue: Issue) -> list[str]:
    """Two lines: number and title; state, labels, milestone, people."""
    reason = f" as {issue.state_reason.replace('_', ' ')}" if issue.state_reason and not issue.is_open else ""
    people = ", ".join(f"@{login}" for login in issue.assignees)
    about = [
        f"{issue.state}{reason}",
        ", ".join(issue.labels),
        f"milestone {issue.milestone}" if issue.milestone else "",
        f"assigned to {people}" if people else "",
    ]
    return [inert(f"#{issue.number} {issue.title}"), inert("; ".join(filter(None, about)))]


def item_lines(items: Sequence[Issue], width: int = DEFAULT_WIDTH) -> list[str]:
    """The issues of an incident's items, a line each."""
    rows = [(f"#{one.number}", one.state, inert(one.title)) for one in items]
    return Table(("", "", ""), rows, has_prose=True).lines(width)[1:]


def shown_markdown(text: str) -> str:
    """An issue's text as Markdown, without what nobody sees on a page."""
    return "\n".join(_seen(text.splitlines())).strip("\n")


def unfolded_markdown(text: str) -> str:
    """The same for a terminal, which folds nothing: the title of a folded part is its heading."""
    return _FOLD_END.sub("", _FOLD_BEGIN.sub(r"### \1", shown_markdown(text)))


def issues_json(issues: Iterable[Issue]) -> str:
    """A list as JSON (docs/contract.md#json)."""
    return json_text({"schema": 1, "issues": [_issue_data(issue) for issue in issues]})


def issue_json(shown: ShownIssue) -> str:
    """One issue as JSON, with its text as it is stored and its comments."""
    data = {**_issue_data(shown.issue), "body": shown.issue.body, "comments": list(shown.comments)}
    return json_text({"schema": 1, "issues": [data]})


def _issue_data(issue: Issue) -> dict[str, Any]:
    return {
        "number": issue.number,
        "key": issue.key,
        "state": issue.state,
        "state_reason": issue.state_reason,
        "labels": list(issue.labels),
        "assignees": list(issue.assignees),
        "title": issue.title,
    }


def _seen(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        shown = _HIDDEN.sub("", line)
        if shown.strip() or shown == line:
            yield inert(shown.rstrip())
