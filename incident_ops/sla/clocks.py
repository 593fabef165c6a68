"""What one clock is: its name, where it stands, what is to be feared of it.

The clocks of an incident (R26-R49, R51, R171, R172, R193, R194).

Everything follows from the record and the policy; `now` decides only what has happened and how far a clock has run.
docs/sla.md explains it with examples. What is decided here:

- A clock is met when it stops at or before its due (C37). One that runs past it still runs, its risk is `breached`.
- A severity change keeps the start and the pauses and takes the new level's target. What was breached before it stays
  breached; what the new target finds past already is `retargeted_at` the change. An ended clock is left as it is.
- PAUSABLE says which clocks rest while the incident is pending, and between resolved and reopened.
- A clock that ended at an `unknown` instant, and every clock of a duplicate, a false alarm or a withdrawn incident but
  for its action items, is `cancelled`: neither met nor missed.
- Updates run in slots from one to the next, ending at resolved (C36). Shown is the running slot; once ended, the
  first slot that was missed, else the last. A range of public updates (C11) is due at its outer limit.
- `at_risk` is passed strictly after its mark: `warn_at` for the resolution, the inner limit of a range of updates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from incident_ops.domain.as_of import ClockEnd, IncidentAt
from incident_ops.domain.incident import ActionItem
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.time import UNKNOWN, PauseSpan, parse_date, parse_instant
from incident_ops.sla.calendar import elapsed, end_of_day, start_of_day
from incident_ops.sla.targets import (
    Course,
    LevelPeriod,
    business_calendar,
    calendar_of,
    course,
    course_until,
    item_due,
    level_periods,
    seconds_of,
    stated_seconds,
    targets,
)

RESPONSE, DIAGNOSIS, RESOLUTION = "response", "diagnosis", "resolution"
UPDATE_INTERNAL, UPDATE_PUBLIC = "update_internal", "update_public"
POSTMORTEM_MEETING, POSTMORTEM_FINAL, ACTION_ITEM = "postmortem_meeting", "postmortem_final", "action_item"


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
    POSTMORTEM_MEETING: ClockName("postmortem meeting", "meeting"),
    POSTMORTEM_FINAL: ClockName("final postmortem", "postmortem"),
    ACTION_ITEM: ClockName("action item", "action item"),
}
"""The names of the clocks, in the order in which an incident's clocks are listed."""
_PLACES = {clock: place for place, clock in enumerate(CLOCK_NAMES)}

PAUSABLE = frozenset({RESOLUTION})
"""Waiting for others stops the work on the way to resolved, not the answer, the time box of a diagnosis, or the duty to
keep people informed."""
AFTERWARDS = frozenset({POSTMORTEM_MEETING, POSTMORTEM_FINAL, ACTION_ITEM})
"""Clocks of the work that is left when an incident is over."""


