"""Where each value of a resolved policy is from: a line of policy.yaml; all else is the preset's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from incident_ops.findings import Route, Where
from incident_ops.records.policy import Data, LoadedPolicy
from incident_ops.records.yaml_reader import Document, read_yaml
from incident_ops.records.yaml_writer import to_yaml


class OwnValue(NamedTuple):
    """A value that the user's own file sets: its route in the resolved policy, and its place in the file."""

    route: Route
    place: Where

    @property
    def key(self) -> str:
        """The route as people write it; entries of a list by their position, from 0."""
        return ".".join(map(str, self.route))


def own_values(loaded: LoadedPolicy) -> list[OwnValue]:
    """Every value that policy.yaml sets, in its order; a list that replaces the preset's is one value."""
    if loaded.document is None:
        return []
    locate, file = loaded.document.locate, loaded.document.file
    pairs = _pairs(loaded.own, loaded.resolved, (), ())
    return [OwnValue(route, locate(Where(file, own, on_key=True))) for own, route in pairs]


def text_with_origins(resolved: Data, preset: str, values: list[OwnValue]) -> str:
    """The resolved policy as YAML; a comment names the line of each value that is not the preset's."""
    text = to_yaml(resolved)
    document = read_yaml(text, "resolved policy")
    if not isinstance(document, Document):
        return text
    lines = text.split("\n")
    for value in values:
        at = document.locate(Where("", value.route, on_key=True)).line - 1
        lines[at] += f"  # {value.place.file}:{value.place.line}"
    head = f"# the values of preset {preset}; one that policy.yaml sets has its line there beside it"
    return "\n".join([head, *lines])


def _pairs(own: Any, resolved: Any, own_route: Route, route: Route) -> Iterator[tuple[Route, Route]]:
    """(route in the user's file, route in the resolved policy) of each value that the file sets."""
    if isinstance(own, dict) and own and isinstance(resolved, dict):
        for key in own:
            if key in resolved:
                yield from _pairs(own[key], resolved[key], (*own_route, key), (*route, key))
        return
    if isinstance(own, list) and own and isinstance(resolved, list):
        named = [entry.get("id") if isinstance(entry, dict) else None for entry in resolved]
        index = {name: number for number, name in enumerate(named) if name is not None}
        if all(isinstance(entry, dict) and entry.get("id") in index for entry in own):
            for number, entry in enumerate(own):
                at = index[entry["id"]]
                yield from _pairs(entry, resolved[at], (*own_route, number), (*route, at))
            return
    yield own_route, route
