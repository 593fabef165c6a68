"""A time zone is not the IANA zone of a place.

`EST` or `CET` name an offset, not the rules of a place: half the year they are an hour off from local time there.
Only names such as `America/New_York`, and UTC, are accepted.

Before:

    calendars:
      business: {tz: EST}

After:

    calendars:
      business: {tz: America/New_York}
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import available_timezones

from incident_ops.domain.time import zone_named
from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.rules.policy import PolicyFile

ID = "unknown-zone"
LEVEL = Level.ERROR

_PLACES = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "EST5EDT": "America/New_York",
    "CST": "America/Chicago",
    "CST6CDT": "America/Chicago",
    "MST": "America/Denver",
    "PST": "America/Los_Angeles",
    "PST8PDT": "America/Los_Angeles",
    "CET": "Europe/Berlin",
    "MET": "Europe/Berlin",
    "EET": "Europe/Athens",
    "WET": "Europe/Lisbon",
    "GMT": "Europe/London",
    "BST": "Europe/London",
}


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """A finding for each zone of a calendar or of the usual maintenance window that names no place."""
    zones = {("calendars", name, "tz"): calendar.tz for name, calendar in policy_file.policy.calendars.items()}
    if usual := policy_file.policy.maintenance.usual_window.tz:
        zones["maintenance", "usual_window", "tz"] = usual
    for route, zone in zones.items():
        if not is_place(zone):
            near = _PLACES.get(zone.upper())
            hint = f"write a place, e.g. {near}" if near else did_you_mean(zone, sorted(available_timezones()))
            yield policy_file.error(ID, route, f"{zone!r} is not an IANA time zone of a place", hint)


def is_place(zone: str) -> bool:
    """True for UTC and for IANA names with a slash that the zone database has."""
    try:
        zone_named(zone)
    except ValueError:
        return False
    return True
