"""A turn of a layer has a length, and only turns of days and weeks are handed over at a local time.

before: {name: week, people: ["@alice", "@ben"], start: 2025-01-06, rotate: 0w}
after:  {name: week, people: ["@alice", "@ben"], start: 2025-01-06, rotate: 1w}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.oncall import turn_length
from incident_ops.findings import Finding, Level
from incident_ops.rules.oncall import ScheduleFile

ID = "oncall-rotation"
LEVEL = Level.ERROR
TIMED = False


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """A length of zero, and `at` beside hours."""
    for index, layer in enumerate(subject.schedule.layers):
        length, route = turn_length(layer.rotate), ("layers", index)
        if not length.units:
            message = f"a turn of layer {layer.name!r} lasts no time, so nobody is ever on call by it"
            yield subject.finding(ID, LEVEL, (*route, "rotate"), message, "e.g. 1w, 2d or 12h")
        elif length.in_hours and layer.at is not None:
            message = f"turns of {layer.rotate} follow one another from `start` on, so `at` does nothing"
            hint = f"take `at` out, or write days, e.g. rotate: {max(length.units // 24, 1)}d"
            yield subject.finding(ID, LEVEL, (*route, "at"), message, hint)
