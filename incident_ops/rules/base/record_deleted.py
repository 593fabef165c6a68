"""A merged record is not deleted.

Deleting it stops its clocks, and the next run closes its issues. If it was not an incident, close it with
`outcome: false_alarm`, `duplicate` or `withdrawn`, so that it stays readable.

    before: incidents/INC-12/incident.yaml is deleted
    after:  state: closed
            outcome: withdrawn
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.issue_places import spell_recorded
from incident_ops.domain.record import Record
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "record-deleted"
LEVEL = Level.WARNING
TIMED = False


def check_deleted(before: Record) -> Iterator[Finding]:
    """The warning, naming every issue that will be closed."""
    incident = before.incident
    issues = [f"#{incident.links.tracking_issue}"] if incident.links.tracking_issue else []
    issues += [f"{spell_recorded(item.issue)} ({item.id})" for item in incident.action_items if item.issue is not None]
    closed = f"; issues to be closed: {', '.join(issues)}" if issues else "; it names no issue"
    message = f"the merged record {incident.id} is deleted{closed}"
    yield rule_finding(ID, LEVEL, (), message, "if it was not an incident: close it with outcome: withdrawn instead")
