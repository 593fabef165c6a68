"""Comments that suppress what a rule finds on a line: where they stand, and which rules they name."""

from __future__ import annotations

import re
from bisect import bisect_right

from incident_ops.domain.record import Silence
from incident_ops.records.yaml_positions import comments

MARK = "incident-ops: ignore["
_COMMENT = re.compile(r"(?:(?<=\s)|^)#[ \t]*incident-ops: ignore\[([^\]\r\n]*)\]?([^\r\n]*)", re.MULTILINE)


def find_suppressions(text: str, path: str) -> list[Silence]:
    """Every such comment of a readable text; inside a quoted or block text nothing is a comment.

    At the end of a line it holds for that line, alone on a line for the next one that is not a comment.
    """
    if MARK not in text:
        return []
    lines = text.split("\n")
    starts = [0, *(line_break.end() for line_break in re.finditer("\n", text))]
    below = _next(lines)
    suppressions = []
    for found in comments(text):
        for comment in _COMMENT.finditer(found[0]):
            at = found.start() + comment.start()
            line = bisect_right(starts, at)
            column = at - starts[line - 1] + 1
            alone = not lines[line - 1][: column - 1].strip()
            rules = tuple(name for part in comment[1].split(",") if (name := part.strip()))
            on = below[line - 1] if alone else line
            suppressions.append(Silence(path, line, column, on, rules, comment[2].strip()))
    return suppressions


def _next(lines: list[str]) -> list[int]:
    """For every line the first below it (from 1) that is not a comment."""
    below = [len(lines) + 1] * len(lines)
    for place in range(len(lines) - 2, -1, -1):
        is_comment = lines[place + 1].lstrip().startswith("#")
        below[place] = below[place + 1] if is_comment else place + 2
    return below
