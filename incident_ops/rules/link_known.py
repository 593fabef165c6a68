"""An incident that another one links to exists.

People follow links at night, and the search for patterns uses them; a link to nothing hides half of the picture.

    before: related: [INC-21]      # there is no INC-21
    after:  related: [INC-12]
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Crossings
from incident_ops.findings import Finding, Level, Where

ID = "link-known"
LEVEL = Level.ERROR
TIMED = False

LINK_FIELDS = ("related", "duplicate_of")


def check_all(crossings: Crossings) -> Iterator[Finding]:
    """Links to incidents that no record has the id of."""
    for link in crossings.dangling:
        if link.kind in LINK_FIELDS:
            message = f"{link.kind} names {link.target}, and no record has that id"
            hint = f"fix the id, or add incidents/{link.target}/incident.yaml"
            yield Finding(ID, LEVEL, Where(link.path, link.route), message, hint)
