"""A calendar has no open hours, has hours that end before they begin, or does not exist.

In a calendar that is never open a clock never reaches its due time, so the target always looks met.

Before:

    calendars:
      business:
        hours: {monday: ["17:00-09:00"]}

After:

    calendars:
      business:
        hours: {monday: ["09:00-17:00"]}

Hours over midnight are two entries: `22:00-24:00` on one day, `00:00-06:00` on the next.
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.policy_sections import DAYS, Calendar
from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.rules.policy import PolicyFile

ID = "calendar-closed"
LEVEL = Level.ERROR


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """A finding for each reversed span, each calendar without an open hour, each name without a calendar."""
    calendars = policy_file.policy.calendars
    for name, calendar in calendars.items():
        yield from _reversed(policy_file, name, calendar)
        if not any(calendar.windows(day) for day in range(7)):
            hint = 'add hours, e.g. `monday: ["09:00-17:00"]`'
            yield policy_file.error(ID, ("calendars", name), f"calendar {name!r} has no open hour in a week", hint)
    for route, name in policy_file.calendars_used():
        if policy_file.policy.calendar(name) is None:
            hint = did_you_mean(name, ["24x7", *calendars])
            yield policy_file.error(ID, route, f"there is no calendar {name!r}", hint)


def _reversed(policy_file: PolicyFile, name: str, calendar: Calendar) -> Iterator[Finding]:
    for weekday, day in enumerate(DAYS):
        spans = calendar.hours.get(day, [])
        if len(calendar.windows(weekday)) == len(spans):
            continue
        for index, span in enumerate(spans):
            start, _, end = span.partition("-")
            if start >= end:
                hint = f"write {start}-24:00, and the rest on the next day"
                route = ("calendars", name, "hours", day, index)
                yield policy_file.error(ID, route, f"{span} on {day} ends before it begins", hint)
