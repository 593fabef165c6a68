"""The texts of a record that are linted, each with its place and what kind of text it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from incident_ops.findings import Route


class Kind(Enum):
    """What a text is for: some rules ask nothing of some kinds."""

    ACCOUNT = "account"
    LUCK = "luck"
    EVENT = "event"
    CAUSE = "cause"
    REMEDY = "remedy"
    ITEM = "item"


class RecordText(NamedTuple):
    """A text and where it stands."""

    route: Route
    text: str
    kind: Kind


_PLACES: tuple[tuple[Route, Kind], ...] = (
    (("description",), Kind.ACCOUNT),
    (("postmortem", "summary"), Kind.ACCOUNT),
    (("postmortem", "public_summary"), Kind.ACCOUNT),
    (("postmortem", "narrative"), Kind.ACCOUNT),
    (("postmortem", "went_well", "*"), Kind.LUCK),
    (("postmortem", "went_poorly", "*"), Kind.ACCOUNT),
    (("postmortem", "lucky", "*"), Kind.LUCK),
    (("postmortem", "lessons", "technical", "*"), Kind.REMEDY),
    (("postmortem", "lessons", "process", "*"), Kind.REMEDY),
    (("postmortem", "lessons", "cultural", "*"), Kind.REMEDY),
    (("postmortem", "prevention", "short", "*", "text"), Kind.ITEM),
    (("postmortem", "prevention", "medium", "*", "text"), Kind.ITEM),
    (("postmortem", "prevention", "long", "*", "text"), Kind.ITEM),
    (("postmortem", "conclusion"), Kind.REMEDY),
    (("cause", "what"), Kind.CAUSE),
    (("cause", "why"), Kind.CAUSE),
    (("cause", "trigger"), Kind.CAUSE),
    (("cause", "contributing", "*"), Kind.CAUSE),
    (("cause", "five_whys", "*", "why"), Kind.CAUSE),
    (("cause", "five_whys", "*", "because"), Kind.CAUSE),
    (("resolution", "immediate"), Kind.REMEDY),
    (("resolution", "permanent"), Kind.REMEDY),
    (("action_items", "*", "title"), Kind.ITEM),
    (("action_items", "*", "description"), Kind.ITEM),
    (("action_items", "*", "acceptance"), Kind.ITEM),
    (("timeline", "*", "event"), Kind.EVENT),
    (("timeline", "*", "action"), Kind.EVENT),
    (("timeline", "*", "result"), Kind.EVENT),
)


def record_texts(data: Mapping[str, Any]) -> Iterator[RecordText]:
    """Every text of a record that is linted, in the order of a postmortem."""
    for pattern, kind in _PLACES:
        for route, value in _values(data, pattern, ()):
            if isinstance(value, str) and value:
                yield RecordText(route, value, kind)


def _values(value: Any, pattern: Route, route: Route) -> Iterator[tuple[Route, Any]]:
    if not pattern:
        yield route, value
    elif pattern[0] == "*":
        for index, entry in enumerate(value if isinstance(value, list) else ()):
            yield from _values(entry, pattern[1:], (*route, index))
    elif isinstance(value, Mapping) and pattern[0] in value:
        yield from _values(value[pattern[0]], pattern[1:], (*route, pattern[0]))


_NAMES: tuple[Route, ...] = (
    ("roles", "commander"),
    ("roles", "technical_lead"),
    ("roles", "communications_lead"),
    ("roles", "scribe"),
    ("postmortem", "authors", "*"),
    ("postmortem", "reviewers", "*"),
    ("postmortem", "approved_by"),
    ("timeline", "*", "by"),
    ("action_items", "*", "owner"),
    ("action_items", "*", "done_by"),
    ("assignments", "*", "to"),
)


def named_people(data: Mapping[str, Any]) -> frozenset[str]:
    """The words of the plain names in a record, in lower case: `Priya Nair` gives `priya` and `nair`."""
    names = (value for pattern in _NAMES for _, value in _values(data, pattern, ()) if isinstance(value, str))
    return frozenset(
        word.lower() for name in names if name[:1] != "@" for word in name.split() if word.isalpha() and word.istitle()
    )
