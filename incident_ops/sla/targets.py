"""From a target of the policy to seconds and a due time: durations, `next_business_day`, `next_release`."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.model.incident import Incident
from incident_ops.model.policy import NEXT_BUSINESS_DAY, NEXT_RELEASE, LevelPolicy, Policy
from incident_ops.model.policy_blocks import AROUND_THE_CLOCK, Calendar
from incident_ops.model.time import duration, parse_date
from incident_ops.sla.calendar import Pause, due, elapsed, end_of_day, next_business_day


class Course(NamedTuple):
    """What a clock runs on: start, target in seconds and due (None = no due is known), calendar, pauses."""

    start: datetime
    target: int | None
    due: datetime | None
    calendar: Calendar
    pauses: tuple[Pause, ...] = ()


def level_of(incident: Incident, policy: Policy) -> LevelPolicy:
    """The duties of the record's level. UserError where its driving label is missing or foreign (C1)."""
    level = policy.duties(incident.severity, incident.priority)
    if level is None:
        label = incident.priority if policy.drives == "priority" else incident.severity
        said = f"{policy.drives} {label} is no level" if label else f"without {policy.drives} it has no level"
        raise UserError(f"{said} of scheme {policy.scheme.id}", hint=f"levels: {', '.join(policy.labels)}")
    return level


def calendar_of(level: LevelPolicy, policy: Policy) -> Calendar:
    """The calendar a level's clocks run in. UserError where the policy has none of that name."""
    calendar = policy.calendar(level.calendar)
    if calendar is None:
        message = f"level {level.id} runs on calendar {level.calendar}, which the policy does not have"
        raise UserError(message, where="policy.yaml", hint="add it to `calendars`, or use 24x7")
    return calendar


def targets(incident: Incident, policy: Policy, level: LevelPolicy) -> tuple[str | None, str | None]:
    """Response and resolution target in force; None = no clock (C13).

    What the record says from its declaration wins, so that a policy edit reaches later incidents only. It was said for
    the level of the declaration: once the level has changed, the policy's target for the new one holds. A target the
    record does not give is the policy's.
    """
    response, resolution = level.response, level.resolution
    first = next((change.old for change in incident.changes if change.field == policy.drives), level.id)
    if incident.policy is not None and first == level.id:
        response = incident.policy.targets.response or response
        resolution = incident.policy.targets.resolution or resolution
    return _said(response), _said(resolution)


def course(target: str, start: datetime, calendar: Calendar, policy: Policy, pauses: tuple[Pause, ...] = ()) -> Course:
    """A target counted from `start`. A release day ends at midnight in the calendar's zone; no pause moves it."""
    if target == NEXT_RELEASE:
        day = _next_release(start, calendar, policy)
        return Course(start, None if day is None else elapsed(start, day, AROUND_THE_CLOCK), day, AROUND_THE_CLOCK)
    if target != NEXT_BUSINESS_DAY:
        seconds = duration(target)
        return Course(start, seconds, due(start, seconds, calendar, pauses), calendar, pauses)
    closing = next_business_day(start, calendar)
    if closing is None:
        return Course(start, None, None, calendar, pauses)
    seconds = elapsed(start, closing, calendar)
    return Course(start, seconds, due(start, seconds, calendar, pauses) if pauses else closing, calendar, pauses)


def _next_release(start: datetime, calendar: Calendar, policy: Policy) -> datetime | None:
    """The end of the first release day not over at `start` (R35); None where none is planned."""
    days = sorted(parse_date(release.on) for release in policy.releases)
    return next((end for end in (end_of_day(day, calendar) for day in days) if end > start), None)


def _said(target: str | None) -> str | None:
    """A target of no seconds is no clock, not an instant breach."""
    if target is None or target in (NEXT_BUSINESS_DAY, NEXT_RELEASE):
        return target
    return target if duration(target) else None
