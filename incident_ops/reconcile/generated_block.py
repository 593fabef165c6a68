"""The body of an issue: the line that says which record owns it, our generated text, and what people wrote. Pure.

Ticks in the boxes of our text belong to people and outlive every new text. A box of ours ends in a hidden key:

- [ ] Page the on-call engineer <!-- box:war-room/page -->      people tick it
- [x] **AI-2** Add an index <!-- box:AI-2! -->                  the record decided: its state is text like any other

The hidden line that says which record owns an issue, and around our text two markers:

<!-- incident-ops v1 key=INC-1/AI-2 repo=1296269 hash=0123456789abcdef -->     line 1, nowhere else
<!-- incident-ops begin -->
generated text
<!-- incident-ops closed -->                                      only where the record closed the issue
<!-- incident-ops lines=0aZ_... ticked=war-room/page -->          what the next run has to know of this text
<!-- incident-ops end -->
everything else belongs to people and is kept

By the digests in `lines` the next run tells what people wrote between our lines from what an older record said: theirs
moves below the end. `ticked` are the boxes that people ticked and that the text does not show at present, none that
the record decides. While an escalation is not answered `called=#,bob,-ann` says that we set its label (`#`) and
assigned bob, and that people took ann off. `repo` is GitHub's id of the repository that holds the records, 0 where
there is none.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from incident_ops.domain.record import INCIDENT_ID, ITEM_ID

FIXED_BOX = "!"
"""Ends the key of a box whose state the record decides."""

_KEY = r"[A-Za-z0-9](?:-?[A-Za-z0-9_./])*"
_BOX = re.compile(rf"([ \t>]*(?:[-*+]|[0-9]{{1,9}}[.)])[ \t]+\[)([ xX])(\].*<!-- box:({_KEY}) -->[ \t]*)")
_FIXED = re.compile(rf"<!-- box:({_KEY}){FIXED_BOX} -->[ \t]*$", re.MULTILINE)
_STATE = re.compile(r"^((?:>[ \t]*)*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\[)[xX]")
_END = re.compile(r"\r\n|\r|\n")
_NAMED = "<!-- box:"


_memoised = lru_cache(maxsize=1_024)  # a plan asks the same of each body several times


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


def _tick(generated: str, keys: frozenset[str]) -> str:
    return "".join(line.marked("x" if line.key in keys else line.state) for line in _lines(generated))


@_memoised
def _boxes(text: str) -> frozenset[str]:
    """The keys of the boxes that people tick."""
    return frozenset(line.key for line in _lines(text) if line.key is not None)


def untick(text: str) -> str:
    """The text with people's boxes emptied: what a digest is taken of. Boxes that the record decides stay."""
    return "".join(line.marked(" ") for line in _lines(text))


@_memoised
def ticked(text: str) -> frozenset[str]:
    """The keys of the boxes that people ticked."""
    return frozenset(line.key for line in _lines(text) if line.key is not None and line.state in "xX")


def _lines(text: str) -> Iterator[_Line]:
    """The lines that name a box; all lines between two of them are one."""
    at = 0
    while (mark := text.find(_NAMED, at)) != -1:
        start = max(at, text.rfind("\n", at, mark) + 1, text.rfind("\r", at, mark) + 1)
        end = _END.search(text, mark)
        stop, after = end.span() if end else (len(text), len(text))
        if start > at:
            yield _Line(text[at:start], "", "", None)
        yield _line(text[start:stop], text[stop:after])
        at = after
    if at < len(text):
        yield _Line(text[at:], "", "", None)


def _line(text: str, end: str) -> _Line:
    found = _BOX.fullmatch(text)
    return _Line(text, "", end, None) if found is None else _Line(found[1], found[2], found[3] + end, found[4])


BEGIN = "<!-- incident-ops begin -->"
END = "<!-- incident-ops end -->"
CLOSED_MARK = "<!-- incident-ops closed -->"

_HEAD = re.compile(
    rf"<!-- incident-ops v1 key=((?:{INCIDENT_ID.pattern})(?:/{ITEM_ID.pattern})?)"
    r"(?: repo=([0-9]{1,18}))? hash=([0-9a-f]{16}) -->",
    re.ASCII,
)
_DIGEST = 6  # characters for a line: of a thousand lines, one in 68 million passes for another
_SET = r"-?(?:#|[A-Za-z0-9][A-Za-z0-9-]*)"
_MEMORY = re.compile(
    rf"<!-- incident-ops lines=((?:[\w-]{{{_DIGEST}}})*) ticked=((?:{_KEY}(?:,{_KEY})*)?)"
    rf"(?: called=({_SET}(?:,{_SET})*))? -->",
    re.ASCII,
)
_BOX_MARK = re.compile(rf"[ \t]*<!-- box:{_KEY}!? -->[ \t]*")
_LINE_ENDS = re.compile(r"\r\n?")


