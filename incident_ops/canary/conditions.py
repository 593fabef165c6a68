"""The conditions of threshold metrics: text -> a tree. A small language, read by hand and never handed to `eval`.

    or and not (also || && !)      < <= > >= == != in      + - * / %      result[0] result["a"] result.a
    isNaN(x) isInf(x) isNil(x) len(x) default(x, y) asInt(x) asFloat(x)
    all(result, # < 0.5) any(result, # > 2)      `#` is the element; braces around the inner condition are allowed
    result in [1, 2]      {{args.NAME}} stands for the value of an argument: a number, or else a text

What a condition means is in `condition_value`. Length, depth and size of the tree are limited, so that no gate file
can keep a run busy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

MAX_LENGTH = 1000
MAX_CONDITION_DEPTH = 32
MAX_NODES = 200

FUNCTIONS = {"isNaN": 1, "isInf": 1, "isNil": 1, "len": 1, "default": 2, "asInt": 1, "asFloat": 1}
"""Name -> number of arguments."""
QUANTIFIERS = ("all", "any")
RESULT, RESULT_ITEM, NUMBER, TEXT, WORD = "result", "item", "number", "text", "word"
INDEX, CALL, EACH, UNARY, BINARY = "index", "call", "each", "unary", "binary"
LIST, ARGUMENT = "list", "argument"
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "in")
LOGIC = ("and", "or", "not")

_BLANKS = " \t\n\r\f\v"
_SPELT = {"&&": "and", "||": "or", "!": "not"}
_WORDS = ("true", "false", "nil")
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<argument>\{\{\s*args\.[A-Za-z0-9._-]+\s*\}\})
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z_0-9.])
    | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<text>"(?:[^"\\]|\\["\\])*"|'(?:[^'\\]|\\['\\])*')
    | (?P<sign><=|>=|==|!=|&&|\|\||[-<>!+*/%()\[\]{},.\#])
    )""",
    re.ASCII | re.VERBOSE,
)


_SLOT = re.compile(r"\{\{\s*args\.([A-Za-z0-9._-]+)\s*\}\}", re.ASCII)
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_ELSEWHERE = frozenset(("max", "min", "sum", "mean", "median", "count", "abs", "round", "floor", "ceil"))


