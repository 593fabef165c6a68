"""What `verify` prints: the changes that nobody answers for, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from incident_ops.domain.time import stamp
from incident_ops.render.findings import inert, json_text, plural
from incident_ops.render.text import DEFAULT_WIDTH, fit_line


class Unanswered(Protocol):
    """A commit that nobody answers for, and what it changed in one file."""

    @property
    def commit(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def author(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def what(self) -> tuple[str, ...]: ...


def to_text(commits: int, unanswered: Sequence[Unanswered], is_cut: bool, width: int = DEFAULT_WIDTH) -> str:
    """Two lines a change, then the sum."""
    lines = []
    for one in unanswered:
        lines.append(fit_line(f"{one.commit[:12]}  {one.at:%Y-%m-%d %H:%M}  {one.author}", width))
        lines.append(f"  {inert(one.path)}: {inert(', '.join(one.what))}")
    looked_at = f"{plural(commits, 'commit')} looked at"
    missing = len({one.commit for one in unanswered})
    lines.append(f"{looked_at}: {missing} with nobody to answer for it" if missing else f"{looked_at}: all fine")
    if is_cut:
        lines.append("this is a shallow clone, and what came before was not looked at:")
        lines.append("git fetch --unshallow (in Actions: fetch-depth: 0)")
    return "".join(f"{line}\n" for line in lines)


def to_json(commits: int, unanswered: Sequence[Unanswered], is_cut: bool) -> str:
    """The same, uncut, in a fixed order."""
    rows = [
        {"commit": one.commit, "at": stamp(one.at), "author": one.author, "file": one.path, "what": list(one.what)}
        for one in unanswered
    ]
    return json_text({"schema": 1, "commits": commits, "unanswered": rows, "shallow": is_cut})
