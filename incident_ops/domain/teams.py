"""What the services of an incident share when they belong to several teams: people, ladders and channels of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from incident_ops.domain.incident import Incident
from incident_ops.domain.oncall import WhoIsOnCall
from incident_ops.domain.policy_sections import Contacts, EscalationPolicy

_Names = Mapping[str, Sequence[str]]


def clock_service(incident: Incident) -> str:
    """The first service at the declaration, whose team decides clocks and calendar; "" where there was none."""
    changed = next((change.old or "" for change in incident.changes if change.field == "services"), None)
    return next(iter(incident.services), "") if changed is None else changed.partition(", ")[0]


def united_contacts(parts: Sequence[Contacts], on_call: WhoIsOnCall | None) -> Contacts:
    """The people of each role and tier of all parts, each once; who they are is the same in all, and so is who stands
    behind `oncall:NAME`."""
    return replace(
        parts[0],
        roles=_united([part.roles for part in parts]),
        tiers=_united([part.tiers for part in parts]),
        executive=each_once(part.executive for part in parts),
        on_call=on_call,
    )


def united_ladder(parts: Sequence[EscalationPolicy]) -> EscalationPolicy:
    """The steps of all ladders, the lowest first; of one height those of the first part come first. They begin again as
    often as any of them does, any keyword counts, and the first fallback that is named."""
    tiers = list(parts[0].tiers)
    for part in parts[1:]:
        tiers += [tier for tier in part.tiers if tier not in tiers]
    return replace(
        parts[0],
        tiers=sorted(tiers, key=lambda tier: tier.tier),
        repeat=max(part.repeat for part in parts),
        keywords=each_once(part.keywords for part in parts),
        fallback=next((part.fallback for part in parts if part.fallback), None),
    )


def each_once(lists: Iterable[Iterable[str]]) -> list[str]:
    """The entries of all lists, each at its first place."""
    return [*dict.fromkeys(entry for entries in lists for entry in entries)]


def _united(tables: Sequence[_Names]) -> dict[str, list[str]]:
    return {
        name: each_once(table.get(name, ()) for table in tables) for name in each_once(table.keys() for table in tables)
    }
