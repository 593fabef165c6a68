"""The schema pass: data of a document against its JSON Schema, in words for people.

`jsonschema-rs` checks every file; only a file that fails goes to `jsonschema`, which is imported only then.
If the second finds nothing, the first one's errors are reported, never "valid".
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs

from incident_ops import resources
from incident_ops.findings import Finding, Where
from incident_ops.records.file_findings import fault
from incident_ops.records.formats import FORMATS
from incident_ops.records.yaml_reader import Document

SCHEMA_KINDS = ("incident", "policy", "services", "maintenance", "freeze", "problem", "gate", "oncall")


@cache
def schema(kind: str) -> dict[str, Any]:
    """The shipped schema of a kind of record; only the installed package's counts."""
    loaded: dict[str, Any] = json.loads(schema_text(kind))
    return loaded


@cache
def schema_text(kind: str) -> str:
    """The shipped schema's own text."""
    return resources.resource_text(f"schemas/{kind}.schema.json")


@cache
def fast_validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    """The fast validator of a kind, with our formats; a misspelt format in a schema fails here."""
    return jsonschema_rs.Draft202012Validator(
        schema(kind), validate_formats=True, formats=FORMATS, ignore_unknown_formats=False
    )


def check_document(document: Document, kind: str) -> list[Finding]:
    """Findings of the schema pass over a document, each at its line; empty when it is valid."""
    if fast_validator(kind).is_valid(document.data):
        return []
    from incident_ops.records.schema_messages import explain_errors

    findings = explain_errors(document, schema(kind)) or [
        _untranslated(document, error) for error in _fast_errors(document, kind)
    ]
    findings = findings or [fault("schema", document.file, f"this is not a valid {kind}", "compare it with the schema")]
    return sorted(
        (finding.at(document.locate(finding.where)) for finding in findings), key=lambda finding: finding.sort_key
    )


def _fast_errors(document: Document, kind: str) -> list[Any]:
    return list(fast_validator(kind).iter_errors(document.data))


def _untranslated(document: Document, error: Any) -> Finding:
    finding = fault("schema", document.file, error.message, "see the field's description in the schema")
    return finding.at(Where(document.file, tuple(error.instance_path)))
