"""The hours for deploys: outside the policy's calendar they are held (R229)."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta

from incident_ops.errors import UserError
from incident_ops.gate.verdict import OFF_WINDOW, Hold
from incident_ops.model.policy import Policy
from incident_ops.model.policy_blocks import Calendar
from incident_ops.model.time import LAST
from incident_ops.sla.calendar import due
from incident_ops.windows import Span

HORIZON = timedelta(days=31)
"""How far ahead the hours for deploys are told."""

_SECOND = timedelta(seconds=1)


def off_window(policy: Policy, now: datetime) -> list[Hold]:
    """The time to the next opening of `gate.deploy_calendar` where it is closed now (R229).

    UserError where the policy has no calendar of that name.
    """
    name, calendar = policy.gate.deploy_calendar, deploy_calendar(policy)
    if name is None or calendar is None:
        return []
    opens = _opens(now, calendar)
    if opens == now:
        return []
    return [Hold(OFF_WINDOW, name, "deploys only in the hours of this calendar", begin=now, end=opens)]


def deploy_calendar(policy: Policy) -> Calendar | None:
    """The calendar of the hours for deploys, None = at any time. UserError where the policy does not have it."""
    name = policy.gate.deploy_calendar
    if name is None:
        return None
    calendar = policy.calendar(name)
    if calendar is None:
        hint = "name one of calendars, or null for any time"
        raise UserError(f"gate.deploy_calendar {name!r} is not there", where="policy.yaml", hint=hint)
    return calendar


def opening_hours(calendar: Calendar, start: datetime, end: datetime) -> list[Span]:
    """When a calendar is open between two instants, cut at them."""
    found, at = [], start
    while at < end:
        opens = _opens(at, calendar)
        if opens is None or opens >= end:
            break
        at = opens + _stays_open(opens, calendar, (end - opens) // _SECOND) * _SECOND
        found.append(Span(opens, at))
    return found


def _stays_open(opens: datetime, calendar: Calendar, most: int) -> int:
    """For how many seconds, at most `most`, a calendar that opens now stays open."""

    def has_closed(seconds: int) -> bool:  # while it is open, n seconds of working time are over n seconds later
        return due(opens, seconds, calendar) != opens + seconds * _SECOND

    return bisect_left(range(1, most + 1), True, key=has_closed)


def _opens(at: datetime, calendar: Calendar) -> datetime | None:
    """The next instant, from `at` on, at which the calendar is open."""
    first = due(at, 1, calendar)
    return None if first is None or first >= LAST else first - _SECOND
