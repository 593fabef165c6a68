"""Text that fits the columns of a terminal, whatever a record contains: lines, paragraphs and tables.

How wide it may be is an argument, in columns: that of the terminal, or UNCUT for a pipe or a file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from unicodedata import category, east_asian_width

from incident_ops.domain.time import spell_clock
from incident_ops.render.findings import inert

DEFAULT_WIDTH = 80
"""Columns, where nobody says how wide the text may be."""
UNCUT = sys.maxsize
"""The width of a pipe or a file: there no text of a record is cut or broken; our own prose has DEFAULT_WIDTH."""
_MORE = "…"
_BREAK = re.compile(r"\s*\n\s*")
_WORD = re.compile(r"(\s*)(\S+(?:(?<=\d) %\S*)?)")
"""A number and its `%` stay together."""
_UTC = " (UTC)"
_LEAST_BESIDE = 2
_LEAST_PROSE = 24
"""Columns that a text at the end of a row needs; with less room it has a line of its own."""

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


def undated_lines(fields: Iterable[str], width: int = DEFAULT_WIDTH, *, of_several: bool = False) -> list[str]:
    """What a view of an earlier time leaves out, after an empty line; nothing where it leaves out nothing."""
    from incident_ops.documents.incident_facts import spell_undated  # clocks and more, which few texts need

    sentence = spell_undated(fields, of_several=of_several)
    return ["", *wrap(sentence.split(), _of_prose(width))] if sentence else []


def _of_prose(width: int) -> int:
    return DEFAULT_WIDTH if width == UNCUT else width


def wrap(parts: Iterable[str], most: int, between: str = " ") -> list[str]:
    """Parts, each kept whole, as lines of at most `most` columns, joined by `between`."""
    if most == UNCUT:
        return [between.join(parts)]
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


def fold(text: str, first: str = "", rest: str = "", width: int = DEFAULT_WIDTH) -> list[str]:
    """A text as lines of at most `width` columns, `first` before the first and `rest` before the others.

    A word longer than that, such as a path or a key, has a line of its own.
    """
    width, text = _of_prose(width), _BREAK.sub(" ", text)
    lines: list[str] = []
    line, is_empty = first, True
    for gap, word in _WORD.findall(text):
        longer = f"{line}{gap}{word}"
        if is_empty or columns(longer) <= width:
            line, is_empty = longer, False
        else:
            lines.append(line)
            line = rest + word
    return lines if is_empty else [*lines, line]


def fold_record(text: str, first: str = "", rest: str = "", width: int = DEFAULT_WIDTH) -> list[str]:
    """The same for a line that quotes a record: where nothing is cut it is not broken either, so that it is found."""
    return fold(text, first, rest, width) if width != UNCUT else [first + text]


def hanging(texts: Iterable[str], width: int = DEFAULT_WIDTH) -> list[str]:
    """Texts as lines of at most `width` columns, all but the first line of each set in by two."""
    return [line for text in texts for line in fold(text, rest="  ", width=width)]


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


class Table(NamedTuple):
    """Rows of cells below a header.

    `right`: indexes of the columns of figures, which align right. `has_prose`: the last cell of a row is a text, which
    is cut where it does not fit, and stands below its row where there is hardly room for it. `tones`: one for each
    row. `spot`: the index of a column, and a tone for each row of it that is not the row's own.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Collection[int] = ()
    has_prose: bool = False
    tones: Sequence[str] = ()
    spot: tuple[int, Sequence[str]] = (0, ())

    def lines(self, width: int = DEFAULT_WIDTH, style: Style = lambda _, line: line) -> list[str]:
        """The lines of the header and of each row, none wider than `width` before it is styled.

        Where the columns do not fit side by side, the first ones that do stand below their header, and the others with
        their names below the row; where hardly any do, a row is its cells one after the other, without a header.
        """
        count = len(self.header) - self.has_prose
        table = [self.header, *self.rows]
        widths = [max(columns(row[index]) for row in table) for index in range(count)]
        front = sum(widths) + 2 * (count - 1)
        if front > width:
            return self._split(widths, width, style)
        room = width - front - 2
        longest = max(columns(row[-1]) for row in table)
        is_beside = self.has_prose and room >= min(_LEAST_PROSE, longest)
        out = []
        for number, row in enumerate(table, -1):
            cells = self._padded(row, widths)
            cells += [fit_line(row[-1], room)] if is_beside else []
            out.append(self._styled(number, cells, style))
            if self.has_prose and not is_beside and number >= 0 and row[-1]:
                out.append(style(self._tone(number), "  " + fit_line(row[-1], width - 2)))
        return out

    def _split(self, widths: Sequence[int], width: int, style: Style) -> list[str]:
        """The lines of a table that is too wide."""
        count = 0
        while sum(widths[: count + 1]) + 2 * count <= width:
            count += 1
        if count <= _LEAST_BESIDE:
            return [line for number, row in enumerate(self.rows) for line in self._stacked(number, row, width, style)]
        out = []
        for number, row in enumerate([self.header, *self.rows], -1):
            out.append(self._styled(number, self._padded(row[:count], widths), style))
            cells = list(enumerate(row))[count : len(widths)] if number >= 0 else []
            named = [_named_cell(self.header[index], text) for index, text in cells if text not in ("", "-")]
            prose = [fit_line(row[-1], width - 2)] if self.has_prose and number >= 0 and row[-1] else []
            below = [*(wrap(named, width - 2, ", ") if named else []), *prose]
            out += [style(self._tone(number), f"  {line}") for line in below]
        return out

    def _padded(self, row: Sequence[str], widths: Sequence[int]) -> list[str]:
        return [
            " " * (width - columns(text)) + text if index in self.right else pad(text, width)
            for index, (text, width) in enumerate(zip(row, widths, strict=False))
        ]

    def _styled(self, number: int, cells: Sequence[str], style: Style) -> str:
        place, tones = self.spot
        tone = self._tone(number)
        if number < 0 or number >= len(tones) or not tones[number]:
            return style(tone, "  ".join(cells).rstrip())
        before, after = ("  ".join(part) for part in (cells[:place], cells[place + 1 :]))
        word = cells[place].rstrip()
        gap = cells[place].removeprefix(word)
        return style(tone, before + "  ") + style(tones[number], word) + style(tone, f"{gap}  {after}".rstrip())

    def _tone(self, number: int) -> str:
        return self.tones[number] if 0 <= number < len(self.tones) else ""

    def _stacked(self, number: int, row: Sequence[str], width: int, style: Style) -> list[str]:
        cells = row[:-1] if self.has_prose else row
        named = [
            f"{self.header[index].lower()} {text}" if index in self.right else text for index, text in enumerate(cells)
        ]
        lines = wrap([text for text in named if text], width - 2, "  ")
        prose = [fit_line(row[-1], width - 2)] if self.has_prose and row[-1] else []
        first, *rest = [*lines, *prose]
        return [style(self._tone(number), line) for line in (first, *(f"  {line}" for line in rest))]


def _named_cell(name: str, text: str) -> str:
    """A cell with the name of its column: `due 2025-01-26 12:05 UTC`."""
    if name.endswith(_UTC):
        return f"{name.removesuffix(_UTC).lower()} {text} UTC"
    return f"{name.lower()} {text}"


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = (), width: int = DEFAULT_WIDTH
) -> list[str]:
    """The lines of a table without prose."""
    return Table(header, rows, right).lines(width)
