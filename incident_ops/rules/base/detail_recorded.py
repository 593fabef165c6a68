"""Changing a merged title, service or visibility should leave an entry in `changes`; an open incident becomes no drill.

The gate, the clocks and the patterns go by the services, and people look for the title they remember: whoever reads
the record later should see what it was and when it changed. `incident-ops edit` writes the entry.

    before: services: [auth, db]      # was [auth]
    after:  services: [auth, db]
            changes:
            - {at: 2025-01-26T12:40:00Z, field: services, from: auth, to: "auth, db", by: "@alice"}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import fresh, rule_finding

ID = "detail-recorded"
LEVEL = Level.WARNING
TIMED = False


def check(before: Record, after: Record, _world: World | None) -> Iterator[Finding]:
    """Each of the three, against the new entries."""
    was, now = _details(before.incident), _details(after.incident)
    new = {change.field for _, change in fresh(before.incident.changes, after.incident.changes)}
    for field, value in now.items():
        if value != was[field] and field not in new:
            message = f"{field} was {was[field]!r} when it was merged, and no entry in changes records it"
            entry = f"{{at: ..., field: {field}, from: {was[field]!r}, to: {value!r}}}"
            hint = f"add to changes {entry}, or let `incident-ops edit` do it"
            yield rule_finding(ID, LEVEL, (field,), message, hint)
    if after.incident.drill and not before.incident.drill and after.incident.state not in OVER:
        message = "a merged, open incident becomes a drill: it holds no deploys any more"
        yield rule_finding(
            ID, LEVEL, ("drill",), message, "if it was never one, close it instead: incident-ops withdraw"
        )


def _details(incident: Incident) -> Mapping[str, str]:
    return {
        "title": incident.title,
        "services": ", ".join(incident.services),
        "visibility": incident.visibility,
    }
