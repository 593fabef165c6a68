"""The rules of a folder: a file there that has an ID is a rule, and nothing else names it.

What several rules ask of the same record, found out once: rules are run record by record.

How a rule reports what it found: a place by route, to which file, line and column are added later.

Every text of a record with its place; and a fast look at all of them at once.

Comparing instants as records write them, and where each of them is.

Cycles in a graph of links.

The labels of the presets' schemes: they look alike and mean different things, so none is ever translated.

What is new in a list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import update_wrapper
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, TypeVar

import msgspec

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import Change, Incident
from incident_ops.domain.time import UNKNOWN, parse_instant
from incident_ops.findings import Finding, Level, Route, Where
from incident_ops.resources import preset, preset_names

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def computed_once(find: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    """`find` that returns its last answer again for the very same object; neither may be changed."""
    last: tuple[Any, Any] = (object(), None)

    def found(subject: Asked) -> Answer:
        nonlocal last
        kept = last
        if kept[0] is not subject:
            kept = last = (subject, find(subject))
        answer: Answer = kept[1]
        return answer

    return update_wrapper(found, find)


def rule_finding(
    rule: str, level: Level, route: Route, message: str, hint: str = "", *, on_key: bool = False
) -> Finding:
    """A finding at `route` of the record under check; `on_key` points at the key instead of its value."""
    return Finding(rule, level, Where("", route, on_key=on_key), message, hint)


@computed_once
def packed(data: Any) -> bytes:
    """All of a record as one JSON text: cheap to search for what is rare before looking for its place."""
    return msgspec.json.encode(data)


def text_values(data: Any, route: Route = ()) -> Iterator[tuple[Route, str, bool]]:
    """(route, text, is it a key?) of every text value and every key below `data`."""
    if isinstance(data, str):
        yield route, data, False
    elif isinstance(data, dict):
        for key, value in data.items():
            yield (*route, key), key, True
            yield from text_values(value, (*route, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from text_values(value, (*route, index))


_PLAIN = len("2025-01-26T12:05:00Z")


def known(text: str | None) -> bool:
    """True where an instant is set and not `unknown`."""
    return text is not None and text != UNKNOWN


def later(first: str, second: str) -> bool:
    """True where instant `one` comes after instant `other`; both must be known."""
    if len(first) == len(second) == _PLAIN and first[-1] == "Z" == second[-1]:
        return first > second  # both plain UTC: the order of the texts is the order of the instants
    return parse_instant(first) > parse_instant(second)


def same_instant(first: str, second: str) -> bool:
    """True where both texts name the same instant, in whatever zone; `unknown` is the same as `unknown` only."""
    return first == second or (known(first) and known(second) and not later(first, second) and not later(second, first))


def seconds_between(start: str, end: str) -> float:
    """Seconds from instant `start` to instant `end`; negative where `end` comes first."""
    return (parse_instant(end) - parse_instant(start)).total_seconds()


def age(text: str, now: datetime) -> float:
    """Seconds from an instant to `now`."""
    return (now - parse_instant(text)).total_seconds()


effective_instants = computed_once(corrected_instants)
"""The instants of an incident after the corrections; see lifecycle."""


def instant_route(incident: Incident, field: str) -> Route:
    """The route of an instant's effective value: `times.started`, `cycles.1.restored`, or its last correction."""
    for index in range(len(incident.corrections) - 1, -1, -1):
        if incident.corrections[index].field == field:
            return ("corrections", index, "to")
    first, *rest = field.split(".")
    return (first, int(rest[0]) - 1, rest[1]) if len(rest) == 2 else (first, *rest)


def cycles(edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Every node that lies on a cycle of two or more -> the number of its cycle (its strongly connected component).

    Without recursion, in time linear in the edges (Tarjan's algorithm). Self-links are not looked at.
    """
    following: dict[str, list[str]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    placed: set[str] = set()
    seen: dict[str, int] = {}
    for root in following:
        if root in order:
            continue
        path = [(root, iter(following[root]))]
        order[root] = lowest[root] = len(order)
        waiting.append(root)
        while path:
            node, rest = path[-1]
            step = next(rest, None)
            if step is None:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == order[node]:
                    group = waiting[waiting.index(node) :] if waiting[-1] != node else [node]
                    del waiting[-len(group) :]
                    placed.update(group)
                    if len(group) > 1:
                        seen.update(dict.fromkeys(group, order[node]))
            elif step not in order:
                order[step] = lowest[step] = len(order)
                waiting.append(step)
                path.append((step, iter(following.get(step, ()))))
            elif step not in placed:
                lowest[node] = min(lowest[node], order[step])
    return seen


def other_homes(label: str, scheme: str) -> str:
    """The presets besides `scheme` that have this label, as words: `itil-p1-p4 and sev1-3`; "" where none has."""
    return " and ".join(name for name in preset_names() if name != scheme and label in preset(name).labels)


def fresh(before: Sequence[Change], after: Sequence[Change]) -> Iterator[tuple[int, Change]]:
    """(place, change) of every change that was not merged before."""
    merged = Counter(map(msgspec.json.encode, before))
    for place, change in enumerate(after):
        key = msgspec.json.encode(change)
        if merged[key]:
            merged[key] -= 1
        else:
            yield place, change


def rule_modules(package: str, folders: Iterable[str]) -> tuple[ModuleType, ...]:
    """The modules of a package that are rules, by name; folders below it list their own."""
    names = sorted(module.name for module in iter_modules(folders) if not module.ispkg)
    modules = [import_module(f"{package}.{name}") for name in names]
    return tuple(module for module in modules if hasattr(module, "ID"))
