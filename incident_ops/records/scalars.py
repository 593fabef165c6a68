"""Plain scalars under the YAML 1.2 core schema: `no`, `12:30` and dates are text, `0123` is refused."""

from __future__ import annotations

import re

MAX_DIGITS = 18

_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)|(?P<oct>0o[0-7]+)|(?P<hex>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<none>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))",
    re.ASCII,
)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("0123456789+-.")
SPECIAL_STARTS = frozenset({word[:1] for word in _WORDS} | _NUMBER_STARTS)
"""How a plain scalar that is no text begins; all others are text."""

_BASES = {"int": 10, "oct": 8, "hex": 16}


class NumberRefused(Exception):
    """A number that may not stand there: what is wrong, and how to mend it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def resolve(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar. NumberRefused where readers would disagree, or where it is no number."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS or (found := _NUMBER.fullmatch(text)) is None:
        return text
    return _number(text, found.lastgroup or "int")


def _number(text: str, kind: str) -> int | float:
    digits = text.lstrip("+-")
    if kind == "none":
        raise NumberRefused(f"{text} is not a number", "write the number, or unknown where that is allowed")
    if kind == "float":
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise NumberRefused(f"{text[:24]} is too large a number", "quote it if it is text")
        return number
    if len(digits) > MAX_DIGITS:
        raise NumberRefused(f"{text[:24]}... has over {MAX_DIGITS} digits", "quote it if it is text")
    if kind == "int" and len(digits) > 1 and digits[0] == "0":
        told = f"{text} is read as {int(digits)} by some and as octal by others"
        raise NumberRefused(told, "quote it if it is text, else drop the leading zero")
    return int(text, _BASES[kind])
