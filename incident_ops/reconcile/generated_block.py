"""The body of an issue: the line that says which record owns it, our generated text, and what people wrote. Pure.

Ticks in the boxes of our text belong to people and outlive every new text. A box of ours ends in a hidden key:

- [ ] Page the on-call engineer <!-- box:war-room/page -->      people tick it
- [x] **AI-2** Add an index <!-- box:AI-2! -->                  the record decided: its state is text like any other

The hidden line that says which record owns an issue, and around our text two markers:

<!-- incident-ops v1 key=INC-1/AI-2 hash=0123456789abcdef -->     line 1, nowhere else
<!-- incident-ops begin -->
generated text
<!-- incident-ops closed -->                                      only where the record closed the issue
<!-- incident-ops end -->
everything else belongs to people and is kept
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from incident_ops.domain.record import INCIDENT_ID, ITEM_ID

FIXED_BOX = "!"
"""Ends the key of a box whose state the record decides."""

_KEY = r"[A-Za-z0-9](?:-?[A-Za-z0-9_./])*"
_BOX = re.compile(rf"([ \t>]*(?:[-*+]|[0-9]{{1,9}}[.)])[ \t]+\[)([ xX])(\].*<!-- box:({_KEY}) -->[ \t]*)")
_END = re.compile(r"\r\n|\r|\n")


class _Line(NamedTuple):
    """A line of a text in parts that make it up again. `key` is None where it has no box that people tick."""

    head: str
    state: str
    tail: str
    key: str | None

    def marked(self, state: str) -> str:
        """The line with another state of its box; any other line as it is."""
        return self.head + (self.state if self.key is None else state) + self.tail


def box_line(text: str, key: str, *, ticked: bool = False, fixed: bool = False, depth: int = 0) -> str:
    """One box as a list line, below `depth` others. `text` is Markdown of one line; a comment in it is made visible.

    `fixed` where the record decides the state: no tick is carried to it.
    """
    shown = text.replace("<!--", "<\u200b!--")
    return f"{'  ' * depth}- [{'x' if ticked else ' '}] {shown} <!-- box:{key}{FIXED_BOX if fixed else ''} -->"


def carry_ticks(generated: str, old: str) -> str:
    """Generated text with the ticks that people set in `old`, by key; not one other character of it changes.

    Where a line was copied, one tick is enough. A key that `generated` does not have is forgotten.
    """
    found = ticked(old)
    return "".join(line.marked("x" if line.key in found else line.state) for line in _lines(generated))


def untick(text: str) -> str:
    """The text with people's boxes emptied: what a digest is taken of. Boxes that the record decides stay."""
    return "".join(line.marked(" ") for line in _lines(text))


def ticked(text: str) -> frozenset[str]:
    """The keys of the boxes that people ticked."""
    return frozenset(line.key for line in _lines(text) if line.key is not None and line.state in "xX")


def _lines(text: str) -> Iterator[_Line]:
    at = 0
    for end in _END.finditer(text):
        yield _line(text[at : end.start()], end.group())
        at = end.end()
    yield _line(text[at:], "")


def _line(text: str, end: str) -> _Line:
    found = _BOX.fullmatch(text)
    return _Line(text, "", end, None) if found is None else _Line(found[1], found[2], found[3] + end, found[4])


BEGIN = "<!-- incident-ops begin -->"
END = "<!-- incident-ops end -->"
CLOSED_MARK = "<!-- incident-ops closed -->"

_HEAD = re.compile(
    rf"<!-- incident-ops v1 key=((?:{INCIDENT_ID.pattern})(?:/{ITEM_ID.pattern})?) hash=([0-9a-f]{{16}}) -->", re.ASCII
)
_LINE_ENDS = re.compile(r"\r\n?")


class Parts(NamedTuple):
    """A body taken apart. `key` and `digest` are None without a marker, `block` is None where it is not whole.

    `above` and `below` are people's lines; of a broken block all lines are in `below`.
    """

    key: str | None
    digest: str | None
    block: str | None
    above: tuple[str, ...]
    below: tuple[str, ...]

    @property
    def was_closed(self) -> bool:
        """True where the record, not a person, closed the issue last."""
        return self.block is not None and self.block.split("\n")[-1] == CLOSED_MARK

    @property
    def is_ours(self) -> bool:
        """True where the block is as it was generated; False once a person edited it."""
        return self.block is not None and self.digest == block_digest(self.block)


def block_digest(block: str) -> str:
    """16 hexadecimal digits over the generated text, the same for every kind of line end and whatever people ticked."""
    return hashlib.sha256(untick(normalise(block)).encode()).hexdigest()[:16]


def normalise(text: str) -> str:
    """Text with `\\n` line ends and nothing invisible at the end of a line: what two bodies are compared by."""
    return "\n".join(line.rstrip() for line in _LINE_ENDS.sub("\n", text).split("\n")).rstrip("\n")


def owner(body: str) -> str | None:
    """The key on line 1 of a body, or None. A marker anywhere else is text."""
    found = _HEAD.fullmatch(_LINE_ENDS.sub("\n", body).split("\n", 1)[0])
    return found[1] if found else None


def parse_body(body: str) -> Parts:
    """A body as found on a tracker -> its parts; never fails, whatever people did to it."""
    lines = _LINE_ENDS.sub("\n", body).split("\n")
    head = _HEAD.fullmatch(lines[0])
    key, digest = (head[1], head[2]) if head else (None, None)
    rest = lines[1:] if head else lines
    if BEGIN in rest:
        start = rest.index(BEGIN)
        if END in rest[start:]:
            stop = rest.index(END, start)
            return Parts(key, digest, "\n".join(rest[start + 1 : stop]), tuple(rest[:start]), tuple(rest[stop + 1 :]))
    left = tuple(line for line in rest if line not in (BEGIN, END, CLOSED_MARK))
    return Parts(key, digest, None, (), left)


def generated_text(text: str, *, closed: bool = False) -> str:
    """Generated text as it stands between the markers; a line of it that looks like a marker is made visible text."""
    lines = [
        line.replace("<!--", "&lt;!--") if "<!-- incident-ops" in line else line for line in normalise(text).split("\n")
    ]
    return "\n".join([*lines, CLOSED_MARK] if closed else lines)


def compose(key: str, generated: str, parts: Parts | None = None) -> str:
    """The body of the issue that `key` owns: marker, block, and around it what people wrote (`parts`, None = new).

    Boxes that people ticked stay ticked, also where the block had lost a marker.
    """
    above, below = (parts.above, parts.below) if parts else ((), ())
    if parts:
        generated = carry_ticks(generated, "\n".join(below) if parts.block is None else parts.block)
    if parts and parts.block is None:
        below = _without_start(below, generated)
    head = f"<!-- incident-ops v1 key={key} hash={block_digest(generated)} -->"
    return "\n".join([head, *above, BEGIN, generated, END, *below]).rstrip()


def mark_closed(body: str) -> str | None:
    """A body of ours with the mark that we, not a person, closed its issue; None where no mark can or need be set."""
    parts = parse_body(body)
    if parts.key is None or parts.block is None or parts.was_closed:
        return None
    return compose(parts.key, f"{parts.block}\n{CLOSED_MARK}", parts)


def _without_start(lines: tuple[str, ...], generated: str) -> tuple[str, ...]:
    """The lines of a body that lost a marker, less the generated lines they begin with: they are in the block again."""
    pairs = zip(lines, generated.split("\n"), strict=False)
    return lines[len(list(takewhile(lambda pair: pair[0].rstrip() == pair[1], pairs))) :]
