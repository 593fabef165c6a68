"""The zone of a schedule is that of a place.

Hours of the wall clock mean nothing without it, and an abbreviation such as EST ignores summer time.

    before: zone: CET
    after:  zone: Europe/Berlin
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import available_timezones

from incident_ops.findings import Finding, Level, closest
from incident_ops.rules.oncall import ScheduleFile
from incident_ops.rules.policy.unknown_zone import is_place

ID = "oncall-zone"
LEVEL = Level.ERROR
TIMED = False


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """A zone that is not in the database, or names no place."""
    zone = subject.schedule.zone
    if not is_place(zone):
        near = closest(zone, [name for name in available_timezones() if is_place(name)])
        hint = f"did you mean {near}?" if near else "a place such as Europe/Berlin, or UTC"
        yield subject.finding(ID, LEVEL, ("zone",), f"{zone!r} is not an IANA time zone of a place", hint)
