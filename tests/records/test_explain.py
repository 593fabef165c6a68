# ruff: noqa: E501 - a table of cases, one a line
"""Every keyword of our schemas in the words of a person: what was found, what is allowed, where, how to mend it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from incident_ops.findings import Finding
from incident_ops.records.schema import SCHEMA_KINDS, check_document, schema
from incident_ops.records.schema_messages import _EXPLAINERS, explain_errors
from incident_ops.records.yaml_reader import Document, read_yaml

HEAD = """\
id: INC-1
title: Login fails
severity: SEV2
state: new
services:
- api
times:
  declared: 2025-01-26T12:05:00Z
"""


def told(added: str, *, head: str = HEAD, kind: str = "incident") -> list[Finding]:
    document = read_yaml(head + added, "f.yaml")
    assert isinstance(document, Document), document
    return check_document(document, kind)


# what is added, or an edit of the head; rule; what stands at the place; what the message and the hint must say
CASES: dict[str, tuple[str, str, str, list[str], list[str]]] = {
    "additionalProperties": ("descriptoin: x\n", "unknown-key", "descriptoin:", ["'descriptoin'"], ["did you mean description?"]),
    "additionalProperties, inside": ("roles:\n  comander: a\n", "unknown-key", "comander:", ["'comander'", "roles"], ["commander"]),
    "additionalProperties, nothing near": ("customer:\n  zzz: 1\n", "unknown-key", "zzz:", ["'zzz'", "customer"], ["vip", "names"]),
    "required": ("detection:\n  detail: x\n", "missing-key", "detail:", ["'source'", "detection"], ["add it, one of alert, customer_report"]),
    "required, misspelt": ("detection:\n  sorce: alert\n", "missing-key", "sorce:", ["'source'"], ["'sorce'"]),
    "required, in a list": ("updates:\n- at: 2025-01-26T12:05:00Z\n  audience: public\n  text: x\n", "missing-key", "at:", ["'status'", "updates[0]"], []),
    "type string": ("description: 12\n", "wrong-type", "12", ["description is the number 12", "expected text"], ["quotes"]),
    "type string, a word": ("description: true\n", "wrong-type", "true", ["the boolean true", "expected text"], ["quotes"]),
    "type array": ("tags: x\n", "wrong-type", "x", ["tags is 'x'", "expected a list"], []),
    "type object": ("roles: x\n", "wrong-type", "x", ["roles is 'x'", "expected a mapping"], []),
    "type boolean": ("drill: maybe\n", "wrong-type", "maybe", ["'maybe'", "expected true or false"], []),
    "type boolean, of YAML 1.1": ("drill: yes\n", "wrong-type", "yes", ["'yes'", "true or false"], []),
    "type integer": ("links:\n  tracking_issue: x\n", "wrong-type", "x", ["links.tracking_issue", "a whole number"], []),
    "type, nothing": ("description:\n", "wrong-type", "", ["description is empty", "expected text"], ["remove the key"]),
    "enum": ("visibility: publik\n", "not-allowed", "publik", ["'publik'", "internal, public, restricted"], ["did you mean public?"]),
    "enum, nothing near": ("visibility: 7\n", "not-allowed", "7", ["the number 7", "internal, public, restricted"], []),
    "minimum": ("links:\n  tracking_issue: 0\n", "limits", "0", ["links.tracking_issue is 0", "at least 1"], []),
    "minimum in anyOf": ("impact:\n  failed_requests: -1\n", "limits", "-1", ["impact.failed_requests is -1", "at least 0"], []),
    "maximum in anyOf": ("impact:\n  users:\n    percent: 101\n", "limits", "101", ["impact.users.percent is 101", "at most 100"], []),
    "minLength": ("description: ''\n", "limits", "''", ["description is empty"], []),
    "uniqueItems": ("tags: [a, b, a]\n", "limits", "[a", ["tags has a duplicate entry"], []),
    "pattern": ("related: [INC12]\n", "bad-format", "INC12", ["related[0] is 'INC12'", "incident id"], ["INC-"]),
    "propertyNames": ("factors:\n  OS Name: x\n", "bad-format", "OS Name:", ["'OS Name'", "factors"], ["lower-case"]),
    "format date-time": ("snooze:\n  until: soon\n  by: a\n  reason: x\n", "bad-format", "soon", ["'soon'", "a time such as"], ["zone"]),
    "format without a zone": ("snooze:\n  until: 2025-01-26T12:05\n  by: a\n  reason: x\n", "instant-zone", "2025-01-26T12:05", ["without a zone"], ["write 2025-01-26T12:05:00Z"]),
    "format, not on the calendar": ("snooze:\n  until: 2025-02-30T12:05:00Z\n  by: a\n  reason: x\n", "impossible-date", "2025-02-30", ["not on the calendar"], ["month"]),
    "format, a year outside the range": ("snooze:\n  until: 9999-12-31T00:00:00Z\n  by: a\n  reason: x\n", "year-range", "9999-12-31", ["outside the years 1970 to 9899"], ["check the year"]),
    "format, a time that was never set": ("action_items:\n- id: AI-1\n  title: x\n  done_at: 0001-01-01T00:00:00Z\n", "year-range", "0001-01-01", ["outside the years 1970 to 9899"], ["never set", "unknown"]),
    "format uri": ("links:\n  dashboard: example.com\n", "bad-format", "example.com", ["links.dashboard", "a link such as https://"], []),
    "anyOf, an object of the wrong type": ("impact:\n  users: many\n", "wrong-type", "many", ["impact.users is 'many', expected a mapping or unknown"], ["unknown"]),
    "anyOf, a number of the wrong type": ("impact:\n  failed_requests: lots\n", "wrong-type", "lots", ["'lots', expected a number or unknown"], ["unknown"]),
    "anyOf, a key of one branch": ("impact:\n  users:\n    cuont: 1\n", "unknown-key", "cuont:", ["'cuont'", "impact.users"], ["count"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_in_words_at_its_place(name: str) -> None:
    added, rule, at, message, hint = CASES[name]
    found = [one for one in told(added) if one.rule == rule]
    assert len(found) == 1, told(added)
    [one] = found
    line = (HEAD + added).splitlines()[one.where.line - 1]
    assert line[one.where.column - 1 :].startswith(at), (one.where, line)
    assert one.where.line > HEAD.count("\n")
    assert all(word in one.message for word in message), one.message
    assert all(word in one.hint for word in hint), one.hint
    assert not re.search(r"\$ref|\$defs|anyOf|regex|None of|schema", one.message), "words of people"


def test_a_time_written_as_the_state_is_called_a_time() -> None:
    """`mitigated` looks like a state: the hint says how to record it."""
    [finding] = told("", head=HEAD.replace("state: new", "state: mitigated"))
    assert finding.message.startswith("state is 'mitigated', allowed: new, ")
    assert finding.hint == "mitigated is a time, not a state: set times.mitigated (timeline --mark mitigated)"


@pytest.mark.parametrize(("field", "added"), [("maxLength", f"description: {'x' * 20_001}\n"), ("maxItems", f"tags: [{', '.join(f't{i}' for i in range(2000))}]\n"), ("maxProperties", "factors:\n" + "".join(f"  k{i}: v\n" for i in range(51)))])  # fmt: skip
def test_a_bound_is_told_with_what_was_found_and_what_is_allowed(field: str, added: str) -> None:
    [one] = told(added)
    assert one.rule == "limits"
    assert len(re.findall(r"[0-9][0-9,]*", one.message)) == 2, one.message
    assert len(one.message) < 120


@pytest.mark.parametrize(("value", "rule"), [("12:30", "bad-format"), ("noon", "bad-format"), ("2025-02-30T12:00:00Z", "impossible-date"), ("2025-01-26T12:05:00", "instant-zone"), ("5", "wrong-type")])  # fmt: skip
def test_in_a_choice_the_branch_that_was_meant_is_told(value: str, rule: str) -> None:
    """`started` may be an instant or `unknown`: the fault is told of the instant, not of the choice."""
    [one] = told(f"  started: {value}\n")
    assert one.rule == rule
    assert (one.where.line, one.where.column) == (9, 12)
    assert "times.started" in one.message


@pytest.mark.parametrize("value", ["12:30", "noon", "asap"])
def test_where_unknown_is_allowed_the_hint_says_so_and_elsewhere_not(value: str) -> None:
    [may] = told(f"  started: {value}\n")
    [may_not] = told("", head=HEAD.replace("2025-01-26T12:05:00Z", value))
    assert "unknown" in may.hint
    assert "unknown" not in may_not.hint
    assert may_not.hint


def test_a_day_or_an_instant_is_judged_by_what_was_written() -> None:
    item = "action_items:\n- id: AI-1\n  title: x\n  done_at: "
    assert [one.rule for one in told(item + "2025-02-30\n")] == ["impossible-date"]
    assert [one.rule for one in told(item + "2025-02-01T12:00:00\n")] == ["instant-zone"]
    assert told(item + "2025-02-01\n") == told(item + "2025-02-01T12:00:00Z\n") == told(item + "unknown\n") == []


def test_every_fault_of_a_file_is_told_at_once() -> None:
    text = "descriptoin: x\ndrill: maybe\nvisibility: publik\nroles:\n  comander: a\n  scribe: 7\n"
    assert sorted(one.rule for one in told(text)) == [
        "not-allowed",
        "unknown-key",
        "unknown-key",
        "wrong-type",
        "wrong-type",
    ]


def test_a_long_value_is_shortened() -> None:
    [one] = told(f"visibility: {'x' * 5000}\n")
    assert len(one.message) < 200


def test_a_value_of_many_lines_stays_on_one() -> None:
    [one] = told('visibility: "a\\nb\\e[31m"\n')
    assert "\n" not in one.message
    assert "\x1b" not in one.message


def keywords(value: Any) -> set[str]:
    """Every keyword a schema uses."""
    if isinstance(value, list):
        return set().union(*(keywords(inner) for inner in value))
    if not isinstance(value, dict):
        return set()
    found = set(value)
    for key, inner in value.items():
        if key in ("properties", "$defs", "patternProperties"):
            found = found.union(*(keywords(one) for one in inner.values()))
        elif key not in ("examples", "default", "const", "enum"):
            found |= keywords(inner)
    return found


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_every_keyword_of_our_schemas_has_its_words(kind: str) -> None:
    silent = {"$schema", "$id", "$defs", "$ref", "title", "description", "examples", "properties", "items", "default",
              "propertyNames", "patternProperties", "deprecated", "allOf", "if", "then", "else", "$comment"}  # fmt: skip
    assert keywords(schema(kind)) - silent <= set(_EXPLAINERS)


def test_the_place_of_an_unknown_key_is_the_key() -> None:
    document = read_yaml("nam: x\n", "f.yaml")
    assert isinstance(document, Document)
    found = [one for one in explain_errors(document, schema("incident")) if one.rule == "unknown-key"]
    assert [one.where.on_key for one in found] == [True]
