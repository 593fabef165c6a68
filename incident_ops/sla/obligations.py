"""Everything that is due at an instant: warnings, breaches, missed updates, escalations, news, reminders, automatic
states (R53-R56, R193, R194).

A pure function of records, observed snapshot, policy and `now`: a late run changes `noticed_at` and nothing else. After
a gap only the highest mark of a clock is due; the lower ones are superseded: listed, and sent to nobody. What is due
stays due; whether it was sent already is recorded in the ledger, by its key.

A key is `INC/clock/cycle/mark`. It holds no run, no time of a run and no digest of a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, as_of, assignee_at
from incident_ops.domain.deadlines import Duty
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import CLOSED, OVER, RESOLVED
from incident_ops.domain.notice_kinds import PAGED_RANKS
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.ticket import BECOMES_INCIDENT, became_incident_at
from incident_ops.domain.time import instant, parse_instant, shift, spell_duration, stamp
from incident_ops.errors import UserError
from incident_ops.sla.activity import NOTHING_SEEN, Seen, StateMove, due_moves
from incident_ops.sla.calendar import due
from incident_ops.sla.clocks import (
    ACTION_ITEM,
    AFTERWARDS,
    DEADLINE,
    RESOLUTION,
    RESPONSE,
    SOON,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
    Clock,
    Risk,
    clocks,
    deadline_ahead,
)
from incident_ops.sla.escalation import MANUAL, DueEscalation, due_escalations
from incident_ops.sla.escalation_ladder import NO_ANSWER
from incident_ops.sla.escalation_rules import mark_due, neighbours, response_mark_due, similar
from incident_ops.sla.handover import brought_in, came_on_call, takeovers
from incident_ops.sla.targets import LevelPeriod, calendar_of, level_periods, seconds_of

WARNING, BREACH, ITEM_MARK = "warning", "breach", "action_item"
RETARGET = "breached_by_retarget"

ITEM_MARKS = (("minus-2d", -2), ("due", 0), ("plus-7d", 7), ("plus-30d", 30))
"""Reminders of an action item, in days from the end of its last day."""
AHEAD_MARK = "ahead"
"""The first mark of a deadline, long before its end."""
MOST_SLOTS = 50
"""How many missed slots of updates are listed one by one, the newest."""


class PassedMark(NamedTuple):
    """A mark of a clock that has passed: since when (aware UTC), and why it is no longer notified ("" where it is)."""

    kind: str
    mark: str
    at: datetime
    reason: str
    superseded: str = ""


def passed_marks(clock: Clock, view: IncidentAt, policy: Policy, period: LevelPeriod) -> list[PassedMark]:
    """The marks of a clock that have passed, in rising order; all but the highest are superseded.

    A clock that has stopped has none due; that it was missed stays listed. `period` is that of the present level.
    """
    if clock.due is None or (view.is_cancelled and clock.clock != ACTION_ITEM):
        return []
    if clock.clock == ACTION_ITEM:
        return [] if clock.is_over else _highest(_reminders(clock, clock.due, view.now))
    if clock.clock == DEADLINE:
        return [] if clock.is_over else _highest(deadline_marks(clock.duty, view.now) if clock.duty else [])
    warned = _warning(clock, view, policy, period)
    if clock.is_over:
        breached = _breach(clock, clock.due) if clock.risk is Risk.BREACHED else []
        ended = f"it ended at {stamp(clock.stopped_at)}" if clock.stopped_at else "it ended"
        return [mark._replace(superseded=ended) for mark in breached]
    if clock.risk is not Risk.BREACHED:
        return warned
    if clock.clock in (UPDATE_INTERNAL, UPDATE_PUBLIC):
        return _highest([*warned, *_slots(clock, view, policy, period)])
    return _highest([*warned, *_breach(clock, clock.due)])


def _warning(clock: Clock, view: IncidentAt, policy: Policy, period: LevelPeriod) -> list[PassedMark]:
    at = _warned_at(clock, view, policy, period)
    if at is None or at >= view.now or clock.is_over:
        return []
    left = spell_duration(max(clock.remaining_seconds or 0, 0), in_words=True)
    wording = {RESOLUTION: "to SLA breach", RESPONSE: "until the response is due"}
    reason = f"{left} {wording.get(clock.clock, f'to the end of {clock.name}')}"
    return [PassedMark(WARNING, warning_mark(clock.level, clock.start), at, reason)]


def _warned_at(clock: Clock, view: IncidentAt, policy: Policy, period: LevelPeriod) -> datetime | None:
    level = period.level
    if clock.clock == RESOLUTION and level.warn_at:
        return mark_due(level.warn_at, period, view, policy)
    if clock.clock == RESPONSE:
        return response_mark_due(period, clock.start, view, policy)
    if clock.clock == UPDATE_PUBLIC and level.update.public and level.update.public_max:
        return due(clock.start, seconds_of(level.update.public), calendar_of(level, policy))
    return None


def _breach(clock: Clock, at: datetime) -> list[PassedMark]:
    reason = f"{clock.name.capitalize()} of {clock.level} was due at {stamp(at)}"
    if clock.retargeted_at is None:
        return [PassedMark(BREACH, "due", at, reason)]
    return [
        PassedMark(BREACH, RETARGET, at, f"{reason}; the change at {stamp(clock.retargeted_at)} moved it into the past")
    ]


def _slots(clock: Clock, view: IncidentAt, policy: Policy, period: LevelPeriod) -> list[PassedMark]:
    """The slots since the last update that passed without one (R139, R145), the newest MOST_SLOTS."""
    calendar, cadence = calendar_of(period.level, policy), (clock.elapsed_seconds or 0) + (clock.remaining_seconds or 0)
    missed = (clock.elapsed_seconds or 0) // cadence if cadence > 0 else 0
    began_with_level = clock.start == period.since > view.cycle_start and clock.start not in view.update_instants()
    since = f"{period.name} holds since" if began_with_level else "the last one was at"
    start, what, found = stamp(clock.start), clock.name.capitalize(), []
    for number in range(max(1, missed - MOST_SLOTS + 1), missed + 1):
        at = due(clock.start, number * cadence, calendar)
        if at is not None and at < view.now:
            reason = f"{what} was due at {stamp(at)}; {since} {start}"
            found.append(PassedMark(BREACH, _slot_mark(start, number), at, reason))
    return found


def slot_mark(start: datetime, number: int) -> str:
    """The mark of the `number`-th cadence that passed without an update in the slot that began at `start`."""
    return _slot_mark(stamp(start), number)


def _slot_mark(start: str, number: int) -> str:
    return f"slot.{start}.{number}"


def warning_mark(level: str, start: datetime) -> str:
    """The mark of a warning of a clock of this level that began at `start`."""
    return f"warn.{level}.{stamp(start)}"


def deadline_marks(duty: Duty, now: datetime) -> list[PassedMark]:
    """The marks of a deadline that have passed by `now`: in its last quarter, SOON before its end, and its end."""
    start, end, name = duty.start, duty.due, duty.deadline.id
    if start is None or end is None:
        return []
    to = f" to {duty.deadline.to}" if duty.deadline.to else ""
    ahead = deadline_ahead(int((end - start).total_seconds()))
    reason = f"{name}: report{to} by {stamp(end)}"
    late = f"{name}: the report{to} was due at {stamp(end)}"
    marks = [
        PassedMark(DEADLINE, AHEAD_MARK, shift(end, -ahead), reason),
        PassedMark(DEADLINE, "soon", shift(end, -SOON), reason),
        PassedMark(BREACH, "due", end, late),
    ]
    named = (one._replace(mark=f"{name}.{stamp(end)}.{one.mark}") for one in marks if one.at < now)
    return [one._replace(at=max(one.at, start)) for one in named]


def _reminders(clock: Clock, end: datetime, now: datetime) -> list[PassedMark]:
    found = []
    for mark, days in ITEM_MARKS:
        at = end + timedelta(days=days)
        if at < now:
            reason = f"{clock.item} {'is' if now <= end else 'was'} due on {clock.item_due}"
            found.append(PassedMark(ITEM_MARK, f"{clock.item}.{stamp(end)}.{mark}", at, reason))
    return found


def _highest(rising: list[PassedMark]) -> list[PassedMark]:
    return [mark._replace(superseded=f"by {rising[-1].mark}") for mark in rising[:-1]] + rising[-1:]


DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE, RESOLVED_NOTICE, NEWS_NOTICE = (
    "declared",
    "raised",
    "reopened",
    "resolved",
    "update",
)
ESCALATION_NOTICE, STATE_NOTICE, HANDOVER_NOTICE, SNOOZE_NOTICE = "escalation", "state", "handover", "snooze"
PAGES = frozenset({DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE, WARNING, BREACH, ESCALATION_NOTICE, SNOOZE_NOTICE})
"""Kinds that page people; never for an incident declared after the fact."""

SeenOf = Callable[[Incident], Seen]


class Obligation(NamedTuple):
    """One thing that is due, in the fields of `sla check`, and what its notice needs.

    `due` and `noticed_at` are aware UTC; `noticed_at` is `now`, or what the record says of an escalation it holds.
    `superseded` says why nobody is notified, "" where somebody is; `no_page` says why nobody is paged. `text` is what
    an update says, `item` the id of an action item or a deadline, `whom` who took over; `escalation` and `move` are
    what edits are made from.
    """

    key: str
    kind: str
    incident: str
    reason: str
    due: datetime
    noticed_at: datetime
    clock: str
    cycle: int
    mark: str
    rank: int
    level: str
    superseded: str = ""
    no_page: str = ""
    audience: str = "internal"
    text: str = ""
    item: str | None = None
    escalation: DueEscalation | None = None
    move: StateMove | None = None
    whom: str = ""


class DueObligations(NamedTuple):
    """What is due at an instant (aware UTC), ordered by due instant and key; `superseded` likewise."""

    at: datetime
    obligations: tuple[Obligation, ...]
    superseded: tuple[Obligation, ...] = ()

    @property
    def lag_seconds(self) -> int:
        """The longest time from a due instant to the run that noticed it; 0 where nothing is due."""
        return max((int((one.noticed_at - one.due).total_seconds()) for one in self.obligations), default=0)


def obligations(
    records: Iterable[Record], policy: Policy, now: datetime, seen_of: SeenOf | None = None
) -> DueObligations:
    """Everything that is due at `now` for these records. `seen_of` gives what the tracker shows of an incident.

    A pattern is found among these records only: pass those declared within its window too, closed ones included.
    Records whose label is not a level of the policy have nothing due; `clock_report` lists them. Raises Unusable as
    `evaluate_each` does.
    """
    every = list(records)
    around = neighbours(record.incident for record in every) if policy.escalation.pattern.count else {}

    def due_of(record: Record) -> list[Obligation]:
        incident = record.incident
        seen = seen_of(incident) if seen_of else NOTHING_SEEN
        try:
            pattern = () if incident.is_closed else similar(incident, around, policy, now)
            return incident_obligations(as_of(incident, now), policy, seen, pattern)
        except UserError:
            if policy.level_of(incident) is not None:
                raise
            return []

    found = [one for made in evaluate_each(every, due_of) for one in made]
    found.sort(key=lambda one: (one.due, one.key))
    due_now = tuple(one for one in found if not one.superseded)
    return DueObligations(now, due_now, tuple(one for one in found if one.superseded))


def incident_obligations(
    view: IncidentAt, policy: Policy, seen: Seen = NOTHING_SEEN, pattern: Sequence[str] = ()
) -> list[Obligation]:
    """What is due for one incident, including what is superseded. UserError as `sla.clocks`."""
    if view.now < view.declared:
        return []
    policy = policy.for_incident(view.incident)
    case = Case(view, policy, level_periods(view, policy))
    found: list[Obligation] = []
    for clock in clocks(view, policy):
        for mark in passed_marks(clock, view, policy, case.periods[-1]):
            obligation = case.obligation(mark.kind, clock.clock, mark.mark, mark.at, mark.reason, clock.cycle)
            found.append(obligation._replace(superseded=mark.superseded, item=clock.item))
    if not view.is_cancelled:
        found += _news(case)
    if not view.is_cancelled and view.state != CLOSED:  # nobody is notified any more once it is closed
        found += supersede_lower(_announced(case))
        found += [*_snooze_ended(case), *_handovers(case)]
        found += [case.escalation(one) for one in due_escalations(view, policy, seen, pattern)]
    found += [_moved(case, one) for one in due_moves(view, policy, seen)]
    after = "It was declared after the fact" if view.is_retroactive else ""
    return [one._replace(no_page=after) if _pages(one) else one for one in found] if after else found


def blind_seconds(before: datetime | None, now: datetime) -> int | None:
    """Seconds without an evaluation, from the last one to this one; None where there was none."""
    return None if before is None else max(0, int((now - before).total_seconds()))


def _pages(obligation: Obligation) -> bool:
    by_hand = obligation.escalation is not None and obligation.escalation.rule == MANUAL
    return obligation.kind in PAGES and obligation.clock not in AFTERWARDS and not by_hand


class Case(NamedTuple):
    """An incident at an instant, and the levels it has had until then."""

    view: IncidentAt
    policy: Policy
    periods: list[LevelPeriod]

    def obligation(
        self, kind: str, clock: str, mark: str, at: datetime, reason: str, cycle: int | None = None
    ) -> Obligation:
        """An obligation of this incident under the level it has now."""
        incident, period = self.view.incident, self.periods[-1]
        number = cycle or self.view.cycle
        return Obligation(
            key=f"{incident.id}/{clock}/{number}/{mark}",
            kind=kind,
            incident=incident.id,
            reason=reason,
            due=at,
            noticed_at=self.view.now,
            clock=clock,
            cycle=number,
            mark=mark,
            rank=period.level.rank,
            level=period.label,
        )

    def escalation(self, escalation: DueEscalation) -> Obligation:
        """The obligation of an escalation."""
        noticed = escalation.recorded.noticed_at if escalation.recorded else None
        _, clock, _, mark = (*escalation.key.split("/", 3), "", "", "")[:4]
        reason = f"{escalation.reason}{self._called(escalation)}"
        made = self.obligation(ESCALATION_NOTICE, clock, mark, escalation.due, reason, escalation.cycle)
        return made._replace(
            key=escalation.key,
            noticed_at=parse_instant(noticed) if noticed else made.noticed_at,
            superseded=escalation.superseded,
            escalation=escalation,
        )

    def _called(self, escalation: DueEscalation) -> str:
        """Whom a step of the ladder calls, for people; "" for every other escalation."""
        if escalation.rule != NO_ANSWER or not escalation.targets:
            return ""
        tiers = self.policy.escalation.tiers
        step = next((one.label or one.id for one in tiers if one.tier == escalation.to_tier), "")
        people = " and ".join(name.removeprefix("@") for name in escalation.targets)
        return f": calling {people} ({step})" if step else f": calling {people}"


def supersede_lower(rising: Sequence[Obligation]) -> list[Obligation]:
    """Marks of one clock in rising order: the last one is due and supersedes those below it."""
    return [one._replace(superseded=f"by {rising[-1].key}") for one in rising[:-1]] + [*rising[-1:]]


def _announced(case: Case) -> list[Obligation]:
    """Declared or reopened, raised, resolved: the notices that go to the audiences of the level (R66, R67)."""
    view, over, found = case.view, case.view.resolved, announcements(case)
    if over.ended and over.at is not None and view.state == RESOLVED:
        began = DECLARED_NOTICE if view.cycle == 1 else REOPENED_NOTICE
        reason = f"{began.capitalize()} at {stamp(view.cycle_start)}, resolved at {stamp(over.at)}"
        found.append(case.obligation(RESOLVED_NOTICE, "incident", RESOLVED_NOTICE, over.at, reason))
    elif over.ended:
        return []
    return found


def snooze_end(view: IncidentAt) -> datetime | None:
    """When the snooze of the present cycle ended (aware UTC), of an incident that was open then; else None."""
    until = instant(view.incident.snooze.until) if view.incident.snooze else None
    if until is None or not view.cycle_start <= until <= view.now or view.is_cancelled:
        return None
    return None if view.then(until).resolved.ended else until


def _snooze_ended(case: Case) -> list[Obligation]:
    """People hear again of an incident that is open when its snooze ends."""
    until = snooze_end(case.view)
    if until is None or case.view.resolved.ended or case.view.state in OVER:
        return []
    reason = f"Still open; the snooze ended at {stamp(until)}"
    return [case.obligation(SNOOZE_NOTICE, "snooze", f"until.{stamp(until)}", until, reason)]


def _handovers(case: Case) -> list[Obligation]:
    """Who took over from somebody else hears of it, as long as it is in force; and whom the present phase brings in."""
    view, found = case.view, []
    for new in brought_in(view, case.policy.routing):
        mark, role = f"{new.phase}.{stamp(new.at)}.{new.whom}", "leads" if new.leads else "supports"
        reason = f"The phase {new.phase.replace('_', ' ')} begins, and {new.whom} {role} it"
        found.append(case.obligation(HANDOVER_NOTICE, "handover", mark, new.at, reason)._replace(whom=new.whom))
    if view.resolved.ended or view.state in OVER:
        return found
    for one in takeovers(view.incident, view.now):
        if one.at >= view.cycle_start:
            mark, reason = f"{one.role}.{stamp(one.at)}", f"{one.whom} takes over from {one.before}"
            found.append(case.obligation(HANDOVER_NOTICE, "handover", mark, one.at, reason)._replace(whom=one.whom))
    return [*found, *_shift_changes(case)]


def _shift_changes(case: Case) -> list[Obligation]:
    """Who comes on call hears of an incident of a rank that pages, whoever has it."""
    view, incident = case.view, case.view.incident
    is_paged = case.periods[-1].level.rank <= PAGED_RANKS
    change = came_on_call(view, case.policy.contacts) if is_paged else None
    if change is None:
        return []
    at, people = change
    holder = assignee_at(incident, view.now) or incident.roles.commander or "nobody"
    found = []
    for who in people:
        mark, reason = f"on_call.{stamp(at)}.{who}", f"{who} is on call now; still open, {holder} has it"
        found.append(case.obligation(HANDOVER_NOTICE, "handover", mark, at, reason)._replace(whom=who))
    return found


def announcements(case: Case) -> list[Obligation]:
    """Declared or reopened, and raised: each in the present cycle, whether it is over or not."""
    view, begin = case.view, case.view.cycle_start
    if view.cycle > 1:
        found = [case.obligation(REOPENED_NOTICE, "incident", REOPENED_NOTICE, begin, "Reopened")]
    else:
        found = [case.obligation(DECLARED_NOTICE, "incident", DECLARED_NOTICE, begin, _declared(case.periods[0]))]
    was_major, incident_since = case.periods[0].is_major, became_incident_at(view.incident, case.policy)
    for old, new in pairwise(case.periods):
        if new.since >= begin and new.is_major and not was_major:
            mark = f"{DECLARED_NOTICE}.{new.major}"
            found.append(case.obligation(DECLARED_NOTICE, "incident", mark, new.since, _declared(new)))
        elif new.since >= begin and _is_raised(old, new, case.policy):
            reason = f"Raised from {old.name} to {new.name}"
            if new.since == incident_since:
                reason += f": {BECOMES_INCIDENT}"
            mark = f"{RAISED_NOTICE}.{new.name}"
            again = sum(one.mark == mark or one.mark.startswith(f"{mark}#") for one in found)
            mark += f"#{again + 1}" * bool(again)
            found.append(case.obligation(RAISED_NOTICE, "incident", mark, new.since, reason))
        was_major = was_major or new.is_major
    return found


def _declared(period: LevelPeriod) -> str:
    if not period.level.declare:
        return f"Ticket opened, {period.label}"
    return f"Major incident {period.major} declared" if period.is_major else f"Declared {period.label}"


def _is_raised(old: LevelPeriod, new: LevelPeriod, policy: Policy) -> bool:
    """True where either label got worse: with the major level others are notified, even of the same rank."""
    before, after = policy.level(old.major), policy.level(new.major)
    worse = old.is_major and new.is_major and before and after and after.rank < before.rank
    return bool(worse) or new.level.rank < old.level.rank


def _news(case: Case) -> list[Obligation]:
    """The updates written for an audience (R142); the newest of each audience supersedes the others."""
    by_audience: dict[str, list[Obligation]] = {}
    for number, update in enumerate(case.view.incident.updates, 1):
        if (at := parse_instant(update.at)) > case.view.now:
            continue
        mark, reason = f"{number}.{update.audience}", f"Update ({update.status})"
        obligation = case.obligation(NEWS_NOTICE, "update", mark, at, reason, cycle=1)
        by_audience.setdefault(update.audience, []).append(
            obligation._replace(audience=update.audience, text=update.text)
        )
    ordered = (sorted(found, key=lambda one: one.due) for found in by_audience.values())
    return [one for rising in ordered for one in supersede_lower(rising)]


def _moved(case: Case, move: StateMove) -> Obligation:
    obligation = case.obligation(STATE_NOTICE, "state", move.state, move.due, move.reason)
    return obligation._replace(key=move.key, move=move)
