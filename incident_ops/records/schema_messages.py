"""Schema errors in plain words: the value found, what was expected, how to fix it. Imports `jsonschema`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError

from incident_ops.domain.incident import Times
from incident_ops.domain.time import UNKNOWN, YEARS, OutOfRange, parse_date, parse_instant
from incident_ops.findings import Finding, Route, Where, closest, did_you_mean
from incident_ops.records.editor import schema_nodes
from incident_ops.records.file_findings import fault
from incident_ops.records.formats import FORMATS
from incident_ops.records.yaml_reader import Document
from incident_ops.records.yaml_writer import flow

_TIMES = Times.__struct_fields__
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


@lru_cache(maxsize=256)
def _python_pattern(pattern: str) -> re.Pattern[str]:
    # In JSON Schema `$` is the end of the text; Python's also matches before a final line break.
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern), re.ASCII)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _python_pattern(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@lru_cache(maxsize=1)
def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, function in FORMATS.items():
        checker.checks(name)(function)
    return checker


def slow_validator(schema: dict[str, Any]) -> Any:
    """The explaining validator over a schema, with the same formats and patterns as the fast one."""
    extend: Any = validators.extend
    validator_class = extend(Draft202012Validator, {"pattern": _pattern})
    return validator_class(schema, format_checker=_format_checker())


def explain_errors(document: Document, schema: dict[str, Any]) -> list[Finding]:
    """Every schema error of a document as findings with symbolic places; empty where this validator finds none."""
    findings: list[Finding] = []
    for error in slow_validator(schema).iter_errors(document.data):
        findings.extend(_explain(document.file, _deepest(error)))
    return [_with_sample(finding, schema) for finding in dict.fromkeys(findings)]


_MOST_WORDS = 12
_LONGEST_SAMPLE = 60
_SAMPLES = {"date-time": "2025-01-26T12:05:00Z", "date": "2025-02-01", "uri": "https://example.com/dashboard"}


def _with_sample(finding: Finding, schema: dict[str, Any]) -> Finding:
    """The finding; where nothing better is known its hint shows what could stand there."""
    if finding.hint or finding.rule not in ("missing-key", "wrong-type", "not-allowed", "bad-format"):
        return finding
    if finding.rule == "not-allowed":
        return replace(finding, hint="write one of these")
    sample = _sample(schema, finding.where.route)
    if finding.rule == "missing-key":
        return replace(finding, hint=f"add it, {sample}" if sample else "add it")
    may_be_unknown = any(node.get("const") == UNKNOWN for node in schema_nodes(schema, finding.where.route))
    return replace(finding, hint=f"write {sample}{f', or {UNKNOWN}' if may_be_unknown else ''}" if sample else "")


def _sample(schema: dict[str, Any], route: Route) -> str:
    """What can stand at a route, in words: an example, the words allowed, the keys of a mapping; "" if unknown."""
    for node in schema_nodes(schema, route):
        for example in node.get("examples", ()):
            if len(text := flow(example)) <= _LONGEST_SAMPLE:
                return f"e.g. {text}"
        if "enum" in node:
            return f"one of {', '.join(str(word) for word in node['enum'][:_MOST_WORDS])}"
        if node.get("format") in _SAMPLES:
            return f"e.g. {_SAMPLES[node['format']]}"
        if node.get("type") == "boolean":
            return "true or false"
        if node.get("type") == "array":
            item = _sample(schema, (*route, 0))
            return f"a list, {item} as an entry" if item else "a list"
        if node.get("type") == "object" and node.get("properties"):
            return f"a mapping with {', '.join([*node['properties']][:_MOST_WORDS])}"
    return ""


def _deepest(error: Any) -> Any:
    """Of an `anyOf`, the branch the person most likely meant; the error itself elsewhere."""
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        return error
    kinds = [branch for branch in error.context if branch.validator not in ("const", "type")]
    if not kinds:
        return error
    wanted = "date-time" if ":" in str(error.instance) else "date"
    return _deepest(max(kinds, key=lambda branch: (len(branch.absolute_path), branch.validator_value == wanted)))


def _explain(file: str, error: Any) -> Iterator[Finding]:
    route = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        yield _bad_name(file, route, error)
        return
    yield from _EXPLAINERS.get(str(error.validator), _unexplained)(file, route, error)


def _bad_name(file: str, route: Route, error: Any) -> Finding:
    place = Where(file, (*route, error.instance), on_key=True)
    hint = (
        "use lower-case letters, digits and _"
        if "A-Z" not in str(error.validator_value)
        else "use letters, digits, dots and dashes"
    )
    return fault("bad-format", file, f"{error.instance!r} is not a valid key name in {_route_text(route)}", hint).at(
        place
    )


def _unknown_keys(file: str, route: Route, error: Any) -> Iterator[Finding]:
    known = [*error.schema.get("properties", ())]
    patterns = [*error.schema.get("patternProperties", ())]
    for name in error.instance:
        if name not in known and not any(re.search(pattern, name) for pattern in patterns):
            place = Where(file, (*route, name), on_key=True)
            parent = f" in {_route_text(route)}" if route else ""
            yield fault("unknown-key", file, f"unknown key {name!r}{parent}", did_you_mean(name, known)).at(place)


def _missing_keys(file: str, route: Route, error: Any) -> Iterator[Finding]:
    missing = next((name for name in error.validator_value if repr(name) in error.message.split(" is ")[0]), "")
    place = f" in {_route_text(route)}" if route else ""
    near = closest(missing, [name for name in error.instance if name not in error.schema.get("properties", {})])
    hint = f"is {near!r} a misspelling of it?" if near else ""
    yield fault("missing-key", file, f"key {missing!r} is missing{place}", hint).at(Where(file, (*route, missing)))


def _wrong_type(file: str, route: Route, error: Any) -> Iterator[Finding]:
    wanted, value = error.validator_value, error.instance
    hint = ""
    if "string" in wanted and isinstance(value, bool | int | float):
        hint = "put it in quotes"
    elif value is None:
        hint = "write a value, or remove the key"
    elif "array" in wanted and not isinstance(value, dict):
        hint = f"write {flow([value])}"
    yield fault(
        "wrong-type", file, f"{_route_text(route)} is {_value_text(value)}, expected {_type_names(wanted)}", hint
    ).at(Where(file, route))


def _not_allowed(file: str, route: Route, error: Any) -> Iterator[Finding]:
    allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
    words = [word if isinstance(word, str) else json.dumps(word) for word in allowed]
    near = closest(error.instance, words)
    hint = f"did you mean {near}?" if near else ""
    if route == ("state",) and error.instance in _TIMES:
        name = error.instance
        command = "ack" if name == "acknowledged" else f"timeline --mark {name}"
        hint = f"{name} is a time, not a state: set times.{name} ({command})"
    message = f"{_route_text(route)} is {_value_text(error.instance)}, allowed: {', '.join(words)}"
    yield fault("not-allowed", file, message, hint).at(Where(file, route))


_FORMAT_WORDS = {
    "date-time": "a time such as 2025-01-26T12:05:00Z",
    "date": "a date such as 2025-02-01",
    "uri": "a link such as https://example.com/dashboard",
}
_FORMAT_HINTS = {
    "date-time": "write the day, the time with seconds, and the zone",
    "date": "write year, month and day",
    "uri": "write the whole address",
}
_NAIVE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]+)?", re.ASCII)
_ZONED = re.compile(_NAIVE.pattern + r"(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _bad_format(file: str, route: Route, error: Any) -> Iterator[Finding]:
    name, text = str(error.validator_value), str(error.instance)
    place, message = Where(file, route), f"{_route_text(route)} is {_value_text(error.instance)}"
    if _is_out_of_range(name, text):
        yield _out_of_range(file, message, text, may_be_unknown=_may_be_unknown(error)).at(place)
    elif name == "date-time" and (naive := _NAIVE.fullmatch(text)):
        fixed = f"{naive[1]}T{naive[2]}{naive[3] or ':00'}Z"
        yield fault("instant-zone", file, f"{message}, a time without a zone", f"if it is UTC, write {fixed}").at(place)
    elif (name == "date" and _DATE.fullmatch(text)) or (
        name == "date-time" and _ZONED.fullmatch(text) and "T" in text and text.count(":") > 1 + ("Z" not in text)
    ):
        yield fault(
            "impossible-date", file, f"{message}, which is not on the calendar", "check month, day, hour and minute"
        ).at(place)
    else:
        hint = _FORMAT_HINTS.get(name, "") + (f", or {UNKNOWN}" if _may_be_unknown(error) else "")
        yield fault("bad-format", file, f"{message}, expected {_FORMAT_WORDS.get(name, name)}", hint).at(place)


def _is_out_of_range(name: str, text: str) -> bool:
    parsers: dict[str, Callable[[str], object]] = {"date-time": parse_instant, "date": parse_date}
    try:
        if name in parsers:
            parsers[name](text)
    except OutOfRange:
        return True
    except ValueError:
        pass
    return False


def _out_of_range(file: str, message: str, text: str, *, may_be_unknown: bool) -> Finding:
    hint = "check the year"
    if text.startswith("0001-"):
        hint = "a time that was never set? leave the key out" + (f", or write {UNKNOWN}" if may_be_unknown else "")
    return fault("year-range", file, f"{message}, outside the years {YEARS[0]} to {YEARS[-1]}", hint)


def _may_be_unknown(error: Any) -> bool:
    parent = error.parent
    return parent is not None and any(branch.get("const") == UNKNOWN for branch in parent.schema.get("anyOf", ()))


def _bad_pattern(file: str, route: Route, error: Any) -> Iterator[Finding]:
    title = error.schema.get("title", "")
    kind = f"which is not a valid {title[0].lower()}{title[1:]}" if title else "which does not have the expected format"
    examples = error.schema.get("examples", [])
    hint = f"e.g. {' or '.join('null' if one is None else str(one) for one in examples[:3])}" if examples else ""
    message = f"{_route_text(route)} is {_value_text(error.instance)}, {kind}"
    if error.validator_value == "^[^\\n\\r]*$":
        message, hint = f"{_route_text(route)} has a line break", "write it on one line"
    yield fault("bad-format", file, message, hint).at(Where(file, route))


def _no_branch(file: str, route: Route, error: Any) -> Iterator[Finding]:
    expected = " or ".join(dict.fromkeys(_branch_name(branch) for branch in error.context))
    message = f"{_route_text(route)} is {_value_text(error.instance)}, expected {expected}"
    yield fault("wrong-type", file, message).at(Where(file, route))


def _branch_name(branch: Any) -> str:
    """What one branch of an `anyOf` asks for; only branches that fail by `type` or `const` get here."""
    wanted = branch.validator_value
    return _type_names(wanted) if branch.validator == "type" else str(wanted)


def _type_names(wanted: str | list[str]) -> str:
    return " or ".join(_TYPES[name] for name in (wanted if isinstance(wanted, list) else [wanted]))


_BOUNDS: dict[str, Callable[[Any, Any], str]] = {
    "maxLength": lambda value, bound: f"has {len(value):,} characters, at most {bound:,} are allowed",
    "minLength": lambda _value, _bound: "is empty",
    "minimum": lambda value, bound: f"is {value}, it must be at least {bound}",
    "exclusiveMinimum": lambda value, bound: f"is {value}, it must be more than {bound}",
    "maximum": lambda value, bound: f"is {value}, it must be at most {bound}",
    "exclusiveMaximum": lambda value, bound: f"is {value}, it must be less than {bound}",
    "minItems": lambda value, bound: f"has {len(value)} entries, at least {bound} required",
    "maxItems": lambda value, bound: f"has {len(value)} entries, at most {bound} are allowed",
    "minProperties": lambda value, bound: f"has {len(value)} keys, at least {bound} required",
    "maxProperties": lambda value, bound: f"has {len(value)} keys, at most {bound} are allowed",
    "uniqueItems": lambda _value, _bound: "has a duplicate entry",
}


def _bounds(file: str, route: Route, error: Any) -> Iterator[Finding]:
    bound = _BOUNDS[str(error.validator)](error.instance, error.validator_value)
    yield fault("limits", file, f"{_route_text(route)} {bound}").at(Where(file, route))


def _unexplained(file: str, route: Route, error: Any) -> Iterator[Finding]:
    yield fault("schema", file, error.message[:300]).at(Where(file, route))


_EXPLAINERS: dict[str, Callable[[str, Route, Any], Iterator[Finding]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _wrong_type,
    "enum": _not_allowed,
    "const": _not_allowed,
    "format": _bad_format,
    "pattern": _bad_pattern,
    "anyOf": _no_branch,
    "oneOf": _no_branch,
    **dict.fromkeys(_BOUNDS, _bounds),
}


def _route_text(route: Route) -> str:
    out = ""
    for step in route:
        out += f"[{step}]" if isinstance(step, int) else f".{step}"
    return out.lstrip(".") or "the file"


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if value is None:
        return "empty"
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:57] + "..."
        return repr(text)
    return "a list" if isinstance(value, list) else "a mapping"
