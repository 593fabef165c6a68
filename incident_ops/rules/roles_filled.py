"""An incident of a high level has a commander, as soon as its level requires one.

The most common reason why a long incident gets longer is that nobody is in command. The level says `ic: required`,
`after:1h` or `optional`. Checked until the incident is resolved.

    before: severity: SEV0
    after:  severity: SEV0
            roles: {commander: "@maya"}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import age, known, rule_finding

ID = "roles-filled"
LEVEL = Level.WARNING
TIMED = True


def check(record: Record, world: World) -> Iterator[Finding]:
    """The commander against level and age."""
    incident = record.incident
    if incident.roles.commander or incident.state in OVER:
        return
    level = world.policy.duties(incident.severity, incident.priority)
    after = level.ic_after if level else None
    if level is None or after is None:
        return
    declared = corrected_instants(incident)["times.declared"]
    # `>` marks fire strictly after (C37)
    if after == 0 or (known(declared) and age(declared, world.now) > after):
        when = "at once" if after == 0 else level.ic.replace("after:", "after ")
        message = f"roles.commander is missing; {incident.severity or level.id} needs a commander {when}"
        yield rule_finding(ID, LEVEL, ("roles",), message, 'roles: {commander: "@handle"}')
