"""The id of a merged record never changes.

Issues, links, branches and messages refer to it. With another id, or in a folder of another name, it would be a
different record to all of them.

    before: id: INC-13          # was INC-12
    after:  id: INC-12
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "id-kept"
LEVEL = Level.ERROR
TIMED = False


def check(before: Record, after: Record, _world: World | None) -> Iterator[Finding]:
    """The id of the record in this file."""
    was, now = before.incident.id, after.incident.id
    if was != now:
        message = f"the id of this record was {was} when it was merged"
        yield rule_finding(ID, LEVEL, ("id",), message, f"id: {was}; another incident gets a folder of its own")
