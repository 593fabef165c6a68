"""The ledger on a branch of the remote: whoever pushes a claim first has it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from incident_ops.adapters.remote import Remote
from incident_ops.adapters.swap import Move, Stay, swap
from incident_ops.domain.notification import (
    LEDGER_BRANCH,
    Claim,
    Ledger,
    Pair,
    claim,
    compact,
    confirm,
    parse_ledger,
    serialise,
)
from incident_ops.errors import Incomplete

_FILE = "ledger"


class LedgerRef:
    """The ledger of a remote; each change is one commit on top of what was read, or read again and made anew.

    Reads raise `Incomplete`, changes `WriteFailed`, or `Ambiguous` where the answer was lost.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def read(self) -> Ledger:
        """The ledger as it is now; empty where nobody ever claimed."""
        return self._at(self._remote.tip(LEDGER_BRANCH))

    def claim(self, pairs: Collection[Pair], now: datetime, after: timedelta | None = None) -> frozenset[Pair]:
        """Claims pairs -> those that are ours to send; see `model.ledger.claim`."""
        return self._swap(lambda ledger: claim(ledger, pairs, now, after), now, "the ledger took no claim").ours

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        """Marks pairs as sent."""

        def change(ledger: Ledger) -> Claim:
            return Claim(confirm(ledger, pairs, now), frozenset())

        self._swap(change, now, "the ledger did not note what was sent")

    def _swap(self, change: Callable[[Ledger], Claim], now: datetime, failed: str) -> Claim:
        objects = self._remote.objects
        # two runs that claim the same at the same instant must not make the same commit
        message = f"Ledger of incident-ops\n\nrun: {secrets.token_hex(8)}"

        def decide(seen: str | None) -> Move[Claim] | Stay[Claim]:
            before = self._at(seen)
            made = change(before)
            if made.ledger == before:
                return Stay(made)
            tree = objects.file_tree(_FILE, serialise(compact(made.ledger, now)))
            return Move(objects.commit(tree, (seen,) if seen else (), message, now), made)

        return swap(self._remote, LEDGER_BRANCH, decide, failed)

    def _at(self, commit: str | None) -> Ledger:
        if commit is None:
            return {}
        content = self._remote.objects.content(commit, _FILE)
        if content is None:
            hint = f"its history shows who took it out: git log origin/{LEDGER_BRANCH}"
            raise Incomplete(f"branch {LEDGER_BRANCH} has no file {_FILE!r}", hint=hint, where=LEDGER_BRANCH)
        return parse_ledger(content)
