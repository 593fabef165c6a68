"""`validate` tells of all of a record at once: what the schema refuses, and what rules find in the rest."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import ROOT, Folder, call

EIGHT = """\
id: INC-1
titel: Login fails
severity: SEV9
state: new
services:
- api
- nope
times:
  declared: 2025-01-26T12:05:00Z
  started: noon
drill: maybe
visibility: publik
description: 12
tags: x
roles:
  comander: "@a"
links:
  dashboard: example.com
"""


def found(folder: Folder, text: str) -> list[tuple[str, int]]:
    """(rule, line) of every finding, in printing order."""
    folder.put("INC-1", text)
    done = call("validate", "--format", "json", at=folder.path)
    assert done.code in (0, 1), done
    return [(one["rule"], one["line"]) for one in json.loads(done.out)["findings"]]


def test_rule_findings_are_printed_beside_schema_errors(folder: Folder) -> None:
    """Each on its line: one run is enough to mend them all."""
    rules = found(folder, EIGHT)
    assert ("label", 3) in rules
    assert ("service-known", 7) in rules
    assert len([rule for rule, _ in rules if rule not in ("label", "service-known")]) == 9
    assert [line for _, line in rules] == sorted(line for _, line in rules)


def test_what_is_missing_because_of_an_error_is_not_held_against_the_record(folder: Folder) -> None:
    """The state says resolved; its times cannot be read, so nobody says that they are missing."""
    text = EIGHT.replace("state: new", "state: resolved").replace("declared: 2025-01-26T12:05:00Z", "declared: noon")
    rules = {rule for rule, _ in found(folder, text)}
    assert rules >= {"label", "service-known", "bad-format"}
    assert not rules & {"state-instant", "resolved-complete", "moves", "roles-filled"}


MANY = """\
id: INC-1
title: "Login\\u202e fails"
severity: SEV9
state: resolved
services:
- nope
times:
  declared: 2025-01-26T12:05:00Z
  restored: 2025-01-26T12:20:00Z
  resolved: 2025-01-26T12:10:00Z
roles:
  commander: "@nobody"
timeline:
- at: 2025-01-26T12:09:00Z
  kind: note
  event: x
- at: 2025-01-26T12:08:00Z
  kind: note
  event: y
changes:
- at: 2025-01-26T12:10:00Z
  field: state
  from: new
  to: closed
action_items:
- id: AI-1
  title: x
  status: done
"""


@pytest.mark.parametrize("key", [line.split(":")[0] for line in MANY.splitlines() if line[0] not in " -"])
def test_a_broken_part_hides_nothing_else_and_brings_nothing_of_its_own(folder: Folder, key: str) -> None:
    """Whatever key is broken: the rules say nothing that they do not say of the whole record."""
    whole = found(folder, MANY)
    lines = MANY.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"{key}:"))
    last = next((n for n in range(first + 1, len(lines)) if lines[n][0] not in " -"), len(lines))
    broken = [f"{key}: {{zzz: 1}}", *["# gone"] * (last - first - 1)]
    rules = found(folder, "\n".join([*lines[:first], *broken, *lines[last:], ""]))
    mine = [one for one in rules if first < one[1] <= last]
    assert mine
    assert {rule for rule, _ in mine} <= {"unknown-key", "wrong-type", "missing-key", "bad-format", "not-allowed"}
    others = [one for one in rules if one not in mine and one[1] > 1]
    assert set(others) <= set(whole)
    if key not in ("title", "timeline"):
        assert ("timeline-order", 17) in others


def test_an_unknown_key_changes_nothing_of_what_rules_find(folder: Folder) -> None:
    assert found(folder, f"{MANY}zzz: 1\n") == [*found(folder, MANY), ("unknown-key", MANY.count("\n") + 1)]


def test_a_suppressed_rule_stays_suppressed(folder: Folder) -> None:
    text = EIGHT.replace("- nope", "- nope  # incident-ops: ignore[service-known] it is new")
    assert "service-known" not in {rule for rule, _ in found(folder, text)}


def test_other_commands_still_name_the_first_schema_error(folder: Folder) -> None:
    folder.put("INC-1", EIGHT)
    done = call("list", at=folder.path)
    assert done.code == 3
    assert "line 1: key 'title' is missing" in done.out


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            "updates:\n- at: 2025-01-26T12:05:00Z\n  audience: public\n  text: x\n",
            "add it, one of investigating, identified, monitoring, resolved",
        ),
        ("tags: x\n", "write [x]"),
        ("impact: {users: many}\n", "write a mapping with count, percent, or unknown"),
        ("drill: maybe\n", "write true or false"),
        ("roles: x\n", "write a mapping with commander, "),
        ("visibility: 7\n", "write one of these"),
        ("detection:\n  detail: x\n", "add it, one of alert, customer_report, dashboard, team"),
        ("times: {}\n", "add it, e.g. 2025-01-26T12:05:00Z"),
    ],
)
def test_a_hint_says_what_to_write(folder: Folder, text: str, hint: str) -> None:
    """Not what the field is for."""
    head = "id: INC-1\ntitle: x\nseverity: SEV1\nstate: new\nservices: [api]\n"
    times = "" if text.startswith("times") else "times:\n  declared: 2025-01-26T12:05:00Z\n"
    folder.put("INC-1", head + times + text)
    assert f"fix: {hint}" in call("validate", at=folder.path).out


def test_no_hint_of_a_schema_error_is_a_description(folder: Folder) -> None:
    folder.put("INC-1", EIGHT)
    out = call("validate", at=folder.path).out
    nodes = _nodes(json.loads((ROOT / "schemas/incident.schema.json").read_text(encoding="utf-8")))
    descriptions = [node["description"] for node in nodes if isinstance(node.get("description"), str)]
    assert descriptions
    assert not [text for text in descriptions if f"fix: {text}\n" in out]


def _nodes(node: object) -> list[dict[str, object]]:
    if isinstance(node, list):
        return [found for one in node for found in _nodes(one)]
    if isinstance(node, dict):
        return [node, *(found for one in node.values() for found in _nodes(one))]
    return []
