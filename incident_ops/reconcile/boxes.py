"""Boxes of task lists whose ticks belong to people, and outlive every new text of ours. Pure.

A box of ours ends in a hidden key:

- [ ] Page the on-call engineer <!-- box:war-room/page -->      people tick it
- [x] **AI-2** Add an index <!-- box:AI-2! -->                  the record decided: its state is text like any other
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

FIXED = "!"
"""Ends the key of a box whose state the record decides."""

_KEY = r"[A-Za-z0-9](?:-?[A-Za-z0-9_./])*"
_BOX = re.compile(rf"([ \t>]*(?:[-*+]|[0-9]{{1,9}}[.)])[ \t]+\[)([ xX])(\].*<!-- box:({_KEY}) -->[ \t]*)")
_END = re.compile(r"\r\n|\r|\n")


class _Line(NamedTuple):
    """A line of a text, in pieces that make it up again. `key` is None where it has no box of people's."""

    head: str
    state: str
    tail: str
    key: str | None

    def marked(self, state: str) -> str:
        """The line with another state of its box; any other line as it is."""
        return self.head + (self.state if self.key is None else state) + self.tail


def line(text: str, key: str, *, ticked: bool = False, fixed: bool = False, depth: int = 0) -> str:
    """One box as a list line, below `depth` others. `text` is Markdown of one line; a comment in it is made visible.

    `fixed` where the record decides the state: no tick is carried to it.
    """
    shown = text.replace("<!--", "<\u200b!--")
    return f"{'  ' * depth}- [{'x' if ticked else ' '}] {shown} <!-- box:{key}{FIXED if fixed else ''} -->"


def carry(generated: str, seen: str) -> str:
    """Generated text with the ticks that people set in `seen`, by key; not one other character of it changes.

    Where a line was copied, one tick is enough. A key that `generated` does not have is forgotten.
    """
    found = ticked(seen)
    return "".join(one.marked("x" if one.key in found else one.state) for one in _lines(generated))


def same(a: str, b: str) -> bool:
    """True where two texts differ in nothing but the state of people's boxes and the kind of line ends."""
    return _END.sub("\n", blank(a)) == _END.sub("\n", blank(b))


def blank(text: str) -> str:
    """The text with people's boxes emptied: what a digest is taken of. Boxes that the record decides stay."""
    return "".join(one.marked(" ") for one in _lines(text))


def ticked(text: str) -> frozenset[str]:
    """The keys of the boxes that people ticked."""
    return frozenset(one.key for one in _lines(text) if one.key is not None and one.state in "xX")


def _lines(text: str) -> Iterator[_Line]:
    at = 0
    for end in _END.finditer(text):
        yield _taken_apart(text[at : end.start()], end.group())
        at = end.end()
    yield _taken_apart(text[at:], "")


def _taken_apart(text: str, end: str) -> _Line:
    found = _BOX.fullmatch(text)
    return _Line(text, "", end, None) if found is None else _Line(found[1], found[2], found[3] + end, found[4])
