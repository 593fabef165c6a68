"""Sends what was planned: claim, check again, send, confirm; a channel that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.notification import RESOLVED_EVENT, Message, Pair, giving_up
from incident_ops.domain.ports import Notifier, SharedLedger
from incident_ops.errors import Ambiguous, IncidentOpsError, NoIssueYet, NotSetUp, UserError, WriteFailed
from incident_ops.notifications.plan import CLAIMED, RESEND, WAITS, PlannedNotice, is_urgent, resend_after
from incident_ops.notifications.trials import NOT_READY

SENT_NOW = "sent now"
NOT_SENT = "failed"
MAY_HAVE_ARRIVED = "unknown"
GIVEN_UP = "given up"
NO_LONGER_DUE = "dropped"
NOT_TRIED = "left"
WOULD_SEND = "would send"

SinkOf = Callable[[str], Notifier]
"""A channel's name -> its notifier; UserError where none is set up."""

_ONE_SENDING = timedelta(seconds=30)  # twice the longest that a notifier may take


class Delivered(NamedTuple):
    """What became of a planned notice.

    The planned action where nothing was to be sent, else SENT_NOW; NOT_SENT (certainly not taken, the next run sends
    it); MAY_HAVE_ARRIVED (a later run sends it again); GIVEN_UP (unknown twice, not sent a third time); NO_LONGER_DUE;
    NOT_TRIED (for the next run); WOULD_SEND or
    NOT_READY (nothing is sent, only tried); CLAIMED or WAITS as in `PlannedNotice`. `error` is why.
    """

    planned: PlannedNotice
    outcome: str
    error: IncidentOpsError | None = None


class _Run:
    """One run over the notices: what it still has to confirm, and which channels no longer answer."""

    def __init__(
        self,
        ledger: SharedLedger | None,
        sink_of: SinkOf,
        clock: Callable[[], datetime],
        still_due: Callable[[Message], bool],
        unreadable: IncidentOpsError | None,
    ) -> None:
        self.ledger, self.sink_of, self.clock, self.still_due = ledger, sink_of, clock, still_due
        self.silent: set[str] = set()
        self.not_ended: set[tuple[str, str, str]] = set()
        self.to_confirm: list[Pair] = []
        self.unconfirmed = unreadable

    def group(self, planned: Sequence[PlannedNotice], may_wait: bool) -> list[Delivered]:
        """The notices of one urgency: those with a notifier are claimed in one step and sent one by one."""
        notifiers, out = {}, []
        for notice in planned:
            try:
                notifiers[notice.message.channel] = self.sink_of(notice.message.channel)
            except UserError as error:
                out.append(Delivered(notice, NOT_SENT, error))
        sendable = [notice for notice in planned if notice.message.channel in notifiers]
        if not sendable:
            return out
        began = self.clock()
        ours, refused = self._claim(sendable, began)
        if refused is not None and may_wait:
            return out + [Delivered(notice, WAITS, refused) for notice in sendable]
        for notice in sendable:
            if refused is None and ours.isdisjoint(notice.recorded_as):
                out.append(Delivered(notice, CLAIMED))
            else:
                claimed = began if refused is None else None
                sent_as = [one for one in notice.recorded_as if refused is not None or one in ours]
                out.append(self._send(notice, notifiers[notice.message.channel], claimed, sent_as))
        return out

    def finish(self) -> IncidentOpsError | None:
        """Confirms what is left to confirm; the error where that failed."""
        if self.ledger is None or not self.to_confirm:
            return None
        try:
            self.ledger.confirm(self.to_confirm, self.clock())
        except IncidentOpsError as error:
            return error
        self.to_confirm.clear()
        return None

    def _claim(
        self, planned: Sequence[PlannedNotice], now: datetime
    ) -> tuple[frozenset[Pair], IncidentOpsError | None]:
        if self.ledger is None or self.unconfirmed is not None:
            return frozenset(), self.unconfirmed or WriteFailed("the ledger cannot be reached")
        try:
            pairs = [pair for one in planned for pair in one.recorded_as]
            return self.ledger.claim(pairs, now, resend_after(planned[0].message)), None
        except IncidentOpsError as error:
            self.unconfirmed = error  # a ledger that refused a claim is asked once more, at the end
            return frozenset(), error

    def _send(
        self, planned: PlannedNotice, sink: Notifier, claimed: datetime | None, sent_as: Sequence[Pair]
    ) -> Delivered:
        message = planned.message
        if message.channel in self.silent:
            return Delivered(planned, NOT_TRIED, WriteFailed(f"channel {message.channel} did not answer in this run"))
        if claimed is not None and self.clock() + _ONE_SENDING > claimed + resend_after(message):
            return Delivered(planned, NOT_TRIED, WriteFailed("this run took so long that another run may have sent it"))
        if _alert_of(message) in self.not_ended:  # opened now, it would only be added to the alert before it
            return Delivered(planned, NOT_TRIED, WriteFailed("the alert before it could not be ended"))
        if not self._is_still_due(message):
            return Delivered(planned, NO_LONGER_DUE)
        error = _sent(sink, message)
        if error is not None and message.is_alert and message.mark == RESOLVED_EVENT:
            self.not_ended.add(_alert_of(message))
        if isinstance(error, Ambiguous):
            self.silent.add(message.channel)
            given_up = planned.action == RESEND and not is_urgent(message) and not message.is_alert
            if given_up:
                self._confirm([giving_up(one) for one in sent_as])
            return Delivered(planned, GIVEN_UP if given_up else MAY_HAVE_ARRIVED, error)
        if error is not None:
            return Delivered(planned, NOT_SENT, error)
        self._confirm(sent_as)
        return Delivered(planned, SENT_NOW)

    def _is_still_due(self, message: Message) -> bool:
        """A check that fails holds nothing back: one notice too many is better than none."""
        try:
            return self.still_due(message)
        except IncidentOpsError:
            return True

    def _confirm(self, pairs: Sequence[Pair]) -> None:
        self.to_confirm += pairs
        if self.unconfirmed is None:  # a ledger that does not answer is not asked after every notice
            self.unconfirmed = self.finish()


