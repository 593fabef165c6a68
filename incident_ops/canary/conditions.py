"""The conditions of threshold metrics: text -> a tree. A small language, never handed to `eval`.

    or and not (also || && !)      < <= > >= == != in      + - * / %      result[0] result["a"] result.a
    isNaN(x) isInf(x) isNil(x) len(x) default(x, y) asInt(x) asFloat(x)
    all(result, # < 0.5) any(result, # > 2)      `#` is the element; braces around the inner condition are allowed
    result in [1, 2]      {{args.NAME}} stands for the value of an argument: a number, or else a text

It is split into words (`condition_words`), read by Python's own `ast`, and of what that finds only the parts above are
taken. What a condition means is in `condition_value`. Length, depth and size of the tree are limited, so that no gate
file can keep a run busy.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from incident_ops.canary.condition_words import (
    ARGUMENT,
    LOGIC,
    NUMBER,
    RESULT,
    TEXT,
    ConditionError,
    ConditionWords,
    Token,
    condition_words,
    limit_depth,
    not_understood,
    should_end,
)
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

MAX_LENGTH = 1000

FUNCTIONS = {"isNaN": 1, "isInf": 1, "isNil": 1, "len": 1, "default": 2, "asInt": 1, "asFloat": 1}
"""Name -> number of arguments."""
QUANTIFIERS = ("all", "any")
RESULT_ITEM, WORD = "item", "word"
INDEX, CALL, EACH, UNARY, BINARY = "index", "call", "each", "unary", "binary"
LIST = "list"
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "in")

_WORDS = ("true", "false", "nil")

_SLOT = re.compile(r"\{\{\s*args\.([A-Za-z0-9._-]+)\s*\}\}", re.ASCII)
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_ELSEWHERE = frozenset(("max", "min", "sum", "mean", "median", "count", "abs", "round", "floor", "ceil"))


class ConditionNode(NamedTuple):
    """A part of a condition; `text` is the operator, name, number or text that it is."""

    kind: str
    text: str
    column: int
    parts: tuple[ConditionNode, ...] = ()


class Condition(NamedTuple):
    """A condition as written, and its tree."""

    text: str
    tree: ConditionNode


def parse_condition(text: str) -> Condition:
    """The condition that `text` is. ConditionError with the column where it is not one, or ignores the result."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"the condition has {len(text):,} characters, at most {MAX_LENGTH:,} are allowed", 1)
    tree = _tree(list(condition_words(text)))
    if not _is_condition(tree):
        raise ConditionError("this is a value, not a condition", tree.column, "compare it, e.g. result < 0.01")
    if not any(node.kind == RESULT for node in _nodes(tree)):
        raise ConditionError("the condition never looks at the result", tree.column, "e.g. result < 0.01")
    return Condition(text, tree)


def _tree(tokens: list[Token]) -> ConditionNode:
    source = ConditionWords(tokens)
    if (expression := source.parsed()) is not None:
        return _Reader(source).read(expression)
    place, before = source.first_wrong()
    wrong = source.wrong_at(place)
    begun = ConditionWords(before)
    if (expression := begun.parsed()) is not None:
        try:
            _Reader(begun).read(expression)
        except ConditionError as earlier:
            if earlier.column < wrong.column:
                raise
    raise wrong


def arguments_of(condition: Condition) -> list[ConditionNode]:
    """The places of a condition where the value of an argument stands; the name is their text."""
    return [node for node in _nodes(condition.tree) if node.kind == ARGUMENT]


def fill_condition(condition: Condition, values: Mapping[str, str | None]) -> Condition:
    """The condition with the values of its arguments, as numbers where they are some. UserError for a missing one."""

    def value_of(name: str) -> str:
        if (value := values.get(name)) is None:
            raise UserError(f"argument {name!r} has no value", hint=f"give it: --arg {name}=VALUE")
        return value if _NUMBER.fullmatch(value) else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    if not arguments_of(condition):
        return condition
    return Condition(_SLOT.sub(lambda slot: value_of(slot[1]), condition.text), _filled(condition.tree, value_of))


def _filled(node: ConditionNode, value_of: Callable[[str], str]) -> ConditionNode:
    if node.kind == ARGUMENT:
        value = value_of(node.text)
        return node._replace(kind=TEXT if value.startswith('"') else NUMBER, text=value)
    return node._replace(parts=tuple(_filled(part, value_of) for part in node.parts))


