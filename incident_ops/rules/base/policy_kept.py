"""The policy under which an incident was declared stays as it was written.

Its targets set the incident's clocks, and a clock that can be changed afterwards measures nothing. What was left out
may be added.

    before: policy: {scheme: sev0-3, targets: {response: 60m}}     # was 15m
    after:  policy: {scheme: sev0-3, targets: {response: 15m}}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.incident import PolicyInForce
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level, Route
from incident_ops.rules._support import rule_finding

ID = "policy-kept"
LEVEL = Level.ERROR
TIMED = False


def check(before: Record, after: Record, _world: World | None) -> Iterator[Finding]:
    """Scheme, digest and targets."""
    now = _written(after.incident.policy)
    for route, was in _written(before.incident.policy).items():
        if now.get(route) != was:
            name, value = ".".join(map(str, route)), now.get(route)
            message = f"{name} was {was} when it was merged" + ("" if value else ", and is gone")
            yield rule_finding(ID, LEVEL, route, message, f"{route[-1]}: {was}")


def _written(policy: PolicyInForce | None) -> dict[Route, str]:
    if policy is None:
        return {}
    values = {
        ("policy", "scheme"): policy.scheme,
        ("policy", "digest"): policy.digest,
        ("policy", "targets", "response"): policy.targets.response,
        ("policy", "targets", "resolution"): policy.targets.resolution,
    }
    return {route: value for route, value in values.items() if value is not None}
