"""Every text of a record with its place; and a fast look at all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from incident_ops.findings import Route
from incident_ops.rules.remember import remembering


@remembering
def packed(data: Any) -> bytes:
    """All of a record as one JSON text: cheap to search for what is rare before looking for its place."""
    return msgspec.json.encode(data)


def texts(data: Any, route: Route = ()) -> Iterator[tuple[Route, str, bool]]:
    """(route, text, is it a key?) of every text value and every key below `data`."""
    if isinstance(data, str):
        yield route, data, False
    elif isinstance(data, dict):
        for key, value in data.items():
            yield (*route, key), key, True
            yield from texts(value, (*route, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from texts(value, (*route, index))
