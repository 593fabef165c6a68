"""Which channels a test is sent by, and what may become of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.notification import INCIDENT_CHANNEL
from incident_ops.domain.oncall import schedule_named
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import Contacts
from incident_ops.domain.teams import each_once
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

ACCEPTED, REFUSED, UNSURE = "accepted", "refused", "unknown"
NOT_READY, UNTRIED, UNSENT = "not set up", "not tested", "not sent"


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """What is tried: the channels of `to` (a handle, role or tier), of a `level`, else of the whole policy; of these
    `channels` only, where there are any. `dry_run` sends nothing."""

    to: str | None = None
    level: str | None = None
    channels: tuple[str, ...] = ()
    dry_run: bool = False


class TriedChannel(NamedTuple):
    """What became of a test.

    `channel` is a name of the policy, or the handle of somebody who has none; `of` says whose pager it is;
    `uses` are the levels and people whose notices go there; `variable` is what to set.
    """

    channel: str
    of: str
    uses: tuple[str, ...]
    outcome: str
    reason: str = ""
    variable: str = ""


def trial_exit_code(tried: Sequence[TriedChannel]) -> int:
    """4 where a channel refused or nobody can tell; 2 where one is not set up; else 0."""
    outcomes = {one.outcome for one in tried}
    return 4 if outcomes & {REFUSED, UNSURE} else 2 if NOT_READY in outcomes else 0


def channels_meant(policy: Policy, options: TrialOptions, at: datetime) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Each channel that is meant with who uses it, and the people meant who have none; `at` says who is on call."""
    people = policy.contacts.people
    whom, label, handles = options.to, policy.label_typed(options.level), list(people)
    parts = (policy, *policy.teams.values())
    every = [level for part in parts for level in (*part.levels, *part.scheme.major)]
    levels = {one.id: each_once(level.channels for level in every if level.id == one.id) for one in every}
    if whom is not None:
        levels, handles = {}, _people_behind(policy, whom, at)
    if label is not None:
        if label not in levels:
            raise UserError(f"the policy has no level {label!r}", hint=did_you_mean(label, levels))
        levels, handles = {label: levels[label]}, []
    named = {**levels, **{handle: people[handle].channels for handle in handles if handle in people}}
    if whom is None and label is None:
        named[""] = [*policy.notify.channels, *([INCIDENT_CHANNEL] if policy.notify.incident_channel.create else [])]
    users: dict[str, list[str]] = {}
    for user, channels in named.items():
        for channel in channels:
            users.setdefault(channel, []).extend([user] if user else [])
    for channel in options.channels:
        if channel not in users:
            where = whom or label or "the policy"
            raise UserError(f"{where} has no channel {channel!r}", hint=did_you_mean(channel, users))
    asked = {channel: users[channel] for channel in options.channels or users}
    without = [one for one in handles if whom and not (one in people and people[one].channels)]
    return asked, {one: _why_without(policy.contacts, whom or one, one, at) for one in without}


def _people_behind(policy: Policy, whom: str, at: datetime) -> list[str]:
    """The people of a name. UserError where the policy does not know it, and where it names nobody now."""
    contacts = policy.contacts
    people, handles = contacts.people, contacts.handles(whom, at)
    known = [*people, *contacts.roles, *contacts.tiers]
    is_known = whom in known or (bool(contacts.names_behind(whom)) and not whom.startswith("@"))
    if not is_known:
        hint = did_you_mean(whom, known) or "policy contacts names people, roles and tiers"
        raise UserError(f"the policy has no contact {whom!r}", hint=hint)
    if not handles and contacts.names_behind(whom):
        raise UserError(f"{whom}: {contacts.why_nobody(whom)} now", hint="`incident-ops oncall who` says who is when")
    if not handles:
        raise UserError(f"{whom} names nobody", hint="name people for it in policy.yaml, `contacts`")
    return handles


def _why_without(contacts: Contacts, whom: str, handle: str, at: datetime) -> str:
    """Why somebody cannot be reached, and by which schedule they are on call, where one names them."""
    schedules = [name for name in contacts.names_behind(whom) if schedule_named(name) is not None]
    by = [schedule_named(name) or "" for name in schedules if handle in contacts.handles(name, at)]
    return f"(on call by {', '.join(by)}) has no channel in `contacts`" if by else "no channel in `contacts`"
