"""Texts contain no invisible characters, and none that change the reading direction.

Control and direction characters show a reviewer a different text from the one that is stored, or break a terminal.
Line breaks and tabs are fine.

    before: title: "Login fails \u202eeruces"
    after:  title: "Login fails"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import packed, rule_finding, text_values

ID = "text-safety"
LEVEL = Level.ERROR
TIMED = False
NOT_SUPPRESSIBLE = True

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff"
_UNSAFE = re.compile(f"[{_BIDI}{_CONTROL}]")
# Bytes without which none of them can be there: a JSON escape or DEL, and how UTF-8 begins the others.
_ASCII_MARKS = (b"\\", b"\x7f")
_OTHER_MARKS = (b"\xc2", b"\xd8\x9c", b"\xe2\x80", b"\xe2\x81", b"\xef\xbb")
_DIRECTION = re.compile(f"[{_BIDI}]")


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Every text and key of the record."""
    whole = packed(record.data)
    marks = _ASCII_MARKS if whole.isascii() else _ASCII_MARKS + _OTHER_MARKS
    if not any(mark in whole for mark in marks):
        return
    for route, text, is_key in text_values(record.data):
        match = _UNSAFE.search(text)
        if match:
            kind = "direction" if _DIRECTION.match(match[0]) else "control"
            message = f"there is a {kind} character (U+{ord(match[0]):04X}) at position {match.start() + 1}"
            yield rule_finding(ID, LEVEL, route, message, "remove it", on_key=is_key)
