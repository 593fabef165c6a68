"""What the comments of people silence, and what is wrong with those comments."""

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
    found: Iterable[Finding],
    silences: Sequence[Silence],
    silenceable: Collection[str],
    every: Collection[str],
    unasked: Collection[str] = (),
) -> tuple[list[Finding], list[SuppressedFinding]]:
    """(what is left with the findings about the comments themselves, what was silenced).

    `silenceable` are the rules that may be silenced, `unasked` those that may find something another time.
    """
    reasons = {(one.path, one.on, rule): one for one in silences if one.reason for rule in one.rules}
    left, silenced, used = [], [], set()
    for finding in found:
        place = (finding.where.file, finding.where.line, finding.rule)
        by = reasons.get(place) if finding.rule in silenceable else None
        if by is None:
            left.append(finding)
        else:
            silenced.append(SuppressedFinding(finding, by.reason))
            used.add((by, finding.rule))
    for one in silences:
        left += silence_reason.check_silence(one)
        if one.reason:
            fine = {rule for rule in one.rules if rule in unasked or (one, rule) in used}
            left += silence_unused.check_silence(one, fine, silenceable, every)
    return left, silenced
