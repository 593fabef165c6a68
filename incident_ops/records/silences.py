"""Comments that silence a rule: `# incident-ops: ignore[rule-id] reason`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from incident_ops.model.silence import Silence
from incident_ops.records.nodes import Node, nodes

MARK = "incident-ops: ignore["
_COMMENT = re.compile(r"(?:(?<=\s)|^)#[ \t]*incident-ops: ignore\[([^\]\r\n]*)\]?([^\r\n]*)", re.MULTILINE)


def silences(text: str, path: str) -> list[Silence]:
    """Every silencing comment of a readable text; what stands inside a quoted or block text is no comment.

    At the end of a line it holds for that line, alone on a line for the next one that is no comment.
    """
    if MARK not in text:
        return []
    texts = list(_texts(nodes(text), text))
    lines = text.split("\n")
    found = []
    for comment in _COMMENT.finditer(text):
        at = comment.start()
        if any(start <= at < end for start, end in texts):
            continue
        line = text.count("\n", 0, at) + 1
        column = at - (text.rfind("\n", 0, at) + 1) + 1
        alone = not lines[line - 1][: column - 1].strip()
        rules = tuple(name for part in comment[1].split(",") if (name := part.strip()))
        found.append(Silence(path, line, column, _next(lines, line) if alone else line, rules, comment[2].strip()))
    return found


def _next(lines: list[str], line: int) -> int:
    """The first line below `line` (both from 1) that is no comment."""
    below = line + 1
    while below <= len(lines) and lines[below - 1].lstrip().startswith("#"):
        below += 1
    return below


def _texts(top: Node, text: str) -> Iterator[tuple[int, int]]:
    """Where quoted and block texts stand, keys included; of a block text without its `|` line, which may end in one."""
    todo = [top]
    while todo:
        node = todo.pop()
        if node.kind == "scalar" and node.style not in ("", "null"):
            start = text.find("\n", node.start) if node.style in "|>" else node.start
            yield start, node.end
        for entry in node.entries:
            if entry.name is not None:
                yield entry.start, entry.key_end
            todo.append(entry.value)
