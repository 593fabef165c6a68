"""What an incident is at an instant: `as_of(incident, now)` is the one place that decides it.

Corrections are applied. An instant after `now` has not happened yet: a reopening, a change of state or severity, the
end of a pause. So the same record looked at from an earlier `now` shows what was known then; back-tests and late runs
rest on this. `unknown` is never read as a time: a clock that ended at an unknown instant has ended, at an unknown time.

The functions without an instant (`corrected_instants`, `current_instant`, `labels_held`, `known_status`, `phase`) read
the record as it is written, corrections applied.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.deadlines import reports_due
from incident_ops.domain.incident import LABEL_FIELDS, Cycle, Incident, Pause
from incident_ops.domain.lifecycle import (
    ASSIGNED,
    CLOSED,
    IN_PROGRESS,
    NEW,
    OVER,
    PENDING,
    REOPENED,
    RESOLVED,
    TRIAGED,
    is_cancelled,
)
from incident_ops.domain.memo import memoised
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import UNKNOWN, PauseSpan, TimeSpan, instant, parse_instant
from incident_ops.domain.waits import WAITING

AT_WORK = frozenset({NEW, TRIAGED, ASSIGNED, IN_PROGRESS, REOPENED})
"""States that mean "not resolved". They outweigh an instant `resolved` that was left behind by mistake."""

LONG_AFTER = timedelta(days=1)
"""A declaration this long after the detection is bookkeeping: nobody is paged for it."""

DIAGNOSED = "times.diagnosed"
IDENTIFIED = "identified"
"""The status of an update that says that the cause is found."""

MOMENT = timedelta(microseconds=1)
"""The smallest step of time: what held just before an instant is seen this much earlier."""


class ClockEnd(NamedTuple):
    """Whether a clock has ended, and when; ended without an instant means that the time is unknown.

    Where only a day is known, `at` is its end and `day` its beginning.
    """

    ended: bool
    at: datetime | None = None
    day: datetime | None = None


NOT_ENDED = ClockEnd(False)


class Restart(NamedTuple):
    """An incident that was withdrawn by mistake: when that was, when it was reopened, and as which cycle."""

    withdrawn: datetime
    reopened: datetime
    cycle: int


class _History(NamedTuple):
    """What is read once, in order: the moves of the state, each with the states before and after; the known reopenings,
    and how many are not known; for each reopening the time since the end before it; updates with their audience."""

    moves: tuple[tuple[datetime, str, str], ...]
    reopened: tuple[datetime, ...]
    reopened_unknown: int
    rests: tuple[TimeSpan | None, ...]
    updates: tuple[tuple[datetime, str], ...]


class IncidentAt(NamedTuple):
    """A record, its instants after corrections, and the instant (aware UTC) at which it is looked at.

    `state` is the state at that instant; `cycle` starts at 1 and counts one more for each reopening by then.
    """

    incident: Incident
    instants: Mapping[str, str]
    now: datetime
    state: str
    cycle: int
    history: _History

    def then(self, now: datetime) -> IncidentAt:
        """The same incident at another instant; its history is not read again."""
        return _seen(self.incident, self.instants, self.history, now)

    def at(self, field: str) -> datetime | None:
        """The instant of a field such as `times.declared`; None where it is missing or unknown."""
        return instant(self.instants.get(field))

    @property
    def declared(self) -> datetime:
        """The start of every clock; it is never unknown."""
        return parse_instant(self.instants["times.declared"])

    @property
    def acknowledged(self) -> ClockEnd:
        """The end of the response."""
        return self._milestone("times.acknowledged")

    @property
    def diagnosed(self) -> ClockEnd:
        """The end of the first diagnosis (R51)."""
        return self._milestone(DIAGNOSED)

    @property
    def resolved(self) -> ClockEnd:
        """The end of the present cycle. Where it was reopened later, the instants alone decide."""
        if self.cycle <= len(self.incident.cycles):
            at = self._cycle_end(self.cycle)
            return NOT_ENDED if at is None else self._reached(at)
        if self.state in AT_WORK:
            return NOT_ENDED
        at = self.at(_field(self.cycle, "resolved"))
        return NOT_ENDED if at is None and self.state not in OVER else self._reached(at)

    @property
    def first_resolved(self) -> ClockEnd:
        """The end of the first cycle: the postmortem is due from then on, even if the incident comes back."""
        if self.restart is not None:
            return self._first_end(self.restart)
        end = self.resolved if self.cycle == 1 else ClockEnd(True, self.at("times.resolved"))
        return self._reached(self.at("times.closed")) if end.ended and end.at is None else end

    @property
    def restart(self) -> Restart | None:
        """The reopening before which nothing but withdrawals lie; None for what was never withdrawn and reopened."""
        if self.cycle == 1 or not any(new == CLOSED and old != RESOLVED for _, old, new in self.history.moves):
            return None
        found = None
        for cycle in range(1, self.cycle):
            over, again = (self.at(_field(*one)) for one in ((cycle, "closed"), (cycle + 1, "reopened")))
            if _field(cycle, "resolved") in self.instants or over is None or again is None:
                break
            found = Restart(over, again, cycle + 1)
        return found

    def _first_end(self, restart: Restart) -> ClockEnd:
        """The end of the first cycle that was not withdrawn."""
        return self.resolved if restart.cycle == self.cycle else self._reached(self._cycle_end(restart.cycle))

    @property
    def cycle_start(self) -> datetime:
        """The start of the present cycle: the declaration, or the last reopening."""
        return self.at(_field(self.cycle, "reopened")) or self.declared

    def pauses(self, states: Collection[str]) -> tuple[PauseSpan, ...]:
        """When the resolution clock pauses: in `states`, and between the end of a cycle and the reopening after it.

        For `pending` the pauses of the record count, for any other state the times that its changes give. Of a wait for
        the user the part before it became pending does not count.
        """
        spans: list[PauseSpan] = []
        if PENDING in states:
            begins = ((self._pending_since(pause), instant(pause.end)) for pause in self.incident.pauses)
            spans += [(begin, self._if_past(end)) for begin, end in begins if begin is not None and begin <= self.now]
        spans += [rest for rest in self.history.rests[: self.cycle - 1] if rest is not None]
        others = frozenset(states) - {PENDING}
        return (*spans, *self._times_in(others)) if others else tuple(spans)

    def closed_pauses(self, states: Collection[str]) -> tuple[PauseSpan, ...]:
        """The pauses; one that is still open ends when the incident is resolved."""
        over = self.resolved.at
        return tuple((start, end or over) for start, end in self.pauses(states))

    def stopped(self, states: Collection[str]) -> ClockEnd:
        """The end of the resolution clock: the first of `states` that the incident reached in its present cycle."""
        others = frozenset(states) - OVER
        entered = [begin for begin, _ in self._times_in(others) if begin > self.cycle_start] if others else []
        if entered:
            return ClockEnd(True, min(entered))
        if RESOLVED in states:
            return self.resolved
        closed = self.at(_field(self.cycle, "closed"))
        if CLOSED not in states or (closed is None and self.state != CLOSED):
            return NOT_ENDED
        return self._reached(closed)

    @property
    def rework(self) -> tuple[PauseSpan, ...]:
        """The time from each reopening to the end after it: the postmortem waits while people work on it again."""
        spans = []
        for cycle in range(2, self.cycle + 1):
            over = self.resolved.at if cycle == self.cycle else self._cycle_end(cycle)
            if again := self.at(_field(cycle, "reopened")):
                spans.append((again, over))
        return tuple(spans)

    @property
    def is_retroactive(self) -> bool:
        """True for an incident declared after the fact: once restored or resolved, or LONG_AFTER its detection.

        Its breaches are reported and nobody is paged. Once it is reopened it counts as a present one.
        """
        if self.cycle > 1:
            return False
        declared, detected = self.declared, self.at("times.detected")
        over = (self.at("times.restored"), self.at("times.resolved"))
        was_over = any(at is not None and at <= declared for at in over)
        return was_over or (detected is not None and declared - detected > LONG_AFTER)

    @property
    def declaration_lag(self) -> int | None:
        """Seconds from the detection to the declaration; None where the detection time is unknown."""
        detected = self.at("times.detected")
        return None if detected is None else int((self.declared - detected).total_seconds())

    @property
    def is_cancelled(self) -> bool:
        """True for a duplicate, a false alarm and a withdrawn incident: its clocks are neither met nor missed."""
        return is_cancelled(self.incident)

    @property
    def assignee(self) -> str | None:
        """Who has the incident: the last person it was assigned to."""
        return assignee_at(self.incident, self.now)

    def update_instants(self, audience: str | None = None) -> list[datetime]:
        """Updates for one audience, or for any, since the present cycle began, in order (C36)."""
        begin = self.cycle_start
        end = self.resolved.at or self.now
        updates = self.history.updates
        first, last = (bisect_right(updates, at, key=lambda update: update[0]) for at in (begin, end))
        return [at for at, whom in updates[first:last] if audience in (None, whom)]

    def impact_spans(self) -> list[TimeSpan]:
        """From the start to the restoration of each cycle, up to now; impact that is still going on ends now.

        Where the start is unknown the first sign of it counts; where the restoration is unknown, the resolution or the
        closing.
        """
        cycles: list[tuple[str, tuple[str, ...]]] = [("times", ("started", "detected", "declared"))]
        cycles += [(f"cycles.{number}", ("reopened",)) for number in range(1, len(self.incident.cycles) + 1)]
        spans = []
        for prefix, starts in cycles:
            begin = next((at for name in starts if (at := self.at(f"{prefix}.{name}"))), self.now)
            ends = (self.at(f"{prefix}.{name}") for name in ("restored", "resolved", "closed"))
            end = min(next((at for at in ends if at), self.now), self.now)
            if begin < end:
                spans.append((begin, end))
        return spans

    def _pending_since(self, pause: Pause) -> datetime | None:
        """From when on a pause counts; None for a wait for the user that has not become pending, as its changes say."""
        begin, moves = parse_instant(pause.start), self.history.moves
        if pause.waiting_for != WAITING or not moves:
            return begin
        place = bisect_right(moves, begin, key=_when)
        if (moves[place - 1][2] if place else moves[0][1]) == PENDING:
            return begin
        end = min(instant(pause.end) or self.now, self.now)
        return next((at for at, _, new in moves[place:] if new == PENDING and at <= end), None)

    def _times_in(self, states: Collection[str]) -> Iterator[PauseSpan]:
        """The times the incident spent in these states, as its changes give them; the last one may be open."""
        moves = self.history.moves
        begin, state = self.declared, moves[0][1] if moves and moves[0][0] <= self.now else self.state
        for at, _, new in moves:
            if at > self.now:
                break
            if state in states:
                yield begin, at
            begin, state = at, new
        if state in states:
            yield begin, None

    def _milestone(self, field: str) -> ClockEnd:
        """The end of a clock that runs to an instant of the first cycle.

        `unknown` ends it where the state shows that somebody works, or worked, on the incident. A missing instant ends
        it when the incident was first resolved, at the latest.
        """
        text = self.instants.get(field)
        if text == UNKNOWN:
            return ClockEnd(self.state not in (NEW, TRIAGED, ASSIGNED, PENDING))
        if text is not None:
            return self._reached(parse_instant(text))
        if self.restart is not None:
            return self._first_end(self.restart)
        return self._reached(self.at("times.resolved")) if self.cycle > 1 else self.resolved

    def _cycle_end(self, cycle: int) -> datetime | None:
        return _end_of_cycle(self.instants, cycle)

    def _if_past(self, at: datetime | None) -> datetime | None:
        return at if at is None or at <= self.now else None

    def _reached(self, at: datetime | None) -> ClockEnd:
        return ClockEnd(True, at) if at is None or at <= self.now else NOT_ENDED


@memoised
def as_of(incident: Incident, now: datetime) -> IncidentAt:
    """An incident as it was known at `now` (aware UTC)."""
    instants = known_instants(incident)
    return _seen(incident, instants, _history(incident, instants), now)


def _history(incident: Incident, instants: Mapping[str, str]) -> _History:
    moves = ((parse_instant(one.at), one.old or "", one.new or "") for one in incident.changes if one.field == "state")
    reopenings = [instant(instants[f"cycles.{number}.reopened"]) for number in range(1, len(incident.cycles) + 1)]
    known = sorted(at for at in reopenings if at is not None)
    ends = (_end_of_cycle(instants, number) for number in range(1, len(incident.cycles) + 1))
    return _History(
        moves=tuple(sorted(moves, key=_when)),
        reopened=tuple(known),
        reopened_unknown=len(reopenings) - len(known),
        rests=tuple((over, again) if over and again else None for over, again in zip(ends, reopenings, strict=True)),
        updates=tuple(sorted((parse_instant(update.at), update.audience) for update in incident.updates)),
    )


def _end_of_cycle(instants: Mapping[str, str], cycle: int) -> datetime | None:
    return instant(instants.get(_field(cycle, "resolved"))) or instant(instants.get(_field(cycle, "closed")))


def _seen(incident: Incident, instants: Mapping[str, str], history: _History, now: datetime) -> IncidentAt:
    """The state at `now` is that of the record, unless it came about later."""
    place = bisect_right(history.moves, now, key=_when)
    state = history.moves[place][1] if place < len(history.moves) else incident.state
    cycle = 1 + history.reopened_unknown + bisect_right(history.reopened, now)
    return IncidentAt(incident, instants, now, state, cycle, history)


def _when(move: tuple[datetime, str, str]) -> datetime:
    return move[0]


def each_cycle(view: IncidentAt) -> Iterator[IncidentAt]:
    """Each cycle as it was just before the next one began; the last one as it is."""
    for number in range(1, view.cycle):
        again = view.at(_field(number + 1, "reopened"))
        if again is not None:
            yield view.then(again - MOMENT)
    yield view


def declared_at(incident: Incident) -> datetime:
    """When a record was declared, after corrections (aware UTC)."""
    return parse_instant(
        corrected_instants(incident)["times.declared"] if incident.corrections else incident.times.declared
    )


def assignee_at(incident: Incident, at: datetime) -> str | None:
    """Who had the incident at an instant: the last person it was assigned to by then."""
    return next((entry.to for entry in reversed(incident.assignments) if parse_instant(entry.at) <= at), None)


def labels_held(incident: Incident) -> list[tuple[datetime, str | None, str | None]]:
    """Severity and priority, each pair with the instant (aware UTC) since which it held; of one instant the last.

    The first pair is that of the declaration.
    """
    labelled = ((parse_instant(change.at), change) for change in incident.changes if change.field in LABEL_FIELDS)
    dated = sorted(labelled, key=lambda pair: pair[0])
    begin, severity, priority = declared_at(incident), incident.severity, incident.priority
    found: dict[datetime, tuple[str | None, str | None]] = {}
    for at, change in reversed(dated):
        found.setdefault(max(at, begin), (severity, priority))
        if change.field == "severity":
            severity = change.old
        else:
            priority = change.old
    found.setdefault(begin, (severity, priority))
    return [(since, *labels) for since, labels in reversed(found.items())]


def corrected_instants(incident: Incident) -> dict[str, str]:
    """Instants by field (`times.started`, `cycles.1.restored`, cycles counted from 1) after the corrections.

    The last correction of a field holds; a field that was never filled in is missing unless a correction fills it.
    """
    instants = {
        f"times.{name}": text for name in incident.times.__struct_fields__ if (text := getattr(incident.times, name))
    }
    for number, cycle in enumerate(incident.cycles, 1):
        for name in cycle.__struct_fields__:
            if text := getattr(cycle, name):
                instants[f"cycles.{number}.{name}"] = text
    for correction in incident.corrections:
        instants[correction.field] = correction.new
    return instants


def known_instants(incident: Incident) -> dict[str, str]:
    """`corrected_instants`, and where none says when the cause was found: the first update that says `identified`.

    The cause is that of the first outage: an update of a later one says nothing of it.
    """
    instants = corrected_instants(incident)
    if DIAGNOSED in instants or not any(update.status == IDENTIFIED for update in incident.updates):
        return instants
    ended, again = _field(1, RESOLVED), None
    for number, cycle in enumerate(incident.cycles, 2):
        if ended in instants:
            again = instant(cycle.reopened)
            break
        ended = _field(number, RESOLVED)
    said = [(parse_instant(one.at), one.at) for one in incident.updates if one.status == IDENTIFIED]
    first = min((at for at in said if again is None or at[0] < again), default=None)
    return instants if first is None else instants | {DIAGNOSED: first[1]}


def current_instant(incident: Incident, name: str) -> str | None:
    """The instant `name` (restored, resolved, verified, closed) of the last cycle, after corrections."""
    field = f"cycles.{len(incident.cycles)}.{name}" if incident.cycles else f"times.{name}"
    for correction in reversed(incident.corrections):
        if correction.field == field:
            return correction.new
    cycle = incident.cycles[-1] if incident.cycles else incident.times
    text: str | None = getattr(cycle, name)
    return text


def is_settled(incident: Incident, policy: Policy) -> bool:
    """True when time alone changes nothing any more: closed, every item done, no postmortem that is still to
    finish, no report to others that is still owed.

    A postmortem that the policy requires is still to finish where nobody has begun it.
    """
    written = incident.postmortem
    to_finish = written.status != "final" if written else policy.requires_postmortem(incident)
    return incident.is_closed and not incident.open_items and not to_finish and not any(reports_due(incident, policy))


def known_status(incident: Incident) -> str:
    """How far the work is by what the record says, in the words of the public status (C15).

    Resolved or closed -> resolved; restored -> monitoring; cause found -> identified.
    """
    if incident.state in OVER:
        return "resolved"
    if current_instant(incident, "restored"):
        return "monitoring"
    return IDENTIFIED if _is_cause_found(incident) else "investigating"


def phase(incident: Incident) -> str:
    """ACTIVE, MITIGATED or RESOLVED (R84, C15): restored -> MITIGATED, resolved or closed -> RESOLVED."""
    if incident.state in OVER:
        return "RESOLVED"
    return "MITIGATED" if current_instant(incident, "restored") else "ACTIVE"


def is_cause_recorded(incident: Incident) -> bool:
    """True where the record has the cause of the outage that lasts, or when it was found; the status of an update is
    neither."""
    if incident.cycles:
        # The cause on record is that of the first outage: after a reopening only a new diagnosis counts.
        return _is_diagnosed_since(incident, incident.cycles[-1])
    cause = incident.cause
    return DIAGNOSED in corrected_instants(incident) or (
        cause is not None and (cause.what not in (None, UNKNOWN) or cause.category != UNKNOWN)
    )


def _is_cause_found(incident: Incident) -> bool:
    return is_cause_recorded(incident) or (not incident.cycles and DIAGNOSED in known_instants(incident))


def _is_diagnosed_since(incident: Incident, cycle: Cycle) -> bool:
    since = parse_instant(cycle.reopened)
    return any(event.kind == "diagnosis" and parse_instant(event.at) >= since for event in incident.timeline)


def _field(cycle: int, name: str) -> str:
    return f"cycles.{cycle - 1}.{name}" if cycle > 1 else f"times.{name}"
