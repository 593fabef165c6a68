"""A lint of our schemas: what two validators could understand differently, or an editor could not explain.

The constructs are those on which jsonschema-rs and jsonschema were seen to disagree, and those that make
a pattern slow.
"""

from __future__ import annotations

import json
import re
import re._constants as opcode
import re._parser as regex_parser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = sorted((ROOT / "schemas").glob("*.json"))
FORMATS = {"date-time", "date", "uri"}
FREE = "/properties/imported"
MAPS = ("properties", "$defs", "patternProperties", "dependentSchemas")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
SINGLE = ("items", "additionalProperties", "propertyNames", "not", "if", "then", "else", "contains")
CONDITIONS = ("/if", "/then", "/else", "/not")
REPEATS = (opcode.MAX_REPEAT, opcode.MIN_REPEAT, opcode.POSSESSIVE_REPEAT)


def subschemas(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema object inside a schema, with its JSON pointer."""
    if not isinstance(schema, dict):
        return
    yield at, schema
    for word in MAPS:
        for name, inner in schema.get(word, {}).items():
            yield from subschemas(inner, f"{at}/{word}/{name}")
    for word in LISTS:
        for index, inner in enumerate(schema.get(word, [])):
            yield from subschemas(inner, f"{at}/{word}/{index}")
    for word in SINGLE:
        yield from subschemas(schema.get(word), f"{at}/{word}")


def faults(schema: dict[str, Any]) -> list[str]:
    """What the lint has against a schema, each with its pointer; empty when it is clean."""
    found = [f"{at}: {fault}" for at, part in subschemas(schema) for fault in _faults_of_part(schema, at, part)]
    if schema.get("$schema") != "https://json-schema.org/draft/2020-12/schema":
        found.append(": $schema is not the 2020-12 one")
    return found + [f": {word} is missing" for word in ("title", "description") if not schema.get(word)]


def _faults_of_part(schema: dict[str, Any], at: str, part: dict[str, Any]) -> Iterator[str]:
    if "pattern" in part:
        yield from _faults_of_pattern(part["pattern"])
        if "maxLength" not in part:
            yield "pattern without maxLength beside it"
    for pattern in part.get("patternProperties", {}):
        yield from _faults_of_pattern(pattern)
    if "format" in part and part["format"] not in FORMATS:
        yield f"format {part['format']!r} has no checker of ours"
    if not float(part.get("multipleOf", 1)).is_integer():
        yield "multipleOf of a fraction"
    reference = part.get("$ref", "#")
    if not reference.startswith("#"):
        yield f"$ref to another file: {reference}"
    elif _target(schema, reference) is None:
        yield f"$ref leads nowhere: {reference}"
    for word in ("$dynamicRef", "$anchor", "unevaluatedProperties", "unevaluatedItems", "contentEncoding"):
        if word in part:
            yield f"{word} is not understood alike everywhere"
    is_object = "properties" in part or part.get("type") == "object"
    if is_object and not at.endswith(CONDITIONS) and at != FREE:
        yield from _faults_of_object(part)
    if not at.endswith(CONDITIONS):
        for key, inner in part.get("properties", {}).items():
            if not _described(schema, inner):
                yield f"property {key!r} has no description"


def _faults_of_object(part: dict[str, Any]) -> Iterator[str]:
    others = part.get("additionalProperties", True)
    if others is True or others == {}:
        yield "an open object: additionalProperties is missing"
    elif others is not False and "propertyNames" not in part:
        yield "a map whose names have no propertyNames"


def _faults_of_pattern(pattern: str) -> Iterator[str]:
    if found := re.findall(r"\\[dDwWsSbBpP]", pattern):
        yield f"{found[0]} means different characters in different validators"
    try:
        parts = list(regex_parser.parse(pattern))
    except re.error:
        yield f"pattern {pattern!r} is not understood by Python"
        return
    if not parts or parts[0] != (opcode.AT, opcode.AT_BEGINNING) or parts[-1] != (opcode.AT, opcode.AT_END):
        yield f"pattern {pattern!r} is not anchored at both ends"
    if _nested(parts):
        yield f"pattern {pattern!r} has a repetition inside a repetition"


def _nested(parts: Any, inside: bool = False) -> bool:
    """Whether a repetition of varying length stands inside another repetition."""
    for kind, value in parts:
        if kind in REPEATS:
            least, most, body = value
            if inside and most > 1 and least != most:
                return True
            bodies, within = [body], inside or most > 1
        else:
            bodies, within = _bodies(kind, value), inside
        if any(_nested(body, within) for body in bodies):
            return True
    return False


def _bodies(kind: Any, value: Any) -> list[Any]:
    if kind is opcode.SUBPATTERN:
        return [value[-1]]
    if kind is opcode.BRANCH:
        return list(value[1])
    return [value[1]] if kind in (opcode.ASSERT, opcode.ASSERT_NOT) else []


def _target(schema: dict[str, Any], reference: str) -> Any:
    here: Any = schema
    for step in filter(None, reference.lstrip("#").split("/")):
        here = here.get(step) if isinstance(here, dict) else None
    return here


def _described(schema: dict[str, Any], part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    reference = part.get("$ref")
    return bool(part.get("description")) or (reference is not None and _described(schema, _target(schema, reference)))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name.partition(".")[0])
def test_every_schema_is_clean(path: Path) -> None:
    """Each shipped schema passes the lint."""
    assert faults(json.loads(path.read_text(encoding="utf-8"))) == []


def test_all_eight_schemas_are_there() -> None:
    """The lint is not passed by having nothing to look at."""
    names = {path.name.partition(".")[0] for path in SCHEMAS}
    assert names == {"incident", "policy", "services", "maintenance", "freeze", "problem", "gate", "oncall"}


def _schema(**part: Any) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "T",
        "description": "D",
        "type": "object",
        "additionalProperties": False,
        "properties": {"x": {"description": "X", **part}},
    }


CLEAN = [
    {"type": "string", "pattern": "^[a-z]{1,9}$", "maxLength": 9},
    {"type": "string", "pattern": "^(a|b(-[0-9]{2,4})?)$", "maxLength": 9},
    {"type": "string", "pattern": "^(?=[0-9])([0-9]{1,6}h)?$", "maxLength": 9},
    {"type": "string", "format": "date-time"},
    {"type": "integer", "multipleOf": 5},
    {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "propertyNames": {"pattern": "^[a-z]$", "maxLength": 1},
    },
    {"$ref": "#/properties/x"},
]
FAULTY = [
    ({"pattern": "^[a-z]$"}, "pattern without maxLength"),
    ({"pattern": "[a-z]$", "maxLength": 9}, "not anchored"),
    ({"pattern": "^a|b$", "maxLength": 9}, "not anchored"),
    ({"pattern": r"^\d$", "maxLength": 9}, "different characters"),
    ({"pattern": r"^\w+$", "maxLength": 9}, "different characters"),
    ({"pattern": r"^[\s]$", "maxLength": 9}, "different characters"),
    ({"pattern": r"^\p{L}$", "maxLength": 9}, "different characters"),
    ({"pattern": "^(a+)+$", "maxLength": 9}, "repetition inside"),
    ({"pattern": "^(a|b{1,3}){2,9}$", "maxLength": 9}, "repetition inside"),
    ({"pattern": "^((ab?)c*)*$", "maxLength": 9}, "repetition inside"),
    ({"multipleOf": 0.01}, "multipleOf"),
    ({"format": "duration"}, "no checker"),
    ({"format": "email"}, "no checker"),
    ({"type": "object", "properties": {}}, "open object"),
    ({"type": "object", "additionalProperties": True}, "open object"),
    ({"type": "object", "additionalProperties": {"type": "string"}}, "propertyNames"),
    ({"type": "array", "items": {"type": "object"}}, "open object"),
    (
        {"type": "object", "additionalProperties": False, "properties": {"y": {"type": "string"}}},
        "'y' has no description",
    ),
    ({"$ref": "https://example.com/other.json"}, "another file"),
    ({"$ref": "#/$defs/gone"}, "nowhere"),
    ({"unevaluatedProperties": False}, "understood alike"),
]


@pytest.mark.parametrize("part", CLEAN, ids=str)
def test_the_lint_lets_good_constructs_pass(part: dict[str, Any]) -> None:
    """What our schemas need is allowed."""
    assert faults(_schema(**part)) == []


@pytest.mark.parametrize(("part", "told"), FAULTY, ids=str)
def test_the_lint_finds_each_construct_it_is_for(part: dict[str, Any], told: str) -> None:
    """Each construct that must not be used is found."""
    assert any(told in fault for fault in faults(_schema(**part)))


def test_only_the_imported_block_is_free() -> None:
    """`imported` holds what a source had and a record has no field for; everything else is closed."""
    schema = _schema()
    schema["properties"]["imported"] = {"description": "What a source had.", "type": "object"}
    assert faults(schema) == []
    schema["properties"]["x"]["properties"] = {"imported": {"description": "Deeper down.", "type": "object"}}
    assert faults(schema) != []
