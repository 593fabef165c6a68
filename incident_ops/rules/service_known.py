"""Every service of an incident is in services.yaml.

Routing, gates and the status page use the service's name; a misspelt one would hold no deploy and page nobody.

    before: services: [atuh]
    after:  services: [auth]
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level, Route, did_you_mean
from incident_ops.rules._support import rule_finding

ID = "service-known"
LEVEL = Level.ERROR
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """The services that are hurt, and those of overrides."""
    services, incident = world.services, record.incident
    named: list[tuple[Route, str]] = [(("services", index), name) for index, name in enumerate(incident.services)]
    named += [(("overrides", index, "service"), one.service) for index, one in enumerate(incident.overrides)]
    named += [
        (("impact", "services", index, "service"), one.service) for index, one in enumerate(incident.impact.services)
    ]
    for route, name in named:
        if name not in services:
            hint = did_you_mean(name, services) or "add it to services.yaml"
            yield rule_finding(ID, LEVEL, route, f"service {name!r} is not in services.yaml", hint)
