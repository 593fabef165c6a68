"""What a run does about each notice, decided from values alone: notices, ledger, instant.

Sending and recording are two systems, so nothing can be sent exactly once. A notice is claimed, sent, confirmed; a run
that dies after sending and before confirming costs at most one repeat.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.notification import RESOLVED_EVENT, Ledger, Message, Pair, Sending, giving_up, pair
from incident_ops.domain.time import parse_instant, stamp

SEND, RESEND = "send", "re-send"
SENT, CLAIMED, WAITS, HELD, SUMMED = "sent", "claimed", "waits", "held", "summed up"
UNCONFIRMED = "not confirmed"

URGENT = 2
"""The last rank whose notices go out even when the ledger cannot be reached."""

_URGENT_AGAIN, _AGAIN = timedelta(minutes=5), timedelta(minutes=10)
_NO_LEDGER = "the ledger cannot be reached"


class PlannedNotice(NamedTuple):
    """A notice and what this run does about it.

    SEND or RESEND (claimed earlier and never confirmed); else it is not sent: SENT before, CLAIMED by another run,
    WAITS for the ledger, UNCONFIRMED (two tries got no answer), SUMMED (it is in a summary), or HELD (`why` is the
    notice's: the mode is observe, it is too old, quiet hours). `covers` are the notices that a summary stands for.
    """

    message: Message
    pair: Pair
    action: str
    why: str = ""
    covers: tuple[Pair, ...] = ()

    @property
    def recorded_as(self) -> tuple[Pair, ...]:
        """What the ledger holds of it: of a summary the notices that it stands for."""
        return self.covers or (self.pair,)

    @property
    def goes_out(self) -> bool:
        """True where this run sends it."""
        return self.action in (SEND, RESEND)


def is_urgent(message: Message) -> bool:
    """True for the ranks that never wait."""
    return message.rank <= URGENT


def resend_after(message: Message) -> timedelta:
    """How old a claim must be before it counts as abandoned: 5 minutes for ranks 1 and 2, 10 for the others."""
    return _URGENT_AGAIN if is_urgent(message) else _AGAIN


def plan_deliveries(
    wanted: Iterable[Message],
    ledger: Ledger | None,
    now: datetime,
    *,
    may_wait: bool = True,
    is_asked_for: bool = False,
) -> tuple[PlannedNotice, ...]:
    """Messages -> what to do about each, the most urgent first, one entry for each pair of key and channel. What
    ends an alert comes before what opens one.

    `ledger` None = it cannot be reached; `now` is the real time, aware UTC; `may_wait` False = every rank goes out
    without a ledger; `is_asked_for`: a person sends them, also what was given up. ValueError where a channel's name is
    not valid.
    """
    out: dict[Pair, PlannedNotice] = {}
    for message in sorted(wanted, key=_order):
        key = pair(message.key, message.channel)
        if key not in out:
            action, why = _decided(message, key, ledger, now, may_wait)
            if is_asked_for and action == UNCONFIRMED:
                action = RESEND
            if message.held and action in (SEND, RESEND, WAITS):
                action, why = HELD, message.held
            out[key] = PlannedNotice(message, key, action, why)
    return tuple(out.values())


def _order(message: Message) -> tuple[int, bool, str, str]:
    return message.rank, message.mark != RESOLVED_EVENT, message.key, message.channel


def _decided(message: Message, key: Pair, ledger: Ledger | None, now: datetime, may_wait: bool) -> tuple[str, str]:
    if ledger is None:
        waits = may_wait and not is_urgent(message)
        return (WAITS, _NO_LEDGER) if waits else (SEND, f"{_NO_LEDGER}; a repeat is possible")
    seen = ledger.get(key)
    if seen is None:
        return SEND, ""
    if seen.confirmed is not None:
        return SENT, f"sent {seen.confirmed}"
    if giving_up(key) in ledger:
        return UNCONFIRMED, f"two tries got no answer, the last one at {stamp(parse_instant(seen.claimed))}"
    return _claimed(message, seen, now)


def _claimed(message: Message, seen: Sending, now: datetime) -> tuple[str, str]:
    again = parse_instant(seen.claimed) + resend_after(message)
    if again <= now:
        return RESEND, f"claimed {seen.claimed}, never confirmed; it may arrive twice"
    return CLAIMED, f"claimed {seen.claimed} by another run that may be sending it; retried from {stamp(again)}"
