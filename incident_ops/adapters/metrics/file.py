"""Counts from a file: one row a tick, for a replay.

A cell that holds no count is passed on as it stands; the gate calls that tick one without data.
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import NamedTuple

from incident_ops.errors import UserError

_ALWAYS, _ERRORS, _SLOW = (
    ("t", "canary_requests", "baseline_requests"),
    ("canary_errors", "baseline_errors"),
    ("canary_slow", "baseline_slow"),
)
MOST_BYTES = 64 * 1024 * 1024

_EXPECTED = (
    "expected t,canary_requests,canary_errors,baseline_requests,baseline_errors;"
    " for a slowRate metric canary_slow and baseline_slow, beside the errors or in their place"
)
_EPOCH, _EPOCH_MILLI = 1e9, 1e11
"""A first `t` above: no run lasts thirty years."""


class Row(NamedTuple):
    """One tick: seconds since the run began, and the counts as they stand in the file; None without such a column."""

    t: float
    canary_requests: str = ""
    canary_errors: str | None = None
    baseline_requests: str = ""
    baseline_errors: str | None = None
    canary_slow: str | None = None
    baseline_slow: str | None = None


def read_counts(path: Path | str) -> list[Row]:
    """The rows of a CSV file. UserError, with the line, for a file that is none or that has another form."""
    if not str(path):
        raise UserError(
            "the name of the file with the counts is empty", hint="incident-ops canary replay X.csv -f GATE"
        )
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path), hint="check the path") from None
    if len(raw) > MOST_BYTES:
        raise UserError("the file has more than 64 MiB", where=str(path), hint="split it")
    try:
        return counts_of(raw.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError:
        raise UserError("the file is not UTF-8 text", where=str(path), hint="save it as UTF-8") from None


def counts_of(text: str, name: str) -> list[Row]:
    """The rows of a CSV text; `name` is only used in errors."""
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[Row] = []
    try:
        header = [cell.strip() for cell in next(reader, [])]
        known = [(*_ALWAYS, *_ERRORS), (*_ALWAYS, *_SLOW), (*_ALWAYS, *_ERRORS, *_SLOW)]
        if sorted(header) not in map(sorted, known):
            found = ",".join(header)[:200] or "none"
            raise UserError(f"the columns are others: found {found}", where=f"{name}:1", hint=_EXPECTED)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                message = f"the row has {len(cells)} cells, expected {len(header)}"
                raise UserError(message, where=f"{name}:{reader.line_num}", hint="an unknown count is an empty cell")
            where = f"{name}:{reader.line_num}"
            given = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            at = _instant(given.pop("t"), rows[-1].t if rows else None, where)
            rows.append(Row(at, **given))
    except csv.Error as error:
        raise UserError(f"no CSV: {error}", where=f"{name}:{reader.line_num}") from None
    if not rows:
        raise UserError("the file has no rows", where=name, hint="one row a tick, below the line of columns")
    return rows


def _instant(text: str, before: float | None, where: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise UserError(f"t is {text[:20]!r}", where=where, hint="seconds since the run began, e.g. 15")
    if before is None and found > _EPOCH:
        is_fine = found > _EPOCH_MILLI
        problem = f"t is {text[:20]}, which looks like {'milliseconds' if is_fine else 'seconds'} since 1970"
        mended = f"(t - {text[:20]}) / 1000" if is_fine else f"t - {text[:20]}"
        raise UserError(problem, where=where, hint=f"subtract the start of the run, here perhaps {mended}")
    if before is not None and found < before:
        raise UserError(f"t goes back from {before:g} to {found:g}", where=where, hint="sort the rows by t")
    return found
