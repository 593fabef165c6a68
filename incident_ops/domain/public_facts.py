"""What the public may know of an incident: an allow-list. Everything that leaves the house is made from this value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.as_of import corrected_instants, current_instant, is_cause_recorded
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import is_cancelled
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.public_updates import PUBLIC, has_fix, is_fixed, is_restored, public_status
from incident_ops.domain.time import UNKNOWN, instant, parse_instant

_IN_BRACKETS = re.compile(r"\s*\([^()]*\)")
"""What a level's word has in brackets is for the responders: `Critical (page at once)`."""


class PublicUpdate(NamedTuple):
    """What was published, and the time that was promised for the end; `eta` as the record has it, or None."""

    at: datetime
    status: str
    text: str
    eta: str | None


class PublicImpact(NamedTuple):
    """A time in which users were affected, in aware UTC; `end` None while it lasts or is not known."""

    begin: datetime
    end: datetime | None


class PublicFacts(NamedTuple):
    """All that may be said outside.

    `title` None = not for the public. `level` is the label with the policy's word for it. `services` are public names
    alone; `has_others` where a service has none. `started` is the begin of the first impact, else the declaration;
    `resolved` None while it is open. `updates` are the public ones, the newest first. `is_cancelled`: it was a false
    alarm, or was withdrawn. Of the cause, the fix and the measures against another time it is said whether the record
    has them, and never what they are; the last three are about the outage that lasts.
    """

    id: str
    title: str | None
    level: str
    status: str
    services: tuple[str, ...]
    has_others: bool
    started: datetime
    resolved: datetime | None
    impacts: tuple[PublicImpact, ...]
    updates: tuple[PublicUpdate, ...]
    summary: str | None
    is_cancelled: bool
    has_cause: bool
    has_fix: bool
    has_measures: bool
    is_cause_recorded: bool
    is_fixed: bool
    is_restored: bool


def public_facts(incident: Incident, policy: Policy, services: Mapping[str, Service]) -> PublicFacts:
    """The public facts of an incident, in its policy."""
    policy = policy.for_incident(incident)
    at = corrected_instants(incident)
    names = [known.public_name if (known := services.get(name)) else None for name in incident.services]
    paper = incident.postmortem
    return PublicFacts(
        id=incident.id,
        title=incident.title if incident.visibility == PUBLIC else None,
        level=_level(incident, policy),
        status=public_status(incident),
        services=tuple(dict.fromkeys(name for name in names if name)),
        has_others=None in names,
        started=instant(at.get("times.started")) or parse_instant(at["times.declared"]),
        resolved=instant(current_instant(incident, "resolved")),
        impacts=tuple(_impacts(incident, at)),
        updates=tuple(_updates(incident)),
        summary=paper.public_summary if paper else None,
        is_cancelled=is_cancelled(incident),
        has_cause=_has_cause(incident),
        has_fix=has_fix(incident),
        has_measures=bool(incident.action_items),
        is_cause_recorded=is_cause_recorded(incident),
        is_fixed=is_fixed(incident),
        is_restored=is_restored(incident),
    )


def _has_cause(incident: Incident) -> bool:
    cause = incident.cause
    words = (cause.what, cause.why, cause.trigger) if cause else ()
    return bool(cause and cause.category != UNKNOWN) or any(word not in (None, UNKNOWN) for word in words)


def _level(incident: Incident, policy: Policy) -> str:
    label = policy.driving_label(incident.severity, incident.priority)
    level = policy.level(label)
    if level is None:
        return ""
    word = _IN_BRACKETS.sub("", level.label)
    return level.id if word in ("", level.id) else f"{level.id}, {word}"


def _impacts(incident: Incident, at: Mapping[str, str]) -> list[PublicImpact]:
    """The impact of each cycle whose begin is known; a cycle that never ended runs on into the next."""
    found: list[PublicImpact] = []
    begin = instant(at.get("times.started"))
    for number in range(len(incident.cycles) + 1):
        place = f"cycles.{number}" if number else "times"
        end = instant(at.get(f"{place}.restored"))
        is_last = number == len(incident.cycles)
        if begin is not None and (end is not None or is_last):
            found.append(PublicImpact(begin, end))
        if end is not None or f"{place}.resolved" in at:
            begin = None if is_last else instant(at.get(f"cycles.{number + 1}.reopened"))
    return found


def _updates(incident: Incident) -> list[PublicUpdate]:
    published = [
        PublicUpdate(parse_instant(one.at), one.status, one.text, one.eta)
        for one in incident.updates
        if one.audience == PUBLIC
    ]
    return sorted(published, key=lambda one: one.at)[::-1]
