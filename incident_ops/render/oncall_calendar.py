"""A schedule as an iCalendar file, for calendars that subscribe to it.

An event is a shift. Its UID is the schedule's name and the shift's beginning, so that a swap changes the events that it
touches and no other; SEQUENCE grows with every change of the file, so that a calendar takes the change over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from incident_ops import __version__
from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.extras import demand
from incident_ops.oncall.shifts import Shift


def shift_uid(schedule: str, shift: Shift) -> str:
    """The UID of a shift's event."""
    return f"{schedule}-{shift.begin:%Y%m%dT%H%M%SZ}@oncall.incident-ops"


def calendar_file(schedule: OnCallSchedule, found: Iterable[Shift], now: datetime, sequence: int) -> str:
    """The text of the file; times are UTC, `now` is its DTSTAMP, `sequence` the SEQUENCE of every event."""
    demand("calendars", "an iCalendar file", "icalendar")
    from icalendar import Calendar, Event  # takes long to load, and one command needs it

    calendar = Calendar()
    calendar.add("prodid", f"-//incident-ops//oncall {__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"On call: {schedule.name}")
    calendar.add("x-wr-timezone", schedule.zone)
    for shift in found:
        event = Event()
        event.add("uid", shift_uid(schedule.name, shift))
        event.add("dtstamp", now)
        event.add("dtstart", shift.begin)
        event.add("dtend", shift.end)
        event.add("sequence", sequence)
        event.add("summary", f"On call: {shift.who} ({schedule.name})")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    text: str = calendar.to_ical().decode()
    return text
