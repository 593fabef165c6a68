"""From a target of the policy to seconds and a due time, for the level that was in force at each instant."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, declared_at, labels_held
from incident_ops.domain.incident import Incident
from incident_ops.domain.memo import memoised
from incident_ops.domain.policy import NEXT_RELEASE, LevelPolicy, Policy, target_days
from incident_ops.domain.policy_sections import AROUND_THE_CLOCK, Calendar, ReleaseTrain
from incident_ops.domain.time import PauseSpan, duration, parse_date
from incident_ops.errors import UserError
from incident_ops.sla.calendar import closing_time, due, elapsed, end_of_day

BUSINESS = "business"
seconds_of = lru_cache(maxsize=512)(duration)
"""A duration as seconds; the few texts of a policy are asked for with every clock."""


class LevelPeriod(NamedTuple):
    """The time an incident had one pair of labels, from `since` (aware UTC) to the next period.

    `label` names the level that gives response and resolution, `major` the one that gives updates, diagnosis and
    postmortem: in a scheme with two scales the severity, where there is one (C2). `origin` is where response and
    diagnosis are counted from: the declaration, or the instant at which it became an incident.
    """

    since: datetime
    level: LevelPolicy
    label: str
    major: str
    origin: datetime

    @property
    def is_major(self) -> bool:
        """True where the second scale marks a major incident."""
        return self.major != self.label

    @property
    def name(self) -> str:
        """The level as people say it: `P1`, or with its major level `P1/SEV-1`."""
        return f"{self.label}/{self.major}" if self.is_major else self.label


class Course(NamedTuple):
    """What a clock runs on: start, target in seconds, due time (None = unknown), calendar and pauses."""

    start: datetime
    target: int | None
    due: datetime | None
    calendar: Calendar
    pauses: tuple[PauseSpan, ...] = ()


def level_of(incident: Incident, policy: Policy) -> LevelPolicy:
    """The duties of the record's level. UserError where its driving label is missing or unknown (C1)."""
    level = policy.level_of(incident)
    if level is None:
        label = policy.label_of(incident)
        problem = f"{policy.drives} {label} is not a level" if label else f"without a {policy.drives} it has no level"
        raise UserError(f"{problem} of scheme {policy.scheme.id}", hint=f"levels: {', '.join(policy.labels)}")
    return level


def why_no_level(incident: Incident, policy: Policy) -> str:
    """Why a record has no level of the policy; "" where it has one, so that its clocks can be made."""
    try:
        level_of(incident, policy)
    except UserError as error:
        return str(error)
    return ""


def level_periods(view: IncidentAt, policy: Policy) -> list[LevelPeriod]:
    """The levels the incident has had up to `now`, the first from its declaration on. UserError as `level_of`.

    A former label that is not a level of the policy had no targets (C13) and makes no period. Response and diagnosis
    are counted anew from where a ticket, or a record without a level, became an incident, and from its first major
    level on.
    """
    return [*_level_periods(view, policy)]


@memoised
def _level_periods(view: IncidentAt, policy: Policy) -> tuple[LevelPeriod, ...]:
    present, duties = level_of(view.incident, policy), _Duties(policy.for_incident(view.incident))
    found: list[LevelPeriod] = []
    origin = view.declared
    has_begun = was_incident = was_major = False
    for since, severity, priority in labels_held(view.incident):
        if view.declared < since and view.now < since:
            break
        level = duties.of(severity, priority)
        if level is None:
            has_begun = has_begun or policy.driving_label(severity, priority) is not None
            continue
        period = _period(since, level, severity, policy)
        is_incident = level.declare or period.is_major
        becomes_one = (is_incident and not was_incident) or (period.is_major and not was_major)
        if not has_begun or (found and becomes_one):
            origin = since
        has_begun, was_incident, was_major = True, was_incident or is_incident, was_major or period.is_major
        found.append(period._replace(origin=origin))
    return (*found,) or (_period(view.declared, present, view.incident.severity, policy),)


