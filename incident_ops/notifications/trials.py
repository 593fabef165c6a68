"""Which channels a test is sent by, and what may become of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.notification import INCIDENT_CHANNEL
from incident_ops.domain.policy import Policy
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


def channels_meant(policy: Policy, options: TrialOptions, at: datetime) -> tuple[dict[str, list[str]], list[str]]:
    """Each channel that is meant with who uses it, and the people meant who have none; `at` says who is on call."""
    people = policy.contacts.people
    whom, label, handles = options.to, policy.label_typed(options.level), list(people)
    parts = (policy, *policy.teams.values())
    every = [level for part in parts for level in (*part.levels, *part.scheme.major)]
    levels = {one.id: each_once(level.channels for level in every if level.id == one.id) for one in every}
    if whom is not None:
        levels, handles = {}, policy.contacts.handles(whom, at)
        if not handles or any(handle not in people for handle in handles):
            known = [*people, *policy.contacts.roles, *policy.contacts.tiers]
            hint = did_you_mean(whom, known) or "policy contacts names people, roles and tiers"
            raise UserError(f"the policy has no contact {whom!r}", hint=hint)
    if label is not None:
        if label not in levels:
            raise UserError(f"the policy has no level {label!r}", hint=did_you_mean(label, levels))
        levels, handles = {label: levels[label]}, []
    named = {**levels, **{handle: people[handle].channels for handle in handles}}
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
    return asked, [handle for handle in handles if whom and not people[handle].channels]
