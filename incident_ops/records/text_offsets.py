"""Where a part of a value stands in the text of its file: in the middle of a quoted, folded or block text."""

from __future__ import annotations

import re

from incident_ops.records.yaml_positions import BREAK, Node, header_end

_ESCAPED = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n|.)|.", re.DOTALL)
_BLANK_ESCAPES = frozenset(("\\n", "\\t", "\\r", "\\ ", "\\_", "\\N", "\\L", "\\P", "\\v", "\\f", "\\\n", "\\\r\n"))


def source_index(text: str, node: Node, value: str, offset: int) -> int:
    """The index in `text` of the character at `offset` of the value that stands at `node`.

    Blanks are laid out anew by folding and indentation; what is not blank is counted on both sides.
    """
    wanted = sum(not char.isspace() for char in value[:offset])
    start = _content_start(text, node)
    for index, size in _characters(text, start, node):
        if wanted == 0:
            return index
        wanted -= size
    return node.start


def _content_start(text: str, node: Node) -> int:
    """Behind the quote, or behind the line of the `|`, which may have a comment."""
    if node.style in ("|", ">"):
        line_break = BREAK.search(text, header_end(text, node.start), node.end)
        return line_break.end() if line_break else node.end
    return node.start + (node.style in ("'", '"'))


def _characters(text: str, start: int, node: Node) -> list[tuple[int, int]]:
    """(index, 1) of each character of a value that is not blank; a pair of quotes or an escape is one."""
    part = text[start : node.end]
    if node.style == '"':
        found = [(start + one.start(), one[0]) for one in _ESCAPED.finditer(part)]
        return [(index, 1) for index, char in found if not char.isspace() and char not in _BLANK_ESCAPES]
    if node.style == "'":
        return [(start + one.start(), 1) for one in re.finditer(r"''|\S", part)]
    return [(start + one.start(), 1) for one in re.finditer(r"\S", part)]
