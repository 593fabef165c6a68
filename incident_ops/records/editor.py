"""Edits of a record's text: the values change, everything around them stays byte for byte.

The text is spliced at the marks of its values (`splice`), read again, and compared with the data that was meant, type
by type. What does not read back exactly as meant is refused, so a wrong splice can never be written.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from incident_ops.domain.record import Append, Edit, Insert, Remove, Set
from incident_ops.errors import UserError
from incident_ops.findings import Route
from incident_ops.records.splice import Page, Splice, Unspliceable, spliced
from incident_ops.records.yaml_positions import nodes
from incident_ops.records.yaml_reader import Document, read_yaml

KeyOrder = Callable[[Route], Sequence[str]]
"""The route of a mapping -> its keys in the order in which a record has them; empty where there is no order."""


class Refused(UserError):
    """An edit that was not made; the text is as it was. `where` is file:line:column."""


def edit(text: str, edits: Iterable[Edit], *, order: KeyOrder, file: str = "") -> str:
    """The text of a record with all edits made, in turn; values are of JSON's types.

    `order` says where a new key goes: below the nearest key that comes before it there; a key it does not know goes
    last. `file` is only named in errors.
    Raises Refused where a text does not read, an edit has no place, or the result would not be exactly what was meant.
    """
    document = read_yaml(text, file)
    if isinstance(document, list):
        first = document[0]
        raise Refused(first.message, hint=first.hint, where=str(first.where))
    for change in edits:
        document = _edit_one(document, change, order)
    return document.text


def key_order(schema: Mapping[str, Any]) -> KeyOrder:
    """The order in which a JSON Schema lists the properties of the mapping at a route."""

    def order(route: Route) -> Sequence[str]:
        return [name for node in schema_nodes(schema, route) for name in node.get("properties", ())]

    return order


def schema_nodes(schema: Mapping[str, Any], route: Route) -> list[Mapping[str, Any]]:
    """What a JSON Schema says of the value at a route, every branch of it; empty where it knows none."""
    level = [schema]
    for step in route:
        level = [below for node in level for below in _steps_down(schema, node, step)]
    return [branch for node in level for branch in _branches(schema, node)]


def _branches(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    if "$ref" in node:
        target: Any = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        yield from _branches(schema, target)
    for branch in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
        yield from _branches(schema, branch)


def _steps_down(schema: Mapping[str, Any], node: Mapping[str, Any], step: str | int) -> Iterator[Mapping[str, Any]]:
    for branch in _branches(schema, node):
        if isinstance(step, int):
            below = branch.get("items")
        else:
            below = branch.get("properties", {}).get(step, branch.get("additionalProperties"))
        if isinstance(below, dict):
            yield below


def same_data(first: Any, second: Any) -> bool:
    """True where both are the same data with the same types: 1, 1.0, True and "1" are four values."""
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same_data(value, second[name]) for name, value in first.items())
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same_data, first, second))
    return repr(first) == repr(second)


def _edit_one(document: Document, wanted: Edit, order: KeyOrder) -> Document:
    if isinstance(wanted, Remove) and _value_at(document.data, wanted.route, _Missing) is _Missing:
        return document
    change = _as_single_step(document, wanted)
    if isinstance(change, Set) and same_data(_value_at(document.data, change.route, _Missing), change.value):
        return document
    intended = _intended_data(document.data, change)
    for literal in (True, False):  # a `|` text would swallow comments below that are indented deeper: then quotes
        try:
            text = spliced(document.text, _splices(document, change, order, literal=literal))
            result = read_yaml(text, document.file)
        except Unspliceable as reason:
            raise _refused(document, change.route, reason.message, reason.hint, index=reason.index) from None
        except UnicodeEncodeError:
            raise _refused(
                document, change.route, "the new text contains an incomplete character", "type it again"
            ) from None
        if isinstance(result, Document) and same_data(result.data, intended):
            return result
    name = _name(change.route)
    if isinstance(result, list):
        message = f"with this value at {name} the record would be invalid: {result[0].message}"
        raise _refused(document, change.route, message, result[0].hint)
    message = f"{name} cannot be changed here without changing something else"
    raise _refused(document, change.route, message, "edit the file by hand")


class _Missing:
    """Stands for no value where null is one."""


def _value_at(data: Any, route: Route, otherwise: Any) -> Any:
    for step in route:
        is_there = step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))
        if not is_there:
            return otherwise
        data = data[step]
    return data


def _as_single_step(document: Document, wanted: Edit) -> Edit:
    """The edit as one step on what is there: missing parts of the route go into the value."""
    if isinstance(wanted, Remove):
        return wanted
    route, value = wanted.route, wanted.value
    there = _value_at(document.data, route, _Missing)
    if isinstance(wanted, Insert):
        if isinstance(there, list) and wanted.place in range(len(there)):
            return wanted
        raise _refused(document, route, f"{_name(route)} has no entry {wanted.place}", "append to it")
    if isinstance(wanted, Append):
        if isinstance(there, list):
            return wanted
        if there is not None and there is not _Missing:
            raise _refused(document, route, f"{_name(route)} is not a list", "only a list can be appended to")
        value = [value]
    while there is _Missing:
        parent = _value_at(document.data, route[:-1], _Missing)
        if isinstance(parent, dict) and isinstance(route[-1], str):
            break
        if isinstance(route[-1], int) or not (parent is None or parent is _Missing):
            what = "not a mapping" if isinstance(route[-1], str) else "not a list with that entry"
            raise _refused(
                document,
                route,
                f"there is no {_name(route)}: {_name(route[:-1])} is {what}",
                "set the key above it first",
            )
        route, value, there = route[:-1], {route[-1]: value}, parent
    return Set(route, value)


def _intended_data(data: Any, change: Edit) -> Any:
    """The data after the change, made on the data alone."""
    intended = copy.deepcopy(data)
    if isinstance(change, Remove):
        del _value_at(intended, change.route[:-1], None)[change.route[-1]]
        return intended
    value = copy.deepcopy(change.value)
    if isinstance(change, Append):
        _value_at(intended, change.route, None).append(value)
    elif isinstance(change, Insert):
        _value_at(intended, change.route, None).insert(change.place, value)
    elif change.route:
        _value_at(intended, change.route[:-1], None)[change.route[-1]] = value
    else:
        intended = value
    return intended


def _splices(document: Document, change: Edit, order: KeyOrder, *, literal: bool) -> list[Splice]:
    page = Page(document.text, nodes(document.text), literal=literal)
    route = change.route
    if isinstance(change, Append):
        return page.append(route, change.value)
    if isinstance(change, Remove):
        return page.remove(route)
    if isinstance(change, Insert):
        return page.insert_item(route, change.place, change.value)
    if _value_at(document.data, route, _Missing) is not _Missing:
        return page.replace(route, change.value)
    return page.insert(route, change.value, order(route[:-1]))


def _name(route: Route) -> str:
    return ".".join(str(step) for step in route) or "the record"


def _refused(document: Document, route: Route, message: str, hint: str, *, index: int | None = None) -> Refused:
    while route not in document.values and route:
        route = route[:-1]
    mark = document.values.get(route)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if index is not None:
        line = document.text.count("\n", 0, index) + 1
        column = index - document.text.rfind("\n", 0, index)
    return Refused(message, hint=hint, where=f"{document.file}:{line}:{column}")
