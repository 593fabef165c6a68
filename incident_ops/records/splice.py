"""One change of a record's data -> the spans of its text to replace.

Everything outside the spans stays byte for byte. What cannot be spliced without moving the meaning of something else
is refused here by name; whether the result reads back as meant is checked by `edit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incident_ops.findings import Route
from incident_ops.records.yaml_positions import BREAK, Node, NodeEntry, find_node, header_end
from incident_ops.records.yaml_writer import LayoutStyle, attached, flow, item, scalar, yaml_block


@dataclass(frozen=True, slots=True)
class Splice:
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


class Unspliceable(Exception):
    """A construct that cannot be edited, at `index` of the text: what is wrong and how to fix it."""

    def __init__(self, index: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.index, self.message, self.hint = index, message, hint


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """The text with the splices made, which do not overlap."""
    parts, done = [], 0
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        parts += [text[done : splice.start], splice.new]
        done = splice.end
    return "".join([*parts, text[done:]])


class Page:
    """A text, its nodes and its layout: the ground on which splices are made."""

    def __init__(self, text: str, top: Node, *, literal: bool) -> None:
        self.text, self.top = text, top
        self.style = LayoutStyle(*_layout(top), literal=literal)

    def replace(self, route: Route, value: Any) -> list[Splice]:
        """The value at `route`, which is there, becomes `value`."""
        if not route:
            raise Unspliceable(0, "the whole record cannot be replaced", "set its keys one by one")
        owner = find_node(self.top, route[:-1])
        entry = owner.entry(route[-1])
        old = entry.value
        if owner.is_flow or (old.style == "flow" and old.entries and isinstance(value, dict | list) and value):
            return [self._replace_in_flow(entry, value)]
        if old.style == "block":
            return self._replace_block(owner, entry, value)
        return self._replace_leaf(owner, entry, value)

    def insert(self, route: Route, value: Any, order: Sequence[str]) -> list[Splice]:
        """A new key, the last step of `route`, in a mapping that is there and whose keys have this `order`."""
        owner, key = find_node(self.top, route[:-1]), str(route[-1])
        place = _place(owner, key, order)
        if owner.is_flow:
            if not owner.entries and route[:-1] and not find_node(self.top, route[:-2]).is_flow:
                return self.replace(route[:-1], {key: value})
            return [self._insert_in_flow(owner, place, f"{scalar(key, in_flow=True)}: {flow(value)}")]
        lines = yaml_block({key: value}, owner.column, self.style)
        if place:
            return [self._below(owner.entries[place - 1].value, owner.column, lines)]
        start, eol = owner.entries[0].start, self.eol(owner.entries[0].start)
        return [Splice(start, start, f"{eol.join(lines)[owner.column :]}{eol}{' ' * owner.column}")]

    def append(self, route: Route, value: Any) -> list[Splice]:
        """A new last item of the list at `route`."""
        owner = find_node(self.top, route)
        if owner.is_flow:
            if not owner.entries and route and not find_node(self.top, route[:-1]).is_flow:
                return self.replace(route, [value])
            return [self._insert_in_flow(owner, len(owner.entries), flow(value))]
        return [self._below(owner.entries[-1].value, owner.column, yaml_block([value], owner.column, self.style))]

    def remove(self, route: Route) -> list[Splice]:
        """The lines of a key and its value; a mapping that has no other key becomes an empty one."""
        owner = find_node(self.top, route[:-1])
        entry = owner.entry(route[-1])
        if owner.is_flow:
            raise Unspliceable(entry.start, "only a key that has a line of its own can be removed", "edit it by hand")
        if route[:-1] and len(owner.entries) == 1:
            return self.replace(route[:-1], {})
        start, end = self._line_start(entry.start), _last_leaf(entry.value).end
        if end == start or end != self._line_start(end):
            end = self._next_line(end)
        if entry.value.style == "block":
            end = self._after_comments(end, owner.column)
        return [Splice(start, end, "")]

    def insert_item(self, route: Route, place: int, value: Any) -> list[Splice]:
        """A new item of the list at `route`, above the one at `place`, which keeps the comments above it."""
        owner = find_node(self.top, route)
        if owner.is_flow:
            return [self._insert_in_flow(owner, place, flow(value))]
        lines = yaml_block([value], owner.column, self.style)
        if place:
            return [self._below(owner.entries[place - 1].value, owner.column, lines)]
        start, eol = owner.start, self.eol(owner.start)
        return [Splice(start, start, f"{eol.join(lines)[owner.column :]}{eol}{' ' * owner.column}")]

    # ---------------------------------------------------------------- lines

    def eol(self, index: int) -> str:
        """The line end of the line before `index`, else of the line after it."""
        line_break = self.text.rfind("\n", 0, index)
        line_break = line_break if line_break >= 0 else self.text.find("\n", index)
        return "\r\n" if line_break > 0 and self.text[line_break - 1] == "\r" else "\n"

    def _line_start(self, index: int) -> int:
        while index and not BREAK.fullmatch(self.text, index - 1, index):
            index -= 1
        return index

    def _line_end(self, index: int) -> int:
        """The end of the line at `index`, before its break."""
        line_break = BREAK.search(self.text, index)
        return line_break.start() if line_break else len(self.text)

    def _next_line(self, index: int) -> int:
        line_break = BREAK.search(self.text, index)
        return line_break.end() if line_break else len(self.text)

    def _starts_line(self, node: Node) -> bool:
        return not self.text[self._line_start(node.start) : node.start].strip()

    def _below(self, above: Node, column: int, lines: list[str]) -> Splice:
        """Whole lines below a value and the comments that belong to it: those further right than `column`."""
        leaf = _last_leaf(above)
        if leaf.style in ("|", ">") and leaf.end == len(self.text) and "\n" in self.text[leaf.start : leaf.end]:
            header = self.text[leaf.start : header_end(self.text, leaf.start)]
            if "-" not in header:
                raise Unspliceable(
                    leaf.start,
                    f"the file ends inside this `{header}` text without a line break; a line below would change it",
                    "end the file with a line break",
                )
        index = self._after_comments(self._next_line(leaf.end), column)
        eol = self.eol(index)
        if BREAK.fullmatch(self.text, index - 1, index):
            return Splice(index, index, eol.join(lines) + eol)
        return Splice(index, index, eol + eol.join(lines))

    def _after_comments(self, index: int, column: int) -> int:
        last = here = index
        while here < len(self.text):
            line = self.text[here : self._line_end(here)]
            words = line.lstrip(" \t")
            if words and not (words[0] == "#" and len(line) - len(words) > column):
                break
            here = self._next_line(here)
            # a break that is none to most tools (U+2028 in a comment) is left behind together with the real one
            if words or self.text[last - 1] != "\n":
                last = here
        return last

    # ---------------------------------------------------------------- block style

    def _colon(self, entry: NodeEntry) -> int:
        return self.text.index(":", entry.key_end) + 1

    def _replace_block(self, owner: Node, entry: NodeEntry, value: Any) -> list[Splice]:
        old, eol = entry.value, self.eol(entry.value.start)
        end = self._line_end(old.end)
        filled = isinstance(value, dict | list) and bool(value)
        if filled and (owner.kind == "list" or isinstance(value, list) or old.column > owner.column):
            return [Splice(old.start, end, eol.join(yaml_block(value, old.column, self.style))[old.column :])]
        if owner.kind == "list":
            return [Splice(old.start, end, eol.join(item(value, owner.column, self.style)))]
        inline, below = attached(value, owner.column, self.style)
        colon, start = self._colon(entry), self._line_start(old.start)
        start -= 2 if self.text[start - 2 : start] == "\r\n" else 1
        new = [Splice(colon, colon, f" {inline}")] if inline else []
        return [*new, Splice(start, end, "".join(eol + line for line in below))]

    def _replace_leaf(self, owner: Node, entry: NodeEntry, value: Any) -> list[Splice]:
        old, eol = entry.value, self.eol(entry.value.start)
        inline, below = self._new_leaf(owner, old, value)
        is_block = old.style in ("|", ">")
        inline_end = header_end(self.text, old.start) if is_block else old.end
        tail = self._line_end(inline_end)
        tail_end = max(tail, old.end)
        start = old.start
        if not inline:
            start = self._colon(entry) if owner.kind == "map" and not self._starts_line(old) else start
        elif old.style == "null":
            inline = f" {inline}"
        return [Splice(start, inline_end, inline), Splice(tail, tail_end, "".join(eol + line for line in below))]

    def _new_leaf(self, owner: Node, old: Node, value: Any) -> tuple[str, list[str]]:
        filled = isinstance(value, dict | list) and bool(value)
        if filled and old.style != "null" and (owner.kind == "list" or self._starts_line(old)):
            first, *below = yaml_block(value, old.column, self.style)
            return first[old.column :], below
        if owner.kind == "list":
            first, *below = item(value, owner.column, self.style)
            return (first if filled or below else scalar(value, like=old.style)), below
        return attached(value, owner.column, self.style, like=old.style)

    # ---------------------------------------------------------------- flow style

    def _replace_in_flow(self, entry: NodeEntry, value: Any) -> Splice:
        old = entry.value
        if old.style != "null":
            return Splice(old.start, old.end, flow(value, like=old.style))
        gap = self.text[entry.key_end : old.start]
        colon = gap.find(":")
        if colon < 0:
            raise Unspliceable(
                entry.start, "a key without `:` inside `{}` cannot be edited", "write it as `key: value` first"
            )
        if gap[colon + 1 :].strip():
            raise _comment_in_flow(entry.start)
        return Splice(entry.key_end + colon + 1, old.start, f" {flow(value)}")

    def _insert_in_flow(self, owner: Node, place: int, new: str) -> Splice:
        if owner.style == "pair":
            raise Unspliceable(owner.start, "a mapping without braces inside `[]` cannot be edited", "put it in `{}`")
        self._check_gaps(owner)
        if not owner.entries:
            return Splice(owner.start + 1, owner.end - 1, new)
        if not place:
            start = owner.entries[0].start
            return Splice(start, start, f"{new}, ")
        last = owner.entries[place - 1]
        line = self._line_start(last.start)
        indent = self.text[line : last.start]
        apart = self.eol(last.start) + indent if line > owner.start and not indent.strip() else " "
        return Splice(last.value.end, last.value.end, f",{apart}{new}")

    def _check_gaps(self, owner: Node) -> None:
        """Refuses what a new item could end up beside: a comment, a comma at the end."""
        index = owner.start + 1
        for entry in owner.entries:
            if self.text[index : entry.start].strip(", \t\n\r\x85\u2028\u2029"):
                raise _comment_in_flow(owner.start)
            index = entry.value.end
        gap = self.text[index : owner.end - 1].strip()
        if gap.startswith(","):
            raise Unspliceable(
                owner.start, "a list or mapping that ends with a comma cannot be edited", "remove the comma"
            )
        if gap:
            raise _comment_in_flow(owner.start)


def _last_leaf(node: Node) -> Node:
    """What stands last in a value."""
    while node.style == "block":
        node = node.entries[-1].value
    return node


def _comment_in_flow(index: int) -> Unspliceable:
    return Unspliceable(
        index, "a list or mapping in brackets with a comment inside cannot be edited", "write one value per line"
    )


def _place(owner: Node, key: str, order: Sequence[str]) -> int:
    """How many of the mapping's entries come before the new key.

    It goes below the nearest key that `order` has before it, else above the first that `order` has after it, else last.
    """
    rank = {name: place for place, name in enumerate(order)}
    last = len(owner.entries)
    if key not in rank:
        return last
    known = [(rank[entry.name], place) for place, entry in enumerate(owner.entries) if entry.name in rank]
    below = [(here, place) for here, place in known if here < rank[key]]
    if below:
        return max(below)[1] + 1
    return min(place for _, place in known) if known else last


def _layout(top: Node) -> tuple[int, int]:
    """(columns from a key to the keys below it, to the dashes below it) in most of the file."""
    steps: list[int] = []
    dashes: list[int] = []
    stack = [top]
    while stack:
        node = stack.pop()
        for entry in node.entries:
            child = entry.value
            stack.append(child)
            if node.kind == "map" and node.style == child.style == "block":
                (steps if child.kind == "map" else dashes).append(child.column - node.column)
    return _most(steps, 2), _most(dashes, 0)


def _most(numbers: list[int], otherwise: int) -> int:
    return max(set(numbers), key=lambda number: (numbers.count(number), -number)) if numbers else otherwise