class _Duties:
    """What holds for a pair of labels, worked out once for each."""

    def __init__(self, policy: Policy) -> None:
        self._policy, self._known = policy, dict[tuple[str | None, str | None], LevelPolicy | None]()

    def of(self, severity: str | None, priority: str | None) -> LevelPolicy | None:
        pair = severity, priority
        if pair not in self._known:
            self._known[pair] = self._policy.duties(severity, priority)
        return self._known[pair]


def calendar_of(level: LevelPolicy, policy: Policy) -> Calendar:
    """The calendar a level's clocks run in. UserError where the policy has none of that name."""
    calendar = policy.calendar(level.calendar)
    if calendar is None:
        message = f"level {level.id} runs on calendar {level.calendar}, which the policy does not have"
        raise UserError(message, where="policy.yaml", hint="add it to `calendars`, or use 24x7")
    return calendar


def targets(incident: Incident, policy: Policy, level: LevelPolicy) -> tuple[str | None, str | None]:
    """Response and resolution target in force; None = no clock (C13).

    The targets that the record carries from its declaration win, so that a policy edit reaches later incidents only.
    They are those of the level at the declaration: once the level has changed, the policy's target for the new one
    holds. A target that the record does not carry is the policy's.
    """
    response, resolution = level.response, level.resolution
    first = next((change.old for change in incident.changes if change.field == policy.drives), level.id)
    if incident.policy is not None and first == level.id:
        response = incident.policy.targets.response or response
        resolution = incident.policy.targets.resolution or resolution
    return stated_seconds(response), stated_seconds(resolution)


def stated_seconds(target: str | None) -> str | None:
    """A target of zero seconds means no clock, not an immediate breach."""
    if target is None or target == NEXT_RELEASE or target_days(target) is not None:
        return target
    return target if seconds_of(target) else None


def course(
    target: str, start: datetime, calendar: Calendar, policy: Policy, pauses: tuple[PauseSpan, ...] = ()
) -> Course:
    """A target counted from `start`. A release day ends at midnight in the calendar's zone; no pause moves it."""
    if target == NEXT_RELEASE:
        release = _next_release(start, calendar, policy)
        return course_until(start, end_of_day(parse_date(release.on), calendar) if release else None)
    days = target_days(target)
    if days is None:
        seconds = seconds_of(target)
        return Course(start, seconds, due(start, seconds, calendar, pauses), calendar, pauses)
    closing = closing_time(start, days, calendar)
    if closing is None:
        return Course(start, None, None, calendar, pauses)
    seconds = elapsed(start, closing, calendar)
    return Course(start, seconds, due(start, seconds, calendar, pauses) if pauses else closing, calendar, pauses)


def course_until(start: datetime, end: datetime | None) -> Course:
    """A course that ends on a date, not after a duration: it runs around the clock; None = the date is unknown."""
    seconds = None if end is None else int((end - start).total_seconds())
    return Course(start, seconds, end, AROUND_THE_CLOCK)


def business_calendar(policy: Policy) -> Calendar:
    """The calendar whose zone says when a day ends; 24x7 (UTC) where the policy has none."""
    return policy.calendar(BUSINESS) or AROUND_THE_CLOCK


def _period(since: datetime, level: LevelPolicy, severity: str | None, policy: Policy) -> LevelPeriod:
    major = severity if severity is not None and severity in policy.major_labels else level.id
    return LevelPeriod(since, level, level.id, major, since)


def resolution_release(incident: Incident, policy: Policy) -> ReleaseTrain | None:
    """The release in which an incident is to be resolved; None where its level names none, or none is planned.

    UserError for a policy that names a calendar or zone which does not exist.
    """
    policy = policy.for_incident(incident)
    level = policy.level_of(incident)
    if level is None or targets(incident, policy, level)[1] != NEXT_RELEASE:
        return None
    return _next_release(declared_at(incident), calendar_of(level, policy), policy)


def _next_release(start: datetime, calendar: Calendar, policy: Policy) -> ReleaseTrain | None:
    """The first release whose day is not over at `start` (R35), of several that day the one named first."""
    ordered = sorted(policy.releases, key=lambda release: parse_date(release.on))
    return next((release for release in ordered if end_of_day(parse_date(release.on), calendar) > start), None)
