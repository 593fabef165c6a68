"""The clocks of an incident: their names, states and risks (R26-R49, R51, R171, R172, R193, R194).

Everything follows from the record and the policy; `now` decides only what has happened and how far a clock has run.
docs/sla.md explains it with examples. What is decided here:

- A clock is met when it stops at or before its due (C37). One that runs past it still runs, its risk is `breached`.
- A change of level keeps the start and the pauses of response and resolution and takes the new level's target. What was
  breached before it stays breached; a clock that is late only under the new target is `retargeted_at` the change. An
  ended clock stays as it is. What became an incident late is responded to from then on (`LevelPeriod.origin`); a
  diagnosis is counted from the level that asks for one.
- PAUSABLE says which clocks pause in the policy's `states.pausing` (by default pending), and between resolved and
  reopened; `states.stopping` says what stops the resolution.
- A clock that ended at an `unknown` instant, and every clock of a duplicate, a false alarm or a withdrawn incident but
  for its action items, is `cancelled`: neither met nor missed.
- Updates run in slots (`sla.update_slots`). The clock shows the running slot; where none runs, the first slot that was
  missed, else the last one that was kept. A range of public updates (C11) is due at its outer limit.
- A deadline owed to others (`domain.deadlines`) runs around the clock and never pauses; closing ends none.
- `at_risk` is passed strictly after its mark: `warn_at` for the resolution, `response_warn_at` for the response, the
  inner limit of a range of updates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from incident_ops.domain.as_of import ClockEnd, IncidentAt
from incident_ops.domain.deadlines import Duty, duties_at
from incident_ops.domain.incident import ActionItem
from incident_ops.domain.item_due import ItemDue, counted_from, item_due
from incident_ops.domain.memo import memoised
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.public_updates import PUBLIC
from incident_ops.domain.time import UNKNOWN, PauseSpan, parse_date, parse_instant
from incident_ops.sla.calendar import elapsed, end_of_day, start_of_day
from incident_ops.sla.targets import (
    Course,
    LevelPeriod,
    business_calendar,
    calendar_of,
    course,
    course_until,
    level_periods,
    seconds_of,
    stated_seconds,
    targets,
)
from incident_ops.sla.update_slots import update_slots

RESPONSE, DIAGNOSIS, RESOLUTION = "response", "diagnosis", "resolution"
UPDATE_INTERNAL, UPDATE_PUBLIC = "update_internal", "update_public"
POSTMORTEM_MEETING, POSTMORTEM_FINAL, ACTION_ITEM = "postmortem_meeting", "postmortem_final", "action_item"
DEADLINE = "deadline"


class ClockName(NamedTuple):
    """What people read: in sentences, and in the columns of a table."""

    name: str
    short: str


CLOCK_NAMES = {
    RESPONSE: ClockName("response", "response"),
    DIAGNOSIS: ClockName("diagnosis", "diagnosis"),
    RESOLUTION: ClockName("resolution", "resolution"),
    UPDATE_INTERNAL: ClockName("internal update", "update"),
    UPDATE_PUBLIC: ClockName("public update", "public upd."),
    DEADLINE: ClockName("deadline", "deadline"),
    POSTMORTEM_MEETING: ClockName("postmortem meeting", "meeting"),
    POSTMORTEM_FINAL: ClockName("final postmortem", "postmortem"),
    ACTION_ITEM: ClockName("action item", "action item"),
}
"""The names of the clocks, in the order in which an incident's clocks are listed."""
_PLACES = {clock: place for place, clock in enumerate(CLOCK_NAMES)}

PAUSABLE = frozenset({RESOLUTION})
"""Waiting for others pauses the resolution, not the response, the time box of a diagnosis, or the duty to keep people
informed."""
AFTERWARDS = frozenset({POSTMORTEM_MEETING, POSTMORTEM_FINAL, ACTION_ITEM, DEADLINE})
"""Clocks of the work that remains when an incident is over."""
SOON = 6 * 3_600
"""Seconds before its due time from which on a deadline is urgent."""


