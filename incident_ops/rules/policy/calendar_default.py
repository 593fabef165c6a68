"""A level counts business hours, but the business calendar is still the preset's.

No playbook knows when you work. The presets assume Monday to Friday, 09:00-17:00 UTC, without holidays, so due times
are wrong for most teams until you set the calendar: its zone or its hours. Holidays alone do not say when you work.

Before:

    extends: sev0-3

After:

    extends: sev0-3
    calendars:
      business:
        tz: Europe/Berlin
        holidays: [2025-12-25, 2025-12-26]
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.findings import Finding, Level
from incident_ops.rules.policy import PolicyFile

ID = "calendar-default"
LEVEL = Level.WARNING


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding where `business` is used and the user's file sets neither its zone nor its hours."""
    users = [route[-2] for route, name in policy_file.calendars_used() if name == "business"]
    is_set = any(policy_file.route("calendars", "business", key) is not None for key in ("tz", "hours"))
    if users and not is_set:
        whose = ", ".join(map(str, users))
        message = f"{whose}: business hours are the preset's (Monday-Friday 09:00-17:00 UTC); set your own"
        yield policy_file.warning(ID, ("calendars", "business"), message, "set calendars.business: tz, hours, holidays")
