"""Three versions of a record's data -> the one with what both sides did since they diverged.

What the sides did to the same place in different ways is a clash; which side is taken there is the caller's choice, so
that the text of a merge can be compared with both answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from incident_ops.domain.time import parse_instant
from incident_ops.findings import Route
from incident_ops.records.editor import same_data

APPENDED: Mapping[Route, str] = {
    ("timeline",): "at",
    ("updates",): "at",
    ("changes",): "at",
    ("corrections",): "at",
    ("assignments",): "at",
    ("escalations",): "at",
    ("overrides",): "at",
    ("pauses",): "from",
    ("cycles",): "reopened",
    ("deadlines",): "done_at",
}
"""Lists that grow at their end only, each with the instant that orders what two sides appended."""

ITEMS: Mapping[Route, str] = {("action_items",): "id"}
"""Lists of things that have a name of their own, and the key that holds it."""

SETS: frozenset[Route] = frozenset({("services",), ("tags",), ("related",)})
"""Lists in which a value occurs once."""


class Missing:
    """Stands for no value where null is one."""


class Versions(NamedTuple):
    """One place in the common ancestor and on both sides; `Missing` where it is not there."""

    base: Any
    ours: Any
    theirs: Any


class Pick(NamedTuple):
    """A new entry of a merged list: `ours[place]`, else `theirs[place]`; `twin`: the same entry of theirs."""

    ours: bool
    place: int
    twin: int | None = None


@dataclass
class Choice:
    """Which side is taken where they clash. `forced` routes are taken as clashes; `clashes` are those found.

    `settled` routes do not clash: True where ours is taken; see `settle`.
    """

    ours: bool = True
    forced: frozenset[Route] = frozenset()
    clashes: list[Route] = field(default_factory=list)
    settled: Mapping[Route, bool] = field(default_factory=dict)


def merge_data(versions: Versions, route: Route, choice: Choice) -> Any:
    """The merged value at `route`, or `Missing`. In lists of things the route has the thing's name, not its place."""
    base, ours, theirs = versions
    if route not in choice.forced:
        if same_data(ours, theirs) or same_data(base, theirs):
            return ours
        if same_data(base, ours):
            return theirs
        if route in choice.settled:
            return ours if choice.settled[route] else theirs
        merged = _inside(versions, route, choice)
        if merged is not Missing:
            return merged
    choice.clashes.append(route)
    return ours if choice.ours else theirs


def _inside(versions: Versions, route: Route, choice: Choice) -> Any:
    """The merged mapping or list; Missing where the value clashes as a whole."""
    base, ours, theirs = versions
    if base is Missing and route[:-1] in ITEMS:
        return Missing  # two different things took the same new name
    if isinstance(ours, dict) and isinstance(theirs, dict) and isinstance(emptied(base, {}), dict):
        return _keyed(Versions(emptied(base, {}), ours, theirs), route, choice)
    lists = Versions(emptied(base, []), emptied(ours, []), emptied(theirs, []))
    if not all(isinstance(version, list) for version in lists):
        return Missing
    if route in APPENDED:
        return _appended(lists, route, choice)
    if route in ITEMS or route in SETS:
        named = [by_name(route, version) for version in lists]
        if None not in named:
            return list(_keyed(Versions(*named), route, choice).values())
    return Missing


def emptied(value: Any, empty: Any) -> Any:
    """`empty` for a place that holds nothing: it is missing or null."""
    return empty if value is Missing or value is None else value


def name_of(route: Route, item: Any) -> Any:
    """What a thing of a list goes by: its own key, or the value itself; None where it has no name."""
    if isinstance(item, dict):
        return item.get(ITEMS.get(route, "id"))
    return None if route in ITEMS else item


def by_name(route: Route, items: Sequence[Any]) -> dict[Any, Any] | None:
    """The things of a list by name, in order; None where one has no name or a name occurs twice."""
    named: dict[Any, Any] = {}
    for item in items:
        name = name_of(route, item)
        if not isinstance(name, str) or name in named:
            return None
        named[name] = item
    return named


def _keyed(versions: Versions, route: Route, choice: Choice) -> dict[Any, Any]:
    base, ours, theirs = versions
    merged = {}
    for name in merged_order(list(base), list(ours), list(theirs)):
        entry = Versions(*(version.get(name, Missing) for version in versions))
        value = merge_data(entry, (*route, name), choice)
        if value is not Missing:
            merged[name] = value
    return merged


