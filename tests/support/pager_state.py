"""What a pager shows after the events it took: it keeps one open alert for each pair of routing key and dedup key,
rings when one opens, and adds to what is open without ringing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.support.http_sink import Taken

OPEN, ACKNOWLEDGED, RESOLVED = "open", "acknowledged", "resolved"


@dataclass
class PagerState:
    """`alerts`: the states by routing key and dedup key; `rings`: those that rang, in order; `triggers` counts all."""

    alerts: dict[tuple[str, str], str] = field(default_factory=dict)
    rings: list[tuple[str, str]] = field(default_factory=list)
    triggers: int = 0

    @property
    def left_open(self) -> list[tuple[str, str]]:
        """The alerts that are not resolved."""
        return [key for key, state in self.alerts.items() if state != RESOLVED]

    def take(self, event: dict[str, Any]) -> None:
        """One event that was accepted."""
        key = event["routing_key"], event["dedup_key"]
        state = self.alerts.get(key, RESOLVED)
        action = event["event_action"]
        if action == "trigger":
            self.triggers += 1
            if state == RESOLVED:
                self.alerts[key] = OPEN
                self.rings.append(key)
        elif state != RESOLVED:
            self.alerts[key] = ACKNOWLEDGED if action == "acknowledge" else RESOLVED


def pager_state(taken: Iterable[Taken]) -> PagerState:
    """The state after these requests."""
    state = PagerState()
    for one in taken:
        if one.path.startswith("/v2/enqueue"):
            state.take(one.data)
    return state
