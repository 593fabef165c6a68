"""What a door gives back: the edits of a record, and what is told about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_ops.model.edit import Append, Edit
from incident_ops.model.time import stamp

LONGEST_EVENT = 2000
"""Characters of a timeline entry's text, as the schema allows them."""
LONGEST_QUOTE = 120
"""Characters of an update that its timeline entry repeats."""


@dataclass(frozen=True, slots=True)
class Step:
    """Edits to make (none where nothing is to change), a line in past tense a change, and what should give pause."""

    edits: tuple[Edit, ...]
    told: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def said(**fields: Any) -> dict[str, Any]:
    """The fields that were given, in this order; a trailing `_` (for Python's own words) falls off the name."""
    return {name.rstrip("_"): value for name, value in fields.items() if value is not None}


def row(now: datetime, kind: str, text: str, by: str | None = None, **more: Any) -> Append:
    """A new last entry of the timeline (C21)."""
    event = cut(text, LONGEST_EVENT)
    return Append(("timeline",), said(at=stamp(now), kind=kind, event=event, **more, by=by))


def cut(text: str, most: int) -> str:
    """The text, or its beginning where it has more than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def quote(text: str) -> str:
    """The first words of a text, on one line."""
    return cut(" ".join(text.split()), LONGEST_QUOTE)


def words(state: str) -> str:
    """A state or outcome as people say it: `in_progress` -> `in progress`."""
    return state.replace("_", " ")
