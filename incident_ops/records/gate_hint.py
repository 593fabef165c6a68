"""How to mend what the schema finds in a gate file: shown with the value that stands there, or with an example."""

from __future__ import annotations

import re
from typing import Any

from incident_ops.findings import Route
from incident_ops.records.check import schema
from incident_ops.records.spell import flow

_UNITS = {"duration": "s", "percent": "%"}
_PROVIDER = "it stands once, under spec.provider; the query is query of the metric, the address is in policy.yaml"


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
        for one in (field, *field.get("anyOf", ())):
            if (name := one.get("$ref", "").rpartition("/")[2]) in _UNITS:
                return _with_unit(schema("gate")["$defs"][name], f"{value}{_UNITS[name]}")
    return _example(route, field, value)


def _with_unit(form: dict[str, Any], text: str) -> str:
    """The number with its unit where that fits the form, else an example of it."""
    shown = text if re.search(form["pattern"], text) else f"e.g. {form['examples'][0]}"
    return f"a {form['title'].lower()}: {shown}"


def _other_level(route: Route) -> str:
    """Where a key belongs that is one of spec, but stands in a metric, or the other way round."""
    spec = _field(("spec",))["properties"]
    metric = spec["metrics"]["items"]["properties"]
    match route:
        case ("spec", "metrics", int(), "provider"):
            return _PROVIDER
        case ("spec", "metrics", int(), key) if key in spec:
            return f"it is for the whole file: spec.{key}"
        case ("spec", key) if key in metric and key != "name":
            return f"it is for each metric: metrics[].{key}"
    return ""


def _example(route: Route, field: dict[str, Any], value: Any) -> str:
    """The examples of a field that holds more than one word, where something of another shape stands."""
    examples = field.get("examples", [])
    if value is None or not any(isinstance(one, dict | list) for one in examples):
        return ""
    is_entry = isinstance(route[-1], int)
    return f"e.g. {' or '.join(flow([one] if is_entry else one) for one in examples)}"


def _field(route: Route) -> dict[str, Any]:
    """What the schema says of a place; empty where it does not know it."""
    field = schema("gate")
    for step in route:
        field = field.get("items", {}) if isinstance(step, int) else field.get("properties", {}).get(step, {})
    return field


def _value(data: Any, route: Route) -> Any:
    for step in route:
        data = data[step]
    return data