class ClockState(StrEnum):
    """Whether a clock runs, and how it ended."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"
    NO_DUE = "no_due"


class Risk(StrEnum):
    """How likely a clock is to be missed."""

    OK = "ok"
    AT_RISK = "at_risk"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock, in the fields of `sla check`. Instants are aware UTC, seconds are working seconds.

    `due` is None where it is unknown: no release date, a calendar that never opens, a pause that is still open.
    `elapsed_seconds` is None where the end is unknown; `remaining_seconds` is negative after a breach and None where
    there is nothing to count down. `item` is the id of the action item, or of the deadline, which `duty` holds.
    `retargeted_at` is the instant of the severity change that made the clock late; None for every other clock.
    """

    incident: str
    clock: str
    cycle: int
    level: str
    start: datetime
    due: datetime | None
    state: ClockState
    risk: Risk
    elapsed_seconds: int | None
    remaining_seconds: int | None
    paused_seconds: int
    stopped_at: datetime | None
    item: str | None = None
    item_due: ItemDue | None = None
    retargeted_at: datetime | None = None
    duty: Duty | None = None

    @property
    def name(self) -> str:
        """The clock as people say it: `internal update`."""
        return CLOCK_NAMES[self.clock].name

    @property
    def place(self) -> int:
        """The place of the clock in the order of CLOCK_NAMES."""
        return _PLACES[self.clock]

    @property
    def breached_by_retarget(self) -> bool:
        """True where the clock was not late until the level changed."""
        return self.retargeted_at is not None

    @property
    def is_over(self) -> bool:
        """True where nothing about the clock will change any more."""
        return self.stopped_at is not None or self.state in (ClockState.MET, ClockState.MISSED, ClockState.CANCELLED)


class _PeriodCourse(NamedTuple):
    """A course, the level period it belongs to, and the instant of the change that made it late."""

    course: Course
    period: LevelPeriod
    retargeted_at: datetime | None


def clocks(view: IncidentAt, policy: Policy) -> list[Clock]:
    """The clocks of one incident, in the order of CLOCK_NAMES, action items in the order of the record.

    A level without a target has no such clock (C13). UserError for a record whose label is not a level of the
    policy, and for a policy that names a calendar or zone which does not exist.
    """
    return [*_clocks(view, policy)]


@memoised
def _clocks(view: IncidentAt, policy: Policy) -> tuple[Clock, ...]:
    policy = policy.for_incident(view.incident)
    incident, periods, end = view.incident, level_periods(view, policy), view.resolved
    found: list[Clock | None] = [*main_clocks(view, policy, periods)]
    if any(period.level.update.internal for period in periods):
        found.append(_updates(view, policy, periods, UPDATE_INTERNAL, end))
    if any(period.level.update.public for period in periods):
        found.append(_updates(view, policy, periods, UPDATE_PUBLIC, end))
    duties = duties_at(incident, policy, view.instants, view.now) if policy.deadlines else ()
    found += [_deadline(view, policy, periods[-1], duty) for duty in duties]
    if any(period.level.postmortem.required for period in periods) and not incident.drill:
        found += _postmortem(view, policy, periods)
    found += [_item(view, policy, periods[-1], item) for item in incident.action_items]
    return tuple(clock for clock in found if clock is not None)


def main_clocks(view: IncidentAt, policy: Policy, periods: list[LevelPeriod]) -> list[Clock]:
    """Response, diagnosis and resolution; `periods` are the levels up to now. UserError as `clocks`."""
    origins = [period.origin for period in periods]
    starts = _restarted(view, policy, periods, RESPONSE, origins)
    found = [_plain(view, policy, periods, RESPONSE, starts, view.acknowledged)]
    if any(period.level.diagnosis for period in periods):
        starts = _restarted(view, policy, periods, DIAGNOSIS, _diagnosis_starts(periods))
        found.append(_plain(view, policy, periods, DIAGNOSIS, starts, view.diagnosed))
    over = view.resolved.at
    pauses = tuple((begin, until or over) for begin, until in view.pauses(policy.states.pausing))
    stopped, starts = view.stopped(policy.states.stopping), [view.declared] * len(periods)
    found.append(_plain(view, policy, periods, RESOLUTION, starts, stopped, pauses))
    return [clock for clock in found if clock is not None]


def _plain(
    view: IncidentAt,
    policy: Policy,
    periods: list[LevelPeriod],
    name: str,
    starts: Sequence[datetime],
    end: ClockEnd,
    pauses: tuple[PauseSpan, ...] = (),
) -> Clock | None:
    """A clock that has one end; `starts` says for each period from where it is counted."""
    chosen = _course_of(view, policy, periods, name, starts, end.at, pauses)
    return chosen and _clock(view, name, chosen, end)


def _restarted(
    view: IncidentAt, policy: Policy, periods: list[LevelPeriod], name: str, starts: list[datetime]
) -> list[datetime]:
    """The starts, after a withdrawal by mistake those from the reopening on: what had not been given until then, and
    was not late yet, is owed anew."""
    again = view.restart
    if again is None:
        return starts
    end = view.acknowledged if name == RESPONSE else view.diagnosed
    before = _course_of(view, policy, periods, name, starts, again.withdrawn, ())
    was_late = before is not None and _past(again.withdrawn, before.course.due)
    was_given = end.ended and (end.at is None or end.at <= again.withdrawn)
    return starts if was_late or was_given else [max(start, again.reopened) for start in starts]