def merged_order(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Every name of both sides in our order; a name that only theirs has goes below the one it is below there."""
    merged = list(ours)
    only_ours = set(ours) - set(base) - set(theirs)
    above: str | None = None
    for name in theirs:
        if name not in merged:
            place = merged.index(above) + 1 if above is not None else 0
            while place < len(merged) and merged[place] in only_ours:
                place += 1
            merged.insert(place, name)
        above = name
    return merged


def _appended(lists: Versions, route: Route, choice: Choice) -> Any:
    base, ours, theirs = lists
    count = len(base)
    if len(ours) < count or len(theirs) < count:
        return Missing
    if gaps := late_entries(lists, route):
        old = [[row] for row in base] + [[]]
        new = (_joined(ours[gap.ours], theirs[gap.theirs], route) for gap in gaps)
        return [row for rows in zip(new, old, strict=True) for part in rows for row in part]
    kept = [merge_data(Versions(base[n], ours[n], theirs[n]), (*route, n), choice) for n in range(count)]
    picks = line_up(ours[count:], theirs[count:], route)
    fresh = [(ours if pick.ours else theirs)[count + pick.place] for pick in picks]
    if route == ("timeline",):
        numbers = renumbered(picks, fresh, count)
        fresh = [{**entry, "corrects": numbers[n]} if n in numbers else entry for n, entry in enumerate(fresh)]
    return kept + fresh


class InsertionGap(NamedTuple):
    """Where both sides put entries before an old one, or behind the last: from and up to which place of each side."""

    ours: slice
    theirs: slice


def late_entries(lists: Versions, route: Route) -> list[InsertionGap]:
    """The gaps before each old entry of a timeline and behind the last, where both sides put a late entry before one.

    Nothing where a side changed an old entry, or an entry names another by its place: those are merged by place.
    """
    base, ours, theirs = lists
    if route != ("timeline",) or any(not isinstance(row, dict) or "corrects" in row for row in (*ours, *theirs)):
        return []
    mine, yours = _places_of(base, ours), _places_of(base, theirs)
    if list(range(len(base))) in (mine, yours) or len(mine) < len(base) or len(yours) < len(base):
        return []
    return list(map(InsertionGap, _between(mine, len(ours)), _between(yours, len(theirs))))


def _between(places: Sequence[int], count: int) -> list[slice]:
    return list(map(slice, [0, *(place + 1 for place in places)], [*places, count]))


def _places_of(base: Sequence[Any], side: Sequence[Any]) -> list[int]:
    """Where the old entries are on a side, in their order; fewer where one is not there."""
    keys, places, after = [_key(row) for row in side], list[int](), 0
    for row in base:
        with contextlib.suppress(ValueError):
            places.append(keys.index(_key(row), after))
            after = places[-1] + 1
    return places


def _joined(ours: Sequence[Any], theirs: Sequence[Any], route: Route) -> list[Any]:
    return [(ours if pick.ours else theirs)[pick.place] for pick in line_up(ours, theirs, route)]


def line_up(ours: Sequence[Any], theirs: Sequence[Any], route: Route) -> list[Pick]:
    """The order of what both sides appended: by instant, ours first on a tie; the same entry once.

    Each side's entries keep their own order: an entry with an earlier time stays below the one it followed. A move that
    both made stands once, as whoever was earlier made it.
    """
    alike: dict[bytes, list[int]] = {}
    for place in reversed(range(len(ours))):
        alike.setdefault(_key(ours[place]), []).append(place)
    twins: dict[int, int] = {}
    for place, entry in enumerate(theirs):
        if waiting := alike.get(_key(entry)):
            twins[waiting.pop()] = place
    left_out = _later_moves(ours, theirs, twins) if route == ("changes",) else frozenset()
    picks = [(at, Pick(True, n, twins.get(n))) for n, at in enumerate(_reached(ours, APPENDED[route]))]
    matched = set(twins.values())
    picks += [(at, Pick(False, n)) for n, at in enumerate(_reached(theirs, APPENDED[route])) if n not in matched]
    kept = [pick for pick in picks if (pick[1].ours, pick[1].place) not in left_out]
    return [pick for _, pick in sorted(kept, key=lambda instant_and_pick: instant_and_pick[0])]


def _later_moves(ours: Sequence[Any], theirs: Sequence[Any], twins: Mapping[int, int]) -> frozenset[tuple[bool, int]]:
    """(is it ours?, place) of each move that the other side made as well, and earlier.

    Moves are equal as long as each side's moves of that field have been: what follows upon different ones is not.
    """
    later = set()
    mine, yours = _moves(ours), _moves(theirs)
    for name in mine.keys() & yours.keys():
        for (place, move, at), (other, other_move, other_at) in zip(mine[name], yours[name], strict=False):
            if not same_data(move, other_move):
                break
            if twins.get(place) != other:
                later.add((True, place) if other_at < at else (False, other))
    return frozenset(later)


def _moves(entries: Sequence[Any]) -> dict[str, list[tuple[int, list[Any], datetime]]]:
    """The moves of each field in turn: place, from and to, and the instant reached by then."""
    moves: dict[str, list[tuple[int, list[Any], datetime]]] = {}
    for place, (entry, at) in enumerate(zip(entries, _reached(entries, "at"), strict=True)):
        if isinstance(entry, dict) and isinstance(entry.get("field"), str):
            moves.setdefault(entry["field"], []).append((place, [entry.get("from"), entry.get("to")], at))
    return moves


def settle(record: Versions) -> dict[Route, bool]:
    """Where two sides differ and still do not clash: True where ours is taken.

    Of two people who acknowledged the earlier one did. Where one side's moves go on from the other's, the state is
    the one they lead to.
    """
    settled: dict[Route, bool] = {}
    was, ours, theirs = (_acknowledged(side) for side in record)
    if was is None and ours is not None and theirs is not None:
        settled["times", "acknowledged"] = ours <= theirs
    states = [side.get("state", Missing) for side in record]
    lists = Versions(*(emptied(side.get("changes", Missing), []) for side in record))
    if all(isinstance(version, list) for version in lists):
        moved = _appended(lists, ("changes",), Choice())
        moves = [] if moved is Missing else _moves(moved).get("state", [])
        reached = moves[-1][1][1] if moves and not broken_chains(moved) else Missing
        if reached in states[1:]:
            settled["state",] = states[1] == reached
    return settled


def _acknowledged(record: Any) -> datetime | None:
    times = record.get("times")
    with contextlib.suppress(ValueError):  # `unknown`, missing or misspelt
        return parse_instant(str(times.get("acknowledged"))) if isinstance(times, dict) else None
    return None


def _key(value: Any) -> bytes:
    """Equal where `same` is true, so that finding the same entry costs no comparison with every other."""
    return msgspec.json.encode(value, order="deterministic")


def renumbered(picks: Sequence[Pick], fresh: Sequence[Any], count: int) -> dict[int, int]:
    """Place in `fresh` -> its new `corrects`, where the entry it corrects is new too and has moved.

    `count` entries are above the new ones; entries are counted from 1.
    """
    places = {(pick.ours, pick.place): place for place, pick in enumerate(picks)}
    places |= {(False, pick.twin): place for place, pick in enumerate(picks) if pick.twin is not None}
    numbers = {}
    for place, (pick, entry) in enumerate(zip(picks, fresh, strict=True)):
        number = entry.get("corrects") if isinstance(entry, dict) else None
        target = places.get((pick.ours, number - count - 1)) if type(number) is int else None
        if target is not None and target + count + 1 != number:
            numbers[place] = target + count + 1
    return numbers


def _reached(entries: Iterable[Any], instant: str) -> list[datetime]:
    """The latest instant so far, at each entry."""
    latest, reached = datetime.min.replace(tzinfo=UTC), []
    for entry in entries:
        text = entry.get(instant) if isinstance(entry, dict) else None
        with contextlib.suppress(ValueError):  # `unknown`, missing or misspelt: it stays where it was written
            latest = max(latest, parse_instant(str(text)))
        reached.append(latest)
    return reached


def broken_chains(entries: Any) -> int:
    """How many entries of `changes` or `corrections` do not begin where the last one of the same field ended."""
    last: dict[Any, Any] = {}
    broken = 0
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("field"), str):
            name = entry["field"]
            broken += name in last and last[name] != entry.get("from")
            last[name] = entry.get("to")
    return broken