class Parts(NamedTuple):
    """A body taken apart. `key` and `digest` are None without a marker, `block` is None where it is not whole.

    `repository` is None where the marker names none: an older version wrote it. `above` and `below` are people's lines;
    of a broken block all lines are in `below`. `known` are the digests of the lines as they were generated, None where
    nothing tells them; `hidden` the keys of ticked boxes that the text did not show, `called` what we set because of
    an escalation.
    """

    key: str | None
    digest: str | None
    block: str | None
    above: tuple[str, ...]
    below: tuple[str, ...]
    repository: int | None = None
    known: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()

    @property
    def is_of_older_version(self) -> bool:
        """True where an older version wrote the marker."""
        return self.key is not None and self.repository is None

    @property
    def was_closed(self) -> bool:
        """True where the record, not a person, closed the issue last."""
        return self.block is not None and self.block.split("\n")[-1] == CLOSED_MARK

    @property
    def is_ours(self) -> bool:
        """True where the block is as it was generated; False once a person edited it."""
        return self.block is not None and self.digest == block_digest(self.block)


@_memoised
def block_digest(block: str) -> str:
    """16 hexadecimal digits over the generated text, the same for every kind of line end and whatever people ticked."""
    return hashlib.sha256(untick(normalise(block)).encode()).hexdigest()[:16]


def normalise(text: str) -> str:
    """Text with `\\n` line ends and nothing invisible at the end of a line: what two bodies are compared by."""
    return "\n".join(line.rstrip() for line in _LINE_ENDS.sub("\n", text).split("\n")).rstrip("\n")


def owner(body: str, repository: int = 0) -> str | None:
    """The key on line 1 of a body, or None. A marker anywhere else is text.

    So is one of other records than those in `repository` (0 = any are meant).
    """
    found = _HEAD.fullmatch(_LINE_ENDS.sub("\n", body).split("\n", 1)[0])
    if found is None or (repository and int(found[2] or 0) not in (0, repository)):
        return None
    return found[1]


@_memoised
def parse_body(body: str) -> Parts:
    """A body as found on a tracker -> its parts; never fails, whatever people did to it."""
    lines = _LINE_ENDS.sub("\n", body).split("\n")
    head = _HEAD.fullmatch(lines[0])
    key, digest = (head[1], head[3]) if head else (None, None)
    repository = int(head[2]) if head and head[2] else None
    rest, known, hidden, called = _memory_apart(lines[1:] if head else lines)
    if BEGIN in rest:
        start = rest.index(BEGIN)
        if END in rest[start:]:
            stop = rest.index(END, start)
            block, above, below = "\n".join(rest[start + 1 : stop]), tuple(rest[:start]), tuple(rest[stop + 1 :])
            return Parts(key, digest, block, above, below, repository, known, hidden, called)
    left = tuple(line for line in rest if line not in (BEGIN, END, CLOSED_MARK))
    return Parts(key, digest, None, (), left, repository, known, hidden, called)


def _memory_apart(lines: list[str]) -> tuple[list[str], frozenset[str] | None, frozenset[str], frozenset[str]]:
    """The lines without those that hold what was to be known of the text, and what they hold."""
    rest: list[str] = []
    known: set[str] | None = None
    hidden: set[str] = set()
    called: set[str] = set()
    for line in lines:
        found = _MEMORY.fullmatch(line.rstrip())
        if found is None:
            rest.append(line)
            continue
        digests = {found[1][at : at + _DIGEST] for at in range(0, len(found[1]), _DIGEST)}
        known = digests | (known or set())
        hidden |= set(filter(None, found[2].split(",")))
        called |= set(filter(None, (found[3] or "").split(",")))
    return rest, None if known is None else frozenset(known), frozenset(hidden), frozenset(called)


@lru_cache(maxsize=8_192)  # most lines of one issue are in others, too
def _line_digest(line: str) -> str:
    """What a line is known by: without what is invisible around it, and whatever is ticked in it."""
    text = _STATE.sub(r"\1 ", line.strip())
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest())[:_DIGEST].decode()


def _digests(text: str) -> frozenset[str]:
    return frozenset(_line_digest(line) for line in text.split("\n") if line.strip() and line != CLOSED_MARK)


def generated_text(text: str, *, closed: bool = False) -> str:
    """Generated text as it stands between the markers; a line of it that looks like a marker is made visible text."""
    lines = [
        line.replace("<!--", "&lt;!--") if "<!-- incident-ops" in line else line for line in normalise(text).split("\n")
    ]
    return "\n".join([*lines, CLOSED_MARK] if closed else lines)


def foreign_lines(parts: Parts, generated: str) -> tuple[str, ...]:
    """What people wrote inside the generated block, in order: lines that neither it nor `generated` says.

    Empty lines stand where it was not one piece. Without the digests of what was generated every line that `generated`
    does not have counts: better a stale line than a lost one.
    """
    if parts.block is None or parts.is_ours:
        return ()
    known = _digests(generated) | (parts.known or frozenset())
    return _without(parts.block.split("\n"), known)


