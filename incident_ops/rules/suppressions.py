"""What people's comments suppress, and what is wrong with those comments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from incident_ops.domain.record import Silence
from incident_ops.findings import Finding
from incident_ops.rules import silence_reason, silence_unused


class SuppressedFinding(NamedTuple):
    """A finding that a person does not want to see, and why."""

    finding: Finding
    reason: str


def apply_suppressions(
    findings: Iterable[Finding],
    silences: Sequence[Silence],
    silenceable: Collection[str],
    every: Collection[str],
    unasked: Collection[str] = (),
) -> tuple[list[Finding], list[SuppressedFinding]]:
    """(what is left, with the findings about the comments themselves; what was suppressed).

    `silenceable` are the rules that may be suppressed, `unasked` those that may find something another time.
    """
    reasons = {
        (suppression.path, suppression.on, rule): suppression
        for suppression in silences
        if suppression.reason
        for rule in suppression.rules
    }
    left, silenced, used = [], [], set()
    for finding in findings:
        place = (finding.where.file, finding.where.line, finding.rule)
        by = reasons.get(place) if finding.rule in silenceable else None
        if by is None:
            left.append(finding)
        else:
            silenced.append(SuppressedFinding(finding, by.reason))
            used.add((by, finding.rule))
    for suppression in silences:
        left += silence_reason.check_silence(suppression)
        if suppression.reason:
            fine = {rule for rule in suppression.rules if rule in unasked or (suppression, rule) in used}
            left += silence_unused.check_silence(suppression, fine, silenceable, every)
    return left, silenced
