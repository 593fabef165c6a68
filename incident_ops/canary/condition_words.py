"""The words of a condition: text -> words, and the words as an expression that Python's own `ast` can read.

Python never reads the text itself: each value and each name is a stand-in, so that no word of Python means anything. A
place in the expression is a word of the condition.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

MAX_CONDITION_DEPTH = 32
MAX_NODES = 200

RESULT, NUMBER, TEXT, ARGUMENT = "result", "number", "text", "argument"
LOGIC = ("and", "or", "not")

_BLANKS = " \t\n\r\f\v"
_SPELT = {"&&": "and", "||": "or", "!": "not"}
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


def condition_words(text: str) -> Iterator[Token]:
    """The words of a text, an empty one of kind end as the last. ConditionError where something is not one."""
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


_CLOSERS = {"(": ")", "[": "]", "{": "}"}


class ConditionWords:
    """The words of a condition as an expression of Python: signs as they are, every value and name as a stand-in.

    So nothing of the text itself is ever read by Python, and a place in the expression is a word of ours.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.opener = tokens, dict[int, int]()
        """By the place of a bracket that closes, that of the one it closes."""
        _limit_parts(tokens)
        self.depths = list(self._nested())
        self._spelled = [self._stand_in(place) for place in range(len(tokens) - 1)]
        ends = list(accumulate(len(piece) + 1 for piece in self._spelled))
        begins = (end - len(piece) - 1 for piece, end in zip(self._spelled, ends, strict=True))
        self._starts = {begin: place for place, begin in enumerate(begins)}
        self._ends = {end - 1: place for place, end in enumerate(ends)}

    def _nested(self) -> Iterator[int]:
        """How many brackets are open at each word, but for braces. ConditionError where they are too many."""
        opened: list[int] = []
        for place, token in enumerate(self.tokens):
            if token.kind == "sign" and token.text in _CLOSERS:
                opened.append(place)
            depth = sum(self.tokens[one].text != "{" for one in opened)
            limit_depth(depth, token)
            yield depth
            if token.kind == "sign" and opened and token.text == _CLOSERS[self.tokens[opened[-1]].text]:
                self.opener[place] = opened.pop()

    def _stand_in(self, place: int) -> str:
        token = self.tokens[place]
        if token.kind in (NUMBER, TEXT, ARGUMENT):
            return "1"
        is_word = token.kind == "sign" or token.text in (*LOGIC, "in")
        if place and self.tokens[place - 1].text == ".":
            return "x" if token.kind == "name" else "1"
        return token.text if is_word and token.text != "#" else "x"

    def parsed(self) -> ast.expr | None:
        """The expression; None where it is none."""
        return None if self._left_open() else self._as_expression(self._spelled)

    def _left_open(self) -> list[int]:
        """The places of brackets that close behind a comma: Python takes that, and a condition does not."""
        after = enumerate(self.tokens[1:], start=1)
        return [at for at, token in after if token.text in (")", "]", "}") and self.tokens[at - 1].text == ","]

    def first_wrong(self) -> tuple[int, list[Token]]:
        """The place of the first word after which nothing could follow, and the words before it, brought to an end."""
        first = bisect_left(range(len(self.tokens)), True, key=lambda count: self._brought_to_end(count) is None)
        place = min([max(first - 1, 0), *self._left_open()])
        if place > 1 and self.tokens[place - 1].text == "not" and _ends_value(self.tokens[place - 2]):
            place -= 1  # what is wrong is the `not` without its `in`
        return place, self._brought_to_end(place) or []

    def _brought_to_end(self, count: int) -> list[Token] | None:
        """The first `count` words, and a few more that make an expression of them; None where no words do."""
        closed = {opener for place, opener in self.opener.items() if place < count}
        opened = [place for place in range(count) if self.tokens[place].text in _CLOSERS and place not in closed]
        closing = [_CLOSERS[self.tokens[place].text] for place in reversed(opened)]
        column = self.tokens[count].column
        for more in ([RESULT], [], ["in", RESULT]):
            if self._as_expression([*self._spelled[:count], *("in" if one == "in" else "x" for one in more), *closing]):
                names = [Token("name", one, column) for one in more]
                signs = [Token("sign", one, column) for one in closing]
                return [*self.tokens[:count], *names, *signs, Token("end", "", column)]
        return None

    @staticmethod
    def _as_expression(spelled: Sequence[str]) -> ast.expr | None:
        try:
            return ast.parse(" ".join(spelled), mode="eval").body
        except SyntaxError:
            return None

    def wrong_at(self, place: int) -> ConditionError:
        """Why a word cannot stand where it does."""
        token, before = self.tokens[place], self.tokens[place - 1] if place else None
        opened = [one for one in range(place) if self.tokens[one].text in _CLOSERS and self._closes_later(one, place)]
        if before is not None and before.text == "." and before.kind == "sign":
            return ConditionError("expected a name after '.'", token.column)
        if before is None or not _ends_value(before):
            if token.kind == "end":
                return ConditionError("the condition ends too early", token.column)
            return not_understood(token)
        return self.expected(opened[-1], place) if opened else should_end(token)

    def _closes_later(self, opener: int, place: int) -> bool:
        return all(one >= place for one, other in self.opener.items() if other == opener)

    def expected(self, opener: int, place: int) -> ConditionError:
        """What has to close a bracket, and what stands there instead."""
        opened, token = self.tokens[opener], self.tokens[place]
        found = repr(token.text) if token.text else "the end"
        message = f"expected {_CLOSERS[opened.text]!r} after {opened.text!r} of column {opened.column}, found {found}"
        return ConditionError(message, token.column)

    def first(self, node: ast.expr) -> int:
        """The place of the first word of a part, without parentheses around it."""
        return self._starts[node.col_offset]

    def last(self, node: ast.expr) -> int:
        """The place of its last word."""
        return self._ends[node.end_col_offset or 0]

    def operator(self, right: ast.expr) -> int:
        """The place of the operator before its right side, which may stand in parentheses."""
        place = self.first(right) - 1
        while self.tokens[place].text == "(":
            place -= 1
        return place


def _ends_value(token: Token) -> bool:
    if token.kind == "name":
        return token.text not in (*LOGIC, "in")
    return token.kind in (NUMBER, TEXT, ARGUMENT) or token.text in (")", "]", "}", "#")


def _limit_parts(tokens: Sequence[Token]) -> None:
    """Every word is a part, but for what only holds others together."""
    parts = [token for token in tokens if token.kind != "sign" or token.text not in ("(", ")", "]", "{", "}", ",")]
    if len(parts) - 1 > MAX_NODES:
        message = f"the condition has more than {MAX_NODES} parts"
        raise ConditionError(message, parts[MAX_NODES].column, "make it simpler")


def limit_depth(depth: int, token: Token) -> None:
    """ConditionError where so many parts stand within each other."""
    if depth > MAX_CONDITION_DEPTH:
        message = f"the condition is nested deeper than {MAX_CONDITION_DEPTH}"
        raise ConditionError(message, token.column, "make it simpler")


def not_understood(token: Token) -> ConditionError:
    """The error for a word that cannot begin anything."""
    hint = {"#": "'#' is the element inside all(...) and any(...)", ".": "write #.NAME, or result.NAME"}
    return ConditionError(f"{token.text!r} is not understood here", token.column, hint.get(token.text, ""))


def should_end(token: Token) -> ConditionError:
    """The error for a word behind what is whole."""
    return ConditionError(f"{token.text!r} where the condition should end", token.column)
