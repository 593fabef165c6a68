"""Parts of a condition that could never act: every one of them reads like a rule, and would be none.

A result without data (NaN, an infinity, null, nothing) is neither a success nor, but for the failure condition, a
failure. So a success condition never sees one, and asking it for one says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from incident_ops.canary.condition_value import ORDERED
from incident_ops.canary.condition_words import NUMBER, TEXT
from incident_ops.canary.conditions import BINARY, CALL, INDEX, WORD, Condition, ConditionNode, arguments_of, nodes_of
from incident_ops.domain.metric_kinds import MetricKind
from incident_ops.findings import did_you_mean

_ASKS_FOR_DATA = ("isNaN", "isInf", "isNil", "default")
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

ConditionFault = tuple[int, str, str]
"""Column, what is wrong, how to fix it."""


def inert_parts(
    condition: Condition, source: MetricKind, known: Mapping[str, object], *, is_success: bool
) -> Iterator[ConditionFault]:
    """What of a condition could never act; `known` are the arguments of the file."""
    for node in arguments_of(condition):
        if node.text not in known:
            hint = did_you_mean(node.text, known) or f"add it there: name: {node.text}"
            yield node.column, f"argument {node.text!r} is not in spec.args", hint
    for node in nodes_of(condition):
        if is_success and node.kind == CALL and node.text in _ASKS_FOR_DATA and not _looks_inside(node.parts[0]):
            message = f"{node.text} never acts in a successCondition: a result without data is never a success"
            yield node.column, message, _way(source)
        elif is_success and _is_settled(node):
            message = "a successCondition never sees an empty result: without data it is never a success"
            yield node.column, message, _way(source)
        elif _asks_for_nil(node) and (is_success or not source.gives_nil):
            message = "a comparison with nil never acts here: where there is no data there is nothing to compare"
            yield node.column, message, _way(source)
        elif not is_success and not source.gives_nil and node.kind == CALL and node.text in ("isNil", "default"):
            why = f"{source.name} gives nothing at all where it has no data, and no nil"
            yield node.column, f"{node.text} never acts here: {why}", "write len(result) == 0, or set onNoData: fail"


def _way(source: MetricKind) -> str:
    if source.is_promql:
        return "add `or vector(0)` to the query where nothing means 0, or use onNoData or failureCondition"
    return "let the query give 0 where nothing means 0, or use onNoData or failureCondition"


def _looks_inside(node: ConditionNode) -> bool:
    """Whether a value of a mapping is meant: one of its values may be missing where the others are there."""
    return any(one.kind == INDEX and one.parts[1].kind == TEXT for one in _below(node))


def _below(node: ConditionNode) -> Iterator[ConditionNode]:
    yield node
    for part in node.parts:
        yield from _below(part)


def _asks_for_nil(node: ConditionNode) -> bool:
    if node.kind != BINARY or node.text not in ("==", "!="):
        return False
    return any(part.kind == WORD and part.text == "nil" for part in node.parts) and not _looks_inside(node)


def _is_settled(node: ConditionNode) -> bool:
    """Whether a comparison of len(result) with a number is the same for every result that is not empty."""
    if node.kind != BINARY or node.text not in ORDERED:
        return False
    left, right, sign = *node.parts, node.text
    if left.kind == NUMBER:
        left, right, sign = right, left, _MIRRORED[sign]
    if left.kind != CALL or left.text != "len" or right.kind != NUMBER or _looks_inside(left):
        return False
    limit, order = float(right.text), ORDERED[sign]
    return len({order(length, limit) for length in (1.0, 2.0, limit, limit + 1, limit + 2) if length >= 1}) == 1
