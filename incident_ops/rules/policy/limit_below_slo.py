"""The gate's error limit is below what a service's objective allows.

`gate.max_error_pct` holds for every gate file without `maxErrorRate`. A canary that is as good as its service has been
all along, and within its objective, would then be rolled back. Raise the limit, or write `maxErrorRate: none` (or a
limit of its own) in that service's gate file. An objective in an OpenSLO file is not looked at.

Before:

    extends: sev0-3
    gate: {max_error_pct: 1}
    slo: {target_pct: 98, window: 30d}

After:

    extends: sev0-3
    gate: {max_error_pct: 2}
    slo: {target_pct: 98, window: 30d}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.findings import Finding, Level
from incident_ops.rules.policy import PolicyFile

ID = "limit-below-slo"
LEVEL = Level.WARNING

_ROUNDING = 1e-9


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for the policy's own objective, and one for each service whose own objective allows more errors."""
    policy = policy_file.policy
    limit = policy.gate.max_error_pct
    if limit is None:
        return
    targets = {
        name: service.slo for name, service in policy_file.services.items() if isinstance(service.slo, float | int)
    }
    for name, target in [("", policy.slo.target_pct), *sorted(targets.items())]:
        if target is not None and 100 - target > limit + _ROUNDING:
            whose = f"the objective of service {name}" if name else "the objective"
            message = f"{whose} ({target:g} %) allows {100 - target:.6g} % errors, the gate's limit {limit:g} %"
            hint = "raise it, or write maxErrorRate in the gate files of such a service (none = no limit)"
            yield policy_file.warning(ID, ("gate", "max_error_pct"), message, hint)
