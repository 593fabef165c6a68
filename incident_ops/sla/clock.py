"""What one clock is: its name, where it stands, what is to be feared of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

RESPONSE, DIAGNOSIS, RESOLUTION = "response", "diagnosis", "resolution"
UPDATE_INTERNAL, UPDATE_PUBLIC = "update_internal", "update_public"
POSTMORTEM_MEETING, POSTMORTEM_FINAL, ACTION_ITEM = "postmortem_meeting", "postmortem_final", "action_item"
NAMES = (
    RESPONSE,
    DIAGNOSIS,
    RESOLUTION,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
    POSTMORTEM_MEETING,
    POSTMORTEM_FINAL,
    ACTION_ITEM,
)
"""Clock names, in the order in which an incident's clocks are listed."""

PAUSABLE = frozenset({RESOLUTION})
"""Waiting for others stops the work on the way to resolved, not the answer, the time box of a diagnosis, or the duty to
keep people informed."""
AFTERWARDS = frozenset({POSTMORTEM_MEETING, POSTMORTEM_FINAL, ACTION_ITEM})
"""Clocks of the work that is left when an incident is over."""


class State(StrEnum):
    """Where a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"
    NO_DUE = "no_due"


class Risk(StrEnum):
    """What is to be feared of a clock."""

    OK = "ok"
    AT_RISK = "at_risk"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock, in the fields of `sla check`. Instants are aware UTC, seconds are working seconds.

    `due` is None where it is not known: no release date, a calendar that never opens, a pause that is still on.
    `elapsed_seconds` is None where the end is not known; `remaining_seconds` is negative after a breach and None where
    there is nothing to count down. `item` is the action item's id. `retargeted_at` is the instant of the severity
    change whose target was past already; None for every other clock.
    """

    incident: str
    clock: str
    cycle: int
    level: str
    start: datetime
    due: datetime | None
    state: State
    risk: Risk
    elapsed_seconds: int | None
    remaining_seconds: int | None
    paused_seconds: int
    stopped_at: datetime | None
    item: str | None = None
    retargeted_at: datetime | None = None

    @property
    def breached_by_retarget(self) -> bool:
        """True where nobody was late until the level changed."""
        return self.retargeted_at is not None

    @property
    def is_over(self) -> bool:
        """True where nothing about the clock will change any more."""
        return self.stopped_at is not None or self.state in (State.MET, State.MISSED, State.CANCELLED)
