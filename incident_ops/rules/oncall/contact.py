"""Everybody on call has a channel in the policy's contacts.

Who has left is still in a rota, and a page to them wakes nobody; nor does one to somebody without a channel. Overrides
that are over are not looked at.

    before: people: ["@alice", "@gone"]
    after:  people: ["@alice", "@ben"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from incident_ops.domain.oncall import schedule_instant, schedule_zone
from incident_ops.domain.policy_sections import Contact
from incident_ops.findings import Finding, Level, Route, did_you_mean
from incident_ops.rules.oncall import ScheduleFile

ID = "oncall-contact"
LEVEL = Level.WARNING
TIMED = True


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """Each person once, where they are first named."""
    if subject.contacts is None:
        return
    seen: set[str] = set()
    for route, who in _named(subject):
        contact = subject.contacts.get(who)
        if who in seen or (contact is not None and contact.channels):
            continue
        seen.add(who)
        missing = "is not in the policy's contacts" if contact is None else "has no channel in the policy's contacts"
        message = f"{who} {missing}, so a page reaches nobody in their turn"
        yield subject.finding(ID, LEVEL, route, message, _hint(who, subject.contacts))


def _hint(who: str, contacts: Mapping[str, Contact]) -> str:
    if who in contacts:
        return f'give them one: contacts: {{"{who}": {{channels: [chat]}}}}'
    if not contacts:
        return f'add them to policy.yaml: contacts: {{"{who}": {{channels: [chat]}}}}'
    near = did_you_mean(who, contacts)
    return near if near.startswith("did") else "have they left? put somebody else here, or add them to contacts"


def _named(subject: ScheduleFile) -> Iterator[tuple[Route, str]]:
    zone = schedule_zone(subject.schedule)
    for index, layer in enumerate(subject.schedule.layers):
        yield from ((("layers", index, "people", number), who) for number, who in enumerate(layer.people))
    for index, over in enumerate(subject.schedule.overrides):
        if schedule_instant(over.end, zone) > subject.now:
            yield ("overrides", index, "who"), over.who
