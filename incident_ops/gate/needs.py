"""What a service needs: `depends_on` followed so many steps."""

from __future__ import annotations

from collections.abc import Mapping

from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.model.service import Service


def needed(service: str, services: Mapping[str, Service], depth: int) -> tuple[str, ...]:
    """The service itself and what it needs, the nearest first. UserError for one that services.yaml does not name."""
    if service not in services:
        raise UserError(f"service {service!r} is not in services.yaml", hint=did_you_mean(service, services))
    found, edge = {service: None}, [service]
    for _ in range(depth):
        edge = [name for one in edge if one in services for name in services[one].depends_on if name not in found]
        found |= dict.fromkeys(edge)
    return tuple(found)
