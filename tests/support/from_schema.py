"""Values that fit a JSON Schema of ours: the part of the language our schemas use, nothing more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from incident_ops.domain.time import YEARS

Schema = dict[str, Any]
Values = st.SearchStrategy[Any]

_FIRST, _LAST = datetime(YEARS[0], 1, 1), datetime(YEARS[-1], 12, 31)
_INSTANTS = st.datetimes(_FIRST, _LAST).map(lambda at: at.replace(microsecond=0).isoformat() + "Z")
_FORMATS: dict[str, Values] = {
    "date-time": _INSTANTS,
    "date": st.dates(_FIRST.date(), _LAST.date()).map(lambda day: day.isoformat()),
    "uri": st.sampled_from(["https://example.com/x", "http://a.example:8080/?q=1#f", "slack://channel"]),
}
_FREE = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def values(schema: Schema, root: Schema) -> Values:
    """A strategy of values that are valid under `schema`; `root` holds its `$defs`."""
    if "$ref" in schema:
        return values(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([values(branch, root) for branch in schema["anyOf"]])
    if isinstance(schema["type"], list):
        return st.one_of(*(values({**schema, "type": name}, root) for name in schema["type"]))
    return _OF_TYPE[schema["type"]](schema, root)


def _text(schema: Schema, _root: Schema) -> Values:
    if "format" in schema:
        return _FORMATS[schema["format"]]
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10**6)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].replace("$", r"\Z"), alphabet=_ALPHABET).filter(
            lambda text: least <= len(text) <= most
        )
    return st.text(_ALPHABET, min_size=least, max_size=min(most, 20))


_ALPHABET = st.characters(codec="utf-8", max_codepoint=0x2FF, exclude_categories=["Cc", "Cs"])


def _number(schema: Schema, _root: Schema) -> Values:
    least, most = schema.get("minimum", -(10**9)), schema.get("maximum", 10**9)
    whole = st.integers(least, most)
    return whole if schema["type"] == "integer" else whole | st.floats(least, most, allow_nan=False)


def _list(schema: Schema, root: Schema) -> Values:
    least = schema.get("minItems", 0)
    unique = {"unique_by": repr} if schema.get("uniqueItems") else {}
    return st.lists(values(schema["items"], root), min_size=least, max_size=max(least, 2), **unique)


def _mapping(schema: Schema, root: Schema) -> Values:
    if "properties" in schema:
        known = {name: values(inner, root) for name, inner in schema["properties"].items()}
        needed = {name: known.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(needed, optional=known)
    if isinstance(inner := schema.get("additionalProperties"), dict):
        names = values({"type": "string", **schema.get("propertyNames", {})}, root)
        return st.dictionaries(names, values(inner, root), max_size=2)
    return st.dictionaries(st.text(max_size=8), _FREE, max_size=2)


_OF_TYPE = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "array": _list,
    "object": _mapping,
    "boolean": lambda _schema, _root: st.booleans(),
    "null": lambda _schema, _root: st.none(),
}
