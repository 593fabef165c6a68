"""The pages an incident caused, and which of them are answered or over, so that they can be taken back (R142)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from incident_ops.domain.as_of import MOMENT, IncidentAt, as_of, each_cycle
from incident_ops.domain.lifecycle import FIXED, IN_PROGRESS, NEW, OVER
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT
from incident_ops.domain.policy import Policy
from incident_ops.domain.public_updates import PUBLIC
from incident_ops.domain.time import instant, stamp
from incident_ops.sla.activity import NOTHING_SEEN, Seen, answers, first_after
from incident_ops.sla.calendar import due
from incident_ops.sla.clocks import CLOCK_NAMES, RESOLUTION, RESPONSE, UPDATE_INTERNAL, UPDATE_PUBLIC, main_clocks
from incident_ops.sla.escalation import due_escalations
from incident_ops.sla.escalation_rules import mark_due, response_mark_due
from incident_ops.sla.obligations import (
    BREACH,
    MOST_SLOTS,
    PAGES,
    WARNING,
    Case,
    Obligation,
    announcements,
    passed_marks,
    slot_mark,
    warning_mark,
)
from incident_ops.sla.targets import LevelPeriod, level_periods, seconds_of
from incident_ops.sla.update_slots import UpdateSlot, update_slots


def pages(view: IncidentAt, policy: Policy, seen: Seen = NOTHING_SEEN) -> list[Obligation]:
    """Every page that was ever due for an incident, superseded ones too.

    A false alarm and a duplicate paged people too, before anybody knew. Each key once. Postmortem and action items go
    on after the incident, so they are not among them. UserError as `sla.clocks`.

    All of it follows from the history as known now: a page that was due stays in it whatever became of it. What ended
    at an unknown instant does not show any more that it was late, so such an incident is also looked at just before.
    """
    whole = as_of(replace(view.incident, outcome=FIXED, duplicate_of=None), view.now)
    periods = level_periods(whole, policy)
    found = list(_escalations(whole, policy, periods, seen))
    for cycle in each_cycle(whole):
        found += _of_cycle(Case(cycle, policy, _until(cycle.now, periods)))
    for before in _before_unknown_ends(whole):
        case = Case(before, policy, _until(before.now, periods))
        found += [*announcements(case), *_main_marks(case), *_escalations(before, policy, case.periods, seen)]
    by_key: dict[str, Obligation] = {}
    for page in found:
        if page.kind in PAGES and page.due <= view.now:
            by_key.setdefault(page.key, page)
    return [by_key[key] for key in sorted(by_key)]


def _of_cycle(case: Case) -> Iterator[Obligation]:
    yield from announcements(case)
    yield from _main_marks(case)
    yield from _warnings(case)
    yield from _response_warnings(case)
    for clock, audience in ((UPDATE_INTERNAL, None), (UPDATE_PUBLIC, PUBLIC)):
        for slot in update_slots(case.view, case.policy, case.periods, audience):
            yield from _of_slot(case, clock, slot)


def _escalations(view: IncidentAt, policy: Policy, periods: list[LevelPeriod], seen: Seen) -> Iterator[Obligation]:
    case = Case(view, policy, periods)
    return (case.escalation(one) for one in due_escalations(view, policy, seen))


def _main_marks(case: Case) -> Iterator[Obligation]:
    """The breaches of response, diagnosis and resolution that have passed."""
    for clock in main_clocks(case.view, case.policy, case.periods):
        for mark in passed_marks(clock, case.view, case.policy, case.periods[-1]):
            yield case.obligation(mark.kind, clock.clock, mark.mark, mark.at, mark.reason, clock.cycle)


def _warnings(case: Case) -> Iterator[Obligation]:
    """The warnings of the resolution under each level it had, while that level held."""
    view, policy, marks = case.view, case.policy, dict[str, datetime | None]()
    ends = [*(period.since for period in case.periods[1:]), view.resolved.at or view.now]
    for period, end in zip(case.periods, ends, strict=True):
        if period.level.warn_at and period.name not in marks:
            marks[period.name] = mark_due(period.level.warn_at, period, view, policy)
        at = marks.get(period.name)
        if at is not None and at < end:
            mark = warning_mark(period.label, view.declared)
            yield case.obligation(WARNING, RESOLUTION, mark, at, f"{CLOCK_NAMES[RESOLUTION].name} at risk")


def _response_warnings(case: Case) -> Iterator[Obligation]:
    """The warnings of the response under each level it had, while nobody had answered."""
    view, periods = case.view, case.periods
    if not any(period.level.response_warn_at for period in periods):
        return
    response = next((one for one in main_clocks(view, case.policy, periods) if one.clock == RESPONSE), None)
    if response is None or response.cycle != view.cycle:
        return
    over = min((end.at for end in (view.acknowledged, view.resolved) if end.at is not None), default=view.now)
    for period, end in zip(periods, [*(period.since for period in periods[1:]), over], strict=True):
        start = max(period.origin, view.cycle_start)
        at = response_mark_due(period, start, view, case.policy)
        if at is not None and at < min(end, over):
            mark, reason = warning_mark(period.label, start), f"{CLOCK_NAMES[RESPONSE].name} at risk"
            yield case.obligation(WARNING, RESPONSE, mark, at, reason, response.cycle)


def _of_slot(case: Case, clock: str, slot: UpdateSlot) -> Iterator[Obligation]:
    """The missed updates of a slot, the newest MOST_SLOTS, and the warning of a range."""
    track, cadence, name = slot.course, slot.period.level.update, CLOCK_NAMES[clock].name
    if clock == UPDATE_PUBLIC and cadence.public and cadence.public_max:
        at = due(slot.start, seconds_of(cadence.public), track.calendar)
        if at is not None and at < (slot.stop or case.view.now):
            yield case.obligation(WARNING, clock, warning_mark(slot.period.major, slot.start), at, f"{name} at risk")
    missed = slot.passed(case.view.now)
    for number in range(max(1, missed - MOST_SLOTS + 1), missed + 1):
        at = due(slot.start, number * (track.target or 0), track.calendar)
        if at is not None:
            reason = f"{name.capitalize()} was due at {stamp(at)}"
            yield case.obligation(BREACH, clock, slot_mark(slot.start, number), at, reason)


def _before_unknown_ends(view: IncidentAt) -> list[IncidentAt]:
    """The incident just before each dated instant and move, where an end is unknown; [] where all are known.

    Without a history of states it is unknown which state it was in: then it counts as new.
    """
    ends = (view.acknowledged, view.diagnosed, *(cycle.resolved for cycle in each_cycle(view)))
    moves = view.history.moves
    if moves and all(end.at is not None for end in ends if end.ended):
        return []
    incident = view.incident if moves else replace(view.incident, state=NEW)
    picked_up = next((at for at, old, new in moves if new == IN_PROGRESS), None)
    dated = {at for text in view.instants.values() if (at := instant(text)) is not None}
    dated |= {at for at, _, new in moves if new in OVER} | ({picked_up} if picked_up else set())
    first = as_of(incident, view.now)
    return [first.then(at - MOMENT) for at in sorted(dated) if view.declared < at <= view.now]


def _until(at: datetime, periods: list[LevelPeriod]) -> list[LevelPeriod]:
    return [period for period in periods if period.since <= at] or periods[:1]


def ended_pages(view: IncidentAt, policy: Policy, seen: Seen = NOTHING_SEEN) -> Iterator[tuple[Obligation, str]]:
    """The pages that are over, each with RESOLVED_EVENT (its cycle is over) or ACKNOWLEDGED (somebody answered it).

    An answer from before a page was due does not answer it: a page to the next tier stays open.
    """
    over = view.state in OVER or view.is_cancelled
    answered = list(answers(view, policy))
    first = view.acknowledged
    if first.ended and first.at is not None and first.at > view.declared:
        answered = sorted({*answered, first.at})
    if not over and view.cycle == 1 and not answered:
        return
    for page in pages(view, policy, seen):
        if over or page.cycle < view.cycle:
            yield page, RESOLVED_EVENT
        elif first_after(answered, page.due) is not None:
            yield page, ACKNOWLEDGED
