"""Rules in words: one for `validate --explain`, all for docs/rules.md, and in SARIF 2.1.0 beside the findings.

SARIF is what code scanning and editors read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from incident_ops import __version__, rules
from incident_ops.errors import UserError
from incident_ops.findings import RANK, Finding, did_you_mean
from incident_ops.records.file_findings import FAULTS, fault_level
from incident_ops.render.findings import inert, json_text
from incident_ops.render.postmortem_lint import lint_docs
from incident_ops.render.text import cut_line
from incident_ops.rules import RuleDoc, SuppressedFinding, document, policy
from incident_ops.rules.oncall import oncall_rules

RECORD_GROUP, ONCALL_GROUP = "Records", "On call"
POLICY_GROUP, READING_GROUP = "Policy", "Reading and schema"


def catalogue() -> dict[str, dict[str, RuleDoc]]:
    """Every rule by id, by the group it belongs to."""
    about_policy = {
        rule.ID: RuleDoc(rule.ID, (rule.LEVEL,), doc=(rule.__doc__ or "").strip()) for rule in policy.policy_rules()
    }
    about_oncall = {rule.ID: document(rule, needs_base=hasattr(rule, "NEEDS_BASE")) for rule in oncall_rules()}
    about_reading = {name: RuleDoc(name, (fault_level(name),), doc=text) for name, text in FAULTS.items()}
    return {
        RECORD_GROUP: dict(rules.RULE_DOCS),
        ONCALL_GROUP: about_oncall,
        POLICY_GROUP: about_policy,
        READING_GROUP: about_reading,
    }


def rule_page(rule_id: str) -> str:
    """The documentation of one rule as plain text. UserError for an unknown id."""
    rules_by_id = {name: rule for group in catalogue().values() for name, rule in group.items()} | lint_docs()
    if rule_id not in rules_by_id:
        raise UserError(f"there is no rule {rule_id!r}", hint=did_you_mean(rule_id, sorted(rules_by_id)))
    rule = rules_by_id[rule_id]
    facts = ["/".join(rule.levels)]
    if rule.timed:
        facts.append("depends on the clock")
    if rule.needs_others:
        facts.append("looks at all records together")
    if rule.needs_base:
        facts.append("compares with --base")
    return f"{rule.id} ({', '.join(facts)})\n\n{rule.doc}\n"


def rule_table() -> str:
    """The registry as Markdown, one table a group."""
    lines = []
    for title, group in catalogue().items():
        what = "what must hold" if title in (RECORD_GROUP, ONCALL_GROUP) else "what was found"
        lines += [f"## {title}", "", f"| rule | level | {what} | looks at |", "| --- | --- | --- | --- |"]
        for name in sorted(group):
            rule = group[name]
            sentence = rule.sentence.replace("|", "\\|")
            lines.append(f"| `{name}` | {', '.join(rule.levels)} | {sentence} | {', '.join(_looks_at(rule))} |")
        lines.append("")
    return "\n".join(lines)


def _looks_at(rule: RuleDoc) -> Iterator[str]:
    yield from ["the base"] * rule.needs_base
    yield from ["all records"] * rule.needs_others
    yield from ["the clock"] * rule.timed


def page() -> str:
    """docs/rules.md as a whole."""
    return (
        "# Rules\n\n"
        "<!-- Written by `make docs` from the rules' own docstrings; do not edit. -->\n\n"
        "What `validate` and `policy lint` check. `incident-ops validate --explain RULE` prints one in full.\n"
        "Only errors decide the exit code. A rule that looks at the base needs `--base`. No record becomes\n"
        "invalid only because time passes.\n\n" + rule_table()
    )


MOST_RESULTS = 25_000
"""Results GitHub takes of one run."""
LONGEST_MESSAGE = 1024
"""Characters GitHub takes as the description of a rule."""
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_sarif(
    findings: Sequence[Finding],
    silenced: Sequence[SuppressedFinding],
    prefix: str,
    more: Mapping[str, RuleDoc] = MappingProxyType({}),
) -> str:
    """One run with every rule and a result for each finding, errors first; what is silenced is marked as suppressed.

    `prefix` is the records' folder in the repository, "" or ending with `/`; `more` are rules beside the catalogue's.
    """
    rules_by_id = {name: rule for group in catalogue().values() for name, rule in group.items()} | dict(more)
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
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results[:MOST_RESULTS]}
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
