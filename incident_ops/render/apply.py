"""What went wrong in a run of `apply`, or was left for later, in lines for the error stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from incident_ops.errors import IncidentOpsError
from incident_ops.notifications.deliver import Delivered
from incident_ops.reconcile.changes import LeftAlone
from incident_ops.reconcile.limits import HeldChanges
from incident_ops.render.findings import plural


def held_lines(
    held: Sequence[HeldChanges], errors: Sequence[IncidentOpsError], unread: Sequence[LeftAlone]
) -> Iterator[str]:
    """What the limits or the lock held back, what failed, and the records that could not be read."""
    yield from (f"held: {group.message}" for group in held)
    yield from (f"error: {error}" for error in errors)
    yield from (f"error: {left.path}: not read, its issues are left alone: {left.reason}" for left in unread)


def not_sent_lines(notices: Sequence[Delivered], ledger_error: IncidentOpsError | None) -> Iterator[str]:
    """The notices that were not sent, each cause once, and why the ledger does not know of all that was sent."""
    failed = [notice for notice in notices if notice.error is not None]
    for cause in dict.fromkeys(str(notice.error) for notice in failed):
        same = [notice for notice in failed if str(notice.error) == cause]
        channels = ", ".join(sorted({notice.planned.message.channel for notice in same}))
        yield f"error: {plural(len(same), 'notice')} by {channels} {same[0].outcome}: {cause}"
    if ledger_error is not None:
        yield f"error: the ledger does not know all that was sent: {ledger_error}"
