"""A step of the ladder rings the pager that the step before it rang already.

A pager keeps one open alert a key: what comes to it while it is open is added to it and rings nobody. A step that is to
wake somebody else needs a pager key of its own, or a channel without state, such as sms or phone. Or leave the steps to
the pager's own escalation policy.

Before:

    extends: sev0-3
    escalation:
      tiers:
      - {id: first, tier: 1, notify: ["@alice"]}
      - {id: second, tier: 2, notify: ["@bob"]}
    contacts:
      "@alice": {channels: [pager, chat]}
      "@bob": {channels: [pager, chat]}

After:

    extends: sev0-3
    escalation:
      tiers:
      - {id: first, tier: 1, notify: ["@alice"]}
      - {id: second, tier: 2, notify: ["@bob"], pager_key_env: PAGER_KEY_SECOND}
    contacts:
      "@alice": {channels: [pager, chat]}
      "@bob": {channels: [pager, chat]}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.notice_kinds import PAGERS
from incident_ops.domain.policy_sections import Tier
from incident_ops.findings import Finding, Level
from incident_ops.rules.policy import PolicyFile

ID = "shared-pager"
LEVEL = Level.WARNING


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for each step after the first whose pager is that of the step before it."""
    of_services = {service.pager_key_env for service in policy_file.services.values()}
    steps = sorted(policy_file.policy.escalation.tiers, key=lambda tier: tier.tier)
    keys = [None if tier.pager_key_env in of_services else tier.pager_key_env for tier in steps]
    for place, tier in enumerate(steps):
        before = keys[place - 1] if place else None
        is_own = keys[place] is not None or tier.pager_key_env is not None
        rings = is_own if not place else is_own or _rings_a_pager(tier, policy_file)
        if rings and keys[place] == before and not _rings_otherwise(tier, policy_file):
            whose = f"the step before it, {steps[place - 1].id}" if place else "the services"
            message = f"step {tier.id} shares its pager with {whose}: added to an open alert it rings nobody"
            hint = "give it pager_key_env of its own, or leave the steps to the pager's own escalation policy"
            yield policy_file.warning(ID, ("escalation", "tiers", tier.id), message, hint)


def _channels(tier: Tier, policy_file: PolicyFile) -> set[str]:
    """The channels of the people of a step."""
    contacts = policy_file.policy.contacts
    handles = {handle for name in (tier.id, *tier.notify) for handle in contacts.names_behind(name)}
    return {name for handle in handles if handle in contacts.people for name in contacts.people[handle].channels}


def _rings_a_pager(tier: Tier, policy_file: PolicyFile) -> bool:
    return any(name in PAGERS for name in _channels(tier, policy_file))


def _rings_otherwise(tier: Tier, policy_file: PolicyFile) -> bool:
    """True where a channel without state reaches somebody of the step."""
    return any(policy_file.policy.rings(name) and name not in PAGERS for name in _channels(tier, policy_file))