class ClockState(StrEnum):
    """Where a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"
    NO_DUE = "no_due"


class Risk(StrEnum):
    """What is to be feared of a clock."""

    OK = "ok"
    AT_RISK = "at_risk"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock, in the fields of `sla check`. Instants are aware UTC, seconds are working seconds.

    `due` is None where it is not known: no release date, a calendar that never opens, a pause that is still on.
    `elapsed_seconds` is None where the end is not known; `remaining_seconds` is negative after a breach and None where
    there is nothing to count down. `item` is the action item's id. `retargeted_at` is the instant of the severity
    change whose target was past already; None for every other clock.
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
    retargeted_at: datetime | None = None

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
        """True where nobody was late until the level changed."""
        return self.retargeted_at is not None

    @property
    def is_over(self) -> bool:
        """True where nothing about the clock will change any more."""
        return self.stopped_at is not None or self.state in (ClockState.MET, ClockState.MISSED, ClockState.CANCELLED)


class _Road(NamedTuple):
    """A course, the leg it belongs to, and the change that found it past already."""

    course: Course
    leg: LevelPeriod
    retargeted_at: datetime | None


def clocks(view: IncidentAt, policy: Policy) -> list[Clock]:
    """The clocks of one incident, in the order of CLOCK_NAMES, action items in the order of the record.

    A level without a target has no such clock (C13). UserError for a record whose label is no level of the policy,
    and for a policy that names a calendar or zone which does not exist.
    """
    incident, path = view.incident, level_periods(view, policy)
    found = [_plain(view, policy, path, RESPONSE, view.acknowledged)]
    if any(leg.level.diagnosis for leg in path):
        found.append(_plain(view, policy, path, DIAGNOSIS, view.diagnosed))
    end = view.resolved
    found.append(_plain(view, policy, path, RESOLUTION, end, view.pauses))
    if any(leg.level.update.internal for leg in path):
        found.append(_updates(view, policy, path, UPDATE_INTERNAL, end))
    if any(leg.level.update.public for leg in path):
        found.append(_updates(view, policy, path, UPDATE_PUBLIC, end))
    if any(leg.level.postmortem.required for leg in path) and not incident.drill:
        found += _postmortem(view, policy, path)
    found += [_item(view, policy, path[-1], item) for item in incident.action_items]
    return [clock for clock in found if clock is not None]


def _plain(
    view: IncidentAt,
    policy: Policy,
    path: list[LevelPeriod],
    name: str,
    end: ClockEnd,
    rests: tuple[PauseSpan, ...] = (),
) -> Clock | None:
    """A clock that starts at the declaration."""
    rests = tuple((begin, over or end.at) for begin, over in rests) if name in PAUSABLE else ()
    road = _road(view, policy, path, name, view.declared, end.at, rests)
    return road and _clock(view, name, road, end)


def _updates(view: IncidentAt, policy: Policy, path: list[LevelPeriod], name: str, end: ClockEnd) -> Clock | None:
    """The slot that stands for all: the running one; once ended the first that was missed, else the last."""
    starts = [view.cycle_start, *view.update_instants("public" if name == UPDATE_PUBLIC else None)]
    stops = [*starts[1:], end.at]
    if end.at is None:
        starts, stops = starts[-1:], stops[-1:]
    found = None
    for start, stop in zip(starts, stops, strict=True):
        if road := _road(view, policy, path, name, start, stop, ()):
            found = _clock(view, name, road, end if stop is None else ClockEnd(True, stop))
            if found.state is ClockState.MISSED:
                break
    return found


def _postmortem(view: IncidentAt, policy: Policy, path: list[LevelPeriod]) -> Iterator[Clock | None]:
    """Meeting and final text, from the first resolution on; people at work again are a pause."""
    over, written = view.first_resolved, view.incident.postmortem
    if not over.ended:
        return
    start = over.at or view.declared
    for name, text in (
        (POSTMORTEM_MEETING, written.meeting if written else None),
        (POSTMORTEM_FINAL, written.final_at if written else None),
    ):
        road = _road(view, policy, path, name, start, _end(view, policy, text).at, view.rework)
        if road and over.at is None:  # nobody knows since when it is owed
            road = road._replace(course=course_until(start, None))
        yield road and _clock(view, name, road, _end(view, policy, text))


def _item(view: IncidentAt, policy: Policy, leg: LevelPeriod, item: ActionItem) -> Clock:
    """An action item: due at the end of its day, done or dropped by its status."""
    road = course_until(view.declared, item_due(item, policy, view.first_resolved.at))
    end = _end(view, policy, item.done_at or UNKNOWN) if item.status == "done" else ClockEnd(not item.is_open)
    return _clock(view, ACTION_ITEM, _Road(road, leg, None), end, item.id)


def _end(view: IncidentAt, policy: Policy, text: str | None) -> ClockEnd:
    """A date, an instant or `unknown` -> an end; what lies ahead has not happened yet."""
    if text is None or text == UNKNOWN:
        return ClockEnd(text is not None)
    if "T" in text:
        at = parse_instant(text)
        return ClockEnd(at <= view.now, at if at <= view.now else None)
    calendar = business_calendar(policy)
    begin = start_of_day(parse_date(text), calendar)
    return ClockEnd(True, end_of_day(parse_date(text), calendar), begin) if begin <= view.now else ClockEnd(False)


def _road(
    view: IncidentAt,
    policy: Policy,
    path: list[LevelPeriod],
    name: str,
    start: datetime,
    stop: datetime | None,
    rests: tuple[PauseSpan, ...],
) -> _Road | None:
    """The course of the last leg before the stop, or of an earlier one that was breached while it lasted."""
    last = stop or view.now
    gone = [leg for leg in path if leg.since <= last] or path[:1]
    found = None
    for number, leg in enumerate(gone):
        target = _target(name, view, policy, leg.level)
        found = None
        if target is None:
            continue
        road = course(target, start, calendar_of(leg.level, policy), policy, rests)
        late = number > 0 and leg.since > start and _past(leg.since, road.due)
        found = _Road(road, leg, leg.since if late else None)
        if number + 1 < len(gone) and _past(gone[number + 1].since, road.due):
            break
    return found


def _target(name: str, view: IncidentAt, policy: Policy, level: LevelPolicy) -> str | None:
    if name in (RESPONSE, RESOLUTION):
        return targets(view.incident, policy, level)[name == RESOLUTION]
    if name == DIAGNOSIS:
        return stated_seconds(level.diagnosis)
    if name == UPDATE_INTERNAL:
        return stated_seconds(level.update.internal)
    if name == UPDATE_PUBLIC:
        return stated_seconds(level.update.public) and stated_seconds(level.update.public_max or level.update.public)
    owed = level.postmortem
    return stated_seconds(owed.within if name == POSTMORTEM_MEETING else owed.final_within) if owed.required else None


def _clock(view: IncidentAt, name: str, road: _Road, end: ClockEnd, item: str | None = None) -> Clock:
    way, leg = road.course, road.leg
    stop = _stop(end, way.due)
    last = stop if end.ended else view.now
    spent = None if last is None else elapsed(way.start, last, way.calendar, way.pauses)
    worked = spent if last is None or not way.pauses else elapsed(way.start, last, way.calendar)
    state = _state(view, name, way, end, stop)
    idle = state is ClockState.CANCELLED or way.target is None or spent is None
    return Clock(
        incident=view.incident.id,
        clock=name,
        cycle=view.cycle if name in (RESOLUTION, UPDATE_INTERNAL, UPDATE_PUBLIC) else 1,
        level=leg.label if name in (RESPONSE, RESOLUTION, ACTION_ITEM) else leg.major,
        start=way.start,
        due=way.due,
        state=state,
        risk=_risk(view, name, road, state, spent),
        elapsed_seconds=spent,
        remaining_seconds=None if idle else (way.target or 0) - (spent or 0),
        paused_seconds=(worked or 0) - (spent or 0),
        stopped_at=stop,
        item=item,
        retargeted_at=road.retargeted_at,
    )


def _stop(end: ClockEnd, due: datetime | None) -> datetime | None:
    """When it ended. Of a day nobody is called late who may have been in time."""
    if end.at is not None and end.day is not None and due is not None and end.day < due:
        return min(end.at, due)
    return end.at


def _state(view: IncidentAt, name: str, way: Course, end: ClockEnd, stop: datetime | None) -> ClockState:
    now = view.now
    cancelled = view.is_cancelled and name != ACTION_ITEM
    if cancelled or (end.ended and stop is None):
        return ClockState.CANCELLED
    if stop is not None and way.due is not None:
        return ClockState.MISSED if stop > way.due else ClockState.MET
    if not end.ended and any(begin <= now and (over is None or now < over) for begin, over in way.pauses):
        return ClockState.PAUSED
    return ClockState.NO_DUE if way.due is None else ClockState.RUNNING


def _risk(view: IncidentAt, name: str, road: _Road, state: ClockState, spent: int | None) -> Risk:
    if state is ClockState.MISSED:
        return Risk.BREACHED
    if state not in (ClockState.RUNNING, ClockState.PAUSED):
        return Risk.OK
    if _past(view.now, road.course.due):
        return Risk.BREACHED
    mark = _mark(name, road)
    return Risk.OK if mark is None or spent is None or spent <= mark else Risk.AT_RISK


def _mark(name: str, road: _Road) -> float | None:
    """Working seconds from which on a clock is at risk; None where the policy has no mark for it."""
    level, target = road.leg.level, road.course.target
    if name == UPDATE_PUBLIC and level.update.public:
        return seconds_of(level.update.public)
    warn_at = level.warn_at
    if name != RESOLUTION or warn_at is None or target is None:
        return None
    return target * int(warn_at[:-1]) / 100 if warn_at.endswith("%") else seconds_of(warn_at)


def _past(at: datetime, limit: datetime | None) -> bool:
    return limit is not None and at > limit
