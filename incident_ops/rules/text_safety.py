"""Texts contain no invisible characters, and none that change the reading direction.

Control and direction characters show a reviewer a different text from the one that is stored, or break a terminal.
Line breaks and tabs are fine, and so are the joiners that scripts and emoji need. Comments, the policy, services.yaml,
freezes and maintenance windows are read too.

    before: title: "Login fails \u202eeruces"
    after:  title: "Login fails"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import packed, rule_finding, text_values

ID = "text-safety"
LEVEL = Level.ERROR
TIMED = False
NOT_SUPPRESSIBLE = True
HINT = "remove it"

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff"
# Not the joiners U+200C and U+200D, nor variation selectors: scripts and emoji need them.
_INVISIBLE = "\xad\u115f\u1160\u180e\u200b\u2060-\u2065\u3164\uffa0\U000e0000-\U000e007f"
_UNSAFE = re.compile(f"[{_BIDI}{_CONTROL}{_INVISIBLE}]")
# Bytes without which none of them can be there: a JSON escape or DEL, and how UTF-8 begins the others.
_ASCII_MARKS = (b"\\", b"\x7f")
_OTHER_MARKS = tuple(
    bytes.fromhex(begin)
    for begin in ("c2", "d89c", "e280", "e281", "efbb", "e185", "e1a08e", "e385a4", "efbea0", "f3a0")
)
_KINDS = (("a direction", re.compile(f"[{_BIDI}]")), ("an invisible", re.compile(f"[{_INVISIBLE}]")))


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Every text and key of the record."""
    return unsafe_in(record.data)


def unsafe_in(data: Any) -> Iterator[Finding]:
    """Every text and key of some data."""
    whole = packed(data)
    marks = _ASCII_MARKS if whole.isascii() else _ASCII_MARKS + _OTHER_MARKS
    if not any(mark in whole for mark in marks):
        return
    for route, text, is_key in text_values(data):
        if (found := find_unsafe(text)) is not None:
            message = f"{found[1]} at position {found[0] + 1}"
            yield rule_finding(ID, LEVEL, route, message, HINT, on_key=is_key)


def find_unsafe(text: str) -> tuple[int, str] | None:
    """Where in a text the first such character is, and what is to be said of it."""
    match = _UNSAFE.search(text)
    if match is None:
        return None
    kind = next((name for name, pattern in _KINDS if pattern.match(match[0])), "a control")
    return match.start(), f"there is {kind} character (U+{ord(match[0]):04X})"
