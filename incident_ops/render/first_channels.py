"""The channels that a team has, as the first policy says them."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.domain.notice_kinds import RINGING
from incident_ops.domain.notification import INCIDENT_CHANNEL
from incident_ops.domain.policy import LevelPolicy, Policy

_TICKET = "ticket"  # comments on the issue need no address


def channels_text(preset: Policy, channels: Sequence[str]) -> str:
    """The lines of policy.yaml that leave only these channels of a preset; "" for none.

    The worst level has all of them, each other one those that ring where the preset lets it ring, and the quiet ones
    where the preset has it heard at all.
    """
    if not channels:
        return ""
    named = [one for one in channels if one != INCIDENT_CHANNEL]
    room = "" if INCIDENT_CHANNEL in channels else "  incident_channel: {create: false}\n"
    lines = [_line(one, named) for one in preset.levels]
    majors = [_line(one, named) for one in preset.scheme.major]
    text = f"notify:\n  channels: [{', '.join(named)}] # each needs its address: incident-ops doctor\n{room}"
    text += "levels:\n" + "".join(f"- {line}\n" for line in lines)
    return text + ("scheme:\n  major:\n" + "".join(f"  - {line}\n" for line in majors) if majors else "")


def _line(level: LevelPolicy, named: Sequence[str]) -> str:
    rings = level.rank == 1 or not RINGING.isdisjoint(level.channels)
    kept = [one for one in named if level.channels and (rings or one not in RINGING)]
    kept += [_TICKET] if _TICKET in level.channels and _TICKET not in kept else []
    return f"{{id: {level.id}, channels: [{', '.join(kept)}]}}"
