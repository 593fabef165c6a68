"""Somebody has only channels that ring, so nothing but a page reaches them.

What does not page (status updates, late postmortems, a handover) goes over quiet channels, so that nobody is woken for
it. A person or a level with none of them does not hear of it.

Before:

    extends: p0-p3
    contacts:
      "@alice": {channels: [pager]}

After:

    extends: p0-p3
    contacts:
      "@alice": {channels: [pager, chat]}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.findings import Finding, Level, Route
from incident_ops.rules.policy import PolicyFile

ID = "quiet-channel"
LEVEL = Level.WARNING


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for each person and each level whose channels all ring."""
    policy = policy_file.policy
    quiet = next((name for name in policy.notify.channels if not policy.rings(name)), "chat")
    places: list[tuple[Route, str, list[str]]] = [
        (("contacts", name, "channels"), name, contact.channels) for name, contact in policy.contacts.people.items()
    ]
    places += [((*route, "channels"), f"level {level.id}", level.channels) for route, level in policy_file.levels()]
    for route, name, channels in places:
        if channels and all(map(policy.rings, channels)):
            message = f"{name} has only channels that ring ({', '.join(channels)}): what does not page reaches nobody"
            yield policy_file.warning(ID, route, message, f"add a quiet one, e.g. {quiet}")
