"""The one place, beside the command line, that asks what time it is."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

_SYSTEM_ZONE = Path("/etc/localtime")
_ZONE_FOLDER = "/zoneinfo/"


def now() -> datetime:
    """The present instant, aware UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def local_zone() -> ZoneInfo:
    """The zone of this machine, in which people read the time from a wall: TZ, else the system's, else UTC."""
    name = os.environ.get("TZ", "").removeprefix(":")
    try:
        if name:
            return ZoneInfo(name)
        with _SYSTEM_ZONE.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError, KeyError):  # a POSIX rule, or no such file: nothing to guess from
        return ZoneInfo("UTC")


def local_zone_name() -> str:
    """The name of that zone, e.g. Europe/Berlin; "" where the machine does not say it."""
    named = os.environ.get("TZ", "").removeprefix(":")
    name = named or os.path.realpath(_SYSTEM_ZONE).rpartition(_ZONE_FOLDER)[2]
    try:
        return name if "/" in ZoneInfo(name).key else ""
    except (OSError, ValueError, KeyError):
        return ""