def deliver(
    planned: Iterable[PlannedNotice],
    ledger: SharedLedger | None,
    sink_of: SinkOf,
    clock: Callable[[], datetime],
    still_due: Callable[[Message], bool] = lambda _: True,
    unreadable: IncidentOpsError | None = None,
    *,
    may_wait: bool = True,
) -> tuple[tuple[Delivered, ...], IncidentOpsError | None]:
    """Sends the planned notices -> what became of each, and the error where the ledger could not record all of it.

    Ranks 1 and 2 go first, and without a claim where the ledger refuses; the others wait for it. `ledger` None = there
    is none; `unreadable` is why the plan was made without it: then nothing is claimed, and what was sent is recorded at
    the end if the ledger answers by then. `clock` gives the real time; `still_due` is asked right before each sending,
    so that what was acknowledged meanwhile is dropped. `may_wait` False = no rank waits for the ledger. A channel that
    once did not answer is not asked again in this run.
    """
    notices = list(planned)
    todo = [one for one in notices if one.goes_out]
    run = _Run(ledger, sink_of, clock, still_due, unreadable)
    out = [Delivered(one, one.action) for one in notices if not one.goes_out]
    for urgent in (True, False):
        if group := [one for one in todo if is_urgent(one.message) is urgent]:
            out += run.group(group, may_wait and not urgent)
    order = {one.pair: place for place, one in enumerate(notices)}
    return tuple(sorted(out, key=lambda one: order[one.planned.pair])), run.finish()


def delivery_exit_code(delivered: Iterable[Delivered], excused: Collection[str] = ()) -> int:
    """4 where a notice failed, may have arrived or waits for the ledger; 2 where a channel is not set up, but for the
    `excused` ones; 5 where notices were not tried; else 0. A comment that waits for its issue counts for nothing: a run
    that should have opened it has a code for that."""
    every = (one for one in delivered if not (isinstance(one.error, NotSetUp) and one.error.channel in excused))
    codes = {_code(one) for one in every}
    return next((code for code in (4, 2, 5) if code in codes), 0)


def _code(one: Delivered) -> int:
    if one.outcome in (NOT_SENT, NOT_READY) and one.error is not None:
        return one.error.exit_code
    if one.outcome == NOT_TRIED:
        return 0 if isinstance(one.error, NoIssueYet) else 5
    return 4 if one.outcome in (MAY_HAVE_ARRIVED, GIVEN_UP, WAITS) else 0


def _alert_of(message: Message) -> tuple[str, str, str]:
    return (message.incident, message.route, message.channel) if message.is_alert else ("", "", "")


def _sent(sink: Notifier, message: Message) -> IncidentOpsError | None:
    """Sends; None where it was accepted. The text of a crash is left out: it may hold an address."""
    try:
        sink.send(message)
    except IncidentOpsError as error:
        return error
    except Exception as error:
        return Ambiguous(f"channel {message.channel}: the notifier crashed ({type(error).__name__})")
    return None
