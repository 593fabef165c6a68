"""Rows of text in columns, for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from incident_ops.render.fit import columns, pad


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """The header and the rows, each column as wide as its widest cell; those at the indexes `right` end flush."""
    table = [header, *rows]
    widths = [max(map(columns, column)) for column in zip(*table, strict=True)]
    return ["  ".join(_cells(row, widths, right)).rstrip() for row in table]


def _cells(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> Iterator[str]:
    for index, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield " " * (width - columns(text)) + text if index in right else pad(text, width)
