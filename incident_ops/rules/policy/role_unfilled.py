"""A role or tier that this policy notifies has no contact.

The presets name roles (on call, database admin, executives), never people: only you know them. Until a role has a
contact, what is sent to it reaches nobody.

Before:

    extends: sev1-3

After:

    extends: sev1-3
    contacts:
      roles:
        on_call: ["@acme/on-call"]
      "@acme/on-call": {channels: [pager, chat]}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.findings import Finding, Level, Route, closest
from incident_ops.rules.policy import PolicyFile

ID = "role-unfilled"
LEVEL = Level.WARNING


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for each role, tier or `executive` that is declared or called and has no handle behind it."""
    contacts = policy_file.policy.contacts
    declared = [*contacts.roles, *contacts.tiers]
    places: dict[str, Route] = {}
    tiers = sorted(policy_file.policy.escalation.tiers, key=lambda tier: tier.tier)
    of_ladder = {name for tier in tiers[1:] for name in tier.notify if name in contacts.roles}  # `ladder-end` says it
    for route, whom in policy_file.whoms():
        if route[0] != "escalation" or whom not in of_ladder:
            places.setdefault(whom, route)
    for role in contacts.roles:
        if role not in of_ladder:
            places.setdefault(role, ("contacts", "roles", role))
    called = {tier.id for tier in tiers if any(map(contacts.names_behind, tier.notify))}
    for tier in (*contacts.tiers, *(tier.id for tier in tiers if not tier.notify)):
        if tier not in called:
            places.setdefault(tier, ("contacts", "tiers", tier))
    for whom, route in places.items():
        if contacts.names_behind(whom):
            continue
        near = "" if whom in declared or whom == "executive" else closest(whom, declared)
        kind, key = _kind_and_key(policy_file, whom)
        hint = f"did you mean {near}?" if near else f'name someone: {key}: ["@handle"]'
        place = policy_file.first_own(route, tuple(key.split(".", 2)))
        yield policy_file.warning(ID, place, f"{kind} {whom} has no contact", hint)


def _kind_and_key(policy_file: PolicyFile, whom: str) -> tuple[str, str]:
    """Whether it is a role or a tier, and the policy key that names its people."""
    if whom == "executive":
        return "role", "contacts.executive"
    tiers = {*policy_file.policy.contacts.tiers, *(tier.id for tier in policy_file.policy.escalation.tiers)}
    return ("tier", f"contacts.tiers.{whom}") if whom in tiers else ("role", f"contacts.roles.{whom}")
