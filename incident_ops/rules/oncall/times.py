"""The times of a schedule can be read, and an override ends after it begins.

Otherwise nobody can tell who is on call, so nothing of this file is used.

    before: {from: 2025-01-09T09:00:00, to: 2025-01-08T18:00:00, who: "@ben"}
    after:  {from: 2025-01-08T18:00:00, to: 2025-01-09T09:00:00, who: "@ben"}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from incident_ops.domain.oncall import schedule_instant, schedule_zone
from incident_ops.findings import Finding, Level, Route
from incident_ops.rules.oncall import ScheduleFile
from incident_ops.rules.policy.unknown_zone import is_place

ID = "oncall-times"
LEVEL = Level.ERROR
TIMED = False

_EXAMPLES = "a date, a local time 2025-01-06T09:00:00, or an instant 2025-01-06T08:00:00Z"


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """Every time that is not on the calendar, and every override that ends before it begins."""
    if not is_place(subject.schedule.zone):
        return  # no local time can be read
    zone = schedule_zone(subject.schedule)
    for index, layer in enumerate(subject.schedule.layers):
        found = _read(subject, ("layers", index, "start"), layer.start, zone)
        if isinstance(found, Finding):
            yield found
    for index, over in enumerate(subject.schedule.overrides):
        begin, end = (
            _read(subject, ("overrides", index, key), text, zone)
            for key, text in (("from", over.begin), ("to", over.end))
        )
        yield from (one for one in (begin, end) if isinstance(one, Finding))
        if isinstance(begin, datetime) and isinstance(end, datetime) and end <= begin:
            what = "ends where it begins" if end == begin else "ends before it begins"
            message = f"the override of {over.who} from {over.begin} {what}"
            yield subject.finding(ID, LEVEL, ("overrides", index, "to"), message, f"a time after {over.begin}")


def _read(subject: ScheduleFile, route: Route, text: str, zone: ZoneInfo) -> datetime | Finding:
    try:
        return schedule_instant(text, zone)
    except ValueError:
        return subject.finding(ID, LEVEL, route, f"{text!r} is not a time on the calendar", _EXAMPLES)
