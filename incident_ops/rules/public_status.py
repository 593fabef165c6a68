"""Public updates fit the state and the level of the incident.

A warning: the last public update says resolved while people still work; the incident is resolved, and the last public
update says something else; a public update of an incident that never had a level with a status page.

    before: state: resolved
            updates:
            - {at: 2025-01-26T12:20:00Z, audience: public, status: monitoring, text: A fix is out}
    after:  - {at: 2025-01-26T13:00:00Z, audience: public, status: resolved, text: Logins work again}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.public_updates import (
    PUBLIC,
    has_status_page,
    is_called_resolved,
    lacks_last_word,
    last_update_for,
)
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "public-status"
LEVEL = Level.WARNING
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """The last public update against the state and the level."""
    incident = record.incident
    last = last_update_for(incident, PUBLIC)
    if last is None:
        return
    route = ("updates", incident.updates.index(last))
    state = incident.state.replace("_", " ")
    hint = f'publish it: incident-ops update {incident.id} --public "..."'
    if is_called_resolved(incident):
        message = f"the last public update says resolved, and the incident is {state}"
        yield rule_finding(ID, LEVEL, (*route, "status"), message, f"{hint}, or resolve the incident")
    if lacks_last_word(incident):
        message = f"the incident is {state}, and the last public update says {last.status}"
        yield rule_finding(ID, LEVEL, (*route, "status"), message, hint)
    if not has_status_page(incident, world.policy):
        label = world.policy.driving_label(incident.severity, incident.priority)
        message = f"a public update, and {label} has no status page"
        yield rule_finding(ID, LEVEL, (*route, "audience"), message, "raise the level, or use --internal from now on")
