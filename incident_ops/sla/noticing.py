"""How late runs noticed what was due: the time nobody looked, as far as records know it.

A record says of each escalation when it was due and when a run noticed it. Between the two no run looked, so these
stretches are time that was blind for certain; there may have been more in which nothing became due.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from incident_ops.model.incident import Incident
from incident_ops.model.policy_blocks import AROUND_THE_CLOCK
from incident_ops.model.time import instant, parse_instant
from incident_ops.sla.calendar import elapsed
from incident_ops.sla.escalation import MANUAL
from incident_ops.sla.statistics import Spread, spread


class Noticing(NamedTuple):
    """From due to noticed over all escalations by rule; `blind_seconds` are those stretches joined.

    `longest` is the key of the one that waited longest, and `longest_seconds` how long.
    """

    lag: Spread
    blind_seconds: int
    longest: str
    longest_seconds: int


def noticing(incidents: Iterable[Incident], now: datetime) -> Noticing | None:
    """None where no record tells of an escalation by rule up to `now` (aware UTC)."""
    found = []
    for incident in incidents:
        for entry in incident.escalations:
            due, seen = parse_instant(entry.at), instant(entry.noticed_at)
            if entry.rule != MANUAL and seen is not None and due <= seen <= now:
                found.append((due, seen, entry.key))
    lag = spread(_seconds(due, seen) for due, seen, _ in found)
    if lag is None:
        return None
    due, seen, key = max(found, key=lambda one: (one[1] - one[0], one[2]))
    first, last = min(begin for begin, _, _ in found), max(end for _, end, _ in found)
    watched = elapsed(first, last, AROUND_THE_CLOCK, [(begin, end) for begin, end, _ in found])
    return Noticing(lag, _seconds(first, last) - watched, key, _seconds(due, seen))


def _seconds(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds())
