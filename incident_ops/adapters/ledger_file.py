"""The ledger of a clone that sends nothing: what was recorded as not sent, so that it is planned once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path

from incident_ops.adapters.files import hold, write_bytes
from incident_ops.domain.notification import Ledger, Pair, claim, compact, confirm, parse_ledger, serialise
from incident_ops.errors import Incomplete


class LedgerFile:
    """A ledger in the file at `path`, as its lines stand on the branch of a remote; two runs at once wait in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Ledger:
        """The ledger as it is now; empty where there is no file."""
        try:
            return parse_ledger(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Incomplete(f"the ledger cannot be read: {error.strerror}", where=str(self._path)) from error

    def claim(self, pairs: Collection[Pair], now: datetime, after: timedelta | None = None) -> frozenset[Pair]:
        """Claims pairs -> those that are ours; see `model.ledger.claim`."""
        ours: frozenset[Pair] = frozenset()

        def change(ledger: Ledger) -> Ledger:
            nonlocal ours
            made = claim(ledger, pairs, now, after)
            ours = made.ours
            return made.ledger

        self._swap(change, now)
        return ours

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        """Marks pairs as dealt with."""
        self._swap(lambda ledger: confirm(ledger, pairs, now), now)

    def _swap(self, change: Callable[[Ledger], Ledger], now: datetime) -> None:
        with hold(self._path.with_suffix(".lock")):
            before = self.read()
            after = change(before)
            if after != before:
                write_bytes(self._path, serialise(compact(after, now)))