def _diagnosis_starts(periods: list[LevelPeriod]) -> list[datetime]:
    """For each period the first since its origin from which on every level asks for a diagnosis."""
    found: list[datetime] = []
    is_asked = False
    for period in periods:
        goes_on = is_asked and found[-1] >= period.origin
        found.append(found[-1] if goes_on else period.since)
        is_asked = period.level.diagnosis is not None
    return found


def _updates(view: IncidentAt, policy: Policy, periods: list[LevelPeriod], name: str, end: ClockEnd) -> Clock | None:
    """The running slot; where none runs, the first that was missed; once ended, else the last that an update kept."""
    slots = update_slots(view, policy, periods, PUBLIC if name == UPDATE_PUBLIC else None)
    running = next((slot for slot in slots[-1:] if slot.stop is None), None)
    shown = running or next((slot for slot in slots if slot.is_missed), None)
    if shown is None and end.ended:
        shown = next((slot for slot in reversed(slots) if slot.has_ended_well), None)
    if shown is None:
        return None
    chosen = _PeriodCourse(shown.course, shown.period, None)
    return _clock(view, name, chosen, end if shown.stop is None else ClockEnd(True, shown.stop))


def _postmortem(view: IncidentAt, policy: Policy, periods: list[LevelPeriod]) -> Iterator[Clock | None]:
    """Meeting and final text, from the first resolution on; work after a reopening is a pause."""
    over, written = view.first_resolved, view.incident.postmortem
    if not over.ended:
        return
    start = over.at or view.declared
    for name, text in (
        (POSTMORTEM_MEETING, written.meeting if written else None),
        (POSTMORTEM_FINAL, written.final_at if written else None),
    ):
        starts = [start] * len(periods)
        chosen = _course_of(view, policy, periods, name, starts, _end(view, policy, text).at, view.rework)
        if chosen and over.at is None:  # unknown since when it is due
            chosen = chosen._replace(course=course_until(start, None))
        yield chosen and _clock(view, name, chosen, _end(view, policy, text))


def _deadline(view: IncidentAt, policy: Policy, period: LevelPeriod, duty: Duty) -> Clock:
    """A report that is owed. What has no due time is met once it is made; what has not begun counts nothing down."""
    track = course_until(duty.start or view.declared, duty.due)
    end = _end(view, policy, duty.report.done_at if duty.report else None)
    clock = _clock(view, DEADLINE, _PeriodCourse(track, period, None), end)
    is_met = clock.state is ClockState.NO_DUE and end.ended
    return replace(clock, item=duty.deadline.id, duty=duty, state=ClockState.MET if is_met else clock.state)


