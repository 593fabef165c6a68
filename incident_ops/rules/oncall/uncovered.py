"""Somebody is on call at every minute of the next 60 days.

A page at an uncovered minute reaches nobody by this schedule. Where that is meant, because another schedule or the
team's channel takes over, the warning may stay.

    before: restrict: [{days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}]     # and no other layer
    after:  a second layer above it in the file, for the nights and the weekends
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from incident_ops.domain.oncall import schedule_zone
from incident_ops.domain.time import spell_duration
from incident_ops.findings import Finding, Level
from incident_ops.oncall.shifts import uncovered
from incident_ops.rules.oncall import ScheduleFile

ID = "oncall-uncovered"
LEVEL = Level.WARNING
TIMED = True

AHEAD = timedelta(days=60)


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """One finding: how much, how often, and when first."""
    gaps = uncovered(subject.schedule, subject.now, subject.now + AHEAD)
    if not gaps:
        return
    zone = schedule_zone(subject.schedule)
    whole = sum((end - begin for begin, end in gaps), timedelta())
    times = "once" if len(gaps) == 1 else f"in {len(gaps)} stretches"
    begin, end = gaps[0]
    message = (
        f"nobody is on call for {spell_duration(int(whole.total_seconds()))} of the next {AHEAD.days} days, {times}; "
        f"first from {_spelled(begin, zone)} to {_spelled(end, zone)}"
    )
    hint = "another layer or an override for it; `incident-ops oncall lint` lists every stretch"
    route = ("layers",) if subject.schedule.layers else ("name",)
    yield subject.finding(ID, LEVEL, route, message, hint, on_key=True)


def _spelled(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"
