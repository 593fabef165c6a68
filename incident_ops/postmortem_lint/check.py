"""A record put to every rule of `postmortem lint`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from incident_ops.domain.incident import Incident
from incident_ops.domain.item_due import item_due
from incident_ops.domain.policy import Policy
from incident_ops.findings import Finding, Where
from incident_ops.postmortem_lint.catalogue import LANGUAGE, LINT_RULES
from incident_ops.postmortem_lint.completeness import completeness_remarks
from incident_ops.postmortem_lint.language import remarks_on
from incident_ops.postmortem_lint.remarks import Remark
from incident_ops.postmortem_lint.structure import structure_remarks
from incident_ops.postmortem_lint.texts import named_people, record_texts
from incident_ops.postmortem_lint.ways import WAYS


def lint_record(data: Mapping[str, Any], incident: Incident, policy: Policy) -> Iterator[Remark]:
    """What the rules say of a record: of its completeness, its structure and its language."""

    def has_due(index: int, _item: Mapping[str, Any]) -> bool:
        return item_due(incident.action_items[index], incident, policy) is not None

    yield from completeness_remarks(data, incident)
    yield from structure_remarks(data, has_due)
    people = named_people(data)
    for text in record_texts(data):
        yield from remarks_on(text, people)


def to_finding(remark: Remark, file: str) -> Finding:
    """A remark as a finding of its file, its place still by route."""
    rule = LINT_RULES[remark.rule]
    return Finding(
        rule.id, rule.level, Where(file, remark.route), message_of(remark), hint_of(remark, file.split("/")[-2])
    )


def message_of(remark: Remark) -> str:
    """What is wrong: the sentence or item, and the reason."""
    rule = LINT_RULES[remark.rule]
    about = f": {remark.sentence!r}" if remark.sentence else ""
    if rule.group == LANGUAGE:
        return f"this {rule.reason} ({remark.detail!r}){about}"
    return f"this {rule.reason}{about or (f': {remark.detail}' if remark.detail else '')}"


def hint_of(remark: Remark, incident: str) -> str:
    """How to say or complete it, what to type for that, and where it is explained; `incident` by id."""
    rule = LINT_RULES[remark.rule]
    parts = [rule.rewording, *([WAYS[rule.id].format(id=incident)] if rule.id in WAYS else [])]
    return f"{'; '.join(parts)}; why: `incident-ops validate --explain {rule.id}`"
