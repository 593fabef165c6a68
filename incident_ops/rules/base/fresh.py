"""What is new in a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from incident_ops.model.incident import Change


def fresh(before: Sequence[Change], after: Sequence[Change]) -> Iterator[tuple[int, Change]]:
    """(place, change) of every change that was not merged before."""
    merged = Counter(map(msgspec.json.encode, before))
    for place, change in enumerate(after):
        key = msgspec.json.encode(change)
        if merged[key]:
            merged[key] -= 1
        else:
            yield place, change
