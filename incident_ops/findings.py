"""Findings: what a check reports about a place in a record. Data, never exceptions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

Route = tuple[str | int, ...]
"""Keys and indexes from the top of a document to a value, e.g. `("timeline", 0, "at")`."""


class Level(StrEnum):
    """How serious a finding is (docs/contract.md#levels-of-findings); only errors decide the exit code."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


RANK = {Level.ERROR: 0, Level.WARNING: 1, Level.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Where:
    """A place: `file` relative to the repository, `route` symbolic, `line` and `column` from 1 (0 = not known yet).

    `on_key` points at the key that ends the route instead of at its value.
    """

    file: str = ""
    route: Route = ()
    line: int = 0
    column: int = 0
    on_key: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: the rule's id, its level, the place, what is wrong, and how to fix it."""

    rule: str
    level: Level
    where: Where
    message: str
    hint: str = field(default="")

    def at(self, where: Where) -> Finding:
        """The same finding at another place."""
        return replace(self, where=where)

    @property
    def sort_key(self) -> tuple[str, int, int, int, str, str]:
        """By file, position, weight: the order in which findings are printed."""
        return (self.where.file, self.where.line, self.where.column, RANK[self.level], self.rule, self.message)


def closest(word: object, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word most like `word`, or "" when none is near: 1 is equal, 0 has nothing in common."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=cutoff)
    return near[0] if near else ""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A hint naming the nearest known word, else the known words (at most 12 of them)."""
    words = list(known)
    near = closest(word, words)
    if near:
        return f"did you mean {near}?"
    shown = ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")
    return f"known: {shown}" if words else ""
