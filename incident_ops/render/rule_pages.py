"""The documentation of rules: one rule for `validate --explain`, all of them for docs/rules.md."""

from __future__ import annotations

from incident_ops import rules
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.file_findings import FAULTS, fault_level
from incident_ops.rules import RuleDoc, policy

RECORD_GROUP, POLICY_GROUP, READING_GROUP = "Records", "Policy", "Reading and schema"


def catalogue() -> dict[str, dict[str, RuleDoc]]:
    """Every rule by id, by the group it belongs to."""
    about_policy = {rule.ID: RuleDoc(rule.ID, (rule.LEVEL,), doc=(rule.__doc__ or "").strip()) for rule in policy.RULES}
    about_reading = {name: RuleDoc(name, (fault_level(name),), doc=text) for name, text in FAULTS.items()}
    return {RECORD_GROUP: dict(rules.CATALOGUE), POLICY_GROUP: about_policy, READING_GROUP: about_reading}


def rule_page(rule_id: str) -> str:
    """The documentation of one rule as plain text. UserError for an unknown id."""
    rules_by_id = {name: rule for group in catalogue().values() for name, rule in group.items()}
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
        what = "what must hold" if title == RECORD_GROUP else "what was found"
        lines += [f"## {title}", "", f"| rule | level | needs base? | needs other records? | clock? | {what} |"]
        lines.append("| --- | --- | --- | --- | --- | --- |")
        for name in sorted(group):
            rule = group[name]
            flags = " | ".join("yes" if flag else "no" for flag in (rule.needs_base, rule.needs_others, rule.timed))
            sentence = rule.sentence.replace("|", "\\|")
            lines.append(f"| `{name}` | {', '.join(rule.levels)} | {flags} | {sentence} |")
        lines.append("")
    return "\n".join(lines)


def page() -> str:
    """docs/rules.md as a whole."""
    return (
        "# Rules of `validate` and `policy lint`\n\n"
        "Made by `incident_ops.render.rule_pages`; `incident-ops validate --explain RULE` prints one rule in full.\n"
        "Only errors decide the exit code. A rule with a clock looks at the time; none turns from fine to error\n"
        "because time passes.\n\n" + rule_table()
    )
