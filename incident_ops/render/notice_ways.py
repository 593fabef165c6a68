"""How people hear of each kind of notice under a policy, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from incident_ops.domain.notice_kinds import DEADLINE_DUE, EVERY_KIND, ITEM_DUE, WAYS, way_of
from incident_ops.domain.policy import Policy

_BEFORE = {ITEM_DUE: "before its day", DEADLINE_DUE: "until 6 hours before it is due"}
"""Kinds that people hear of in another way at first."""


def ways_in_words(policy: Policy) -> Iterator[tuple[tuple[str, ...], str]]:
    """The kinds that people hear of in the same way, and that way: `page SEV0, SEV1; tell SEV2, SEV3`."""
    return ((kinds, words) for kinds, (words,) in _together([policy]))


def ways_table(policies: Mapping[str, Policy]) -> str:
    """A Markdown table: a row for the kinds that are alike, a column for each policy by its heading."""
    rows = [["Kind", *policies], ["---"] * (len(policies) + 1)]
    alike = _together([*policies.values()])
    rows += [[", ".join(f"`{kind}`" for kind in kinds), *words] for kinds, words in alike]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _together(policies: Sequence[Policy]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The kinds that people hear of in the same way under each policy, and these ways."""
    together: dict[tuple[str, ...], list[str]] = {}
    for kind in EVERY_KIND:
        together.setdefault(tuple(_ways(policy, kind) for policy in policies), []).append(kind)
    return ((tuple(kinds), ways) for ways, kinds in together.items())


def _ways(policy: Policy, kind: str) -> str:
    words = _by_level(policy, kind, is_ahead=False)
    ahead = _by_level(policy, kind, is_ahead=True) if kind in _BEFORE else words
    return words if ahead == words else f"{ahead} {_BEFORE[kind]}, then {words}"


def _by_level(policy: Policy, kind: str, *, is_ahead: bool) -> str:
    """The levels of each way; only the way where it is one for all."""
    levels: dict[str, list[str]] = {}
    for level in sorted(policy.levels, key=lambda level: level.rank):
        way = way_of(policy.notify.kinds, kind, level.rank, is_ahead=is_ahead)
        levels.setdefault(way, []).append(level.id)
    ordered = [(way, levels[way]) for way in WAYS if way in levels]
    return ordered[0][0] if len(ordered) == 1 else "; ".join(f"{way} {', '.join(names)}" for way, names in ordered)