def nodes_of(condition: Condition) -> Iterator[ConditionNode]:
    """All parts of a condition."""
    return _nodes(condition.tree)


def _nodes(node: ConditionNode) -> Iterator[ConditionNode]:
    yield node
    for part in node.parts:
        yield from _nodes(part)


def _is_condition(node: ConditionNode) -> bool:
    """False for what can only be a number or a text."""
    if node.kind in (NUMBER, TEXT, RESULT, LIST, ARGUMENT):
        return False
    if node.kind == BINARY:
        return node.text in COMPARISONS or node.text in LOGIC
    if node.kind == UNARY:
        return node.text == "not"
    return node.kind != CALL or node.text.startswith("is") or node.text == "default"


_LOOSE = (ast.Compare, ast.BoolOp)
"""What stands inside a list in parentheses only, beside `not`."""


def _node(kind: str, token: Token, *parts: ConditionNode) -> ConditionNode:
    return ConditionNode(kind, token.text, token.column, parts)


class _Reader:
    """Takes of Python's expressions what a condition may have, and refuses everything else."""

    def __init__(self, source: ConditionWords) -> None:
        self._source, self._tokens = source, source.tokens
        self._closures, self._signs = 0, 0

    def read(self, node: ast.expr) -> ConditionNode:
        """The part of a condition that an expression is. ConditionError where a condition has no such part."""
        token = self._tokens[self._source.first(node)]
        limit_depth(self._source.depths[self._source.first(node)] + self._signs, token)
        match node:
            case ast.Constant():
                return self._literal(token)
            case ast.Name():
                return self._named(token)
            case ast.BoolOp():
                return self._row(node.values)
            case ast.BinOp():
                return self._binary(node.left, node.right)
            case ast.Compare():
                return self._comparison(node)
            case ast.UnaryOp():
                return self._unary(node, token)
            case ast.Attribute() | ast.Subscript():
                return self._picked(node)
            case ast.Call():
                return self._call(node)
            case ast.List():
                return self._list(node, token)
        raise self._refused(node, token)

    def _refused(self, node: ast.expr, token: Token) -> ConditionError:
        """A tuple is wrong at its comma, what is empty at its end, everything else where it begins."""
        last = self._source.last(node)
        if isinstance(node, ast.Dict) or (isinstance(node, ast.Tuple) and not node.elts):
            return not_understood(self._tokens[last])
        if not isinstance(node, ast.Tuple) or isinstance(node.elts[0], ast.Starred):
            return not_understood(token)
        self.read(node.elts[0])
        places = range(self._source.last(node.elts[0]), last + 1)
        return self._source.wrong_at(next(place for place in places if self._tokens[place].text == ","))

    def _row(self, values: list[ast.expr]) -> ConditionNode:
        left = self.read(values[0])
        for value in values[1:]:
            operator = self._tokens[self._source.operator(value)]
            left = _node(BINARY, operator, left, self.read(value))
        return left

    def _binary(self, left: ast.expr, right: ast.expr) -> ConditionNode:
        operator = self._tokens[self._source.operator(right)]
        return _node(BINARY, operator, self.read(left), self.read(right))

    def _comparison(self, node: ast.Compare) -> ConditionNode:
        both = self._binary(node.left, node.comparators[0])
        if isinstance(node.ops[0], ast.NotIn):
            denied = self._tokens[self._source.operator(node.comparators[0]) - 1]
            both = _node(UNARY, denied, both)
        if len(node.ops) > 1:
            place = self._source.operator(node.comparators[1]) - isinstance(node.ops[1], ast.NotIn)
            raise ConditionError("comparisons do not chain", self._tokens[place].column, "write a < b and b < c")
        return both

    def _unary(self, node: ast.UnaryOp, token: Token) -> ConditionNode:
        self._signs += 1
        limit_depth(self._source.depths[self._source.first(node)] + self._signs, token)
        inner = self.read(node.operand)
        self._signs -= 1
        return _node(UNARY, token, inner)

    def _picked(self, node: ast.Attribute | ast.Subscript) -> ConditionNode:
        of, last = self.read(node.value), self._source.last(node)
        if isinstance(node, ast.Subscript):
            opened = self._tokens[self._source.opener[last]]
            return _node(INDEX, opened, of, self.read(node.slice))
        dot, name = self._tokens[last - 1], self._tokens[last]
        return _node(INDEX, dot, of, _node(TEXT, name))

    def _literal(self, token: Token) -> ConditionNode:
        if token.kind == NUMBER and float(token.text) == math.inf:
            raise ConditionError(f"{token.text} is too large a number", token.column)
        if token.kind == TEXT and _SLOT.search(token.text):
            raise ConditionError("an argument in quotes is only text", token.column, "write {{args.NAME}} without them")
        if token.kind == ARGUMENT and (slot := _SLOT.fullmatch(token.text)):
            token = token._replace(text=slot[1])
        return _node(token.kind, token)

    def _list(self, node: ast.List, token: Token) -> ConditionNode:
        if not node.elts:
            raise not_understood(self._tokens[self._source.last(node)])
        return _node(LIST, token, *(self._element(one, node) for one in node.elts))

    def _element(self, node: ast.expr, within: ast.List) -> ConditionNode:
        """An element of a list: logic and comparisons stand there in parentheses only."""
        loose: int | None = None
        while self._tokens[self._source.first(node) - 1].text != "(" and isinstance(node, _LOOSE):
            left, right = node.values[:2] if isinstance(node, ast.BoolOp) else (node.left, node.comparators[0])
            denied = isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn)
            node, loose = left, self._source.operator(right) - denied
        place = self._source.first(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and self._tokens[place - 1].text != "(":
            raise not_understood(self._tokens[place])
        found = self.read(node)
        if loose is not None:
            raise self._source.expected(self._source.first(within), loose)
        return found

    def _named(self, token: Token) -> ConditionNode:
        if token.text == "#":
            if not self._closures:
                raise not_understood(token)
            return _node(RESULT_ITEM, token)
        if token.text == RESULT:
            return _node(RESULT, token)
        if token.text in _WORDS:
            return _node(WORD, token)
        self._demand_known(token)
        raise ConditionError(f"{token.text} is a function", token.column, f"write {token.text}(result)")

    def _demand_known(self, token: Token) -> None:
        known = (*FUNCTIONS, *QUANTIFIERS)
        if token.text not in known:
            hint = did_you_mean(token.text, (RESULT, *_WORDS, *LOGIC, *known))
            if token.text in _ELSEWHERE:
                hint = f"let the query do it, e.g. {token.text}(...) around it"
            raise ConditionError(f"{token.text!r} is not known here", token.column, hint)

    def _call(self, node: ast.Call) -> ConditionNode:
        place, opened = self._source.first(node.func), self._source.opener[self._source.last(node)]
        token = self._tokens[place]
        if not isinstance(node.func, ast.Name) or token.text in (RESULT, "#", *_WORDS):
            self.read(node.func)
            raise should_end(self._tokens[opened])
        self._demand_known(token)
        if opened != place + 1:
            raise ConditionError(f"{token.text} is a function", token.column, f"write {token.text}(result)")
        if not node.args:
            raise not_understood(self._tokens[opened + 1])
        return self._each(node, token) if token.text in QUANTIFIERS else self._function(node, token)

    def _function(self, node: ast.Call, token: Token) -> ConditionNode:
        arguments, wanted = [self.read(argument) for argument in node.args], FUNCTIONS[token.text]
        if len(arguments) != wanted and self._is_closed(node):
            message = f"{token.text} takes {wanted} value{'s' * (wanted > 1)}, here are {len(arguments)}"
            raise ConditionError(message, token.column)
        return _node(CALL, token, *arguments)

    def _is_closed(self, node: ast.Call) -> bool:
        """False where the bracket of a call is not written, but only what would bring it to an end."""
        return self._tokens[self._source.last(node)].column < self._tokens[-1].column

    def _each(self, node: ast.Call, token: Token) -> ConditionNode:
        over = self.read(node.args[0])
        if len(node.args) == 1 and not self._is_closed(node):
            return over
        if len(node.args) != 2:
            raise ConditionError(f"{token.text} takes 2 values, here are {len(node.args)}", token.column)
        inner = node.args[1]
        if (
            isinstance(inner, ast.Set)
            and len(inner.elts) == 1
            and self._tokens[self._source.first(inner) - 1].text == ","
        ):
            inner = inner.elts[0]
        self._closures += 1
        condition = self.read(inner)
        self._closures -= 1
        return _node(EACH, token, over, condition)
