"""The schema pass: fast where a record is valid, in words where it is not, and never silent."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from incident_ops.findings import Finding, Level
from incident_ops.records import schema as checking
from incident_ops.records import schema_messages
from incident_ops.records.file_findings import FAULTS
from incident_ops.records.formats import FORMATS, is_date, is_instant, is_uri
from incident_ops.records.schema import SCHEMA_KINDS, check_document, fast_validator, schema, schema_text
from incident_ops.records.yaml_reader import Document, read_yaml
from tests.support.repository import record_text


def document(text: str) -> Document:
    found = read_yaml(text, "f.yaml")
    assert isinstance(found, Document), found
    return found


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_every_kind_has_a_schema_that_both_validators_take(kind: str) -> None:
    assert schema_text(kind).startswith("{")
    assert fast_validator(kind).is_valid({}) is False
    assert check_document(document("{}"), kind)
    assert schema_messages.explain_errors(document("{}"), schema(kind))


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
@pytest.mark.parametrize("text", ["null", "text", "12", "true", "[]", "[1]"])
def test_a_document_of_another_shape_is_an_error_at_its_beginning(kind: str, text: str) -> None:
    [told] = check_document(document(text), kind)
    assert (told.rule, told.level, told.where.line, told.where.column) == ("wrong-type", Level.ERROR, 1, 1)
    assert "the file" in told.message
    assert "expected a mapping" in told.message


def test_a_valid_record_has_no_finding_and_the_slow_validator_is_not_loaded() -> None:
    program = (
        "import sys\nfrom incident_ops.records.schema import check_document\n"
        "from incident_ops.records.yaml_reader import read_yaml\n"
        f"assert check_document(read_yaml({record_text()!r}, 'f'), 'incident') == []\n"
        "sys.exit('jsonschema' in sys.modules or 'incident_ops.records.schema_messages' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_findings_come_in_the_order_of_the_file_with_their_places() -> None:
    text = record_text(state="openned", severity=5, extra=1)
    told = check_document(document(text), "incident")
    places = [(one.where.line, one.where.column) for one in told]
    assert places == sorted(places)
    assert [one.rule for one in told] == ["wrong-type", "not-allowed", "unknown-key"]
    assert all(one.rule in FAULTS for one in told)


def test_where_the_slow_validator_finds_nothing_the_fast_ones_words_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that one of the two refuses is never called valid."""
    monkeypatch.setattr(schema_messages, "explain_errors", lambda _document, _schema: [])
    text = record_text(state="openned", title=None)
    told = check_document(document(text), "incident")
    assert [one.rule for one in told] == ["schema", "schema"]
    assert (told[0].where.line, told[0].where.column) == (1, 1)
    assert "title" in told[0].message
    line = text.splitlines().index("state: openned") + 1
    assert (told[1].where.line, told[1].where.column) == (line, 8)
    assert "openned" in told[1].message
    assert all(one.level is Level.ERROR and one.hint for one in told)


def test_a_refusal_without_any_words_is_still_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_messages, "explain_errors", lambda _document, _schema: [])
    monkeypatch.setattr(checking, "_fast_errors", lambda _document, _kind: [])
    assert check_document(document(record_text(state="openned")), "incident")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com", True), ("https://example.com/a?b=c#d", True), ("http://[::1]:80/x", True),
        ("slack://channel?id=1", True), ("example.com", False), ("https://", False), ("https:///x", False),
        ("https://a b", False), ("https://a\n", False), ("javascript:alert(1)", False), ("", False), ("//x", False),
        ("https://exa<mple", False), ("ht\u200btps://x", False),
    ],
)  # fmt: skip
def test_a_link_has_scheme_and_host(text: str, expected: bool) -> None:
    assert is_uri(text) is expected


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], {}])
def test_formats_judge_text_only(value: Any) -> None:
    """As JSON Schema asks; the type is another keyword's business."""
    assert all(passes(value) for passes in FORMATS.values())


def test_formats_know_the_calendar() -> None:
    assert is_instant("2025-01-26T12:05:00Z")
    assert not is_instant("2025-02-30T12:05:00Z")
    assert is_date("2024-02-29")
    assert not is_date("2025-02-29")


def test_a_finding_is_an_error_with_a_known_rule() -> None:
    told: list[Finding] = check_document(document("id: 5\n"), "incident")
    assert {one.level for one in told} == {Level.ERROR}
    assert {one.rule for one in told} <= set(FAULTS)
