"""A key is accepted, and nothing in this version reads it.

It belongs to a capability that is not built yet. Nothing happens because of it, whatever its value: do not rely on it.
`policy show` lists such keys of the presets. The same holds for services.yaml and gate files.

Before:

    extends: sev0-3
    targets:
      mttr_trend: falling

After:

    extends: sev0-3
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from incident_ops.domain.not_used_yet import unused, value_at
from incident_ops.findings import Finding, Level, Where
from incident_ops.rules.policy import PolicyFile

ID = "not-used-yet"
LEVEL = Level.WARNING


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """A finding for each key that the user's own policy sets."""
    yield from not_used_yet("policy", policy_file.own, policy_file.file)


def not_used_yet(kind: str, data: Any, file: str) -> Iterator[Finding]:
    """A finding for each key of a file (kind: policy, services or gate) that nothing reads yet."""
    for route, _, capability in unused(kind, data):
        where = Where(file, route, on_key=isinstance(value_at(data, route), dict | list))
        name = ".".join(str(step) for step in route)
        hint = "remove it, or keep it and expect nothing of it"
        yield Finding(ID, LEVEL, where, f"{name} is not used yet: it waits for {capability}", hint)
