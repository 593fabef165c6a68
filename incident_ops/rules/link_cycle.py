"""Links between incidents do not form a cycle.

An error where two incidents are duplicates of each other, because neither is left to work on, and where an incident
links to itself. A warning where two incidents are `related` to each other: one link is enough.

    before: INC-1 duplicate_of: INC-2, INC-2 duplicate_of: INC-1
    after:  INC-2 duplicate_of: INC-1
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Crossings, Link
from incident_ops.findings import Finding, Level, Where
from incident_ops.rules._support import cycles

ID = "link-cycle"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check_all(crossings: Crossings) -> Iterator[Finding]:
    """A finding at every link of a circle."""
    for kind, level, hint in (
        ("duplicate_of", Level.ERROR, "decide which incident is the main one, and remove its duplicate_of"),
        ("related", Level.WARNING, "write the link once, at the later incident"),
    ):
        links = [link for link in crossings.links if link.kind == kind]
        circle = cycles((link.source, link.target) for link in links)
        for link in links:
            if link.source == link.target:
                yield _cycle_finding(link, Level.ERROR, f"{kind} names the incident itself", "remove it")
            elif link.source in circle and circle[link.source] == circle.get(link.target):
                members = ", ".join(sorted(node for node in circle if circle[node] == circle[link.source])[:6])
                yield _cycle_finding(link, level, f"{kind} forms a cycle: {members}", hint)


def _cycle_finding(link: Link, level: Level, message: str, hint: str) -> Finding:
    return Finding(ID, level, Where(link.path, link.route), message, hint)
