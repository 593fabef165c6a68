"""An incident is in a folder named after its id, below `incidents/` or below a folder of it such as a year's.

Issues, links, commands and documents find a record by its id. In another folder it would have two names.

    before: incidents/INC-12/incident.yaml
                id: INC-21
    after:  incidents/INC-21/incident.yaml
                id: INC-21
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "id-folder"
LEVEL = Level.ERROR
TIMED = False
NOT_SUPPRESSIBLE = True


def check(record: Record, _world: World) -> Iterator[Finding]:
    """The id against the path."""
    expected = f"incidents/{record.incident.id}/incident.yaml"
    folders = record.path.split("/")
    if folders[0] != "incidents" or folders[-2:] != [record.incident.id, "incident.yaml"]:
        message = f"id is {record.incident.id}, but the file is {record.path}"
        yield rule_finding(ID, LEVEL, ("id",), message, f"move it to {expected}, or fix the id")
