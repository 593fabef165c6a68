"""Nobody is next: the ladder of a level that pages does not end in a person.

Where nobody answers, the next step of `escalation.tiers` is called. Each needs a time to answer (`wait`) and people
with a channel, above all the last one: it is called on and on. Where no step reaches anybody, `escalation.fallback` is
told, and the run fails.

Before:

    extends: sev0-3
    contacts:
      "@alice": {channels: [pager, chat]}
      roles: {on_call: ["@alice"]}

After:

    extends: sev0-3
    contacts:
      "@alice": {channels: [pager, chat]}
      "@bob": {channels: [pager, chat]}
      "@mona": {channels: [phone, chat]}
      roles: {on_call: ["@alice"], secondary: ["@bob"], manager: ["@mona"]}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.notice_kinds import PAGED_RANKS
from incident_ops.domain.oncall import schedule_named
from incident_ops.domain.policy_sections import Tier, step_after
from incident_ops.findings import Finding, Level, Route, did_you_mean
from incident_ops.rules.policy import PolicyFile

ID = "ladder-end"
LEVEL = Level.WARNING


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for the levels without a ladder, one for the steps that reach nobody, one for the fallback."""
    policy = policy_file.policy
    tiers = sorted(policy.escalation.tiers, key=lambda tier: tier.tier)
    paged = [level.id for level in policy.levels if level.rank <= PAGED_RANKS]
    waiting = [label for label in paged if tiers and tiers[0].wait_at(label)]
    if alone := [label for label in paged if label not in waiting]:
        message = f"nobody is next where nobody answers {_listed(alone, 'or')}: no step has a time to answer"
        hint = f"give the steps of escalation.tiers one, e.g. wait: {{{alone[0]}: 10m}}"
        yield policy_file.warning(ID, ("escalation", "tiers"), message, hint)
    steps = {tier.tier: tier for label in waiting for tier in _steps(tiers, label)}
    if missed := [tier for _, tier in sorted(steps.items()) if not _reaches(policy_file, *tier.notify, tier.id)]:
        ends = missed[-1].tier == max(steps)
        message = f"{_named(missed)} {'reach' if len(missed) > 1 else 'reaches'} nobody"
        message = f"the ladder does not end in a person: {message}" if ends else f"{message} in the ladder"
        names = dict.fromkeys(name for tier in missed for name in tier.notify or [tier.id])
        hint = f"name people in contacts, with a channel, for {_listed([*names], 'and')}"
        route: Route = ("escalation", "tiers") if len(missed) > 1 else ("escalation", "tiers", missed[0].id)
        yield policy_file.warning(ID, policy_file.first_own(route, ("contacts",)), message, hint)
    yield from _fallback(policy_file)


def _steps(tiers: list[Tier], label: str) -> Iterator[Tier]:
    """The tiers that are called one after the other where nobody answers an incident of this level."""
    number: int | None = tiers[0].tier
    while number is not None:
        here = next(tier for tier in tiers if tier.tier == number)
        yield here
        number = step_after(number, tiers, label) if here.wait_at(label) else None


def _reaches(policy_file: PolicyFile, *names: str) -> bool:
    """True where somebody behind these names has a channel, be it in their turn on call."""
    contacts, schedules = policy_file.policy.contacts, policy_file.schedules
    people: list[str] = []
    for one in (one for name in names for one in contacts.names_behind(name)):
        schedule = schedule_named(one)
        if schedule is not None and schedules is None:
            return True
        people += schedules[schedule].people if schedule and schedules and schedule in schedules else [one]
    return any(one in contacts.people and contacts.people[one].channels for one in people)


def _fallback(policy_file: PolicyFile) -> Iterator[Finding]:
    policy, name = policy_file.policy, policy_file.policy.escalation.fallback
    if name is None or name in policy.notify.channels or _reaches(policy_file, name):
        return
    known = [*policy.notify.channels, *policy.contacts.roles, *policy.contacts.people]
    message = f"{name} reaches nobody: it is neither a channel nor anybody who has one"
    yield policy_file.warning(ID, ("escalation", "fallback"), message, did_you_mean(name, known))


def _named(steps: list[Tier]) -> str:
    return f"step{'s' if len(steps) > 1 else ''} {_listed([tier.id for tier in steps], 'and')}"


def _listed(words: list[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
