"""Text that fits the columns of a terminal, whatever a record contains: lines, paragraphs and tables."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from unicodedata import category, east_asian_width

from incident_ops.documents.incident_facts import spell_undated
from incident_ops.domain.time import spell_clock
from incident_ops.render.findings import inert

WIDTH = 80
_MORE = "…"

Style = Callable[[str, str], str]
"""(tone of a line, the whole line) -> the line as shown, e.g. in colour."""


def columns(text: str) -> int:
    """How many terminal columns a text of printable characters takes."""
    return len(text) if text.isascii() else sum(_columns(char) for char in text)


def fit_line(text: str, most: int) -> str:
    """A record's text on one line of at most `most` columns: inert, and cut with an ellipsis where it is longer."""
    # the rest is never seen, so a text of a megabyte costs no more than a line
    return cut_line(inert(" ".join(text[: most * 8].split())), most)


def cut_line(line: str, most: int) -> str:
    """A line of printable characters, or its beginning where it takes more than `most` columns."""
    if columns(line) <= most:
        return line
    room, kept = most - 1, ""
    for char in line:
        room -= _columns(char)
        if room < 0:
            break
        kept += char
    return kept.rstrip() + _MORE


def undated_lines(fields: Iterable[str], *, of_several: bool = False) -> list[str]:
    """What a view of an earlier time leaves out, after an empty line; nothing where it leaves out nothing."""
    sentence = spell_undated(fields, of_several=of_several)
    return ["", *wrap(sentence.split(), WIDTH)] if sentence else []


def wrap(parts: Iterable[str], most: int, between: str = " ") -> list[str]:
    """Parts, each kept whole, as lines of at most `most` columns, joined by `between`."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{between}{part}" if lines else part
        if lines and columns(longer + between.rstrip()) <= most:
            lines[-1] = longer
        else:
            if lines:
                lines[-1] += between.rstrip()
            lines.append(part)
    return lines


def fold(text: str, first: str = "", rest: str = "") -> list[str]:
    """A text as lines of at most 80 characters, `first` before the first and `rest` before the others.

    A word longer than that, such as a path or a key, has a line of its own.
    """
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def hanging(texts: Iterable[str]) -> list[str]:
    """Texts as lines of at most 80 columns, all but the first line of each set in by two."""
    return [line for text in texts for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]


def spell_due(at: datetime | None) -> str:
    """A due time in a table: `2025-01-26 12:05` (UTC), or `-` where there is none."""
    return "-" if at is None else spell_clock(at, dated=True)


def pad(text: str, width: int) -> str:
    """The text with blanks up to `width` columns."""
    return text + " " * (width - columns(text))


def _columns(char: str) -> int:
    if category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """The header and the rows, each column as wide as its widest cell; those at the indexes `right` align right."""
    table = [header, *rows]
    widths = [max(map(columns, column)) for column in zip(*table, strict=True)]
    return ["  ".join(_cells(row, widths, right)).rstrip() for row in table]


def _cells(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> Iterator[str]:
    for index, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield " " * (width - columns(text)) + text if index in right else pad(text, width)
