"""Every service of an incident is in services.yaml.

Routing, gates and the status page use the service's name; a misspelt one would hold no deploy and page nobody.

    before: services: [atuh]
    after:  services: [auth]
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.rules._support import rule_finding

ID = "service-known"
LEVEL = Level.ERROR
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """The services that are hurt, and those of overrides."""
    services = world.services
    named = [(("services", index), name) for index, name in enumerate(record.incident.services)]
    for index, override in enumerate(record.incident.overrides):
        named.append((("overrides", index, "service"), override.service))  # type: ignore[arg-type]
    for route, name in named:
        if name not in services:
            hint = did_you_mean(name, services) or "add it to services.yaml"
            yield rule_finding(ID, LEVEL, route, f"service {name!r} is not in services.yaml", hint)
