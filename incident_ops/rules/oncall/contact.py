"""Everybody on call is in the policy's contacts.

Who has left is still in a rota, and a page to them wakes nobody. Not checked where the policy has no contacts.
Overrides that are over are not looked at.

    before: people: ["@alice", "@gone"]
    after:  people: ["@alice", "@ben"]
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.oncall import schedule_instant, schedule_zone
from incident_ops.findings import Finding, Level, Route, did_you_mean
from incident_ops.rules.oncall import ScheduleFile

ID = "oncall-contact"
LEVEL = Level.WARNING
TIMED = True


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """Each person once, where they are first named."""
    if not subject.contacts:
        return
    seen: set[str] = set()
    for route, who in _named(subject):
        if who not in seen and who not in subject.contacts:
            seen.add(who)
            near = did_you_mean(who, subject.contacts)
            hint = near if near.startswith("did") else "have they left? put somebody else here, or add them to contacts"
            message = f"{who} is not in the policy's contacts, so a page reaches nobody in their turn"
            yield subject.finding(ID, LEVEL, route, message, hint)


def _named(subject: ScheduleFile) -> Iterator[tuple[Route, str]]:
    zone = schedule_zone(subject.schedule)
    for index, layer in enumerate(subject.schedule.layers):
        yield from ((("layers", index, "people", number), who) for number, who in enumerate(layer.people))
    for index, over in enumerate(subject.schedule.overrides):
        if schedule_instant(over.end, zone) > subject.now:
            yield ("overrides", index, "who"), over.who
