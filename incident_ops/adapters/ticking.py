"""The time that passes between two ticks of a live run."""

from __future__ import annotations

import time
from datetime import datetime

from incident_ops.adapters import clock


class Ticking:
    """The wall clock, and waiting for it. A signal ends the wait at once."""

    def now(self) -> datetime:
        """This instant, aware UTC, whole seconds."""
        return clock.now()

    def wait(self, seconds: float) -> None:
        """Returns after so many seconds."""
        time.sleep(max(seconds, 0.0))
