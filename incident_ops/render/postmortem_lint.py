"""What `postmortem lint` prints, and docs/postmortem-lint.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from incident_ops.findings import Finding
from incident_ops.postmortem_lint.catalogue import COMPLETENESS, LANGUAGE, LINT_RULES, SOURCES, STRUCTURE, LintRule
from incident_ops.postmortem_lint.completeness import GATES
from incident_ops.postmortem_lint.remarks import Remark
from incident_ops.render.findings import Paint, as_data, json_text, plural
from incident_ops.render.findings_text import findings_text
from incident_ops.rules import RuleDoc, SuppressedFinding


class PostmortemView(NamedTuple):
    """What is shown of one postmortem: its findings, those of them with their remarks, and the gates left open."""

    incident: str
    path: str
    findings: Sequence[Finding]
    remarks: Sequence[Remark]
    silenced: Sequence[SuppressedFinding]
    open_gates: Sequence[str]


def lint_text(views: Sequence[PostmortemView], paint: Paint) -> str:
    """The findings, then one line a postmortem with the quality gates it passes, then the count."""
    findings = sorted((one for view in views for one in view.findings), key=lambda one: one.sort_key)
    *lines, total = findings_text(findings, len(views), paint, sum(len(view.silenced) for view in views)).splitlines()
    return "\n".join([*lines, *map(gates_line, views), total]) + "\n"


def gates_line(view: PostmortemView) -> str:
    """`INC-1: 8 of 10 quality gates passed; open: blameless, lessons written down`."""
    passed = len(GATES) - len(view.open_gates)
    rest = f"; open: {', '.join(view.open_gates)}" if view.open_gates else ""
    return f"{view.incident}: {passed} of {plural(len(GATES), 'quality gate')} passed{rest}"


def lint_json(views: Sequence[PostmortemView], unread: Iterable[tuple[str, str]]) -> str:
    """The JSON of `postmortem lint`; a finding has its sentence, reason, rewording and source apart."""
    findings = [one for view in views for one in view.findings]
    counts = {level: sum(one.level.value == level for one in findings) for level in ("warning", "note")}
    return json_text(
        {
            "schema": 1,
            "summary": {"postmortems": len(views), "warnings": counts["warning"], "notes": counts["note"]},
            "postmortems": [_postmortem_data(view) for view in views],
            "unread": [{"path": path, "reason": reason} for path, reason in unread],
        }
    )


def _postmortem_data(view: PostmortemView) -> dict[str, Any]:
    said = [_finding_data(*pair) for pair in zip(view.findings, view.remarks, strict=False)]
    comments = [as_data(finding) for finding in view.findings[len(view.remarks) :]]
    return {
        "incident": view.incident,
        "file": view.path,
        "gates": [{"gate": gate, "passed": gate not in view.open_gates} for gate in GATES],
        "findings": [*said, *comments],
        "silenced": [{**as_data(one.finding), "reason": one.reason} for one in view.silenced],
    }


def _finding_data(finding: Finding, remark: Remark) -> dict[str, Any]:
    rule = LINT_RULES[remark.rule]
    return {
        **as_data(finding),
        "sentence": remark.sentence,
        "words": remark.detail,
        "reason": rule.reason,
        "rewording": rule.rewording,
        "source": rule.reference,
    }


def lint_docs() -> dict[str, RuleDoc]:
    """Every rule of the lint by id, as `--explain` and SARIF show rules."""
    return {rule.id: RuleDoc(rule.id, (rule.level,), doc=_plain(rule)) for rule in LINT_RULES.values()}


def _plain(rule: LintRule) -> str:
    parts = [f"This {rule.reason}.", rule.why, f"How to say it instead: {_ended(rule.rewording)}"]
    if rule.before:
        parts.append(f"    before: {rule.before}\n    after:  {rule.after}")
    cited = "; ".join(re.sub(r"[*]|\[|\]\([^)]*\)", "", SOURCES[name]).rstrip(".") for name in rule.sources)
    return "\n\n".join([*parts, f"Source: {cited}."])


HEAD = """# Rules of `postmortem lint`

Written by `make docs` from `incident_ops/postmortem_lint/catalogue.py`; do not edit.

`incident-ops postmortem lint` says of a postmortem what good reviewers say: which parts are missing, where its
structure stops short, and which sentences blame, grade or guess. It warns and decides nothing; with `--strict` a
warning is exit code 1. Rules of language look at the grammar of a sentence: who acts, which verb, which mood.
Quotations, code, log lines and addresses are evidence, and are left alone; so are the names of owners and of those who
noted an entry.

**It is wrong here?** A comment with a reason silences a rule on a line, as for [`validate`](validate.md). In a text of
several lines it stands at its key, or above it, and holds for that text:

    went_poorly:
    - The vendor failed to call us back.  # incident-ops: ignore[negligence] their own words, from their report
    # incident-ops: ignore[hindsight] quoted from the review
    summary: |
      ...

**The ten quality gates** are passed when the rules behind them find nothing:

| gate | rules |
| --- | --- |
"""


def lint_page() -> str:
    """docs/postmortem-lint.md as a whole."""
    gates = [
        f"| {gate} | {', '.join(f'[`{name}`](#{name})' for name in LINT_RULES if name in of)} |"
        for gate, of in GATES.items()
    ]
    groups = [line for group in (LANGUAGE, STRUCTURE, COMPLETENESS) for line in _group(group)]
    sources = ["## Sources", "", *(f"- {text}" for text in SOURCES.values())]
    return HEAD + "\n".join([*gates, "", *groups, *sources]) + "\n"


def _group(group: str) -> Iterator[str]:
    yield from (f"## {group}", "")
    for rule in LINT_RULES.values():
        if rule.group == group:
            yield from (
                f"### {rule.id}",
                "",
                f"This {rule.reason}. {rule.why}",
                "",
                f"Instead: {_ended(rule.rewording)}",
                "",
            )
            if rule.before:
                yield from ("```text", f"before: {rule.before}", f"after:  {rule.after}", "```", "")
            cited = ", ".join(f"[{_short(SOURCES[name])}](#sources)" for name in rule.sources)
            level = "" if rule.level.value == "warning" else f" A {rule.level.value}: `--strict` lets it pass."
            yield from (f"Source: {cited}.{level}", "")


def _ended(text: str) -> str:
    return text if text.endswith(("?", ".", "'")) else f"{text}."


def _short(source: str) -> str:
    """`Sidney Dekker, 2014`."""
    author = source.partition(",")[0]
    year = re.search(r"\b(?:19|20)\d\d\b", source)
    return f"{author}, {year[0]}" if year else author
