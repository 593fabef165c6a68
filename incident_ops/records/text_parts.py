"""What a merge writes: text that both sides agree on, and clashes; and the parts a text is divided into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from incident_ops.records.yaml_positions import Node, NodeEntry


class NotDivisible(Exception):
    """The text is laid out so that its lines cannot be assigned to values."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Whole lines that differ between the sides; `apart`: both are needed, so what they share appears in both."""

    ours: str
    theirs: str
    apart: bool = False


Chunk = str | Clash


def text_of_side(chunks: Iterable[Chunk], *, ours: bool) -> str:
    """The text with one side's lines wherever the sides clash."""
    return "".join(chunk if isinstance(chunk, str) else chunk.ours if ours else chunk.theirs for chunk in chunks)


def text_with_markers(chunks: Iterable[Chunk], size: int, eol: str) -> str:
    """The text with conflict markers of `size` characters, as git writes them, around the lines that differ."""
    text = ""
    for chunk in _coalesced(chunks):
        text += chunk if isinstance(chunk, str) else _marks(chunk, size, eol)
    return text


def _coalesced(chunks: Iterable[Chunk]) -> list[Chunk]:
    """Clashes with nothing between them are one."""
    joined: list[Chunk] = []
    for chunk in chunks:
        last = joined[-1] if joined else None
        if isinstance(chunk, Clash) and isinstance(last, Clash):
            joined[-1] = Clash(last.ours + chunk.ours, last.theirs + chunk.theirs, last.apart or chunk.apart)
        elif chunk:
            joined.append(chunk)
    return joined


def _marks(clash: Clash, size: int, eol: str) -> str:
    ours, theirs = lines_of(clash.ours), lines_of(clash.theirs)
    head = 0 if clash.apart else _common(ours, theirs)
    ours, theirs = ours[head:], theirs[head:]
    tail = 0 if clash.apart else _common(ours[::-1], theirs[::-1])
    above, below = lines_of(clash.ours)[:head], ours[len(ours) - tail :]
    if not ours and not theirs:
        return "".join(above)
    mine, yours = ours[: len(ours) - tail], theirs[: len(theirs) - tail]
    marks = (f"{'<' * size} ours{eol}", f"{'=' * size}{eol}", f"{'>' * size} theirs{eol}")
    return "".join([*above, marks[0], *mine, marks[1], *yours, marks[2], *below])


def lines_of(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def shifted(text: str, columns: int, *, whole: bool = True) -> str:
    """The lines of `text` moved to the right (or left); `whole`: its first line is one from its beginning."""
    if not columns:
        return text
    moved = []
    for number, line in enumerate(lines_of(text)):
        if (not number and not whole) or not line.strip():
            moved.append(line)
        elif columns > 0:
            moved.append(" " * columns + line)
        elif line[:-columns].strip(" "):
            raise NotDivisible
        else:
            moved.append(line[-columns:])
    return "".join(moved)


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of a block mapping or list with the lines that are its own: `page[start:end]`.

    `lead` is the text between it and the entry above. `move` brings its lines to the column of our side.
    """

    page: str
    lead: str
    start: int
    end: int
    entry: NodeEntry
    data: Any
    move: int = 0

    @property
    def node(self) -> Node:
        return self.entry.value

    @property
    def body(self) -> str:
        return shifted(self.page[self.start : self.end], self.move)

    @property
    def whole(self) -> str:
        return self.lead + self.body

    @property
    def frame(self) -> tuple[str, str]:
        """What is before and after the value on its lines."""
        before = self.page[self.start : self.node.start]
        return shifted(before, self.move), shifted(self.page[self.node.end : self.end], self.move, whole=False)

    @property
    def spelling(self) -> str:
        """The value as it is written."""
        return shifted(self.page[self.node.start : self.node.end], self.move, whole=False)


@dataclass(frozen=True, slots=True)
class Collection:
    """A block mapping or list: what is above its first line, its parts, and what follows the last."""

    head: str
    parts: list[Part]
    tail: str


def top_collection(page: str, node: Node, data: Any) -> Collection:
    """The record itself, whose head is empty."""
    return Collection("", *_parts(page, node, 0, len(page), data, 0))


def collection(part: Part, move: int) -> Collection:
    """The block mapping or list that is the value of a part, its lines moved by `move`."""
    page, node = part.page, part.node
    line = page.rfind("\n", 0, node.start) + 1
    if line > part.start:
        start = _next_line(page, part.entry.key_end)
        head = shifted(page[part.start : start], part.move)
        return Collection(head, *_parts(page, node, start, part.end, part.data, move))
    head = page[part.start : part.start + node.column]
    page = page[: part.start] + " " * len(head) + page[part.start + len(head) :]
    return Collection(head, *_parts(page, node, part.start, part.end, part.data, move))


def _parts(page: str, node: Node, start: int, end: int, data: Any, move: int) -> tuple[list[Part], str]:
    parts = []
    for number, entry in enumerate(node.entries):
        line = page.rfind("\n", 0, entry.start) + 1
        mark = "-" if node.kind == "list" else ""
        if line < start or page[line : entry.start].strip(" ") != mark:
            raise NotDivisible
        stop = _stop(page, max(entry.value.end, entry.key_end), node.column, end)
        value = data[number if node.kind == "list" else entry.name]
        parts.append(Part(page, shifted(page[start:line], move), line, stop, entry, value, move))
        start = stop
    return parts, shifted(page[start:end], move)


def _stop(page: str, value_end: int, column: int, end: int) -> int:
    """The end of the lines of a value: comments below it that are indented deeper than `column` are its own."""
    last = here = _next_line(page, value_end)
    while here < end:
        line = page[here : _next_line(page, here)]
        words = line.lstrip(" \t")
        if words.strip() and not (words[0] == "#" and len(line) - len(words) > column):
            break
        here += len(line)
        if words.strip():
            last = here
    return last


def _next_line(page: str, index: int) -> int:
    line_break = page.find("\n", index)
    return line_break + 1 if line_break >= 0 else len(page)
