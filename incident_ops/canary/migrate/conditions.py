"""Conditions of Argo Rollouts (expr-lang) in the language of a gate: the same words, less what could never act here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from incident_ops.canary.condition_check import inert_parts
from incident_ops.canary.condition_value import ORDERED
from incident_ops.canary.condition_words import ARGUMENT, LOGIC, NUMBER, TEXT, ConditionError
from incident_ops.canary.conditions import (
    BINARY,
    CALL,
    EACH,
    INDEX,
    LIST,
    RESULT_ITEM,
    UNARY,
    WORD,
    ConditionNode,
    arguments_of,
    parse_condition,
)
from incident_ops.domain.metric_kinds import METRIC_KINDS

_QUOTED_ARGUMENT = re.compile(r"""(["'])(\{\{\s*args\.[A-Za-z0-9._-]+\s*\}\})\1""", re.ASCII)
_WAYS = {
    "filter": "any(result, CONDITION) says whether one does; how many do is for the query, e.g. count(... > 1)",
    "none": "write not any(result, CONDITION)",
    "one": "count in the query, e.g. count(... > 1) == 1",
    "map": "calculate in the query",
    "count": "count in the query, e.g. count(... > 1)",
    "max": "write all(result, # < LIMIT), or max(...) in the query",
    "min": "write all(result, # > LIMIT), or min(...) in the query",
    "sum": "sum in the query",
    "mean": "write avg(...) in the query",
    "median": "write quantile(0.5, ...) in the query",
    "float": "write asFloat(...)",
    "int": "write asInt(...)",
    "string": "compare with the text itself",
    "abs": "write abs(...) in the query",
    "matches": "compare with ==, or in [...]",
    "contains": "compare with ==, or in [...]",
    "let": "write the value where it is used",
}

TreeChange = Callable[[ConditionNode], ConditionNode]


class TranslatedCondition(NamedTuple):
    """The condition for a gate, what of it was left out, and the arguments it uses."""

    text: str
    left_out: tuple[str, ...]
    arguments: tuple[str, ...]


def translate_condition(
    text: str, provider: str, known: Mapping[str, object], *, is_success: bool, change: TreeChange | None = None
) -> TranslatedCondition:
    """The condition in the language of a gate. ConditionError with the way where that cannot be.

    `change` puts the result of another tool's source into the shape it has here, from the leaves up.
    """
    plain = _QUOTED_ARGUMENT.sub(r"\2", " ".join(text.split()))
    try:
        tree = parse_condition(plain).tree
    except ConditionError as error:
        raise ConditionError(error.message, error.column, _way(plain) or error.hint) from None
    changed = _changed(tree, change) if change else tree
    if changed != tree:
        plain = condition_text(changed)
    condition = parse_condition(plain)
    source = METRIC_KINDS[provider]
    inert = {column: hint for column, _, hint in inert_parts(condition, source, known, is_success=is_success)}
    left_out: list[str] = []
    if inert:
        folded = _folded(condition.tree, inert, left_out)
        if isinstance(folded, bool):
            raise ConditionError("nothing of it acts here", 0, next(iter(inert.values())))
        condition = parse_condition(condition_text(folded))
        for column, message, hint in inert_parts(condition, source, known, is_success=is_success):
            raise ConditionError(message, column, hint)
    return TranslatedCondition(condition.text, tuple(left_out), tuple(one.text for one in arguments_of(condition)))


def _way(text: str) -> str:
    for word, way in _WAYS.items():
        if re.search(rf"\b{word}\b(?=\s*\(|\s+[\"'A-Za-z])", text):
            return way
    return "write (a and b) or (not a and c) for a ? b : c" if "?" in text else ""


def _changed(node: ConditionNode, change: TreeChange) -> ConditionNode:
    return change(node._replace(parts=tuple(_changed(part, change) for part in node.parts)))


def _folded(node: ConditionNode, inert: Mapping[int, str], left_out: list[str]) -> ConditionNode | bool:
    """The tree without its inert parts; True or False where it always is that."""
    if node.column in inert and node.kind in (CALL, BINARY) and not (node.kind == BINARY and node.text in LOGIC):
        left_out.append(condition_text(node))
        return _settled(node)
    parts = [_folded(part, inert, left_out) for part in node.parts]
    if node.kind == UNARY and node.text == "not" and isinstance(parts[0], bool):
        return not parts[0]
    if node.kind == BINARY and node.text in ("and", "or"):
        deciding = node.text == "or"
        if any(part is deciding for part in parts):
            return deciding
        rest = [part for part in parts if not isinstance(part, bool)]
        if len(rest) < len(parts):
            return rest[0] if rest else not deciding
    return node._replace(parts=tuple(_as_node(part, node) for part in parts))


def _settled(node: ConditionNode) -> ConditionNode | bool:
    """What an inert part stands for where there is data."""
    if node.kind == CALL:
        return node.parts[0] if node.text == "default" else False
    left, right = node.parts
    if NUMBER in (left.kind, right.kind):
        # the same for every length: one is as good as any other
        values = [float(part.text) if part.kind == NUMBER else 1.0 for part in node.parts]
        return ORDERED[node.text](*values)
    return node.text == "!="


def _as_node(part: ConditionNode | bool, near: ConditionNode) -> ConditionNode:
    return part if isinstance(part, ConditionNode) else ConditionNode(WORD, str(part).lower(), near.column)


_STRENGTH = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
_COMPARED, _SIGN = 4, 7


def condition_text(node: ConditionNode, within: int = 0) -> str:
    """A tree as text, with the brackets it needs."""
    if node.kind == BINARY:
        own = _STRENGTH.get(node.text, _COMPARED)
        left, right = condition_text(node.parts[0], own), condition_text(node.parts[1], own + 1)
        if own == _COMPARED:
            left = condition_text(node.parts[0], own + 1)
        return _bracketed(f"{left} {node.text} {right}", own < within)
    if node.kind == UNARY:
        own = _STRENGTH["not"] if node.text == "not" else _SIGN
        space = " " if node.text == "not" else ""
        return _bracketed(f"{node.text}{space}{condition_text(node.parts[0], own)}", own < within)
    return _leaf_text(node)


def _bracketed(text: str, needed: bool) -> str:
    return f"({text})" if needed else text


def _leaf_text(node: ConditionNode) -> str:
    inner = [condition_text(part) for part in node.parts]
    match node.kind:
        case kind if kind == INDEX:
            over = condition_text(node.parts[0], _SIGN + 1)
            key = node.parts[1]
            is_name = key.kind == TEXT and key.text[:1] not in "\"'"
            return f"{over}.{inner[1]}" if is_name else f"{over}[{inner[1]}]"
        case kind if kind in (CALL, EACH):
            return f"{node.text}({', '.join(inner)})"
        case kind if kind == LIST:
            return f"[{', '.join(inner)}]"
        case kind if kind == ARGUMENT:
            return f"{{{{args.{node.text}}}}}"
        case kind if kind == RESULT_ITEM:
            return "#"
    return node.text
