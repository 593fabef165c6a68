"""Findings as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from incident_ops import __version__
from incident_ops.findings import RANK, Finding
from incident_ops.render.findings import inert, json_text
from incident_ops.render.rule_pages import catalogue
from incident_ops.render.text import cut_line
from incident_ops.rules import RuleDoc
from incident_ops.rules.suppressions import SuppressedFinding

MOST_RESULTS = 25_000
"""Results GitHub takes of one run."""
LONGEST_MESSAGE = 1024
"""Characters GitHub takes as the description of a rule."""
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_sarif(findings: Sequence[Finding], silenced: Sequence[SuppressedFinding], prefix: str) -> str:
    """One run with every rule and a result for each finding, errors first; what is silenced is marked as suppressed.

    `prefix` is the records' folder in the repository, "" or ending with `/`.
    """
    rules_by_id = {name: rule for group in catalogue().values() for name, rule in group.items()}
    index = {name: number for number, name in enumerate(sorted(rules_by_id))}
    shown = sorted(findings, key=lambda finding: (RANK[finding.level], finding.sort_key))
    results = [_result(finding, index, prefix) for finding in shown]
    for finding in silenced:
        suppression = {"kind": "inSource", "justification": inert(finding.reason)}
        results.append({**_result(finding.finding, index, prefix), "suppressions": [suppression]})
    driver = {
        "name": "incident-ops",
        "version": __version__,
        "rules": [_rule(rules_by_id[name]) for name in sorted(rules_by_id)],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results[:MOST_RESULTS],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: RuleDoc) -> dict[str, Any]:
    worst = min(rule.levels, key=RANK.__getitem__)
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.sentence},
        "fullDescription": {"text": cut_line(_prose(rule.doc), LONGEST_MESSAGE)},
        "help": {"text": rule.doc},
        "defaultConfiguration": {"level": worst.value},
    }


def _prose(doc: str) -> str:
    """A rule's page without its examples, which are indented."""
    return " ".join(" ".join(part.split()) for part in doc.split("\n\n") if not part.startswith(" "))


def _result(finding: Finding, index: dict[str, int], prefix: str) -> dict[str, Any]:
    where = finding.where
    artifact = {"uri": quote(f"{prefix}{where.file}", errors="surrogateescape"), "uriBaseId": "%SRCROOT%"}
    region = {"startLine": max(where.line, 1), "startColumn": max(where.column, 1)}
    text = inert(finding.message) + (f" ({inert(finding.hint)})" if finding.hint else "")
    identity = "\0".join((finding.rule, prefix, where.file, *map(str, where.route), finding.message))
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": finding.level.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "partialFingerprints": {"incidentOpsFinding/v1": sha256(identity.encode(errors="surrogatepass")).hexdigest()},
    }
