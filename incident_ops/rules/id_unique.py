"""No two incidents have the same id.

Two pull requests can each take the next number; the one merged last must take another. Ids made from the time avoid
this.

    before: incidents/INC-12/incident.yaml and incidents/INC-12b/incident.yaml
                id: INC-12
    after:  incidents/INC-13/incident.yaml
                id: INC-13
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Crossings
from incident_ops.findings import Finding, Level, Where

ID = "id-unique"
LEVEL = Level.ERROR
TIMED = False
NOT_SUPPRESSIBLE = True


def check_all(crossings: Crossings) -> Iterator[Finding]:
    """A finding at every record of a clash, naming the others and the next free id."""
    for clash in crossings.clashes:
        for path in clash.paths:
            others = " and ".join(other for other in clash.paths if other != path) or "another branch"
            message = f"id {clash.id} is also the id of {others}"
            yield Finding(ID, LEVEL, Where(path, ("id",)), message, f"the next free id is {clash.next_free}")
