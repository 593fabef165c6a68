"""What a record says about its clocks at an instant: when they began, rested and ended. Corrections are applied.

An instant after `now` has not happened yet. `unknown` is never read as a time: a clock that ended at an unknown
instant has ended, and nobody knows when.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from incident_ops.lifecycle import ASSIGNED, IN_PROGRESS, NEW, OVER, PENDING, REOPENED, TRIAGED, effective
from incident_ops.model.incident import Incident
from incident_ops.model.time import UNKNOWN, instant, parse_instant
from incident_ops.sla.calendar import Pause

AT_WORK = frozenset({NEW, TRIAGED, ASSIGNED, IN_PROGRESS, REOPENED})
"""States that say: not resolved. They outweigh an instant `resolved` that was left behind by mistake."""


class End(NamedTuple):
    """Whether a clock has ended, and when; ended without an instant = nobody knows when."""

    ended: bool
    at: datetime | None = None


RUNNING = End(False)


class Facts(NamedTuple):
    """A record, its instants after corrections, and the instant (aware UTC) from which it is looked at."""

    incident: Incident
    instants: Mapping[str, str]
    now: datetime

    @property
    def cycle(self) -> int:
        """1, and one more for each time the incident was reopened."""
        return 1 + len(self.incident.cycles)

    def at(self, field: str) -> datetime | None:
        """The instant of a field such as `times.declared`; None where it is missing or unknown."""
        return instant(self.instants.get(field))


def facts(incident: Incident, now: datetime) -> Facts:
    """A record looked at from `now`."""
    return Facts(incident, effective(incident), now)


def declared(given: Facts) -> datetime:
    """The origin of every clock; it is never unknown."""
    return parse_instant(given.instants["times.declared"])


def acknowledged(given: Facts) -> End:
    """The end of the response.

    `unknown` ends it where the state shows that somebody works, or worked, on the incident; without any word of an
    acknowledgement it ends, at the latest, when the incident was first resolved.
    """
    text = given.instants.get("times.acknowledged")
    if text == UNKNOWN:
        return End(given.incident.state not in (NEW, TRIAGED, ASSIGNED, PENDING))
    if text is not None:
        return _reached(given, parse_instant(text))
    return _reached(given, given.at("times.resolved")) if given.incident.cycles else resolved(given)


def resolved(given: Facts) -> End:
    """The end of the cycle the incident is in."""
    state = given.incident.state
    if state in AT_WORK:
        return RUNNING
    at = given.at(_field(given.cycle, "resolved"))
    return RUNNING if at is None and state not in OVER else _reached(given, at)


def cycle_start(given: Facts) -> datetime:
    """Where the cycle the incident is in began: declared, or the last reopening."""
    return given.at(_field(given.cycle, "reopened")) or declared(given)


def pauses(given: Facts) -> tuple[Pause, ...]:
    """The pauses of the record, and the times from an end to the reopening after it."""
    found = [(parse_instant(pause.start), instant(pause.end)) for pause in given.incident.pauses]
    for cycle in range(1, given.cycle):
        over = given.at(_field(cycle, "resolved")) or given.at(_field(cycle, "closed"))
        again = given.at(_field(cycle + 1, "reopened"))
        if over and again:
            found.append((over, again))
    return tuple(found)


def update_instants(given: Facts) -> list[datetime]:
    """Updates of any audience since the cycle began, in order (C36)."""
    begin = cycle_start(given)
    end = resolved(given).at or given.now
    return sorted(at for update in given.incident.updates if begin < (at := parse_instant(update.at)) <= end)


def _field(cycle: int, name: str) -> str:
    return f"cycles.{cycle - 1}.{name}" if cycle > 1 else f"times.{name}"


def _reached(given: Facts, at: datetime | None) -> End:
    return End(True, at) if at is None or at <= given.now else RUNNING
