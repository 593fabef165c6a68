"""The labels we set: their colours and what they say, for a tracker that does not have them yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from incident_ops.lifecycle import STATES
from incident_ops.model.observed import Label
from incident_ops.model.policy import Policy

ITEM_STATES = ("open", "in_progress", "done", "wont_do")
HANDS_OFF = "incident-ops:hands-off"
"""People put it on an issue; everything about that issue is left alone."""

_BY_RANK = ("b60205", "d93f0b", "fbca04", "0e8a16")
_LOWER, _KIND, _STATE, _OTHER = "c2e0c6", "5319e7", "bfd4f2", "ededed"
_LONGEST = 100  # characters of a description on GitHub


def palette(policy: Policy, used: Iterable[str]) -> Mapping[str, Label]:
    """Case-folded name -> label, for kinds, levels, states, and `used` ones of any other kind."""
    kinds = policy.tracker.labels
    states = dict.fromkeys((*STATES, *ITEM_STATES))
    known = [
        Label(name=kinds.incident, color=_KIND, description="The issue of an incident; its record is in git"),
        Label(name=kinds.action_item, color=_KIND, description="Follow-up work of an incident; its record is in git"),
        *(_level(level.id, level.rank, level.label) for level in (*policy.levels, *policy.scheme.major)),
        *(Label(name=name, color=_STATE, description=f"State: {name.replace('_', ' ')}") for name in states),
        *(Label(name=name, color=_OTHER, description="A level that the policy does not have") for name in sorted(used)),
    ]
    return {label.name.casefold(): label for label in reversed(known)}


def _level(name: str, rank: int, label: str) -> Label:
    color = _BY_RANK[rank - 1] if 0 < rank <= len(_BY_RANK) else _LOWER
    text = f"Level {rank}, 1 is the worst" + (f": {label}" if label else "")
    return Label(name=name, color=color, description=text[:_LONGEST])