def deadline_ahead(seconds: int) -> int:
    """Seconds before its due time from which on a deadline of this length is at risk: its last quarter, SOON at
    least."""
    return max(SOON, seconds // 4)


def _item(view: IncidentAt, policy: Policy, period: LevelPeriod, item: ActionItem) -> Clock:
    """An action item: due at the end of its day, done or dropped by its status."""
    due = item_due(item, view.incident, policy)
    track = course_until(counted_from(item, view.incident, policy), due.end if due else None)
    end = _end(view, policy, item.done_at or UNKNOWN) if item.status == "done" else ClockEnd(not item.is_open)
    return replace(_clock(view, ACTION_ITEM, _PeriodCourse(track, period, None), end), item=item.id, item_due=due)


def _end(view: IncidentAt, policy: Policy, text: str | None) -> ClockEnd:
    """A date, an instant or `unknown` -> an end; one in the future has not happened yet."""
    if text is None or text == UNKNOWN:
        return ClockEnd(text is not None)
    if "T" in text:
        at = parse_instant(text)
        return ClockEnd(at <= view.now, at if at <= view.now else None)
    calendar = business_calendar(policy)
    begin = start_of_day(parse_date(text), calendar)
    return ClockEnd(True, end_of_day(parse_date(text), calendar), begin) if begin <= view.now else ClockEnd(False)


def _course_of(
    view: IncidentAt,
    policy: Policy,
    periods: list[LevelPeriod],
    name: str,
    starts: Sequence[datetime],
    stop: datetime | None,
    pauses: tuple[PauseSpan, ...],
) -> _PeriodCourse | None:
    """The course of the last level period before the stop, or of an earlier one in which it was breached."""
    last = stop or view.now
    count = max(1, sum(period.since <= last for period in periods))
    known: dict[tuple[str, str, datetime], Course | None] = {}
    latest = None
    for number, (period, start) in enumerate(zip(periods[:count], starts, strict=False)):
        asked = period.label, period.major, start
        if asked not in known:
            target = _target(name, view, policy, period.level)
            calendar = calendar_of(period.level, policy)
            known[asked] = course(target, start, calendar, policy, pauses) if target else None
        candidate, latest = known[asked], None
        if candidate is None:
            continue
        late = number > 0 and period.since > start and _past(period.since, candidate.due)
        latest = _PeriodCourse(candidate, period, period.since if late else None)
        if number + 1 < count and _past(periods[number + 1].since, candidate.due):
            break
    return latest


def _target(name: str, view: IncidentAt, policy: Policy, level: LevelPolicy) -> str | None:
    if name in (RESPONSE, RESOLUTION):
        return targets(view.incident, policy, level)[name == RESOLUTION]
    if name == DIAGNOSIS:
        return stated_seconds(level.diagnosis)
    duty = level.postmortem
    return stated_seconds(duty.within if name == POSTMORTEM_MEETING else duty.final_within) if duty.required else None


def _clock(view: IncidentAt, name: str, chosen: _PeriodCourse, end: ClockEnd) -> Clock:
    track, period = chosen.course, chosen.period
    stop = _stop(end, track.due)
    last = stop if end.ended else view.now
    spent = None if last is None else elapsed(track.start, last, track.calendar, track.pauses)
    worked = spent if last is None or not track.pauses else elapsed(track.start, last, track.calendar)
    state = _state(view, name, track, end, stop)
    idle = state is ClockState.CANCELLED or track.target is None or spent is None
    return Clock(
        incident=view.incident.id,
        clock=name,
        cycle=_cycle(view, name, track),
        level=period.label if name in (RESPONSE, RESOLUTION, ACTION_ITEM, DEADLINE) else period.major,
        start=track.start,
        due=track.due,
        state=state,
        risk=_risk(view, name, chosen, state, spent),
        elapsed_seconds=spent,
        remaining_seconds=None if idle else (track.target or 0) - (spent or 0),
        paused_seconds=(worked or 0) - (spent or 0),
        stopped_at=stop,
        retargeted_at=chosen.retargeted_at,
    )


def _cycle(view: IncidentAt, name: str, track: Course) -> int:
    """The cycle a clock belongs to; response and diagnosis to the first, or to that after a withdrawal by mistake."""
    if name in (RESOLUTION, UPDATE_INTERNAL, UPDATE_PUBLIC):
        return view.cycle
    again = view.restart if name in (RESPONSE, DIAGNOSIS) else None
    return again.cycle if again and track.start >= again.reopened else 1


def _stop(end: ClockEnd, due: datetime | None) -> datetime | None:
    """When it ended. Where only the day is known, it counts as in time if it may have been."""
    if end.at is not None and end.day is not None and due is not None and end.day < due:
        return min(end.at, due)
    return end.at


def _state(view: IncidentAt, name: str, track: Course, end: ClockEnd, stop: datetime | None) -> ClockState:
    now = view.now
    cancelled = view.is_cancelled and name != ACTION_ITEM
    if cancelled or (end.ended and stop is None):
        return ClockState.CANCELLED
    if stop is not None and track.due is not None:
        return ClockState.MISSED if stop > track.due else ClockState.MET
    if not end.ended and any(begin <= now and (over is None or now < over) for begin, over in track.pauses):
        return ClockState.PAUSED
    return ClockState.NO_DUE if track.due is None else ClockState.RUNNING


def _risk(view: IncidentAt, name: str, chosen: _PeriodCourse, state: ClockState, spent: int | None) -> Risk:
    if state is ClockState.MISSED:
        return Risk.BREACHED
    if state not in (ClockState.RUNNING, ClockState.PAUSED):
        return Risk.OK
    if _past(view.now, chosen.course.due):
        return Risk.BREACHED
    mark = _mark(name, chosen)
    return Risk.OK if mark is None or spent is None or spent <= mark else Risk.AT_RISK


def _mark(name: str, chosen: _PeriodCourse) -> float | None:
    """Working seconds from which on a clock is at risk; None where the policy has no mark for it."""
    level, target = chosen.period.level, chosen.course.target
    if name == UPDATE_PUBLIC and level.update.public:
        return seconds_of(level.update.public)
    if name == DEADLINE and target is not None:
        return target - deadline_ahead(target)
    warn_at = {RESPONSE: level.response_warn_at, RESOLUTION: level.warn_at}.get(name)
    if warn_at is None or target is None:
        return None
    return target * int(warn_at[:-1]) / 100 if warn_at.endswith("%") else seconds_of(warn_at)


def _past(at: datetime, limit: datetime | None) -> bool:
    return limit is not None and at > limit
