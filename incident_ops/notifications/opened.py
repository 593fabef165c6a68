"""Which alerts the ledger says were opened, and which of them the pager lost. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.notification import RESOLVED_EVENT, Ledger, Sending, pair
from incident_ops.domain.time import parse_instant
from incident_ops.domain.tracker import SeenAlert
from incident_ops.notifications.alert_state import Alert, sent_again

LOST_AFTER = timedelta(minutes=5)
"""So long after it was sent a pager may take to show an alert."""


class Opened(NamedTuple):
    """The alert of an incident that the ledger calls sent: when it was `claimed` and `confirmed` (aware UTC), whether
    nobody has answered it yet, and when it was sent again (None: it was not)."""

    claimed: datetime
    confirmed: datetime
    is_unanswered: bool
    again: datetime | None = None

    def is_lost(self, seen: SeenAlert | None, now: datetime) -> bool:
        """True where the pager should show it by now, was asked, and does not know it."""
        if seen is None or not self.is_unanswered or now - self.confirmed < LOST_AFTER:
            return False
        return not seen.status or (seen.status == RESOLVED_EVENT and parse_instant(seen.at) < self.claimed)


def opened_alert(found: Iterable[Alert], ledger: Ledger) -> Opened | None:
    """What the ledger knows of the alerts of one incident that are not over; None where none was sent."""
    made: list[Opened] = []
    for alert in (one.in_turn(ledger) for one in found):
        if alert.mark == RESOLVED_EVENT:
            continue
        key, rings = alert.message.key, bool(alert.reaches) and not alert.mark
        for channel in alert.channels:
            sent, again = ledger.get(pair(key, channel)), ledger.get(pair(sent_again(key), channel))
            if sent is not None and sent.confirmed is not None:
                at = parse_instant(sent.claimed), parse_instant(sent.confirmed)
                made.append(Opened(*at, rings, _confirmed_at(again)))
    unanswered = [one for one in made if one.is_unanswered] or made
    return max(unanswered, key=lambda one: one.confirmed, default=None)


def _confirmed_at(sending: Sending | None) -> datetime | None:
    return parse_instant(sending.confirmed) if sending is not None and sending.confirmed is not None else None