class ConditionError(Exception):
    """A condition that cannot be read, or that does not fit the result; `column` counts from 1, 0 = not known."""

    def __init__(self, message: str, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.column, self.hint = message, column, hint

    def __str__(self) -> str:
        """One line: column, what, how to fix it."""
        place = f"column {self.column}: " if self.column else ""
        return f"{place}{self.message}{f' ({self.hint})' if self.hint else ''}"


class Token(NamedTuple):
    """A word of a condition; `kind` is number, name, text, sign or end."""

    kind: str
    text: str
    column: int


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
    tree = _Reader(list(_tokens(text))).whole()
    if not _is_condition(tree):
        raise ConditionError("this is a value, not a condition", tree.column, "compare it, e.g. result < 0.01")
    if not any(node.kind == RESULT for node in _nodes(tree)):
        raise ConditionError("the condition never looks at the result", tree.column, "e.g. result < 0.01")
    return Condition(text, tree)


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


def _tokens(text: str) -> Iterator[Token]:
    at, end = 0, len(text.rstrip(_BLANKS))
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            start = len(text) - len(text[at:].lstrip(_BLANKS))
            raise ConditionError(f"{text[start : start + 10]!r} is not understood here", start + 1, _meant(text[start]))
        kind = match.lastgroup or ""
        yield Token(kind, _SPELT.get(match[kind], match[kind]), match.start(kind) + 1)
        at = match.end()
    yield Token("end", "", end + 1)


def _meant(char: str) -> str:
    return _MEANT.get(char, "")


_MEANT = {
    "=": "equality is ==",
    "&": "write and",
    "|": "write or",
    '"': "the quote is not closed",
    "?": "write (a and b) or (not a and c) for a ? b : c",
}


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


class _Reader:
    """Reads tokens from left to right; one method a level of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at, self._depth, self._size, self._closures = tokens, 0, 0, 0, 0

    def whole(self) -> ConditionNode:
        """The tree of all tokens."""
        tree = self._either()
        if self._now.kind != "end":
            raise ConditionError(f"{self._now.text!r} where the condition should end", self._now.column)
        return tree

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    @property
    def _next_is_in(self) -> bool:
        return self._now.text == "not" and self._tokens[self._at + 1].text == "in"

    def _take(self, *wanted: str) -> Token | None:
        token = self._now
        if token.kind not in ("sign", "name") or token.text not in wanted:
            return None
        self._at += 1
        return token

    def _need(self, sign: str, opened: Token) -> None:
        if self._take(sign) is None:
            found = repr(self._now.text) if self._now.text else "the end"
            where = f"{opened.text!r} of column {opened.column}"
            raise ConditionError(f"expected {sign!r} after {where}, found {found}", self._now.column)

    def _node(self, kind: str, token: Token, *parts: ConditionNode) -> ConditionNode:
        self._size += 1
        if self._size > MAX_NODES:
            raise ConditionError(f"the condition has more than {MAX_NODES} parts", token.column, "make it simpler")
        return ConditionNode(kind, token.text, token.column, parts)

    @contextmanager
    def _deeper(self, token: Token) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_CONDITION_DEPTH:
            raise ConditionError(
                f"the condition is nested deeper than {MAX_CONDITION_DEPTH}", token.column, "make it simpler"
            )
        yield
        self._depth -= 1

    def _row(self, operators: tuple[str, ...], operand: Callable[[], ConditionNode]) -> ConditionNode:
        left = operand()
        while token := self._take(*operators):
            left = self._node(BINARY, token, left, operand())
        return left

    def _either(self) -> ConditionNode:
        return self._row(("or",), self._both)

    def _both(self) -> ConditionNode:
        return self._row(("and",), self._negated)

    def _negated(self) -> ConditionNode:
        if (token := self._take("not")) is None:
            return self._comparison()
        with self._deeper(token):
            return self._node(UNARY, token, self._negated())

    def _comparison(self) -> ConditionNode:
        left = self._sum()
        denied = self._take("not") if self._next_is_in else None
        if (token := self._take(*COMPARISONS)) is None:
            return left
        both = self._node(BINARY, token, left, self._sum())
        if denied is not None:
            both = self._node(UNARY, denied, both)
        if chained := self._take(*COMPARISONS):
            raise ConditionError("comparisons do not chain", chained.column, "write a < b and b < c")
        return both

    def _sum(self) -> ConditionNode:
        return self._row(("+", "-"), self._product)

    def _product(self) -> ConditionNode:
        return self._row(("*", "/", "%"), self._signed)

    def _signed(self) -> ConditionNode:
        if (token := self._take("-", "+")) is None:
            return self._picked(self._primary())
        with self._deeper(token):
            return self._node(UNARY, token, self._signed())

    def _picked(self, node: ConditionNode) -> ConditionNode:
        while token := self._take("[", "."):
            with self._deeper(token):
                if token.text == "[":
                    node = self._node(INDEX, token, node, self._either())
                    self._need("]", token)
                elif self._now.kind == "name":
                    node = self._node(INDEX, token, node, self._node(TEXT, self._next()))
                else:
                    raise ConditionError("expected a name after '.'", self._now.column)
        return node

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _primary(self) -> ConditionNode:
        token = self._next()
        if token.kind == "end":
            self._at -= 1
            raise ConditionError("the condition ends too early", token.column)
        if token.kind in (NUMBER, TEXT, ARGUMENT):
            return self._literal(token)
        if token.kind == "name":
            return self._named(token)
        if token.text == "(":
            with self._deeper(token):
                inner = self._either()
                self._need(")", token)
                return inner
        if token.text == "[":
            return self._list(token)
        if token.text == "#" and self._closures:
            return self._node(RESULT_ITEM, token)
        hint = {"#": "'#' is the element inside all(...) and any(...)", ".": "write #.NAME, or result.NAME"}
        raise ConditionError(f"{token.text!r} is not understood here", token.column, hint.get(token.text, ""))

    def _literal(self, token: Token) -> ConditionNode:
        if token.kind == NUMBER and float(token.text) == math.inf:
            raise ConditionError(f"{token.text} is too large a number", token.column)
        if token.kind == TEXT and _SLOT.search(token.text):
            raise ConditionError("an argument in quotes is only text", token.column, "write {{args.NAME}} without them")
        if token.kind == ARGUMENT and (slot := _SLOT.fullmatch(token.text)):
            token = token._replace(text=slot[1])
        return self._node(token.kind, token)

    def _list(self, token: Token) -> ConditionNode:
        with self._deeper(token):
            values = [self._sum()]
            while self._take(","):
                values.append(self._sum())
            self._need("]", token)
        return self._node(LIST, token, *values)

    def _named(self, token: Token) -> ConditionNode:
        if token.text == RESULT:
            return self._node(RESULT, token)
        if token.text in _WORDS:
            return self._node(WORD, token)
        known = (*FUNCTIONS, *QUANTIFIERS)
        if token.text not in known:
            hint = did_you_mean(token.text, (RESULT, *_WORDS, *LOGIC, *known))
            if token.text in _ELSEWHERE:
                hint = f"let the query do it, e.g. {token.text}(...) around it"
            raise ConditionError(f"{token.text!r} is not known here", token.column, hint)
        opened = self._take("(")
        if opened is None:
            raise ConditionError(f"{token.text} is a function", token.column, f"write {token.text}(result)")
        with self._deeper(token):
            return self._each(token, opened) if token.text in QUANTIFIERS else self._call(token, opened)

    def _call(self, token: Token, opened: Token) -> ConditionNode:
        wanted = FUNCTIONS[token.text]
        arguments = [self._either()]
        while self._take(","):
            arguments.append(self._either())
        self._need(")", opened)
        if len(arguments) != wanted:
            message = f"{token.text} takes {wanted} value{'s' * (wanted > 1)}, here are {len(arguments)}"
            raise ConditionError(message, token.column)
        return self._node(CALL, token, *arguments)

    def _each(self, token: Token, opened: Token) -> ConditionNode:
        over = self._either()
        self._need(",", opened)
        brace = self._take("{")
        self._closures += 1
        inner = self._either()
        self._closures -= 1
        if brace is not None:
            self._need("}", brace)
        self._need(")", opened)
        return self._node(EACH, token, over, inner)
