"""Our own format checkers, used by both schema validators so that they agree."""

from __future__ import annotations

import re
from collections.abc import Callable

from incident_ops.domain.time import parse_date, parse_instant

# scheme, authority and no blanks: what a person can click; nothing that runs or reads what is on the reader's machine
_URI = re.compile(
    r"(?!(?i:javascript|vbscript|data|file):)[A-Za-z][A-Za-z0-9+.-]{1,31}://[^\s/?#<>\"\\^`{|}]+[^\s<>\"\\^`{|}]*",
    re.ASCII,
)


def is_instant(value: object) -> bool:
    """True for RFC 3339 text with a zone that is on the calendar; non-text passes, as JSON Schema asks."""
    return _passes(parse_instant, value)


def is_date(value: object) -> bool:
    """True for `YYYY-MM-DD` that is on the calendar; non-text passes."""
    return _passes(parse_date, value)


def is_uri(value: object) -> bool:
    """True for an absolute address with scheme and host, but not for a script, data or a file; non-text passes."""
    return not isinstance(value, str) or (value.isprintable() and _URI.fullmatch(value) is not None)


def _passes(parse: Callable[[str], object], value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        parse(value)
    except ValueError:
        return False
    return True


FORMATS: dict[str, Callable[[object], bool]] = {"date-time": is_instant, "date": is_date, "uri": is_uri}
