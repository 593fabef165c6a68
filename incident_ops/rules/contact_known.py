"""Every person or team named in a record is in the policy's contacts.

Only somebody with a contact can be notified, and only the right handle gets the credit. Each name is reported once,
where it first appears, and at every open action item that nobody would be reminded of. Not checked where the policy has
no contacts; the automation (`incident-ops`) and bots need none for what they wrote.

    before: commander: "@alcie"
    after:  commander: "@alice"
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.automation import is_automation
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy_sections import Contacts
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level, Route, did_you_mean
from incident_ops.rules._support import rule_finding

ID = "contact-known"
LEVEL = Level.WARNING
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """Every handle of the record against the contacts."""
    people = _reachable(world.policy.for_incident(record.incident).contacts)
    if not people:
        return
    reported = set(people)
    items = enumerate(record.incident.action_items)
    unowned: dict[Route, str] = {("action_items", index, "owner"): item.id for index, item in items if item.is_open}
    for route, name in _named(record.incident):
        if route[-1] in _AUTHORS and is_automation(name, world.policy):
            continue
        if name is not None and name not in reported:
            reported.add(name)
            hint = did_you_mean(name, people) if name.startswith("@") else "add it to contacts, or write the handle"
            yield rule_finding(ID, LEVEL, route, f"{name!r} is not in the policy's contacts", hint)
        elif name is not None and name not in people and route in unowned:
            message = f"{name!r} is not in the policy's contacts, so nobody is reminded of {unowned[route]}"
            yield rule_finding(ID, LEVEL, route, message, "has this person left? assign the item to somebody else")


_AUTHORS = ("by", "done_by")


def _reachable(contacts: Contacts) -> set[str]:
    lists = (*contacts.roles.values(), *contacts.tiers.values(), contacts.executive)
    people = {name for names in lists for name in names} | set(contacts.people)
    return people | set(contacts.roles) | set(contacts.tiers) if people else set()


def _named(incident: Incident) -> Iterator[tuple[Route, str | None]]:
    roles = incident.roles
    for role in ("commander", "technical_lead", "communications_lead", "scribe"):
        yield ("roles", role), getattr(roles, role)
    for role, name in roles.others.items():
        yield ("roles", "others", role), name
    for block in ("timeline", "changes", "corrections", "overrides", "deadlines"):
        for index, entry in enumerate(getattr(incident, block)):
            yield (block, index, "by"), entry.by
    for index, assignment in enumerate(incident.assignments):
        yield ("assignments", index, "to"), assignment.to
    if incident.snooze:
        yield ("snooze", "by"), incident.snooze.by
    for index, item in enumerate(incident.action_items):
        yield ("action_items", index, "owner"), item.owner
        yield ("action_items", index, "done_by"), item.done_by
        for number, change in enumerate(item.changes):
            yield ("action_items", index, "changes", number, "by"), change.by
    if incident.postmortem:
        for block in ("authors", "reviewers"):
            for index, name in enumerate(getattr(incident.postmortem, block)):
                yield ("postmortem", block, index), name
        yield ("postmortem", "approved_by"), incident.postmortem.approved_by
