"""An incident of a high level has a commander, as soon as its level requires one.

The most common reason why a long incident gets longer is that nobody is in command. The level says `ic: required`,
`within:15m` (from the start, and late after 15 minutes), `after:1h` (only if it lasts longer) or `optional`. A level
raised later counts from then. Checked until the incident is resolved.

    before: severity: SEV0
    after:  severity: SEV0
            roles: {commander: "@maya"}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.commander import commander_due
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import stamp
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "roles-filled"
LEVEL = Level.WARNING
TIMED = True


def check(record: Record, world: World) -> Iterator[Finding]:
    """The commander against level and age."""
    incident = record.incident
    due = commander_due(incident, world.policy, world.now)
    level = world.policy.duties(incident.severity, incident.priority)
    # `>` marks fire strictly after (C37)
    is_late = due is not None and world.now > due
    if due is None or level is None or not (level.needs_commander or is_late):
        return
    when = "at once" if not level.ic_after else f"by {stamp(due)}"
    verb = "needed" if is_late and level.ic_after else "needs"
    message = f"roles.commander is missing; {incident.severity or level.id} {verb} a commander {when}"
    yield rule_finding(ID, LEVEL, ("roles",), message, 'roles: {commander: "@handle"}')
