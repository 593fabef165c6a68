"""Instants as people read them: 24-hour UTC everywhere (C35), `unknown` where it is unknown."""

from __future__ import annotations

from datetime import UTC, datetime

from incident_ops.model.time import UNKNOWN, instant


def spell_instant(text: str | None) -> str:
    """A record's instant -> `2025-01-26 12:05 UTC`; `unknown` where it is missing or unknown.

    A date, or a duration where the record may tell either, stays as it is.
    """
    if text is not None and "T" not in text:
        return text
    at = instant(text)
    return UNKNOWN if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def spell_clock(at: datetime | None, dated: bool = False) -> str:
    """An aware datetime -> `12:05`, with `dated` `2025-01-26 12:05`; in UTC. None is `unknown`."""
    if at is None:
        return UNKNOWN
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if dated else f"{at.astimezone(UTC):%H:%M}"
