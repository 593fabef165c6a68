"""A role or tier that this policy calls has nobody behind it.

The presets name roles (on call, database admin, executives), never people: only you know them. Until somebody stands
behind a role, what is meant for it reaches nobody.

Before:

    extends: sev1-3

After:

    extends: sev1-3
    contacts:
      roles:
        on_call: ["@acme/on-call"]
      "@acme/on-call": {channels: [pager]}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.findings import Finding, Level, Route, closest
from incident_ops.rules.policy.subject import PolicyFile

ID = "role-unfilled"
LEVEL = Level.WARNING


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for each role, tier or `executive` that is declared or called and has no handle behind it."""
    contacts = policy_file.policy.contacts
    declared = [*contacts.roles, *contacts.tiers]
    places: dict[str, Route] = {}
    for route, whom in policy_file.whoms():
        places.setdefault(whom, route)
    for role in contacts.roles:
        places.setdefault(role, ("contacts", "roles", role))
    for tier in (*contacts.tiers, *(tier.id for tier in policy_file.policy.escalation.tiers)):
        places.setdefault(tier, ("contacts", "tiers", tier))
    for whom, route in places.items():
        if contacts.handles(whom):
            continue
        near = "" if whom in declared or whom == "executive" else closest(whom, declared)
        hint = f"did you mean {near}?" if near else f'say who it is: {_key(policy_file, whom)}: ["@handle"]'
        yield policy_file.warning(ID, route, f"nobody is behind {whom!r}", hint)


def _key(policy_file: PolicyFile, whom: str) -> str:
    if whom == "executive":
        return "contacts.executive"
    tiers = {*policy_file.policy.contacts.tiers, *(tier.id for tier in policy_file.policy.escalation.tiers)}
    return f"contacts.{'tiers' if whom in tiers else 'roles'}.{whom}"
