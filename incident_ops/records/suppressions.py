"""Comments that suppress a rule: `# incident-ops: ignore[rule-id] reason`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from incident_ops.domain.record import Silence
from incident_ops.records.yaml_positions import Node, nodes

MARK = "incident-ops: ignore["
_COMMENT = re.compile(r"(?:(?<=\s)|^)#[ \t]*incident-ops: ignore\[([^\]\r\n]*)\]?([^\r\n]*)", re.MULTILINE)


def find_suppressions(text: str, path: str) -> list[Silence]:
    """Every such comment of a readable text; inside a quoted or block text nothing is a comment.

    At the end of a line it holds for that line, alone on a line for the next one that is not a comment.
    """
    if MARK not in text:
        return []
    texts = sorted(_texts(nodes(text), text))
    lines = text.split("\n")
    starts = [0, *(line_break.end() for line_break in re.finditer("\n", text))]
    below = _next(lines)
    suppressions = []
    for comment in _COMMENT.finditer(text):
        at = comment.start()
        above = bisect_right(texts, (at, len(text))) - 1
        if above >= 0 and at < texts[above][1]:
            continue
        line = bisect_right(starts, at)
        column = at - starts[line - 1] + 1
        alone = not lines[line - 1][: column - 1].strip()
        rules = tuple(name for part in comment[1].split(",") if (name := part.strip()))
        suppressions.append(Silence(path, line, column, below[line - 1] if alone else line, rules, comment[2].strip()))
    return suppressions


def _next(lines: list[str]) -> list[int]:
    """For every line the first below it (from 1) that is not a comment."""
    below = [len(lines) + 1] * len(lines)
    for place in range(len(lines) - 2, -1, -1):
        is_comment = lines[place + 1].lstrip().startswith("#")
        below[place] = below[place + 1] if is_comment else place + 2
    return below


def _texts(top: Node, text: str) -> Iterator[tuple[int, int]]:
    """Where quoted and block texts are, keys included; a block text without its `|` line, which may have one."""
    todo = [top]
    while todo:
        node = todo.pop()
        if node.kind == "scalar" and node.style not in ("", "null"):
            header = text.find("\n", node.start, node.end) if node.style in "|>" else node.start
            if header >= 0:
                yield header, node.end
        for entry in node.entries:
            if entry.name is not None:
                yield entry.start, entry.key_end
            todo.append(entry.value)