def _without(lines: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    """The lines that are not known, without keys of boxes, with an empty one where something was between them."""
    out: list[str] = []
    is_apart = False
    for line in lines:
        if not line.strip() or _is_mark(line) or _line_digest(line) in known:
            is_apart = True
            continue
        out += [""] if out and is_apart else []
        out.append(_BOX_MARK.sub("", line))
        is_apart = False
    return tuple(out)


def _is_mark(line: str) -> bool:
    return line.strip() in (BEGIN, END, CLOSED_MARK) or _HEAD.fullmatch(line.strip()) is not None


def compose(key: str, generated: str, parts: Parts | None = None, repository: int = 0) -> str:
    """The body of the issue that `key` owns: marker, block, and around it what people wrote (`parts`, None = new).

    `repository` is the id of the one that holds the records. Boxes that people ticked stay ticked, also where the block
    had lost a marker or did not show them for a while. What they wrote in the block comes below it.
    """
    above, below = _around(key, parts, generated) if parts else ((), ())
    ticks: frozenset[str] = frozenset()
    if parts:
        old = "\n".join(parts.below) if parts.block is None else parts.block
        ticks = ticked(old) | (parts.hidden - _boxes(old))
        generated = _tick(generated, ticks)
    decided = frozenset(_FIXED.findall(generated))  # a tick that the record took over does not come back
    hidden = ",".join(sorted(ticks - _boxes(generated) - decided))
    called = f" called={','.join(sorted(parts.called))}" if parts and parts.called else ""
    memory = f"<!-- incident-ops lines={''.join(sorted(_digests(generated)))} ticked={hidden}{called} -->"
    head = f"<!-- incident-ops v1 key={key} repo={repository} hash={block_digest(generated)} -->"
    return "\n".join([head, *above, BEGIN, generated, memory, END, *below]).rstrip()


def new_parts(called: frozenset[str]) -> Parts:
    """Those of an issue that is to be made, on which this is set (`called`)."""
    return Parts(None, None, None, (), (), called=called)


def own_body(body: str, below: str = "") -> str | None:
    """A body of ours without what people wrote around its generated text, and with this line below it.

    None where more than that would differ from what a run writes: an edited text, a lost marker, an older version.
    """
    parts = parse_body(body)
    if parts.key is None or parts.block is None or parts.repository is None:
        return None
    if normalise(compose(parts.key, parts.block, parts, parts.repository)) != normalise(body):
        return None
    bare = parts._replace(above=(), below=(below,) if below else ())
    return normalise(compose(parts.key, parts.block, bare, parts.repository))


def ticks_in(body: str) -> frozenset[str]:
    """The keys of the boxes that people ticked, those among them that the text does not show at present."""
    parts = parse_body(body)
    return ticked(parts.block or "") | parts.hidden


def body_with_ticks(
    key: str, generated: str, ticks: frozenset[str], below: str, repository: int, called: frozenset[str]
) -> str:
    """The body that `own_body` gives where these boxes are ticked in a generated text, and this was set (`called`)."""
    lines = (below,) if below else ()
    parts = Parts(key, None, _tick(generated, ticks), (), lines, repository, hidden=ticks, called=called)
    return normalise(compose(key, generated, parts, repository))


def _around(key: str, parts: Parts, generated: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """People's lines above and below; a copy of our first line among them is none of theirs."""
    above, below = (tuple(line for line in lines if owner(line) != key) for lines in (parts.above, parts.below))
    if parts.block is None:
        return above, _below_broken(below, parts, generated)
    moved = foreign_lines(parts, generated)
    if moved:
        below = ("", *moved, *(("", *below) if below and below[0].strip() else below))
    return above, below


def mark_closed(body: str, repository: int) -> str | None:
    """A body of ours with the mark that we, not a person, closed its issue; None where no mark can or need be set."""
    parts = parse_body(body)
    if parts.key is None or parts.block is None or parts.was_closed:
        return None
    lines = parts.block.split("\n")
    if parts.known is not None and not parts.is_ours:
        lines = [line for line in lines if not line.strip() or _line_digest(line) in parts.known]
    return compose(parts.key, "\n".join([*lines, CLOSED_MARK]), parts, repository)


def _below_broken(lines: tuple[str, ...], parts: Parts, generated: str) -> tuple[str, ...]:
    """The lines of a body that lost a marker, less the generated ones: those are in the block again."""
    if parts.known is None:
        pairs = zip(lines, generated.split("\n"), strict=False)
        return lines[len(list(takewhile(lambda pair: pair[0].rstrip() == pair[1], pairs))) :]
    known = parts.known | _digests(generated)
    ours = [at for at, line in enumerate(lines) if line.strip() and _line_digest(line) in known]
    end = ours[-1] + 1 if ours else 0
    between = _without(lines[:end], known)
    return (*(("", *between) if between else ()), *lines[end:])
