"""What holds for the incidents of one service, and where each line of it comes from: its team, or the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.domain.policy import LevelPolicy, Policy, Service
from incident_ops.domain.policy_sections import Tier
from incident_ops.render.findings import inert, json_text
from incident_ops.render.policy import about_level
from incident_ops.render.text import DEFAULT_WIDTH, fold
from incident_ops.sla.escalation_ladder import people_of_tier
from incident_ops.sla.targets import business_calendar

POLICY, TEAM = "policy", "team"
_OF_TEAMS = ("Clocks", "Updates", "Escalation", "Channels")
_NOBODY = "nobody"


class HeldRow(NamedTuple):
    """One thing that holds; `source` is POLICY or TEAM."""

    name: str
    holds: str
    source: str


def held_rows(policy: Policy, service: str, at: datetime) -> list[HeldRow]:
    """Hours, people, ladder (`at` says who is on call), and of each level clocks and channels, worst level first."""
    usual = dict(_pairs(policy, at))
    return [
        HeldRow(name, holds, POLICY if usual.get(name) == holds else TEAM)
        for name, holds in _pairs(policy.for_services([service]), at)
    ]


def held_text(
    policy: Policy, services: Mapping[str, Service], service: str, at: datetime, width: int = DEFAULT_WIDTH
) -> str:
    """The rows for a terminal, each with its source."""
    own = services[service]
    of_team = f"team {own.team}" if own.team else "no team"
    tier = "" if own.tier is None else f", tier {own.tier}"
    heading = f"What holds for incidents of {service}: {of_team}, owner {own.owner}{tier}"
    out = [*fold(inert(heading), width=width), ""]
    rows = [HeldRow("WHAT", "HOLDS", "FROM"), *held_rows(policy, service, at)]
    room, beside = (max(map(len, cells)) + 2 for cells in ([row.name for row in rows], [row.source for row in rows]))
    for row in rows:
        line = f"{row.name:<{room}}{row.source:<{beside}}{row.holds}"
        out += fold(inert(line), rest=" " * (room + beside), width=width)
    return "\n".join(out) + "\n"


def held_json(
    policy: Policy, services: Mapping[str, Service], service: str, at: datetime, resolved: Mapping[str, Any]
) -> str:
    """Version 1: `{"schema", "service", "team", "tier", "owner", "holds": [{"name", "holds", "source"}], "policy"}`;
    `policy` is the whole resolved policy of the team."""
    own = services[service]
    about = {"service": service, "team": own.team, "tier": own.tier, "owner": own.owner}
    rows = [row._asdict() for row in held_rows(policy, service, at)]
    return json_text({"schema": 1, **about, "holds": rows, "policy": resolved})


def _pairs(policy: Policy, at: datetime) -> Iterator[tuple[str, str]]:
    hours = business_calendar(policy)
    yield "Working hours", f"{hours.tz}: {_hours(hours.hours)}"
    for role, names in sorted(policy.contacts.roles.items()):
        yield f"Role {role}", ", ".join(names) or _NOBODY
    yield "Role executive", ", ".join(policy.contacts.executive) or _NOBODY
    for tier in policy.escalation.tiers:
        yield f"Step {tier.tier}, {tier.id}", _step(tier, policy, at)
    yield "Ladder again", _times(policy.escalation.repeat)
    yield "Fallback", policy.escalation.fallback or _NOBODY
    yield "Keywords", ", ".join(policy.escalation.keywords) or "none"
    for level in sorted(policy.levels, key=lambda one: one.rank):
        yield from _level(level, policy)
    for level in sorted(policy.scheme.major, key=lambda one: one.rank):
        yield from _level(level, policy)


def _level(level: LevelPolicy, policy: Policy) -> Iterator[tuple[str, str]]:
    for title, text in about_level(level, policy):
        if title in _OF_TEAMS:
            yield f"{level.id} {title.lower()}", text


def _step(tier: Tier, policy: Policy, at: datetime) -> str:
    handles, missing = people_of_tier(tier.tier, policy, at)
    who = ", ".join((*handles, *(f"{name} ({_NOBODY})" for name in missing))) or _NOBODY
    spans = {"answers within": tier.ack_timeout, "waits": tier.wait}
    shown = [f"{name} {_span(span)}" for name, span in spans.items() if span]
    return "; ".join([who, *shown])


def _times(repeat: int) -> str:
    return "never" if not repeat else "once" if repeat == 1 else f"{repeat} times"


def _span(span: Any) -> str:
    return ", ".join(f"{name} {one}" for name, one in span.items()) if isinstance(span, Mapping) else str(span)


def _hours(hours: Mapping[str, list[str]]) -> str:
    """`Monday-Friday 09:00-17:00`: days of the same hours that follow each other stand together."""
    runs: list[tuple[list[str], str]] = []
    for day, spans in hours.items():
        text = ", ".join(spans)
        if runs and runs[-1][1] == text:
            runs[-1][0].append(day)
        elif text:
            runs.append(([day], text))
    shown = (("-".join(dict.fromkeys((days[0], days[-1]))).title(), text) for days, text in runs)
    return "; ".join(f"{days} {text}" for days, text in shown) or "closed"
