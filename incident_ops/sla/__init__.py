"""Working calendars and the clocks that run on them. Pure; the instant of the check is an argument."""
