"""What brings the alert of a pager from what the ledger knows of it to what it should be. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Ledger, Message, Pair, follow_up, pair
from incident_ops.domain.time import parse_instant

BEFORE, _SENT_AGAIN = "before", "again"
RINGS_ANEW = "the alert from before ends, so that it rings anew"
_MOST_RETURNS = 3


class Alert(NamedTuple):
    """An alert at one pager: the message of its last opening (its key "" where none is known), and what has become of
    it since.

    `mark` is ACKNOWLEDGED, RESOLVED_EVENT, or "" where it should ring; `reaches` are the messages of its opening, one
    for each channel that it goes over. `channels` are all that may have been used, `openings` the keys of every opening
    there may have been, `gone` those of openings for which there is no reason any more, `before` that of the end
    before the last opening.
    """

    message: Message
    mark: str
    reaches: tuple[Message, ...]
    channels: tuple[str, ...]
    openings: tuple[str, ...]
    gone: tuple[str, ...] = ()
    before: str = ""

    def pairs_in(self, ledger: Ledger) -> set[Pair]:
        """Everything that this ledger may know of it."""
        begun = (*self.openings, *map(sent_again, self.openings))
        found = {one for one in self.openings if self._is_begun(one, ledger)} | {self.message.key}
        turns = [turn for one in found for turn in _turns(one)]
        marked = [f"{turn}#{mark}" for turn in turns for mark in (ACKNOWLEDGED, RESOLVED_EVENT)]
        first = [f"{turn}/{BEFORE}#{RESOLVED_EVENT}" for turn in _turns(self.message.key)]
        keys = (*begun, *turns, *map(sent_again, turns), *marked, *first, *filter(None, (self.before,)))
        return {pair(one, channel) for one in keys for channel in self.channels}

    def used(self, ledger: Ledger) -> list[str]:
        """The channels over which it was ever opened."""
        keys = (*self.openings, *_turns(self.message.key))
        every = (*keys, *map(sent_again, keys))
        return [name for name in self.channels if any(pair(key, name) in ledger for key in every)]

    def in_turn(self, ledger: Ledger, now: datetime | None = None) -> Alert:
        """The alert under the key of its last opening: what was answered or ended under one, and rings for the same
        reason again, opens under the next. What was ended after `now` does not count: a look back rings nobody."""
        turns, names = _turns(self.message.key), self.channels
        if not turns:
            return self
        if self.mark:
            sent = [one for one in turns if self._is_begun(one, ledger)]
            key = sent[-1] if sent else turns[0]
        else:
            key = next((one for one in turns if not _is_closed(ledger, one, names, now)), turns[-1])
        reaches = tuple(one._replace(key=key) for one in self.reaches)
        return self._replace(message=self.message._replace(key=key), reaches=reaches)

    def without_reason(self, ledger: Ledger) -> list[str]:
        """The keys under which it was opened for a reason that is gone."""
        turns = (turn for one in self.gone if self._is_begun(one, ledger) for turn in _turns(one))
        return [one for one in turns if self._is_begun(one, ledger)]

    def _is_begun(self, key: str, ledger: Ledger) -> bool:
        return _is_in(ledger, key, self.channels) or _is_in(ledger, sent_again(key), self.channels)


def sent_again(key: str) -> str:
    """The key of an opening that is sent a second time, because the pager lost it."""
    return f"{key}/{_SENT_AGAIN}"


def ended_first(message: Message) -> Message:
    """What ends an alert that is still open from before, so that this one rings."""
    head, _, _ = message.subject.rpartition(" - ")
    subject = message.subject if message.restricted else f"{head} - {RINGS_ANEW} ({message.incident})"
    return follow_up(message._replace(key=f"{message.key}/{BEFORE}", subject=subject), RESOLVED_EVENT)


def is_ended_first(message: Message) -> bool:
    """True for such a message."""
    return message.key.endswith(f"/{BEFORE}#{RESOLVED_EVENT}")


def alert_messages(
    found: Iterable[Alert], ledger: Ledger | None, lost: Collection[str] = (), now: datetime | None = None
) -> Iterator[Message]:
    """The messages that bring the pagers from what the ledger knows to what they should be; without a ledger only
    what rings. What is still open from before is ended first: added to it, nothing would ring. `lost` are the incidents
    whose alert was sent and the pager does not know: it is sent once more."""
    known = ledger or {}
    for alert in (one.in_turn(known, now) for one in found):
        message, gone = alert.message, alert.without_reason(known)
        if not (message.key or gone):
            continue
        used = alert.used(known)
        if alert.mark:
            keys = dict.fromkeys(filter(None, (message.key, *gone)))
            yield from (follow_up(message._replace(key=key, channel=name), alert.mark) for key in keys for name in used)
            continue
        sent = (known.get(pair(message.key, name)) for name in used)
        is_sent = any(one is not None and one.confirmed is not None for one in sent)
        was_ended = alert.before and all(pair(alert.before, name) in known for name in used)
        if alert.reaches and not is_sent and not was_ended:
            yield from (ended_first(message._replace(channel=name)) for name in used)
        yield from alert.reaches
        if is_sent and message.incident in lost:
            yield from (one._replace(key=sent_again(one.key)) for one in alert.reaches)


def _turns(key: str) -> tuple[str, ...]:
    """The keys of an opening that comes again for the same reason, in order."""
    if not key:
        return ()
    return (key, *(f"{key}/back.{number}" for number in range(1, _MOST_RETURNS + 1)))


def _is_closed(ledger: Ledger, key: str, channels: Iterable[str], now: datetime | None) -> bool:
    keys = (f"{key}#{mark}" for mark in (ACKNOWLEDGED, RESOLVED_EVENT))
    found = [ledger[one] for one in (pair(key, name) for key in keys for name in channels) if one in ledger]
    return any(now is None or parse_instant(one.claimed) <= now for one in found)


def _is_in(ledger: Ledger, key: str, channels: Iterable[str]) -> bool:
    return any(pair(key, name) in ledger for name in channels)
