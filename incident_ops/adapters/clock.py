"""The one place, beside the command line, that asks what time it is."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
