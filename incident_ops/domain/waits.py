"""Waits that leave the clocks running.

A wait for the user makes an incident pending only when it has lasted for `states.auto_pending`. Until then the record
has an open pause, and its state stays as it was. Every other wait, and one for the user where the policy has no such
time, is pending at once.

A snooze lets reminders and escalations wait.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER, PENDING
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import duration, instant, parse_instant, shift

WAITING = "user"


class UserWait(NamedTuple):
    """A wait for the user that will make an incident pending: since when, and when (aware UTC)."""

    since: datetime
    pending_at: datetime


def snoozed_until(incident: Incident, now: datetime) -> datetime | None:
    """Until when (aware UTC) reminders and escalations of an incident wait; None where they do not."""
    until = instant(incident.snooze.until) if incident.snooze else None
    return until if until is not None and now < until else None


def pending_after(incident: Incident, policy: Policy) -> int | None:
    """After how many seconds a wait for the user makes the incident pending; None where it does not."""
    limit = policy.states.auto_pending
    is_legal = incident.state not in OVER and (incident.state, PENDING) in policy.states.moves
    return duration(limit) if limit is not None and is_legal else None


def user_wait(incident: Incident, policy: Policy) -> UserWait | None:
    """The wait for the user that goes on while the incident is not pending yet; None where there is none."""
    after = pending_after(incident, policy)
    begins = [
        parse_instant(pause.start) for pause in incident.pauses if pause.waiting_for == WAITING and pause.end is None
    ]
    return UserWait(min(begins), shift(min(begins), after)) if after is not None and begins else None
