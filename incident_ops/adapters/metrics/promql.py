"""What of a PromQL query has to be known to find the instants at which its samples were taken.

`timestamp()` gives a sample's own time for a plain selector only; of anything else it gives the instant at which the
query is evaluated. So the selectors inside a query are found, and asked by themselves. Where nothing is found, or the
server does not understand it, a query is asked as it stands, and its samples have no times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SERIES_MARK = "incident_ops"
TIME, PARTS = "time", "parts"
"""The label that tells from the values what else is in one answer, and how its values begin."""

_LABELS_FOLLOW = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))
_WORDS = frozenset(("and", "or", "unless", "bool", "offset", "inf", "nan", "atan2"))
_BRACES = r"""\{(?:[^{}"'`]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*\}"""
_TOKEN = re.compile(
    rf"""\s+ | \#[^\n]*
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    | (?P<braces>{_BRACES})
    | (?P<number>[0-9.][0-9a-zA-Z_.]*)
    | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    | (?P<range>\[[^\]]*\])
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_GROUPS = r"(?:(?:by|without)\s*\([^()]*\)\s*)?"
_SELECTOR = rf"(?:[A-Za-z_:][A-Za-z0-9_:]*\s*(?:{_BRACES})?|{_BRACES})"
_PLAIN = re.compile(_SELECTOR)
_ADDED = re.compile(rf"sum\s*{_GROUPS}\(\s*(?P<parts>{_SELECTOR})\s*\)\s*{_GROUPS}")
_OR_NOTHING = re.compile(r"\s+or\s+(?:on\s*\(\s*\)\s*)?vector\s*\(\s*0\s*\)\s*$")

QueryPart = tuple[str, str]
"""Kind and text of a token."""


def is_plain_selector(query: str) -> bool:
    """Whether the query is one selector and nothing else, so that each value is one counter as it stands."""
    return _PLAIN.fullmatch(_bare(query)) is not None


def added_up(query: str) -> str:
    """The counters that a query adds up; the query itself where it does anything else.

    What the sum has counted is what its counters have counted, and only they show which of them began anew, ended or
    came late. A zero where there are none (`or vector(0)`) says nothing that no series would not say.
    """
    bare = _bare(_OR_NOTHING.sub("", _bare(query)))
    if is_plain_selector(bare):
        return bare
    match = _ADDED.fullmatch(bare)
    return match["parts"].strip() if match else query


def selectors(query: str) -> list[str]:
    """The selectors of the series that a query reads, each once, without their ranges."""
    return list(dict.fromkeys(_selectors([part for part in _parts(query) if part[0]])))


def with_times(query: str) -> str:
    """The query, and in the same answer the times of its samples, marked by a label; the query where it has none.

    Of a plain selector each series has its time. Of anything else it is the newest of all series that are read, and
    how many they are.
    """
    if is_plain_selector(query):
        more = {TIME: f"timestamp({_bare(query)})"}
    else:
        read = list(enumerate(selectors(query)))
        more = {f"{TIME}{place}": f"max(timestamp({one}))" for place, one in read}
        more |= {f"{PARTS}{place}": f"count({one})" for place, one in read}
    if not more:
        return query
    marked = [f'label_replace({one}, "{SERIES_MARK}", "{name}", "{SERIES_MARK}", "")' for name, one in more.items()]
    return " or ".join([*marked, f"(\n{query}\n)"])


def _bare(query: str) -> str:
    """The query without blanks and parentheses around it."""
    bare = query.strip()
    while bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1].strip()
    return bare


def _parts(query: str) -> Iterator[QueryPart]:
    for match in _TOKEN.finditer(query):
        yield match.lastgroup or "", match[0]


def _selectors(parts: list[QueryPart]) -> Iterator[str]:
    place = 0
    while place < len(parts):
        kind, text = parts[place]
        following = parts[place + 1] if place + 1 < len(parts) else ("", "")
        place += 1
        if kind == "braces":
            yield text
        elif kind == "name" and text.lower() in _LABELS_FOLLOW and following[1] == "(":
            place = _behind(parts, place)
        elif kind == "name" and not _is_called(following[1]) and text.lower() not in _WORDS | _LABELS_FOLLOW:
            if following[0] == "braces":
                text, place = text + following[1], place + 1
            yield text


def _is_called(following: str) -> bool:
    """Whether the name before it is a function's or an aggregation's."""
    return following == "(" or following.lower() in ("by", "without")


def _behind(parts: list[QueryPart], opened: int) -> int:
    """The place behind the parenthesis that closes the one at `opened`."""
    for place in range(opened, len(parts)):
        if parts[place][1] == ")":
            return place + 1
    return len(parts)
