"""SARIF 2.1.0: what the format asks for, and what code scanning needs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from incident_ops.findings import Finding, Level, Where
from incident_ops.render.rule_pages import catalogue, to_sarif
from incident_ops.rules import SuppressedFinding


def finding(rule: str = "label", level: Level = Level.ERROR, line: int = 3, file: str = "a/b.yaml") -> Finding:
    return Finding(rule, level, Where(file, ("x",), line, 2 if line else 0), "wrong", "mend it")


def run_of(*findings: Finding, silenced: tuple[SuppressedFinding, ...] = (), prefix: str = "") -> dict[str, Any]:
    data = json.loads(to_sarif(findings, silenced, prefix))
    assert data["version"] == "2.1.0"
    assert list(data) == ["$schema", "version", "runs"]
    (run,) = data["runs"]
    assert isinstance(run, dict)
    return run


def test_every_rule_is_told_once_with_its_page() -> None:
    rules = run_of()["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == sorted({name for group in catalogue().values() for name in group})
    for one in rules:
        assert one["shortDescription"]["text"]
        assert one["help"]["text"]
        assert one["defaultConfiguration"]["level"] in ("error", "warning", "note")


def test_a_result_points_at_its_rule_and_place() -> None:
    run = run_of(finding(), prefix="ops/")
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "label"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "ops/a/b.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 2}
    assert result["message"]["text"] == "wrong (mend it)"
    assert result["level"] == "error"


def test_every_rule_of_the_catalogue_can_be_a_result() -> None:
    names = sorted({name for group in catalogue().values() for name in group})
    run = run_of(*(finding(name) for name in names))
    assert [run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] for one in run["results"]] == names


def test_a_name_with_odd_characters_is_a_uri() -> None:
    uri = run_of(finding(file="a b/ü#\udcff.yaml"))["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"
    ]
    assert uri["uri"] == "a%20b/%C3%BC%23%FF.yaml"


def test_a_finding_without_a_line_stands_on_the_first() -> None:
    region = run_of(finding(line=0))["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 1, "startColumn": 1}


def test_a_fingerprint_survives_a_move_of_the_line() -> None:
    prints = [run_of(finding(line=line))["results"][0]["partialFingerprints"] for line in (3, 30)]
    assert prints[0] == prints[1]
    assert prints[0] != run_of(finding("moves"))["results"][0]["partialFingerprints"]


def test_errors_come_first_and_what_is_silenced_is_suppressed() -> None:
    run = run_of(
        finding(level=Level.NOTE), finding(level=Level.ERROR, line=9), silenced=(SuppressedFinding(finding(), "why"),)
    )
    assert [one["level"] for one in run["results"]] == ["error", "note", "error"]
    assert run["results"][2]["suppressions"] == [{"kind": "inSource", "justification": "why"}]
    assert "suppressions" not in run["results"][0]


@pytest.mark.slow
def test_no_more_results_than_github_takes() -> None:
    run = run_of(*(finding(level=Level.NOTE, line=n + 1) for n in range(25_010)), finding(line=7))
    assert len(run["results"]) == 25_000
    assert run["results"][0]["level"] == "error"


def closed(required: str, **properties: Any) -> dict[str, Any]:
    """An object of SARIF: it has what is required, and nothing beside what it may have."""
    return {
        "type": "object", "required": required.split(), "properties": properties, "additionalProperties": False,
    }  # fmt: skip


def many(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": item, **more}


TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
SHORT = {**TEXT, "maxLength": 1024}
LEVELS = {"enum": ["none", "note", "warning", "error"]}
PLACE = closed(
    "artifactLocation region",
    artifactLocation=closed("uri uriBaseId", uri={**TEXT, "format": "uri-reference"}, uriBaseId={"const": "%SRCROOT%"}),
    region=closed(
        "startLine startColumn",
        startLine={"type": "integer", "minimum": 1},
        startColumn={"type": "integer", "minimum": 1},
    ),
)
RULE = closed(
    "id shortDescription fullDescription help",
    id={**TEXT, "maxLength": 255},
    shortDescription=closed("text", text=SHORT),
    fullDescription=closed("text", text=SHORT),
    help=closed("text", text=TEXT),
    defaultConfiguration=closed("level", level=LEVELS),
)
RESULT = closed(
    "ruleId message locations partialFingerprints",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVELS,
    message=closed("text", text=TEXT),
    locations=many(closed("physicalLocation", physicalLocation=PLACE), minItems=1, maxItems=10),
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
    suppressions=many(closed("kind", kind={"enum": ["inSource", "external"]}, justification=TEXT), uniqueItems=True),
)
DRIVER = closed("name version rules", name=TEXT, version=TEXT, rules=many(RULE, uniqueItems=True))
LOG: dict[str, Any] = closed(
    "version runs",
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs=many(
        closed(
            "tool",
            tool=closed("driver", driver=DRIVER),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            results=many(RESULT),
        ),
        minItems=1,
    ),
)
"""SARIF 2.1.0 for the objects that are written here, all closed as in the standard's schema, and what GitHub's code
scanning asks for beyond it (its list of supported properties): full descriptions, help, fingerprints, their sizes."""


def test_it_is_what_the_standard_and_code_scanning_ask_for() -> None:
    """With odd texts, silenced findings, and none at all; a slip in any object is seen."""
    checker = Draft202012Validator(LOG, format_checker=FormatChecker())
    odd = Finding("moves", Level.NOTE, Where("a b/ü#.yaml", (), 0, 0), "\x1b[31m\ud800", "")
    for findings, silenced in (((), ()), ((finding(), odd), (SuppressedFinding(finding(), "why"),))):
        data = json.loads(to_sarif(findings, silenced, "ops/"))
        assert [error.message for error in checker.iter_errors(data)] == []
    result = data["runs"][0]["results"][0]
    for key in ("message", "locations", "ruleId"):
        less = {**data, "runs": [{**data["runs"][0], "results": [{k: v for k, v in result.items() if k != key}]}]}
        assert list(checker.iter_errors(less))
    assert list(checker.iter_errors({**data, "more": 1}))
