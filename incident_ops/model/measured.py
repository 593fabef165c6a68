"""What a metric source is asked for, and what it answers before anybody judges it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

Series = Mapping[str, object]
"""Value by series, each by its labels as text ("" where there are none). A value may be a number or what stands in its
place (None, NaN): whether it counts is the gate's business. No series at all is an empty mapping."""


class Tick(NamedTuple):
    """The time between two measurements: its planned end, so that no moment is counted twice, and its seconds."""

    end: datetime
    seconds: float

    def shifted(self, seconds: float) -> Tick:
        """The same time, later by so many seconds."""
        return Tick(self.end + timedelta(seconds=seconds), self.seconds)

    @property
    def begin(self) -> datetime:
        """Where it begins."""
        return self.end - timedelta(seconds=self.seconds)
