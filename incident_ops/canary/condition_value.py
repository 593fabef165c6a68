"""What a condition says of a result: true, false, or that there is no data to say it from.

A number that is NaN or infinite counts as no data, and so does what is computed from it: `or`, `and`, `all` and `any`
still decide where the rest is enough. Only a failure may be seen in an infinity (`takes_infinity`): what has no bound
is above every limit. Values of different kinds are not compared but refused.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from incident_ops.canary.condition_words import NUMBER, RESULT, TEXT, ConditionError
from incident_ops.canary.conditions import (
    COMPARISONS,
    EACH,
    INDEX,
    LIST,
    RESULT_ITEM,
    UNARY,
    WORD,
    Condition,
    ConditionNode,
)

MAX_STEPS = 100_000

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)

ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
}
_WORDS = {"true": True, "false": False, "nil": None}
_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "text", type(None): "nil", list: "a list"}


class NoData(Exception):
    """There is nothing to decide from; the text says what was found instead."""


def why_no_data(result: object) -> str:
    """Why a result has no data, "" where it has: null, NaN, infinite, empty, or a list with such a value."""
    if result is None:
        return "null"
    if isinstance(result, str | list | tuple | Mapping) and not result:
        return "empty"
    if isinstance(result, list | tuple):
        return next((f"{why} among the values" for value in result if (why := why_no_data(value))), "")
    if isinstance(result, float) and not math.isfinite(result):
        return "NaN" if math.isnan(result) else "infinite"
    return ""


def is_true(condition: Condition, result: object, *, takes_infinity: bool = False) -> bool:
    """Whether the condition is true of `result`: numbers, text, lists and mappings as JSON has them.

    NoData where the data that it needs is not there; ConditionError where it does not fit the result.
    `takes_infinity`: an infinity is compared as a number, and not as no data.
    """
    return _truth(_Evaluation(result, takes_infinity), condition.tree, None)


class _Evaluation:
    """One evaluation: the result, whether infinities are compared, and the steps left."""

    def __init__(self, result: object, takes_infinity: bool) -> None:
        self.result, self.takes_infinity, self._left = result, takes_infinity, MAX_STEPS

    def step(self, node: ConditionNode) -> None:
        """Counts one step."""
        self._left -= 1
        if self._left < 0:
            raise ConditionError("the result is too large for this condition", node.column, "aggregate in the query")


def _truth(run: _Evaluation, node: ConditionNode, item: object) -> bool:
    value = _value(run, node, item)
    if not isinstance(value, bool):
        raise ConditionError(f"{_kind(value)} is not a condition", node.column, "compare it, e.g. result < 0.01")
    return value


def _value(run: _Evaluation, node: ConditionNode, item: object) -> Any:
    run.step(node)
    if node.kind == NUMBER:
        return float(node.text)
    if node.kind == TEXT:
        return _unquoted(node.text)
    if node.kind == WORD:
        return _WORDS[node.text]
    if node.kind in (RESULT, RESULT_ITEM):
        return run.result if node.kind == RESULT else item
    if node.kind == INDEX:
        return _picked(_value(run, node.parts[0], item), _value(run, node.parts[1], item), node)
    if node.kind == EACH:
        return _each(run, node, item)
    if node.kind == UNARY:
        return _unary(run, node, item)
    if node.text in ("and", "or"):
        return _decided(run, ((part, item) for part in node.parts), node.text == "or")
    values = [_value(run, part, item) for part in node.parts]
    if node.kind == LIST:
        return values
    if node.text == "in":
        return _contained(run, node, *values)
    if node.text in COMPARISONS:
        return _compared(run, node, *values)
    return _computed(node, *values) if node.text in _ARITHMETIC else _called(node, values)


def _decided(run: _Evaluation, parts: Iterable[tuple[ConditionNode, object]], deciding: bool) -> bool:
    """`deciding` as soon as one of (condition, element) is it; NoData where none is and one has no data."""
    unknown: NoData | None = None
    for part, item in parts:
        try:
            if _truth(run, part, item) is deciding:
                return deciding
        except NoData as error:
            unknown = unknown or error
    if unknown is not None:
        raise unknown
    return not deciding


def _each(run: _Evaluation, node: ConditionNode, item: object) -> bool:
    over, inner = node.parts
    values = _value(run, over, item)
    if not isinstance(values, list | tuple):
        raise ConditionError(f"{node.text} needs a list, not {_kind(values)}", over.column)
    if not values:
        raise NoData("empty")
    return _decided(run, ((inner, value) for value in values), node.text == "any")


def _unary(run: _Evaluation, node: ConditionNode, item: object) -> Any:
    if node.text == "not":
        return not _truth(run, node.parts[0], item)
    number = _number(_value(run, node.parts[0], item), node.parts[0])
    return -number if node.text == "-" else number


def _picked(value: object, key: object, node: ConditionNode) -> Any:
    if isinstance(value, list | tuple) and isinstance(key, float | int) and not isinstance(key, bool):
        if not value:
            raise NoData("empty")
        if key != math.floor(key) or not 0 <= key < len(value):
            raise ConditionError(f"there is no element {key:g}: the list has {len(value)}", node.column)
        return value[int(key)]
    if isinstance(value, Mapping) and isinstance(key, str):
        if key not in value:
            raise ConditionError(f"there is no {key!r} in the result", node.column)
        return value[key]
    raise ConditionError(f"{_kind(value)} has no element {key!r}", node.column)


def _alone(value: object) -> object:
    """A list of one value stands for the value: what a query of one series gives."""
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def _number(value: object, node: ConditionNode) -> float:
    value = _alone(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        if isinstance(value, list | tuple):
            _refuse_list(value, node)
        if value is None:
            raise NoData("null")
        raise ConditionError(f"{_kind(value)} is not a number", node.column)
    return _finite(value)


def _refuse_list(value: list[Any] | tuple[Any, ...], node: ConditionNode) -> NoReturn:
    if not value:
        raise NoData("empty")
    raise ConditionError(f"this is a list of {len(value)} values", node.column, "e.g. all(result, # < 0.01)")


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise NoData("infinite") from None
    if not math.isfinite(number):
        raise NoData("NaN" if math.isnan(number) else "infinite")
    return number


def _contained(run: _Evaluation, node: ConditionNode, left: object, right: object) -> bool:
    if not isinstance(right, list | tuple):
        raise ConditionError(f"in needs a list, not {_kind(right)}", node.column, "e.g. result in [1, 2]")
    same = node._replace(text="==")
    found = [_compared(run, same, left, value) for value in right]  # all of them, so that each has to fit
    return any(found)


def _compared(run: _Evaluation, node: ConditionNode, left: object, right: object) -> bool:
    order, (left, right) = ORDERED[node.text], (_alone(left), _alone(right))
    if node.text in ("==", "!=") and (left is None or right is None):
        return order(left, right)
    same = type(left) if isinstance(left, str | bool) else None
    if same is not None and isinstance(right, same) and (same is str or node.text in ("==", "!=")):
        return order(left, right)
    if isinstance(left, str | bool) or isinstance(right, str | bool):
        raise ConditionError(f"{_kind(left)} and {_kind(right)} cannot be compared with {node.text}", node.column)
    return order(*(_comparable(run, *pair) for pair in zip((left, right), node.parts, strict=True)))


def _comparable(run: _Evaluation, value: object, node: ConditionNode) -> float:
    is_infinite = isinstance(value, float) and math.isinf(value)
    return float(str(value)) if is_infinite and run.takes_infinity else _number(value, node)


def _computed(node: ConditionNode, left: object, right: object) -> float:
    first, second = _number(left, node.parts[0]), _number(right, node.parts[1])
    if second == 0 and node.text in ("/", "%"):
        raise NoData("a division by zero")
    return _finite(_ARITHMETIC[node.text](first, second))


def _called(node: ConditionNode, values: list[Any]) -> Any:
    value = _alone(values[0])
    match node.text:
        case "isNil":
            return value is None
        case "isNaN":
            return math.isnan(_float(value, node.parts[0]))
        case "isInf":
            return math.isinf(_float(value, node.parts[0]))
        case "default":
            return values[1] if value is None else value
        case "len" if isinstance(values[0], str | list | tuple | Mapping):
            return float(len(values[0]))
        case "len":
            raise ConditionError(f"{_kind(value)} has no length", node.column)
    number = _of_text(value, node) if isinstance(value, str) else _number(value, node.parts[0])
    if node.text == "asInt" and isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ConditionError(f"{value[:20]!r} is not a whole number", node.column, "asFloat takes it")
    return float(math.trunc(number)) if node.text == "asInt" else number


def _float(value: object, node: ConditionNode) -> float:
    """A number as it stands, NaN and the infinities among it."""
    return value if isinstance(value, float) else _number(value, node)


def _of_text(value: str, node: ConditionNode) -> float:
    try:
        return _finite(float(value))
    except ValueError:
        raise ConditionError(f"{value[:20]!r} is not a number", node.column) from None


def _unquoted(text: str) -> str:
    if text[0] not in "\"'":
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a mapping")
