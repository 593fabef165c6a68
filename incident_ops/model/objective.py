"""A service level objective as a value."""

from __future__ import annotations

from typing import NamedTuple

TIME, REQUESTS = "time", "requests"


class Objective(NamedTuple):
    """`target_pct` in percent over a rolling `window` (seconds); `mode` TIME or REQUESTS (C19)."""

    target_pct: float
    window: int
    mode: str = TIME
