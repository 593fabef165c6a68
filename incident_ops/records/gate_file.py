"""A gate file (`gates/*.yaml`): text -> checked data, or findings, each at its line and column.

What its schema cannot check is checked by a `Judge`, which knows what a gate means (`canary/config_check.py`).

Hints for what the schema finds in a gate file: with the value that is there, or with an example.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from incident_ops.findings import Finding, Route, Where
from incident_ops.records.file_findings import fault
from incident_ops.records.schema import check_document, schema
from incident_ops.records.yaml_reader import Document, read_bytes
from incident_ops.records.yaml_writer import flow

GATE_KIND = "gate"

_BY_OPTION = "pass it on the command line: canary run --on-step, --on-pass or --on-fail COMMAND"
_BY_NAME = "name it alone, command: {name: smoke}, and give it to canary run --command smoke=COMMAND"

Judge = Callable[[Mapping[str, Any], str], Iterable[Finding]]
"""(data that fits the schema, file) -> findings with symbolic places."""

_COMMAND = re.compile(r"on(step|pass|fail|rollback)|cmd|commands?|exec|jobs?|run|scripts?|shell|(web)?hooks?")
_ADDRESS = re.compile(r"address|host|server|token|uri|url")


def load_gate(raw: bytes, file: str, judge: Judge) -> Document | list[Finding]:
    """The bytes of a gate file -> the document, or everything that is wrong with it. Never raises for bad content."""
    document = read_bytes(raw, file)
    if isinstance(document, list):
        return document
    return gate_findings(document, judge) or document


def gate_findings(document: Document, judge: Judge) -> list[Finding]:
    """Findings of a gate file that was read; its meaning is checked only where it fits the schema."""
    strange = list(_forbidden_keys(document.data, document.file, ()))
    if schema_findings := check_document(document, GATE_KIND):
        named = {finding.where.route for finding in strange}
        others = (_with_hint(document, finding) for finding in schema_findings if finding.where.route not in named)
        return _placed(document, (*strange, *others))
    return _placed(document, judge(document.data, document.file))


def _with_hint(document: Document, finding: Finding) -> Finding:
    return replace(finding, hint=hint_of(finding.rule, finding.where.route, document.data) or finding.hint)


def _placed(document: Document, findings: Iterable[Finding]) -> list[Finding]:
    return sorted(
        (finding.at(document.locate(finding.where)) for finding in findings), key=lambda finding: finding.sort_key
    )


def _forbidden_keys(data: Any, file: str, route: Route) -> Iterator[Finding]:
    """Keys that would name a command or an address; no key of the schema is among them."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, inner in steps:
        word = str(step).replace("-", "").replace("_", "").lower()
        where = Where(file, (*route, step), on_key=True)
        if step == "command" and route[-1:] == ("provider",) and isinstance(inner, dict):
            yield from _forbidden_keys(inner, file, (*route, step))  # only its name; what it is comes from outside
        elif _COMMAND.fullmatch(word):
            hint = _BY_NAME if "provider" in route or step == "command" else _BY_OPTION
            yield fault("gate-command", file, f"{step!r}: a gate file cannot contain commands", hint).at(where)
        elif _ADDRESS.fullmatch(word):
            hint = "name a data source of policy.yaml: datasource: NAME"
            yield fault("gate-command", file, f"{step!r}: a gate file cannot contain addresses", hint).at(where)
        else:
            yield from _forbidden_keys(inner, file, (*route, step))


_UNITS = {"duration": "s", "percent": "%"}
_QUERY = "the query belongs in the metric's `query`"


def hint_of(rule: str, route: Route, data: Any) -> str:
    """What to write instead at `route` of a gate file, "" where the schema's own words are better."""
    if rule == "unknown-key":
        return _other_level(route)
    if rule not in ("wrong-type", "not-allowed") or not route:
        return ""
    field = _field(route)
    if "const" in field:
        return f"write {route[-1]}: {field['const']}"
    value = _value(data, route)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for branch in (field, *field.get("anyOf", ())):
            if (name := branch.get("$ref", "").rpartition("/")[2]) in _UNITS:
                return _with_unit(schema("gate")["$defs"][name], f"{value}{_UNITS[name]}")
    return _example(route, field, value)


def _with_unit(form: dict[str, Any], text: str) -> str:
    """The number with its unit where that fits the form, else an example of it."""
    shown = text if re.search(form["pattern"], text) else f"e.g. {form['examples'][0]}"
    return f"a {form['title'].lower()}: {shown}"


def _other_level(route: Route) -> str:
    """Where a key belongs that is part of spec but was written in a metric, or the other way round."""
    spec = _field(("spec",))["properties"]
    metric = spec["metrics"]["items"]["properties"]
    match route:
        case (*_, "provider", _, "query"):
            return _QUERY
        case ("spec", "metrics", int(), key) if key in spec:
            return f"it belongs to the whole file: spec.{key}"
        case ("spec", key) if key in metric and key != "name":
            return f"it belongs to each metric: metrics[].{key}"
    return ""


def _example(route: Route, field: dict[str, Any], value: Any) -> str:
    """Examples for a field that takes a list or mapping, where the value is neither."""
    examples = field.get("examples", [])
    if value is None or not any(isinstance(example, dict | list) for example in examples):
        return ""
    is_entry = isinstance(route[-1], int)
    return f"e.g. {' or '.join(flow([example] if is_entry else example) for example in examples)}"


def _field(route: Route) -> dict[str, Any]:
    """The schema of a place; empty where it has none."""
    field = schema("gate")
    for step in route:
        if field.get("$ref") == "#/$defs/provider":
            field = schema("gate")["$defs"]["provider"]
        field = field.get("items", {}) if isinstance(step, int) else field.get("properties", {}).get(step, {})
    return field


def _value(data: Any, route: Route) -> Any:
    for step in route:
        data = data[step]
    return data
