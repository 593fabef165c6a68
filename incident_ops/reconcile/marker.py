"""The hidden line that says which record owns an issue, and the block of text that is ours.

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
from itertools import takewhile
from typing import NamedTuple

from incident_ops.model.ids import ACTION_ITEM, INCIDENT
from incident_ops.reconcile import boxes

BEGIN = "<!-- incident-ops begin -->"
END = "<!-- incident-ops end -->"
CLOSED = "<!-- incident-ops closed -->"

_HEAD = re.compile(
    rf"<!-- incident-ops v1 key=((?:{INCIDENT.pattern})(?:/{ACTION_ITEM.pattern})?) hash=([0-9a-f]{{16}}) -->", re.ASCII
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
        return self.block is not None and self.block.split("\n")[-1] == CLOSED

    @property
    def is_ours(self) -> bool:
        """True where the block is as it was generated; False once a person edited it."""
        return self.block is not None and self.digest == digest(self.block)


def digest(block: str) -> str:
    """16 hexadecimal digits over the generated text, the same for every kind of line end and whatever people ticked."""
    return hashlib.sha256(boxes.blank(normal(block)).encode()).hexdigest()[:16]


def normal(text: str) -> str:
    """Text with `\\n` line ends and nothing invisible at the end of a line: what two bodies are compared by."""
    return "\n".join(line.rstrip() for line in _LINE_ENDS.sub("\n", text).split("\n")).rstrip("\n")


def owner(body: str) -> str | None:
    """The key on line 1 of a body, or None. A marker anywhere else is text."""
    found = _HEAD.fullmatch(_LINE_ENDS.sub("\n", body).split("\n", 1)[0])
    return found[1] if found else None


def parse(body: str) -> Parts:
    """A body as found on a tracker -> its parts; never fails, whatever people did to it."""
    lines = _LINE_ENDS.sub("\n", body).split("\n")
    head = _HEAD.fullmatch(lines[0])
    key, seen = (head[1], head[2]) if head else (None, None)
    rest = lines[1:] if head else lines
    if BEGIN in rest:
        start = rest.index(BEGIN)
        if END in rest[start:]:
            stop = rest.index(END, start)
            return Parts(key, seen, "\n".join(rest[start + 1 : stop]), tuple(rest[:start]), tuple(rest[stop + 1 :]))
    left = tuple(line for line in rest if line not in (BEGIN, END, CLOSED))
    return Parts(key, seen, None, (), left)


def block(text: str, *, closed: bool = False) -> str:
    """Generated text as it stands between the markers; a line of it that looks like a marker is made visible text."""
    lines = [
        line.replace("<!--", "&lt;!--") if "<!-- incident-ops" in line else line for line in normal(text).split("\n")
    ]
    return "\n".join([*lines, CLOSED] if closed else lines)


def compose(key: str, generated: str, parts: Parts | None = None) -> str:
    """The body of the issue that `key` owns: marker, block, and around it what people wrote (`parts`, None = new).

    Boxes that people ticked stay ticked, also where the block had lost a marker.
    """
    above, below = (parts.above, parts.below) if parts else ((), ())
    if parts:
        generated = boxes.carry(generated, "\n".join(below) if parts.block is None else parts.block)
    if parts and parts.block is None:
        below = _without_start(below, generated)
    head = f"<!-- incident-ops v1 key={key} hash={digest(generated)} -->"
    return "\n".join([head, *above, BEGIN, generated, END, *below]).rstrip()


def shut(body: str) -> str | None:
    """A body of ours with the mark that we, not a person, closed its issue; None where no mark can or need be set."""
    parts = parse(body)
    if parts.key is None or parts.block is None or parts.was_closed:
        return None
    return compose(parts.key, f"{parts.block}\n{CLOSED}", parts)


def _without_start(lines: tuple[str, ...], generated: str) -> tuple[str, ...]:
    """The lines of a body that lost a marker, less the generated lines they begin with: they are in the block again."""
    pairs = zip(lines, generated.split("\n"), strict=False)
    return lines[len(list(takewhile(lambda pair: pair[0].rstrip() == pair[1], pairs))) :]
