"""What a record says about its clocks at an instant: when they began, rested and ended. Corrections are applied.

An instant after `now` has not happened yet: a reopening, a change of state or severity, the end of a pause. So the
same record looked at from an earlier `now` shows what was known then (back-tests and late runs rest on this).
`unknown` is never read as a time: a clock that ended at an unknown instant has ended, and nobody knows when.

What people did on an incident, as instants: stagnation, deferral and automatic states rest on it (R59, R68, R79).

Never the automation's own doing: a bot that writes keeps nobody's silence from being seen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.incident import Change, Incident
from incident_ops.domain.lifecycle import (
    ASSIGNED,
    CLOSED,
    FIXED,
    IN_PROGRESS,
    NEW,
    OVER,
    PENDING,
    REOPENED,
    RESOLVED,
    TRIAGED,
    effective,
)
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import UNKNOWN, instant, parse_instant
from incident_ops.domain.tracker import Comment, Snapshot
from incident_ops.sla.calendar import PauseSpan

AT_WORK = frozenset({NEW, TRIAGED, ASSIGNED, IN_PROGRESS, REOPENED})
"""States that say: not resolved. They outweigh an instant `resolved` that was left behind by mistake."""

LONG_AFTER = timedelta(days=1)
"""A declaration so long after the detection is bookkeeping: nobody is paged for it."""


class ClockEnd(NamedTuple):
    """Whether a clock has ended, and when; ended without an instant = nobody knows when.

    Where only a day is known, `at` is its end and `day` its beginning.
    """

    ended: bool
    at: datetime | None = None
    day: datetime | None = None


NOT_ENDED = ClockEnd(False)


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


def acknowledged(given: Facts) -> ClockEnd:
    """The end of the response."""
    return _milestone(given, "times.acknowledged")


def diagnosed(given: Facts) -> ClockEnd:
    """The end of the first diagnosis (R51)."""
    return _milestone(given, "times.diagnosed")


def resolved(given: Facts) -> ClockEnd:
    """The end of the cycle the incident is in; of one that was reopened later the instants alone tell."""
    if given.cycle <= len(given.incident.cycles):
        at = _over(given, given.cycle)
        return NOT_ENDED if at is None else _reached(given, at)
    if given.state in AT_WORK:
        return NOT_ENDED
    at = given.at(_field(given.cycle, "resolved"))
    return NOT_ENDED if at is None and given.state not in OVER else _reached(given, at)


def first_resolved(given: Facts) -> ClockEnd:
    """The end of the first cycle: from then on a postmortem is owed, whatever comes back later."""
    end = resolved(given) if given.cycle == 1 else ClockEnd(True, given.at("times.resolved"))
    return _reached(given, given.at("times.closed")) if end.ended and end.at is None else end


def cycle_start(given: Facts) -> datetime:
    """Where the cycle the incident is in began: declared, or the last reopening."""
    return given.at(_field(given.cycle, "reopened")) or declared(given)


def pauses(given: Facts) -> tuple[PauseSpan, ...]:
    """The pauses of the record, and the times from an end to the reopening after it."""
    if not given.incident.pauses and given.cycle == 1:
        return ()
    found = [(parse_instant(pause.start), _past(given, instant(pause.end))) for pause in given.incident.pauses]
    for cycle in range(1, given.cycle):
        over, again = _over(given, cycle), given.at(_field(cycle + 1, "reopened"))
        if over and again:
            found.append((over, again))
    return tuple(found)


def rests(given: Facts, states: Collection[str]) -> tuple[PauseSpan, ...]:
    """When the resolution clock rests: in `states` (pending: the record's pauses), and from an end to a reopening."""
    recorded = pauses(given)
    if PENDING not in states:
        recorded = recorded[len(given.incident.pauses) :]
    others = frozenset(states) - {PENDING}
    return (*recorded, *_spells(given, others)) if others else recorded


def stopped(given: Facts, states: Collection[str]) -> ClockEnd:
    """The end of the resolution clock: the first of `states` that the incident reached in the cycle it is in."""
    others = frozenset(states) - OVER
    entered = [begin for begin, _ in _spells(given, others) if begin > cycle_start(given)] if others else []
    if entered:
        return ClockEnd(True, min(entered))
    if RESOLVED in states:
        return resolved(given)
    closed = given.at(_field(given.cycle, "closed"))
    if CLOSED not in states or (closed is None and given.state != CLOSED):
        return NOT_ENDED
    return _reached(given, closed)


def _spells(given: Facts, states: Collection[str]) -> Iterator[PauseSpan]:
    """The times an incident spent in states, as its changes tell; the last one may still be on."""
    moves = sorted(
        (at, one.old, one.new)
        for one in given.incident.changes
        if one.field == "state" and (at := parse_instant(one.at)) <= given.now
    )
    begin, state = declared(given), moves[0][1] if moves else given.state
    for at, _, new in moves:
        if state in states:
            yield begin, at
        begin, state = at, new
    if state in states:
        yield begin, None


def work(given: Facts) -> tuple[PauseSpan, ...]:
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


def _milestone(given: Facts, field: str) -> ClockEnd:
    """The end of a clock that runs to an instant of the first cycle.

    `unknown` ends it where the state shows that somebody works, or worked, on the incident; without any word it ends,
    at the latest, when the incident was first resolved.
    """
    text = given.instants.get(field)
    if text == UNKNOWN:
        return ClockEnd(given.state not in (NEW, TRIAGED, ASSIGNED, PENDING))
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


def _reached(given: Facts, at: datetime | None) -> ClockEnd:
    return ClockEnd(True, at) if at is None or at <= given.now else NOT_ENDED


AUTOMATION = "incident-ops"
"""Who writes what the automation decides: `by` of its changes and of its lines in the timeline."""

MILESTONES = ("acknowledged", "assembled", "diagnosed", "mitigated", "restored", "resolved", "verified", "stood_down")
"""Instants of `times` and `cycles` that only people bring about."""


class Seen(NamedTuple):
    """What the tracker shows of an incident: the comments of its issue, and whether a person opened it again."""

    comments: tuple[Comment, ...] = ()
    reopened: bool = False


NOTHING_SEEN = Seen()


def seen_of(
    incident: Incident, snapshot: Snapshot | None, reopened: Collection[int] = (), number: int | None = None
) -> Seen:
    """What a snapshot holds of an incident; `reopened` are the numbers of the issues that people opened again.

    The issue is `number` where that is known, else the one the record names, else the one whose key the tracker keeps.
    """
    if snapshot is None:
        return NOTHING_SEEN
    if number is None:
        number = incident.links.tracking_issue
    if number is None:
        number = next((issue.number for issue in snapshot.issues if issue.key == incident.id), None)
    return Seen(tuple(one for one in snapshot.comments if one.issue == number), number in reopened)


def is_automation(by: str | None, policy: Policy) -> bool:
    """True for the automation itself, any login that ends in [bot], and the identities the tracker trusts."""
    name = (by or "").removeprefix("@")
    return name == AUTOMATION or name.endswith("[bot]") or name in policy.tracker.identities


def said_by_people(comments: Iterable[Comment], policy: Policy, now: datetime) -> list[tuple[datetime, str]]:
    """Instant and text of the comments that people had written by `now`, in order."""
    theirs = (one for one in comments if not one.is_bot and not is_automation(one.by, policy))
    return sorted((at, one.body) for one in theirs if (at := parse_instant(one.at)) <= now)


def activity(given: Facts, policy: Policy, comments: Iterable[Comment] = ()) -> tuple[datetime, ...]:
    """Every instant up to `now` at which a person did something for the incident, in order.

    Entries of the timeline, updates, changes, corrections, assignments, the milestones of `times` and `cycles`, and
    comments. An entry that does not say who made it counts as a person's: the automation always says so.
    """
    incident = given.incident
    found = {parse_instant(one.at) for one in incident.updates} | {
        parse_instant(one.at) for one in incident.assignments
    }
    for history in (incident.timeline, incident.changes, incident.corrections):
        found |= {parse_instant(one.at) for one in history if not is_automation(one.by, policy)}
    found |= _milestones(given, MILESTONES)
    found |= {at for at, _ in said_by_people(comments, policy, given.now)}
    return tuple(sorted(at for at in found if at <= given.now))


def answers(given: Facts, policy: Policy) -> tuple[datetime, ...]:
    """The instants up to `now` at which somebody took the incident in hand: acknowledged, assigned or moved it.

    A remark is no answer: a customer who asks for news must not stop a page.
    """
    moved = {
        parse_instant(one.at)
        for one in given.incident.changes
        if one.field == "state" and not is_automation(one.by, policy)
    }
    begin = declared(given)
    taken = moved | {parse_instant(one.at) for one in given.incident.assignments}
    # the moves of the declaration itself say that it was triaged, not that somebody has it
    taken = {at for at in taken if at > begin} | _milestones(given, ("acknowledged",))
    return tuple(sorted(at for at in taken if at <= given.now))


def last_before(instants: Sequence[datetime], at: datetime) -> datetime | None:
    """The last of ordered instants that is not after `at`."""
    index = bisect_right(instants, at)
    return instants[index - 1] if index else None


def first_after(instants: Sequence[datetime], at: datetime) -> datetime | None:
    """The first of ordered instants that is after `at`."""
    index = bisect_right(instants, at)
    return instants[index] if index < len(instants) else None


def _milestones(given: Facts, names: Collection[str]) -> set[datetime]:
    fields = ((field.rpartition(".")[2], text) for field, text in given.instants.items())
    return {at for name, text in fields if name in names and (at := instant(text)) is not None}
