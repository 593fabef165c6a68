"""The policy's and services' schemas as an editor shows them: every field explained, every example true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from incident_ops import resources
from incident_ops.records.policy import load_policy, load_services
from incident_ops.records.yaml_writer import to_yaml

SCHEMAS = {kind: json.loads(resources.resource_text(f"schemas/{kind}.schema.json")) for kind in ("policy", "services")}
POLICY = SCHEMAS["policy"]


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, prop in node.get("properties", {}).items():
            yield f"{path}/{name}", prop
        for key, inner in node.items():
            yield from properties(inner, f"{path}/{key}")
    elif isinstance(node, list):
        for inner in node:
            yield from properties(inner, path)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_field_has_a_title_a_description_and_an_example(kind: str) -> None:
    for path, prop in properties(SCHEMAS[kind]):
        assert {"title", "description"} <= set(prop), path
        assert "examples" in prop or "examples" in SCHEMAS[kind]["$defs"].get(
            prop.get("$ref", "").rpartition("/")[2], {}
        ), path


def examples_of(prop: dict[str, Any]) -> list[Any]:
    found = prop.get("examples") or POLICY["$defs"][prop["$ref"].rpartition("/")[2]]["examples"]
    return list(found)


def in_a_policy() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every example of every field, at its place in a policy."""
    for block, prop in POLICY["properties"].items():
        if block != "extends":
            yield from ((block, {block: example}) for example in examples_of(prop))
        for name, inner in prop.get("properties", {}).items():
            yield from ((f"{block}.{name}", {block: {name: example}}) for example in examples_of(inner))
            for leaf, leaf_prop in inner.get("properties", {}).items():
                yield from (
                    (f"{block}.{name}.{leaf}", {block: {name: {leaf: example}}}) for example in examples_of(leaf_prop)
                )
    for name, inner in POLICY["$defs"]["level"]["properties"].items():
        for example in examples_of(inner):
            yield f"level.{name}", {"levels": [{"rank": 9, "id": "SEV0", name: example}]}
    for name, inner in POLICY["$defs"]["rule"]["properties"]["when"]["properties"].items():
        for example in examples_of(inner):
            yield f"when.{name}", {"triage": {"rules": [{"when": {name: example}, "level": "SEV1"}]}}


CASES = list(in_a_policy())


@pytest.mark.parametrize(("place", "own"), CASES, ids=[f"{number}-{place}" for number, (place, _) in enumerate(CASES)])
def test_every_example_is_valid_at_its_place_and_becomes_a_policy(place: str, own: dict[str, Any]) -> None:
    loaded = load_policy(to_yaml({"extends": "itil-p1-p4" if place == "contacts" else "sev0-3", **own}))
    assert [finding for finding in loaded.findings if "as a new entry it needs" not in finding.message] == []
    assert loaded.policy is not None or loaded.findings


def test_every_example_of_a_service_is_valid() -> None:
    for name, prop in SCHEMAS["services"]["$defs"]["entry"]["properties"].items():
        for example in (
            prop.get("examples") or SCHEMAS["services"]["$defs"][prop["$ref"].rpartition("/")[2]]["examples"]
        ):
            teams = {"teams": {example: {}}} if name == "team" else {}
            data = {"services": {"auth": {"owner": "@a", name: example}}, **teams}
            assert load_services(to_yaml(data)).findings == [], name
