"""Three versions of a record's text -> one, by the lines of its values: the text of the merged data.

Lines that one side left alone are the other side's, comments included; lines that both changed are taken apart, value
by value. Ours gives the layout: what comes from theirs is moved to our columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from incident_ops.domain.record import Append, Edit, Set
from incident_ops.findings import Route
from incident_ops.records.editor import Refused, edit, same_data
from incident_ops.records.merge_data import (
    APPENDED,
    ITEMS,
    SETS,
    Choice,
    InsertionGap,
    Missing,
    Versions,
    by_name,
    emptied,
    late_entries,
    line_up,
    merge_data,
    merged_order,
    name_of,
    renumbered,
)
from incident_ops.records.text_parts import Chunk, Clash, Collection, NotDivisible, Part, collection, lines_of, shifted

NOTHING = Collection("", [], "")
_MOST_EDITS = 50
"""Each edit parses the value again; with more than this at one value, the merge is left to people."""


@dataclass
class TextMerge:
    """Routes `forced` to clash, those `settled` beforehand, those at which values clash, and only comments do."""

    forced: frozenset[Route]
    settled: Mapping[Route, bool]
    clashes: list[Route] = field(default_factory=list)
    comment_clashes: list[Route] = field(default_factory=list)

    def collections(self, route: Route, ours: Collection, base: Collection, theirs: Collection) -> list[Chunk]:
        """The lines of a block mapping or list that both sides changed."""
        head = self._one_of(route, ours.head, base.head, theirs.head)
        tail = self._one_of(route, ours.tail, base.tail, theirs.tail)
        if route in APPENDED:
            parts = self._appended(route, ours.parts, base.parts, theirs.parts)
        else:
            parts = self._keyed(route, ours.parts, base.parts, theirs.parts)
        return [*head, *parts, *tail]

    def _one_of(self, route: Route, ours: str, base: str, theirs: str) -> list[Chunk]:
        """Lines without values: of the side that changed them."""
        if theirs in (ours, base):
            return [ours]
        if ours == base:
            return [theirs]
        self.comment_clashes.append(route)
        return [Clash(ours, theirs)]

    def _keyed(self, route: Route, ours: list[Part], base: list[Part], theirs: list[Part]) -> list[Chunk]:
        named = [{_name(route, part): part for part in parts} for parts in (base, ours, theirs)]
        chunks: list[Chunk] = []
        for name in merged_order(*(list(parts) for parts in named)):
            was, mine, yours = (parts.get(name) for parts in named)
            chunks += self._entry((*route, name), mine, was, yours)
        return chunks

    def _appended(self, route: Route, ours: list[Part], base: list[Part], theirs: list[Part]) -> list[Chunk]:
        gaps = late_entries(Versions(*([part.data for part in parts] for parts in (base, ours, theirs))), route)
        if gaps:
            return self._with_late(route, gaps, ours, base, theirs)
        count = len(base)
        chunks: list[Chunk] = []
        for number, parts in enumerate(zip(ours, base, theirs, strict=False)):
            chunks += self._entry((*route, number), *parts)
        shared, mine, yours = _without_shared(ours[count:], theirs[count:])
        picks = line_up([part.data for part in mine], [part.data for part in yours], route)
        fresh = [(mine if pick.ours else yours)[pick.place] for pick in picks]
        numbers = renumbered(picks, [part.data for part in fresh], count) if route == ("timeline",) else {}
        chunks.append(shared)
        for place, (pick, part) in enumerate(zip(picks, fresh, strict=True)):
            if place in numbers:
                chunks += [part.lead, _edited(part, [Set((0, "corrects"), numbers[place])])]
            elif pick.twin is not None:
                chunks += self._entry((*route, count + place), part, None, yours[pick.twin])
            else:
                chunks.append(part.whole)
        return chunks

    def _with_late(
        self, route: Route, gaps: Sequence[InsertionGap], ours: list[Part], base: list[Part], theirs: list[Part]
    ) -> list[Chunk]:
        chunks: list[Chunk] = []
        for number, gap in enumerate(gaps):
            mine, yours = ours[gap.ours], theirs[gap.theirs]
            if number == len(base):
                shared, mine, yours = _without_shared(mine, yours)
                chunks.append(shared)
            for pick in line_up([part.data for part in mine], [part.data for part in yours], route):
                if pick.twin is None:
                    chunks.append((mine if pick.ours else yours)[pick.place].whole)
                else:
                    chunks += self._entry((*route, number), mine[pick.place], None, yours[pick.twin])
            if number < len(base):
                chunks += self._entry((*route, number), ours[gap.ours.stop], base[number], theirs[gap.theirs.stop])
        return chunks

    def _entry(self, route: Route, ours: Part | None, base: Part | None, theirs: Part | None) -> list[Chunk]:
        if route not in self.forced:
            if ours is None or theirs is None:
                kept = ours or theirs
                if kept is None or (base is not None and kept.whole == base.whole):
                    return []
                if base is None:
                    return [kept.whole]
            else:
                lead = self._one_of(route, ours.lead, base.lead if base else "", theirs.lead)
                return [*lead, *self._body(route, ours, base, theirs)]
        self.clashes.append(route)
        return [Clash(ours.whole if ours else "", theirs.whole if theirs else "")]

    def _body(self, route: Route, ours: Part, base: Part | None, theirs: Part) -> list[Chunk]:
        mine, yours = ours.body, theirs.body
        if mine == yours or (base and yours == base.body):
            return [mine]
        if base and mine == base.body:
            return [yours]
        if route in self.settled:
            return [mine if self.settled[route] else yours]
        divided = self._divided(route, ours, base, theirs)
        if divided is not None:
            return divided
        self.clashes.append(route)
        return [Clash(mine, yours, apart=base is None and route[:-1] in ITEMS)]

    def _divided(self, route: Route, ours: Part, base: Part | None, theirs: Part) -> list[Chunk] | None:
        """The lines of a value that both sides changed; None where they cannot be taken apart."""
        if base is None and route[:-1] in ITEMS and not same_data(ours.data, theirs.data):
            return None
        kind = ours.node.kind
        if _is_block(ours) and _is_block(theirs) and theirs.node.kind == kind:
            before = base if base and (_is_block(base) or base.data) else None
            alike = before is None or (_is_block(before) and before.node.kind == kind)
            if alike and _divides(route, ours, before, theirs):
                return self._inside(route, ours, before, theirs)
        framed = _framed(ours, base, theirs)
        if framed is not None:
            return [framed]
        return _edited_to_both(route, ours, base, theirs, self.settled)

    def _inside(self, route: Route, ours: Part, base: Part | None, theirs: Part) -> list[Chunk]:
        column = ours.node.column
        mine, yours = collection(ours, 0), collection(theirs, column - theirs.node.column)
        was = collection(base, column - base.node.column) if base else NOTHING
        if not mine.head.endswith("\n"):  # the dash of a list stays ours, however far away the first key is
            bare = [replace(collection, head="") for collection in (mine, was, yours)]
            return _with_head(mine.head, self.collections(route, *bare))
        if base is None:
            brief = min(mine.head, yours.head, key=len)
            was = replace(was, head="" if "#" in brief else brief)
        return self.collections(route, mine, was, yours)


def _with_head(head: str, chunks: list[Chunk]) -> list[Chunk]:
    """The first lines, whose dash was hidden as blanks, with the dash again."""
    first, *below = [chunk for chunk in chunks if chunk]
    hidden = " " * len(head)
    sides = (first, first) if isinstance(first, str) else (first.ours, first.theirs)
    if not all(side.startswith(hidden) for side in sides):
        raise NotDivisible
    ours, theirs = (head + side[len(hidden) :] for side in sides)
    return [ours if isinstance(first, str) else Clash(ours, theirs), *below]


def _name(route: Route, part: Part) -> str:
    if part.entry.name is not None:
        return part.entry.name
    name: str = name_of(route, part.data)
    return name


def _is_block(part: Part) -> bool:
    return part.node.style == "block"


def _divides(route: Route, ours: Part, base: Part | None, theirs: Part) -> bool:
    """True where the parts of a collection are merged one by one, as `merge_data` does."""
    if ours.node.kind == "map":
        return True
    lists = [emptied(base.data if base else None, []), ours.data, theirs.data]
    if route in APPENDED:
        return all(len(lists[0]) <= len(version) for version in lists)
    return (route in ITEMS or route in SETS) and all(by_name(route, version) is not None for version in lists)


def _framed(ours: Part, base: Part | None, theirs: Part) -> str | None:
    """The value of the side that changed it, with the comment beside it of the side that changed that."""
    if base is None or any(_is_block(part) for part in (ours, base, theirs)):
        return None
    if same_data(ours.data, theirs.data) or same_data(base.data, theirs.data):
        value = ours.spelling
    elif same_data(base.data, ours.data):
        value = theirs.spelling
    else:
        return None
    around = []
    for mine, was, yours in zip(ours.frame, base.frame, theirs.frame, strict=True):
        if mine not in (was, yours) and yours != was:
            return None
        around.append(yours if mine == was else mine)
    return value.join(around)


def _edited_to_both(
    route: Route, ours: Part, base: Part | None, theirs: Part, settled: Mapping[Route, bool]
) -> list[Chunk] | None:
    """Our lines with the values of theirs written in: for values in `[]` or `{}`, which lines cannot divide."""
    choice = Choice(settled=settled)
    wanted = merge_data(Versions(base.data if base else Missing, ours.data, theirs.data), route, choice)
    blocks = base is None or _is_block(base) or _is_block(theirs)
    if choice.clashes or ((_is_block(ours) or "\n" in ours.spelling) and "#" in ours.body):
        return None  # an edit could take a comment away
    if "#" in theirs.body and (blocks or (base and base.frame != theirs.frame)):
        return None
    step = 0 if ours.entry.name is None else ours.entry.name
    steps = list(_steps(ours.data, wanted, (step,)))
    if len(steps) > _MOST_EDITS:
        return None
    try:
        return [_edited(ours, steps)]
    except (Refused, NotDivisible):
        return None


def _steps(have: Any, wanted: Any, route: Route) -> Iterator[Edit]:
    """The edits that turn `have` into `wanted`; as little as possible is rewritten."""
    if same_data(have, wanted):
        return
    if isinstance(have, dict) and isinstance(wanted, dict) and have.keys() <= wanted.keys():
        for name, value in wanted.items():
            yield from _steps(have.get(name, Missing), value, (*route, name))
    elif isinstance(have, list) and isinstance(wanted, list) and same_data(have, wanted[: len(have)]):
        yield from (Append(route, value) for value in wanted[len(have) :])
    else:
        yield Set(route, wanted)


def _edited(part: Part, edits: Sequence[Edit]) -> str:
    """The lines of a part after edits; its own key, or 0 for an item of a list, begins their routes."""
    indent = len(part.body) - len(part.body.lstrip(" "))
    return shifted(edit(shifted(part.body, -indent), edits, order=lambda _route: ()), indent)


def _without_shared(mine: list[Part], yours: list[Part]) -> tuple[str, list[Part], list[Part]]:
    """The comments that both sides left above their first new entry, and the entries without them.

    They were at the end of the list before: written above both entries, they would appear twice.
    """
    if not mine or not yours:
        return "", mine, yours
    pairs = zip(lines_of(mine[0].lead), lines_of(yours[0].lead), strict=False)
    lines = [line for line, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
    while lines and not lines[-1].strip():
        lines.pop()
    shared = "".join(lines)
    bare = [replace(part, lead=part.lead[len(shared) :]) for part in (mine[0], yours[0])]
    return shared, [bare[0], *mine[1:]], [bare[1], *yours[1:]]
