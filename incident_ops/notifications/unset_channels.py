"""Channels that nobody set up: those that only the preset names spoil no run, as long as nobody is forgotten. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from incident_ops.domain.notice_kinds import PAGE
from incident_ops.domain.notification import INCIDENT_CHANNEL, Message
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.errors import NotSetUp
from incident_ops.notifications.deliver import SENT_NOW, Delivered
from incident_ops.notifications.plan import CLAIMED, SENT, PlannedNotice

_ADDRESS = "INCIDENT_OPS_CHANNEL_"
_REACHED = frozenset({SENT, SENT_NOW, CLAIMED})


def named_channels(own: Mapping[str, Any], teams: Mapping[str, Any]) -> frozenset[str]:
    """The channels that a policy.yaml and the teams of services.yaml name themselves, as data without the preset."""
    found = {*own.get("channels", ()), *_lists_of(own), *_lists_of(teams)}
    if own.get("notify", {}).get("incident_channel"):
        found.add(INCIDENT_CHANNEL)
    return frozenset(found)


def _lists_of(data: Any) -> Iterator[str]:
    """Every name below a key `channels` or `fallback`."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key == "fallback" and isinstance(value, str):
                yield value
            elif key == "channels" and isinstance(value, list):
                yield from value
            elif key == "channels" and isinstance(value, Mapping):
                yield from (name for name in value.values() if isinstance(name, str))
            else:
                yield from _lists_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from _lists_of(value)


class UnsetChannels(NamedTuple):
    """The channels without a set-up that only the preset names: those that spoil no run, and what to write into
    policy.yaml so that none of them is used."""

    excused: frozenset[str] = frozenset()
    without: str = ""


def unset_channels(
    delivered: Iterable[Delivered], planned: Iterable[PlannedNotice], named: Collection[str], policy: Policy
) -> UnsetChannels:
    """A channel is excused where each incident with a notice for it was heard of otherwise, on a channel that rings
    where this one does. `named` are the channels that the team names itself."""
    done, notices = list(delivered), list(planned)
    by_pair = {one.pair: one.message for one in notices}

    def meant(one: PlannedNotice) -> Iterator[Message]:
        yield from (by_pair[pair] for pair in one.recorded_as if pair in by_pair)

    outcomes = [(one.planned, one.outcome) for one in done] + [(one, one.action) for one in notices]
    arrived = [message for one, outcome in outcomes if outcome in _REACHED for message in meant(one)]
    reached = {message.incident for message in arrived}
    woken = {message.incident for message in arrived if policy.rings(message.channel) and message.way == PAGE}
    lacking: dict[str, set[str]] = {}
    for one in done:
        if isinstance(one.error, NotSetUp) and _by_preset(one.error, named):
            lacking.setdefault(one.error.channel, set()).update(message.incident for message in meant(one.planned))
    names = frozenset(name for name, about in lacking.items() if about <= (woken if policy.rings(name) else reached))
    return UnsetChannels(names, _policy_without(names, policy))


def _by_preset(error: NotSetUp, named: Collection[str]) -> bool:
    """False also for a routing key, whose variable services.yaml or a step of the policy names."""
    lacks_address = error.variable.startswith(_ADDRESS) or error.channel == INCIDENT_CHANNEL
    return lacks_address and error.channel not in named


def _policy_without(channels: Collection[str], policy: Policy) -> str:
    levels, major = _rows(policy.levels, channels), _rows(policy.scheme.major, channels)
    parts = [f"levels: [{', '.join(levels)}]"] if levels else []
    parts += [f"scheme: {{major: [{', '.join(major)}]}}"] if major else []
    parts += ["notify: {incident_channel: {create: false}}"] if INCIDENT_CHANNEL in channels else []
    return "; ".join(parts)


def _rows(levels: Sequence[LevelPolicy], channels: Collection[str]) -> list[str]:
    return [
        f"{{id: {level.id}, channels: [{', '.join(name for name in level.channels if name not in channels)}]}}"
        for level in levels
        if any(name in channels for name in level.channels)
    ]
