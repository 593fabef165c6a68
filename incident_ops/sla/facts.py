"""What a record says about its clocks at an instant: when they began, rested and ended. Corrections are applied.

An instant after `now` has not happened yet: a reopening, a change of state or severity, the end of a pause. So the
same record looked at from an earlier `now` shows what was known then (back-tests and late runs rest on this).
`unknown` is never read as a time: a clock that ended at an unknown instant has ended, and nobody knows when.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.lifecycle import ASSIGNED, FIXED, IN_PROGRESS, NEW, OVER, PENDING, REOPENED, TRIAGED, effective
from incident_ops.model.incident import Change, Incident
from incident_ops.model.time import UNKNOWN, instant, parse_instant
from incident_ops.sla.calendar import Pause

AT_WORK = frozenset({NEW, TRIAGED, ASSIGNED, IN_PROGRESS, REOPENED})
"""States that say: not resolved. They outweigh an instant `resolved` that was left behind by mistake."""

LONG_AFTER = timedelta(days=1)
"""A declaration so long after the detection is bookkeeping: nobody is paged for it."""


class End(NamedTuple):
    """Whether a clock has ended, and when; ended without an instant = nobody knows when.

    Where only a day is known, `at` is its end and `day` its beginning.
    """

    ended: bool
    at: datetime | None = None
    day: datetime | None = None


RUNNING = End(False)


class Facts(NamedTuple):
    """A record, its instants after corrections, and the instant (aware UTC) from which it is looked at.

    `state` is the one it was in then; `cycle` is 1, and one more for each time it had been reopened.
    """

    incident: Incident
    instants: Mapping[str, str]
    now: datetime
    state: str
    cycle: int

    def at(self, field: str) -> datetime | None:
        """The instant of a field such as `times.declared`; None where it is missing or unknown."""
        return instant(self.instants.get(field))

    @property
    def is_cancelled(self) -> bool:
        """True for a duplicate, a false alarm and what was withdrawn: its clocks are neither met nor missed."""
        return self.incident.outcome != FIXED or self.incident.duplicate_of is not None


def facts(incident: Incident, now: datetime) -> Facts:
    """A record looked at from `now`."""
    instants = effective(incident)
    again = (instant(instants[f"cycles.{number}.reopened"]) for number in range(1, len(incident.cycles) + 1))
    cycle = 1 + sum(at is None or at <= now for at in again)
    return Facts(incident, instants, now, _state(incident, now), cycle)


def declared(given: Facts) -> datetime:
    """The origin of every clock; it is never unknown."""
    return parse_instant(given.instants["times.declared"])


def declared_at(incident: Incident) -> datetime:
    """The same of a record alone: the instant of the declaration, after corrections (aware UTC)."""
    return parse_instant(effective(incident)["times.declared"] if incident.corrections else incident.times.declared)


def acknowledged(given: Facts) -> End:
    """The end of the response."""
    return _milestone(given, "times.acknowledged")


def diagnosed(given: Facts) -> End:
    """The end of the first diagnosis (R51)."""
    return _milestone(given, "times.diagnosed")


def resolved(given: Facts) -> End:
    """The end of the cycle the incident is in; of one that was reopened later the instants alone tell."""
    if given.cycle <= len(given.incident.cycles):
        at = _over(given, given.cycle)
        return RUNNING if at is None else _reached(given, at)
    if given.state in AT_WORK:
        return RUNNING
    at = given.at(_field(given.cycle, "resolved"))
    return RUNNING if at is None and given.state not in OVER else _reached(given, at)


def first_resolved(given: Facts) -> End:
    """The end of the first cycle: from then on a postmortem is owed, whatever comes back later."""
    end = resolved(given) if given.cycle == 1 else End(True, given.at("times.resolved"))
    return _reached(given, given.at("times.closed")) if end.ended and end.at is None else end


def cycle_start(given: Facts) -> datetime:
    """Where the cycle the incident is in began: declared, or the last reopening."""
    return given.at(_field(given.cycle, "reopened")) or declared(given)


def pauses(given: Facts) -> tuple[Pause, ...]:
    """The pauses of the record, and the times from an end to the reopening after it."""
    if not given.incident.pauses and given.cycle == 1:
        return ()
    found = [(parse_instant(pause.start), _past(given, instant(pause.end))) for pause in given.incident.pauses]
    for cycle in range(1, given.cycle):
        over, again = _over(given, cycle), given.at(_field(cycle + 1, "reopened"))
        if over and again:
            found.append((over, again))
    return tuple(found)


def work(given: Facts) -> tuple[Pause, ...]:
    """The times from a reopening to the end after it: a postmortem waits while people are at work again."""
    found = []
    for cycle in range(2, given.cycle + 1):
        over = resolved(given).at if cycle == given.cycle else _over(given, cycle)
        if again := given.at(_field(cycle, "reopened")):
            found.append((again, over))
    return tuple(found)


def update_instants(given: Facts, audience: str | None = None) -> list[datetime]:
    """Updates of one audience, or of any, since the cycle began, in order (C36)."""
    begin = cycle_start(given)
    end = resolved(given).at or given.now
    return sorted(
        at
        for update in given.incident.updates
        if audience in (None, update.audience) and begin < (at := parse_instant(update.at)) <= end
    )


def label_changes(incident: Incident) -> list[tuple[datetime, Change]]:
    """The changes of severity and priority, the earliest first."""
    dated = [(parse_instant(one.at), one) for one in incident.changes if one.field != "state"]
    return sorted(dated, key=lambda pair: pair[0])


def is_retroactive(given: Facts) -> bool:
    """True for what was declared after the fact: once restored or resolved, or LONG_AFTER its detection.

    Its breaches are reported, and nobody is paged. What comes back after that is no longer of the past.
    """
    if given.cycle > 1:
        return False
    begin = declared(given)
    over = (given.at("times.restored"), given.at("times.resolved"))
    seen = given.at("times.detected")
    return any(at is not None and at <= begin for at in over) or (seen is not None and begin - seen > LONG_AFTER)


def declaration_lag(given: Facts) -> int | None:
    """Seconds from the detection to the declaration; None where the detection is not known."""
    seen = given.at("times.detected")
    return None if seen is None else int((declared(given) - seen).total_seconds())


def _milestone(given: Facts, field: str) -> End:
    """The end of a clock that runs to an instant of the first cycle.

    `unknown` ends it where the state shows that somebody works, or worked, on the incident; without any word it ends,
    at the latest, when the incident was first resolved.
    """
    text = given.instants.get(field)
    if text == UNKNOWN:
        return End(given.state not in (NEW, TRIAGED, ASSIGNED, PENDING))
    if text is not None:
        return _reached(given, parse_instant(text))
    return _reached(given, given.at("times.resolved")) if given.cycle > 1 else resolved(given)


def _state(incident: Incident, now: datetime) -> str:
    """The state at `now`: that of the record, unless it came about later."""
    later = ((at, one.old) for one in incident.changes if one.field == "state" and (at := parse_instant(one.at)) > now)
    return min(later, key=lambda pair: pair[0], default=(now, incident.state))[1]


def _over(given: Facts, cycle: int) -> datetime | None:
    return given.at(_field(cycle, "resolved")) or given.at(_field(cycle, "closed"))


def _field(cycle: int, name: str) -> str:
    return f"cycles.{cycle - 1}.{name}" if cycle > 1 else f"times.{name}"


def _past(given: Facts, at: datetime | None) -> datetime | None:
    return at if at is None or at <= given.now else None


def _reached(given: Facts, at: datetime | None) -> End:
    return End(True, at) if at is None or at <= given.now else RUNNING
