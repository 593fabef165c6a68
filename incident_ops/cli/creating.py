"""Leave to open new issues: one run at a time has it, by a lock on the remote."""

from __future__ import annotations

import os
from datetime import timedelta
from types import TracebackType
from typing import Self

from incident_ops.adapters import clock
from incident_ops.adapters.lock import RefLock
from incident_ops.adapters.person import whoever
from incident_ops.cli.opening import Opened
from incident_ops.cli.remotes import need_remote
from incident_ops.errors import IncidentOpsError
from incident_ops.model.lock import Held as Taken
from incident_ops.model.lock import Lease
from incident_ops.model.time import stamp
from incident_ops.reconcile.safety import Held
from incident_ops.render.dates import spell_instant

_RESERVE = timedelta(seconds=60)  # one request, with all its waits, must end before the lock does


class Creating:
    """The lock of one run: taken when it is first asked for, given back at the end."""

    def __init__(self, opened: Opened, *, is_needed: bool) -> None:
        self._opened = opened
        self._is_needed = is_needed
        self._lock: RefLock | None = None
        self._answer: Lease | Taken | IncidentOpsError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Gives the lock back; where that fails it ends by itself, and what was done is not spoiled."""
        if self._lock is not None and isinstance(self._answer, Lease):
            try:
                self._lock.release(self._answer)
            except IncidentOpsError:
                return

    def may_create(self) -> bool:
        """True while this run holds the lock. One that cannot be taken holds back new issues and nothing else."""
        if not self._is_needed:
            return True
        if self._answer is None:
            try:
                self._lock = RefLock(need_remote(self._opened.git))
                self._answer = self._lock.take(clock.now(), _holder(self._opened))
            except IncidentOpsError as error:
                self._answer = error
        return isinstance(self._answer, Lease) and clock.now() + _RESERVE < self._answer.until

    @property
    def error(self) -> IncidentOpsError | None:
        """Why the lock could not be asked for."""
        return self._answer if isinstance(self._answer, IncidentOpsError) else None

    def held(self, count: int) -> list[Held]:
        """What the missing lock held back, for people; nothing where it was there."""
        if not count or self._answer is None:
            return []
        if isinstance(self._answer, Taken):
            until = spell_instant(stamp(self._answer.until))
            reason = f"{self._answer.holder} is opening issues and holds the lock until {until} at the latest"
        elif isinstance(self._answer, Lease):
            reason = "the lock was about to end"
        else:
            reason = f"without the lock no issue is opened: {self._answer}"
        return [Held(f"{count} new issues left: {reason}", count, "", continues=True)]


def _holder(opened: Opened) -> str:
    """Who runs: the run of Actions, else the person."""
    run = os.environ.get("GITHUB_RUN_ID")
    return (
        f"run {run} of {os.environ.get('GITHUB_WORKFLOW', 'a workflow')}" if run else whoever(opened.root) or "someone"
    )
