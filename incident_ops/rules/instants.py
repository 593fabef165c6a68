"""Comparing instants as records write them, and where each of them stands."""

from __future__ import annotations

from datetime import datetime

from incident_ops.findings import Route
from incident_ops.lifecycle import effective
from incident_ops.model.incident import Incident
from incident_ops.model.time import UNKNOWN, parse_instant
from incident_ops.rules.remember import remembering

_PLAIN = len("2025-01-26T12:05:00Z")


def known(text: str | None) -> bool:
    """True where an instant is given and not `unknown`."""
    return text is not None and text != UNKNOWN


def later(one: str, other: str) -> bool:
    """True where instant `one` comes after instant `other`; both must be known."""
    if len(one) == len(other) == _PLAIN and one[-1] == "Z" == other[-1]:
        return one > other  # both plain UTC: the order of the texts is the order of the instants
    return parse_instant(one) > parse_instant(other)


def same_instant(one: str, other: str) -> bool:
    """True where both texts name the same instant, in whatever zone; `unknown` is the same as `unknown` only."""
    return one == other or (known(one) and known(other) and not later(one, other) and not later(other, one))


def seconds_between(start: str, end: str) -> float:
    """Seconds from instant `start` to instant `end`; negative where `end` comes first."""
    return (parse_instant(end) - parse_instant(start)).total_seconds()


def age(text: str, now: datetime) -> float:
    """Seconds from an instant to `now`."""
    return (now - parse_instant(text)).total_seconds()


given = remembering(effective)
"""The instants of an incident after the corrections; see lifecycle."""


def place(incident: Incident, field: str) -> Route:
    """The route of an instant's effective value: `times.started`, `cycles.1.restored`, or its last correction."""
    for index in range(len(incident.corrections) - 1, -1, -1):
        if incident.corrections[index].field == field:
            return ("corrections", index, "to")
    first, *rest = field.split(".")
    return (first, int(rest[0]) - 1, rest[1]) if len(rest) == 2 else (first, *rest)
