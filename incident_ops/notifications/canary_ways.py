"""Over which channels people hear of a canary. Pure.

A canary has no level. What holds for it is the level that its incident would have, were it to fail.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from incident_ops.domain.notice_kinds import PAGE, TO_NOBODY
from incident_ops.domain.notification import INCIDENT_CHANNEL
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.triage import decide_level, triage_answers
from incident_ops.errors import UserError


def canary_level(policy: Policy, label: str | None, weight: int, tier: int | None) -> LevelPolicy | None:
    """The level of this label, else that of an incident which hurts so many percent of the users, else the least
    urgent one that has channels; None where there is none."""
    if label is not None:
        return policy.level(label)
    if weight:
        try:
            return policy.level(decide_level(policy, triage_answers({"users_percent": float(weight)}), tier).level)
        except UserError:  # no rule fits: that is for whoever declares
            pass
    ranked = sorted(policy.levels, key=lambda level: level.rank, reverse=True)
    return next((level for level in ranked if level.channels), None)


def canary_channels(policy: Policy, level: LevelPolicy, kind: str, needs_incident: Collection[str]) -> Sequence[str]:
    """The channels of a level over which a notice of this kind goes: the quiet ones, and what rings where the policy
    pages for it. A digest cannot wait for its day: what happens now goes out at once. What needs an incident is left
    out."""
    way = policy.way(kind, level.rank)
    if way == TO_NOBODY:
        return ()
    without = {INCIDENT_CHANNEL, *needs_incident}
    return [name for name in level.channels if name not in without and (way == PAGE or not policy.rings(name))]
