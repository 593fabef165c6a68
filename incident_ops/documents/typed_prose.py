"""What people typed into a rendered document: the lines that no rendering of it has, by their heading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from incident_ops.documents.document_mark import without_mark

_HEADING = re.compile(r"#{1,6} +(.+?) *#* *")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
FIELDS_OF_PARTS: Mapping[str, str] = {
    "summary": "summary",
    "narrative": "narrative",
    "went_well": "went_well",
    "went_poorly": "went_poorly",
    "lucky": "lucky",
    "conclusion": "conclusion",
}
"""By section the field of the record that it shows, where that is what people write."""


class TypedProse(NamedTuple):
    """Lines that somebody typed under a heading; "" where they stand above the first one."""

    heading: str
    text: str


def typed_prose(content: bytes, renderings: Sequence[str]) -> list[TypedProse]:
    """The lines of a document that none of its `renderings` has under that heading, in order, by heading.

    A line that stands there more often than in any of them was typed, too. A block of code is one piece.
    """
    known: Counter[tuple[str, str]] = Counter()
    for text in renderings:
        known |= Counter(_key(heading, piece) for heading, piece in _under_headings(without_mark(text)))
    by_heading: dict[str, list[str]] = {}
    for heading, piece in _under_headings(without_mark(content.decode("utf-8", "replace"))):
        lines, key = by_heading.setdefault(heading, []), _key(heading, piece)
        is_blank = not key[1].strip()
        if (is_blank and lines) or (not is_blank and not known[key]):
            lines += [line.rstrip() for line in piece]
        elif not is_blank:
            known[key] -= 1
    texts = ((heading, "\n".join(lines).strip("\n")) for heading, lines in by_heading.items())
    return [TypedProse(heading, re.sub(r"\n{3,}", "\n\n", text)) for heading, text in texts if text.strip()]


def _key(heading: str, piece: Sequence[str]) -> tuple[str, str]:
    return heading, "\n".join(line.strip() for line in piece)


def _under_headings(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each line by itself under its heading; what stands between fences stays together, with them."""
    heading, fence, block = "", "", list[str]()
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            block.append(line)
            if mark and line.strip().startswith(fence):
                yield heading, block
                fence, block = "", []
            continue
        if mark:
            fence, block = mark[1], [line]
            continue
        if (found := _HEADING.fullmatch(line)) and not line.startswith("# "):
            heading = found[1]
        yield heading, [line]
    yield from ((heading, [line]) for line in block)


def notes_text(document: str, before: str, prose: Sequence[TypedProse]) -> str:
    """The text of the file that keeps what people typed into a document, with what it holds already."""
    top = (
        f"# Typed into {document}\n\nThe document is rendered from the record, so these lines were moved here. Take"
        " over into the record what belongs there, then remove this file.\n"
    )
    kept = before or top
    for one in prose:
        part = f"\n## {one.heading or 'At the top'}\n\n{one.text}\n"
        if part not in kept:
            kept = f"{kept.rstrip(chr(10))}\n{part}"
    return kept


def notes_name(document: str) -> str:
    """The file beside a document that keeps what people typed into it: `postmortem.notes.md`."""
    return f"{document.removesuffix('.md')}.notes.md"
