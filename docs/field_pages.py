"""The reference of every key and field, from the descriptions in schemas/: one line each, with its type and an example.

`make docs` writes the pages; a key without a description ends it, so none is undocumented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
Schema = Mapping[str, Any]
RECORDS = ("incident", "services", "oncall", "maintenance", "problem", "freeze", "gate")
"""The schemas of every file but the policy, which has a page of its own."""
LONGEST_EXAMPLE = 60
_HEAD = "| key | type | what it means | example |\n| --- | --- | --- | --- |"
_NOTE = "<!-- Written by `make docs` from the descriptions in schemas/; do not edit. -->"
_HOW_TO_READ = (
    "`a.b` is key `b` below `a`, `a[]` an entry of a list, `a.<name>` a key whose name you choose. "
    "A key in **bold** has to be there."
)


class FieldLine(NamedTuple):
    """A key: `path` as `levels[].response`, its type, what it means, an example or "", and whether it must be there."""

    path: str
    kind: str
    meaning: str
    example: str
    is_required: bool


def field_lines(root: Schema) -> list[FieldLine]:
    """Every key of a schema, in its order; what is defined once and used twice is there twice."""
    return list(_below(root, root, "", ()))


def records_page() -> str:
    """docs/fields.md: every field of every file but the policy."""
    parts = [
        "# Fields of every file",
        _NOTE,
        f"{_HOW_TO_READ} The keys of `policy.yaml`: [Policy keys](policy-keys.md).",
    ]
    for name in RECORDS:
        schema = _schema(name)
        about = f"{_cell(schema['description'])} Schema: `schemas/{name}.schema.json`."
        parts += [f"## {schema['title']}", about, *_tables(schema, "###", name)]
    parts.append(_kinds(map(_schema, RECORDS)))
    return "\n\n".join(parts) + "\n"


def policy_page(schema: Schema) -> str:
    """docs/policy-keys.md: every key of policy.yaml, whose schema this is, a table for each block."""
    opening = f"{_HOW_TO_READ} How a policy is put together: [The policy](policy.md)."
    parts = ["# Policy keys", _NOTE, opening, *_tables(schema, "##"), _kinds([schema])]
    return "\n\n".join(parts) + "\n"


def _kinds(schemas: Iterable[Schema]) -> str:
    """What the schemas' own names of types mean, as a table."""
    found: dict[str, tuple[str, str]] = {}
    for schema in schemas:
        for name, one in schema["$defs"].items():
            if one.get("type") == "string" and "enum" not in one:
                found.setdefault(_words(name), (_cell(one["description"]), _example(one)))
    rows = [f"| {name} | {meaning} | {example} |" for name, (meaning, example) in sorted(found.items())]
    return "\n".join(["## Types\n", "| type | what it is | example |", "| --- | --- | --- |", *rows])


def _tables(schema: Schema, mark: str, prefix: str = "") -> Iterator[str]:
    """The keys at the top, then a table for each that has keys of its own, below a heading."""
    lines = field_lines(schema)
    blocks: dict[str, list[FieldLine]] = {}
    for line in lines:
        blocks.setdefault(re.split(r"[.\[]", line.path)[0], []).append(line)
    yield _table([one[0] for one in blocks.values()])
    for name, (first, *rest) in blocks.items():
        if rest:
            title = f"{prefix}: {name}" if prefix else name
            yield f"{mark} `{title}`\n\n{_cell(first.meaning)}\n\n{_table(rest)}"


def _schema(name: str) -> Schema:
    found: Schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


def _table(lines: list[FieldLine]) -> str:
    rows = []
    for line in lines:
        name = f"**`{line.path}`**" if line.is_required else f"`{line.path}`"
        rows.append(f"| {name} | {line.kind} | {_cell(line.meaning)} | {line.example} |")
    return "\n".join([_HEAD, *rows])


def _below(schema: Schema, root: Schema, path: str, seen: tuple[str, ...]) -> Iterator[FieldLine]:
    """The keys below a place; a definition that contains itself is followed once."""
    for name, one in schema.get("properties", {}).items():
        yield from _line_and_below(one, root, f"{path}.{name}".lstrip("."), seen, name in schema.get("required", ()))
    more = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    for one in more:
        if isinstance(one, dict) and one:
            yield from _line_and_below(one, root, f"{path}.<name>".lstrip("."), seen, False)
    for part in ("items", "anyOf", "oneOf", "allOf"):
        inner = schema.get(part, [])
        for one in [inner] if isinstance(inner, dict) else inner:
            where = f"{path}[]" if part == "items" else path
            yield from _followed(one, root, where, seen)


def _line_and_below(
    schema: Schema, root: Schema, path: str, seen: tuple[str, ...], is_required: bool
) -> Iterator[FieldLine]:
    whole = {**_definition(schema, root), **schema}
    if not whole.get("description"):
        raise ValueError(f"{root['title']}: {path} has no description")
    yield FieldLine(path, _kind(whole, root), whole["description"], _example(whole), is_required)
    yield from _followed(schema, root, path, seen)


def _followed(schema: Schema, root: Schema, path: str, seen: tuple[str, ...]) -> Iterator[FieldLine]:
    reference = schema.get("$ref", "")
    if reference and reference in seen:
        return
    yield from _below({**_definition(schema, root), **schema}, root, path, (*seen, reference) if reference else seen)


def _definition(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref", "")
    found: Schema = root["$defs"][reference.rpartition("/")[2]] if reference else {}
    return found


def _kind(schema: Schema, root: Schema) -> str:
    """The type in words: `text`, `list of text`, the words that are allowed, a name of the schema's own (`instant`)."""
    if "enum" in schema:
        return " ".join(f"`{_plain(one)}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{_plain(schema['const'])}`"
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        kinds = dict.fromkeys(_kind({**_definition(one, root), **one}, root) for one in alternatives)
        return " or ".join(kinds)
    return _of_type(schema, root)


def _of_type(schema: Schema, root: Schema) -> str:
    types = schema.get("type", "anything")
    names = []
    for one in types if isinstance(types, list) else [types]:
        if one == "array":
            items = schema.get("items", {})
            inner = _kind({**_definition(items, root), **items}, root) if items else "anything"
            names.append(f"list of {inner}" if inner != "map" else "list of maps")
        else:
            names.append(_text_kind(schema) if one == "string" else _TYPES.get(one, one))
    return " or ".join(names)


def _text_kind(schema: Schema) -> str:
    """What a text is, where its definition has a name or a form of its own."""
    if str(schema.get("pattern", "")).startswith("^(?=[0-9])([0-9]{1,6}d)?"):
        return "duration"
    if schema.get("format") == "date":
        return "date"
    return _words(schema["$ref"].rpartition("/")[2]) if "$ref" in schema else "text"


_TYPES = {"integer": "whole number", "boolean": "true or false", "object": "map", "null": "`null`"}


def _words(name: str) -> str:
    """`instantOrUnknown` -> `instant or unknown`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _example(schema: Schema) -> str:
    for one in schema.get("examples", ()):
        text = _plain(one)
        if len(text) <= LONGEST_EXAMPLE and "|" not in text and "`" not in text and one not in ("", [], {}):
            return f"`{text}`"
    return ""


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    """As a cell: nothing in it is taken for a column, a tag or a link; code stays code."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:
        raise ValueError(f"an odd number of backticks: {text}")
    plain = [one if number % 2 else _escaped(one) for number, one in enumerate(parts)]
    return "`".join(plain).replace("|", "\\|")


def _escaped(text: str) -> str:
    for sign in ("<", "*", "["):
        text = text.replace(sign, f"\\{sign}")
    return text
