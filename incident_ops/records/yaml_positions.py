"""Where every value of a readable text begins and ends: what splicing needs and reading does not.

A second pass over the parser's events. Positions count characters. A collection's own end mark runs past the comments
below it, so a block collection ends where its last leaf ends.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from incident_ops.findings import Route
from incident_ops.records.yaml_reader import _Parser

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_HEADER = re.compile(r"[|>][-+0-9]*")


@dataclass(slots=True)
class Node:
    """A value's place: `text[start:end]`; `column` of its first character.

    `kind`: "scalar", "map" or "list". `style`: of a scalar "" plain, the quote, `|` or `>`, and "null" for nothing at
    all; of a collection "block", "flow", or "pair" for the mapping `[a: 1]` without braces. A block scalar ends before
    the break of its last line.
    """

    kind: str
    style: str
    start: int
    end: int
    column: int
    entries: list[NodeEntry] = field(default_factory=list)

    @property
    def is_flow(self) -> bool:
        return self.style in ("flow", "pair")

    def entry(self, step: str | int) -> NodeEntry:
        """The entry at a key or index; raises LookupError."""
        if isinstance(step, int):
            return self.entries[step]
        for entry in self.entries:
            if entry.name == step:
                return entry
        raise KeyError(step)


@dataclass(slots=True)
class NodeEntry:
    """One item of a list, or one `key: value`; `start` and `key_end` enclose the key, or are the item's start."""

    name: str | None
    start: int
    key_end: int
    value: Node


def nodes(text: str) -> Node:
    """The nodes of a text that `read` takes. A text of comments only gives a null scalar."""
    parser = _Parser(text)
    try:
        return _walk(parser, text)
    finally:
        parser.dispose()


def _walk(parser: Any, text: str) -> Node:
    stack: list[tuple[Node | None, Any]] = []  # open collections, each with the pending key's event
    holder: Node | None = None
    key: Any = None
    top = Node("scalar", "null", 0, 0, 0)
    while True:
        event = parser.get_event()
        kind = type(event)
        if kind is StreamEndEvent:
            return top
        if kind in (MappingEndEvent, SequenceEndEvent):
            _close(holder, event)
            holder, key = stack.pop()
            continue
        if kind not in (ScalarEvent, MappingStartEvent, SequenceStartEvent):
            continue
        if kind is ScalarEvent and holder is not None and holder.kind == "map" and key is None:
            key = event
            continue
        node = _scalar(event, text) if kind is ScalarEvent else _open(event, text)
        if holder is None:
            top = node
        else:
            holder.entries.append(_entry(key, node))
            key = None
        if node.kind != "scalar":
            stack.append((holder, key))
            holder, key = node, None


def _entry(key: Any, node: Node) -> NodeEntry:
    if key is None:
        return NodeEntry(None, node.start, node.start, node)
    return NodeEntry(key.value, key.start_mark.index, key.end_mark.index, node)


def _open(event: Any, text: str) -> Node:
    kind = "map" if type(event) is MappingStartEvent else "list"
    start = event.start_mark.index
    style = "block" if not event.flow_style else "flow" if text[start] in "[{" else "pair"
    return Node(kind, style, start, start, event.start_mark.column)


def _close(node: Node | None, event: Any) -> None:
    if node is None:
        return
    if node.style == "flow":
        node.end = event.end_mark.index
    elif node.entries:
        node.end = max(node.entries[-1].value.end, node.entries[-1].key_end)


def _scalar(event: Any, text: str) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    style = event.style or ""
    if style in ("|", ">"):
        end = _block_end(text, start, end)
    elif not style and start == end:
        style = "null"
    return Node("scalar", style, start, end, event.start_mark.column)


def _block_end(text: str, start: int, end: int) -> int:
    header = header_end(text, start)
    if "+" not in text[start:header]:
        return max(header, start + len(text[start:end].rstrip("\n\r\x85\u2028\u2029")))
    for size in (2, 1):
        if BREAK.fullmatch(text, max(header, end - size), end):
            return end - size
    return end


def header_end(text: str, start: int) -> int:
    """Where the `|2-` of the block scalar at `start` ends."""
    header = _HEADER.match(text, start)
    return header.end() if header else start


def find_node(top: Node, route: Route) -> Node:
    """The node at a route; raises LookupError where there is none."""
    node = top
    for step in route:
        node = node.entry(step).value
    return node


_ANY_COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\r\n]*", re.MULTILINE)


def comments(text: str) -> list[re.Match[str]]:
    """Every comment of a readable text; inside a quoted or block text nothing is a comment."""
    texts = sorted(texts_with_marks(nodes(text), text))
    return [found for found in _ANY_COMMENT.finditer(text) if not _inside(texts, found.start(), len(text))]


def _inside(texts: list[tuple[int, int]], at: int, end: int) -> bool:
    above = bisect_right(texts, (at, end)) - 1
    return above >= 0 and at < texts[above][1]


def texts_with_marks(top: Node, text: str) -> Iterator[tuple[int, int]]:
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
