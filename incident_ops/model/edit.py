"""An edit of a record as a value: what becomes of the data; how the text takes it is `records.edit`'s business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Route = tuple[str | int, ...]
"""Keys and indexes from the top of a record to a value, e.g. `("timeline", 0, "at")`."""


@dataclass(frozen=True, slots=True)
class Set:
    """The value at `route` becomes `value`. Missing keys, and missing mappings on the way, are made."""

    route: Route
    value: Any


@dataclass(frozen=True, slots=True)
class Append:
    """`value` becomes the last item of the list at `route`. A missing or null list is made."""

    route: Route
    value: Any


Edit = Set | Append
