"""Holidays as a block to paste into policy.yaml, each date with its name, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from incident_ops.render.findings import dump, inert

Day = tuple[date, str, bool]
"""A date, what it is called, and whether it stands for a holiday on another day."""


def to_yaml(calendar: str, country: str, subdivision: str | None, days: Sequence[Day], source: str) -> str:
    """The block `calendars`, with what a reader must know of it on top."""
    place = f"{country}-{subdivision}" if subdivision else country
    lines = [
        f"# Public holidays of {place}, written down from the Python library {source}; check them before you commit.",
        "# (observed) = the day off in place of a holiday that falls on another one; both are listed.",
        "calendars:",
        f"  {calendar}:",
        "    holidays:",
        *(f"    - {day.isoformat()}  # {_name(name, observed)}" for day, name, observed in days),
    ]
    return "\n".join(lines) + "\n"


def to_json(country: str, subdivision: str | None, days: Sequence[Day], source: str) -> str:
    """Version 1: `{"schema", "country", "subdivision", "source", "holidays": [{"date", "name", "observed"}]}`."""
    listed = [{"date": day.isoformat(), "name": name, "observed": observed} for day, name, observed in days]
    return dump({"schema": 1, "country": country, "subdivision": subdivision, "source": source, "holidays": listed})


def _name(name: str, observed: bool) -> str:
    return inert(name if not observed or "(observed" in name.casefold() else f"{name} (observed)")
