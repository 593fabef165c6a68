"""A person or team named in this policy cannot be notified.

A commander, a role's contact or a manager without a channel cannot be reached at night. Each handle in the policy
needs an entry in `contacts` with at least one channel from `notify.channels`. Addresses and phone numbers stay out of
git: a channel's URL is in the environment variable INCIDENT_OPS_CHANNEL_<NAME>.

Before:

    access:
      commanders: ["@alice"]

After:

    access:
      commanders: ["@alice"]
    contacts:
      "@alice": {channels: [chat]}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.oncall import schedule_named
from incident_ops.findings import Finding, Level, Route, did_you_mean
from incident_ops.rules.policy import PolicyFile

ID = "unreachable-person"
LEVEL = Level.ERROR

REPOSITORY_ROLES = frozenset({"read", "triage", "write", "maintain", "admin"})


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for each person, at the first place that names them, and one for each channel that is not there."""
    people = policy_file.policy.contacts.people
    seen: set[str] = set()
    for route, name in _named(policy_file):
        contact = people.get(name)
        if name in seen or policy_file.route(*route) is None or (contact and contact.channels):
            continue
        seen.add(name)
        if not name.startswith("@"):
            yield policy_file.error(
                ID,
                route,
                f"{name!r} is not a handle, so nobody can be notified",
                "write a handle such as @alice, and its channels in contacts",
            )
            continue
        hint = did_you_mean(name, people) if people and contact is None else ""
        hint = hint if hint.startswith("did") else f'add to contacts: "{name}": {{channels: [{_example(policy_file)}]}}'
        yield policy_file.error(ID, route, f"{name} has no channel in contacts", hint)
    yield from _channels(policy_file)


def _channels(policy_file: PolicyFile) -> Iterator[Finding]:
    known = policy_file.policy.notify.channels
    for name, contact in policy_file.policy.contacts.people.items():
        for index, channel in enumerate(contact.channels):
            if channel not in known:
                route = ("contacts", name, "channels", index)
                yield policy_file.error(
                    ID,
                    route,
                    f"{name} is reached by {channel!r}, which is not in notify.channels",
                    did_you_mean(channel, known),
                )


def _example(policy_file: PolicyFile) -> str:
    return next(iter(policy_file.policy.notify.channels), "chat")


def _named(policy_file: PolicyFile) -> Iterator[tuple[Route, str]]:
    """Every place that names a person or team, and the name; contacts' own entries last."""
    policy = policy_file.policy
    lists: list[tuple[Route, list[str]]] = [
        (("access", "commanders"), [name if name not in REPOSITORY_ROLES else "" for name in policy.access.commanders]),
        (("access", "responders"), [name if name not in REPOSITORY_ROLES else "" for name in policy.access.responders]),
        *((("contacts", "roles", role), names) for role, names in policy.contacts.roles.items()),
        *((("contacts", "tiers", tier), names) for tier, names in policy.contacts.tiers.items()),
        (("contacts", "executive"), policy.contacts.executive),
    ]
    for route, names in lists:
        people = [(index, name) for index, name in enumerate(names) if name and schedule_named(name) is None]
        yield from (((*route, index), name) for index, name in people)
    yield from ((route, whom) for route, whom in policy_file.whoms() if whom.startswith("@"))
    for name, contact in policy.contacts.people.items():
        if contact.manager:
            yield ("contacts", name, "manager"), contact.manager
        yield ("contacts", name), name
