"""New values -> YAML text, in the style of the record they go into.

A scalar is written plain only when YAML 1.1 and YAML 1.2 readers both take it for the same value; instants and dates
are the exception: records write them plain, and every reader of records keeps them as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

# PyYAML reads YAML 1.1; the next two are what other readers take for something else than text
_RESOLVERS: dict[str, list[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers
_WORD = re.compile(r"[yYnN~=]|null|true|false|yes|no|on|off|<<", re.IGNORECASE)
_NUMBER = re.compile(
    r"[-+]?(?:0[oxb][0-9a-f_]+|[0-9][0-9_,]*(?::[0-9_]+)*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|\.[0-9_]+(?:e[-+]?[0-9]+)?"
    r"|\.inf)|\.nan",
    re.ASCII | re.IGNORECASE,
)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2}))?"
)
_NOT_FIRST = frozenset(",[]{}#&*!|>'\"%@`?:")
_FLOW_MARKS = frozenset(",[]{}?")  # PyYAML ends a plain text of a flow at a `?`
# control characters, line breaks that YAML 1.1 knows, marks that turn or hide text, and what no UTF-8 file may hold
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_UNSAFE_IN_LITERAL = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


@dataclass(frozen=True, slots=True)
class LayoutStyle:
    """How a file is laid out: columns from a key to the keys below it (`step`) and to the dashes below it (`dash`).

    `literal`: text of several lines may be written as a `|` block.
    """

    step: int = 2
    dash: int = 0
    literal: bool = True


def scalar(value: Any, *, in_flow: bool = False, like: str = "") -> str:
    """A scalar, `[]` or `{}` on one line. `like`: the quote that text had before and keeps where it can."""
    if isinstance(value, str):
        if like == "'" and not _UNSAFE.search(value):
            return "'" + value.replace("'", "''") + "'"
        return quoted(value) if like == '"' or not is_plain(value, in_flow=in_flow) else value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        digits, exponent, power = repr(value).partition("e")
        return digits + (".0" if exponent and "." not in digits else "") + exponent + power
    if value in ([], {}) and isinstance(value, list | dict):
        return "[]" if isinstance(value, list) else "{}"
    raise TypeError(f"a record cannot hold {type(value).__name__}")


def is_plain(text: str, *, in_flow: bool = False) -> bool:
    """True where `text` needs no quotes: YAML 1.1 and 1.2 readers both read it back as that text."""
    if not text or text != text.strip() or text[0] in _NOT_FIRST or _UNSAFE.search(text):
        return False
    if text.startswith(("- ", "---", "...")) or text == "-" or ": " in text or " #" in text or text.endswith(":"):
        return False
    if in_flow and _FLOW_MARKS.intersection(text):
        return False
    if _INSTANT.fullmatch(text):
        return True
    if _WORD.fullmatch(text) or _NUMBER.fullmatch(text):
        return False
    return not any(pattern.match(text) for _, pattern in _RESOLVERS.get(text[0], []))


def quoted(text: str) -> str:
    """`text` in double quotes, with every character escaped that a person could not see or a reader would fold."""

    def escape(match: re.Match[str]) -> str:
        char = match[0]
        if char in _SHORT:
            return _SHORT[char]
        number = ord(char)
        return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"

    return '"' + re.sub(rf'[\\"]|{_UNSAFE.pattern}', escape, text) + '"'


def flow(value: Any, *, like: str = "") -> str:
    """A value on one line that is valid inside `[...]` and `{...}`."""
    if isinstance(value, dict) and value:
        return "{" + ", ".join(f"{scalar(name, in_flow=True)}: {flow(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, list) and value:
        return "[" + ", ".join(flow(entry) for entry in value) + "]"
    return scalar(value, in_flow=True, like=like)


def attached(value: Any, column: int, style: LayoutStyle, *, like: str = "") -> tuple[str, list[str]]:
    """(what follows the `key:` at `column` on its line, the whole lines below it)."""
    if isinstance(value, dict) and value:
        return "", yaml_block(value, column + style.step, style)
    if isinstance(value, list) and value:
        return "", yaml_block(value, column + style.dash, style)
    return _leaf(value, column, style, like)


def _leaf(value: Any, column: int, style: LayoutStyle, like: str = "") -> tuple[str, list[str]]:
    if not (isinstance(value, str) and style.literal and _may_be_literal(value)):
        return scalar(value, like=like), []
    body = value.removesuffix("\n")
    width = min(style.step, 9)  # the indicator is one digit
    indicator = str(width) if value[0] in " \t\n" else ""
    chomp = "" if value.endswith("\n") else "-"
    inset = " " * (column + width)
    return f"|{indicator}{chomp}", [inset + line if line else "" for line in body.split("\n")]


def _may_be_literal(text: str) -> bool:
    # invisible blanks (at the end of a line, empty lines at the end) are written as escapes instead
    lines = text.removesuffix("\n").split("\n")
    return (
        "\n" in text
        and not _UNSAFE_IN_LITERAL.search(text)
        and lines[-1] != ""
        and all(line == line.rstrip(" \t") for line in lines)
    )


def yaml_block(value: Any, column: int, style: LayoutStyle) -> list[str]:
    """A mapping or list that is not empty as whole lines, its keys or dashes at `column`."""
    lines: list[str] = []
    indent = " " * column
    if isinstance(value, dict):
        for name, entry in value.items():
            inline, below = attached(entry, column, style)
            lines += [f"{indent}{scalar(name)}:{' ' if inline else ''}{inline}", *below]
        return lines
    for entry in value:
        first, *below = item(entry, column, style)
        lines += [f"{indent}- {first}", *below]
    return lines


def item(value: Any, column: int, style: LayoutStyle) -> Iterator[str]:
    """What follows the dash at `column` on its line, then the whole lines below it."""
    if isinstance(value, dict | list) and value:
        first, *below = yaml_block(value, column + 2, style)
        yield first[column + 2 :]
        yield from below
    else:
        inline, below = _leaf(value, column, style)
        yield inline
        yield from below


def to_yaml(data: dict[str, Any]) -> str:
    """Data of JSON's types as a file of its own: block style, the data's own order, lines that a review can compare."""
    return "".join(f"{line}\n" for line in yaml_block(data, 0, LayoutStyle())) or "{}\n"
