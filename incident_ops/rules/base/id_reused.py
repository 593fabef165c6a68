"""The id of a deleted record is not given to another incident.

Issues, links, branches and messages still refer to it. A deleted record may come back as it was: then its merged
history is compared as if it had never been away.

    before: id: INC-12          # was another incident, deleted since
    after:  id: INC-13
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "id-reused"
LEVEL = Level.ERROR
TIMED = False


def check_reused(after: Record, deleting_commit: str) -> Iterator[Finding]:
    """The error for a new record that is another incident than the deleted one of its id."""
    message = f"{after.incident.id} was the id of another incident, deleted in {deleting_commit[:12]}"
    yield rule_finding(ID, LEVEL, ("id",), message, "give this incident an id of its own")
