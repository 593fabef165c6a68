"""A triage decision as lines or JSON, and what the levels of a policy mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.triage import Decision
from incident_ops.render.findings import inert
from incident_ops.render.text import DEFAULT_WIDTH, fold


def decision_lines(decision: Decision) -> Iterator[str]:
    """Why this level: the rule or the assumption, and which answers would lead to a worse one."""
    if decision.rule_number is None:
        yield f"assumed: {decision.reason}"
    else:
        yield decision.reason
        if decision.assumption:
            yield f"assumed: {decision.assumption}"
    for one in decision.open:
        yield f"open question: {one.answer} -> {one.level}{f' and {one.major}' if one.major else ''}"


def decision_data(decision: Decision) -> dict[str, Any]:
    """The same for a program."""
    head = {"level": decision.level, "major": decision.major}
    rule = {"rule": decision.rule_number, "rule_text": decision.rule_text}
    note = "; ".join(line for line in decision_lines(decision) if line != decision.reason)
    rest = {"assumed": decision.assumed, "worst": decision.worst, "note": note, "reason": decision.reason}
    return {**head, **rule, **rest, "open": [one._asdict() for one in decision.open]}


def level_lines(policy: Policy, width: int = DEFAULT_WIDTH) -> Iterator[str]:
    """Every level, worst first: its label, what it means, and examples of it."""
    for level in (*sorted(policy.levels, key=_rank), *sorted(policy.scheme.major, key=_rank)):
        yield inert(f"{level.id}: {level.label}" if level.label != level.id else f"{level.id}: for major incidents")
        yield from (wrapped(inert(line), width) for line in meaning(level))


def meaning(level: LevelPolicy | None) -> Iterator[str]:
    """What the policy says of a level: its definition, and examples of it."""
    if level is not None and level.definition:
        yield level.definition
    if level is not None and level.examples:
        yield f"for example: {'; '.join(level.examples)}"


def wrapped(line: str, width: int = DEFAULT_WIDTH) -> str:
    """A line below a heading, broken where it is longer than `width` columns."""
    return "\n".join(fold(line, "  ", "    ", width))


def _rank(level: LevelPolicy) -> int:
    return level.rank
