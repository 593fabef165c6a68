"""Every key of a schema of ours, where it stands in a file, and other values that fit it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from incident_ops.domain.not_used_yet import places, value_at
from incident_ops.domain.record import Route

Schema = dict[str, Any]

POOL = (
    "other", "P2", "P1", "SEV2", "SEV-2", "25m", "40m", "3h", "100d", "10%", "0.5%", "next_business_day", "@dana",
    "@acme/else",
    "2025-01-24", "2025-01-26T12:11:00Z", "https://example.org/other", "INC-2", "INC-7", "AI-9", "PRB-2025-0777", "EUR",
    "1d", "08:30",
    "08:00-12:00", "00:00-08:00", "America/New_York", "< 5", "> 90", "sha256:fedcba9876543210", "0123abc",
    "required", "optional",
    "new -> resolved", "times.detected", "us-east-1", "OTHER_KEY", "business", "chat", "auth", "web",
    "openslo/api.yaml", "result < 0.5", "PDANA02", "750ms",
)  # fmt: skip
"""Texts for keys whose values follow a pattern; a key that none of them fits needs one more."""


class Key(NamedTuple):
    """A key by its path in the schema, without positions: `levels.[].phases.[].from`; `*` is a name of the user's."""

    path: tuple[str, ...]
    schema: Schema

    def __str__(self) -> str:
        return ".".join(self.path)


def keys(schema: Schema) -> list[Key]:
    """Every key that holds a plain value, once each; the alternatives of one key are joined."""
    found: dict[tuple[str, ...], list[Schema]] = {}
    for path, leaf in _walk(schema, schema, ()):
        found.setdefault(path, []).append(leaf)
    return [Key(path, {"anyOf": leaves} if len(leaves) > 1 else leaves[0]) for path, leaves in found.items()]


def _walk(node: Schema, root: Schema, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:
    if "$ref" in node:
        node = {
            **root["$defs"][node["$ref"].removeprefix("#/$defs/")],
            **{k: v for k, v in node.items() if k != "$ref"},
        }
    branches = [branch for word in ("anyOf", "oneOf") for branch in node.get(word, ())]
    if branches:
        for branch in branches:
            yield from _walk(branch, root, path)
        return
    inner = [((*path, name), schema) for name, schema in node.get("properties", {}).items()]
    named = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    inner += [((*path, "*"), schema) for schema in named if isinstance(schema, dict)]
    inner += [((*path, "[]"), node["items"])] if "items" in node else []
    for step, schema in inner:
        yield from _walk(schema, root, step)
    if not inner:
        yield path, node


def variations(data: Any, key: Key) -> Iterator[Any]:
    """The file with another value for the key, each place of the key in turn, then without it."""
    found = list(places(data, key.path))
    values = [others(key.schema, value_at(data, route)) for route in found]
    for number in range(max(map(len, values), default=0)):
        for route, fitting in zip(found, values, strict=True):
            if number < len(fitting):
                yield changed(data, route, fitting[number])
    for route in found:
        yield changed(data, route, None, gone=True)


def others(schema: Schema, value: Any) -> list[Any]:
    """Values that fit the schema of a key, and are not the present one."""
    return [one for one in _candidates(schema) if (one, type(one)) != (value, type(value))]


def _candidates(schema: Schema) -> list[Any]:
    if "anyOf" in schema:
        return [one for branch in schema["anyOf"] for one in _candidates(branch)]
    if "const" in schema or len(schema.get("enum", (0, 0))) == 1:
        return []
    if "enum" in schema:
        return list(schema["enum"])
    named = schema.get("type")
    kinds = named if isinstance(named, list) else [named]
    return [one for kind in kinds for one in _of_kind(kind, schema)]


def _of_kind(kind: str | None, schema: Schema) -> list[Any]:
    if kind == "boolean":
        return [True, False]
    if kind == "null":
        return [None]
    if kind in ("integer", "number"):
        least, most = (
            schema.get("minimum", schema.get("exclusiveMinimum", 0)),
            schema.get("maximum", schema.get("exclusiveMaximum", 1e6)),
        )
        middle = [one for one in (2, 7, 0.2, 40) if least < one < most and (kind == "number" or isinstance(one, int))]
        return [*middle, *(one for one in (least, most) if "exclusiveMinimum" not in schema)]
    if kind == "object" and schema.get("additionalProperties") is False:
        return []
    if kind == "object":
        return [{"other": "another value"}]
    return [text for text in POOL if _fits(text, schema)]


def _fits(text: str, schema: Schema) -> bool:
    pattern = {"date": r"^\d{4}-\d\d-\d\d$", "date-time": r"^\d{4}-\d\d-\d\dT", "uri": "^https:"}.get(
        schema.get("format", ""), schema.get("pattern", "")
    )
    return len(text) <= schema.get("maxLength", 10**6) and re.search(pattern, text) is not None


def changed(data: Any, route: Route, value: Any, *, gone: bool = False) -> Any:
    """A copy of the data with another value at a route, or without it."""
    made = copy.deepcopy(data)
    holder = value_at(made, route[:-1])
    if gone:
        del holder[route[-1]]
    else:
        holder[route[-1]] = value
    return made
