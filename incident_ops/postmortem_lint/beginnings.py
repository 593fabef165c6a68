"""How the first word of what a pattern finds can begin, so that most patterns are never tried on most sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

SIZE = 3
_OPTIONAL = re.compile(r"(?:[?*]|\{0,\d*\})\??")
_REPEATED = re.compile(r"[+]\??|\{[1-9]\d*(?:,\d*)?\}\??")


class _Start(NamedTuple):
    text: str
    is_open: bool
    """Whether what follows may still add to it."""


def beginnings_of(words: Iterable[str]) -> frozenset[str]:
    """The first letters of words, up to three: `t`, `th` and `thr` of `three`."""
    return frozenset(word[:size] for word in words for size in range(1, SIZE + 1))


def beginnings(regex: str) -> frozenset[str] | None:
    """The up to three letters with which what this pattern finds begins; None where it can begin with anything.

    Of the syntax it knows what the patterns here use; all else counts as anything.
    """
    starts = _of_alternatives(regex)
    return frozenset(start.text for start in starts) if all(start.text for start in starts) else None


def _of_alternatives(regex: str) -> set[_Start]:
    return set().union(*(_of_sequence(part) for part in _parts(regex)))


def _parts(regex: str) -> list[str]:
    """The alternatives of a pattern, those in groups apart."""
    parts, begin, at = [], 0, 0
    while at < len(regex):
        if regex[at] == "|":
            parts.append(regex[begin:at])
            begin = at + 1
        at = _behind(regex, at)
    return [*parts, regex[begin:]]


def _behind(regex: str, at: int) -> int:
    """Where the character, escape, class or group at a place ends."""
    if regex[at] == "\\":
        return at + 2
    if regex[at] == "[":
        return regex.index("]", at + 2) + 1
    if regex[at] == "(":
        at += 1
        while regex[at] != ")":
            at = _behind(regex, at)
    return at + 1


def _of_sequence(regex: str) -> set[_Start]:
    starts, at = {_Start("", True)}, 0
    while at < len(regex) and any(start.is_open for start in starts):
        end = _behind(regex, at)
        optional, repeated = _OPTIONAL.match(regex, end), _REPEATED.match(regex, end)
        part = set() if regex[at:].startswith(("(?!", "(?=", "(?<")) else _of_part(regex[at:end], repeated is not None)
        if part:
            longer = {_joined(start, more) for start in starts if start.is_open for more in part}
            starts = {start for start in starts if optional or not start.is_open} | longer
        quantifier = optional or repeated
        at = quantifier.end() if quantifier else end
    return starts


def _of_part(part: str, repeated: bool) -> set[_Start]:
    if part[0] == "(":
        found = _of_alternatives(part[3:-1] if part.startswith("(?:") else part[1:-1])
        return {_Start(start.text, start.is_open and not repeated) for start in found}
    if part[0] == "[" and part[1:-1].isalpha():
        return {_Start(letter, not repeated) for letter in part[1:-1]}
    if part.isalpha() or part in "'@":
        return {_Start(part, not repeated)}
    return {_Start("", False)}


def _joined(start: _Start, more: _Start) -> _Start:
    text = start.text + more.text
    return _Start(text[:SIZE], more.is_open and len(text) < SIZE)
