"""The lock on creating issues: a branch that only one run can make."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta

from incident_ops.adapters.one_line import one_line
from incident_ops.adapters.remote import Remote
from incident_ops.adapters.swap import Move, Stay, swap
from incident_ops.domain.ports import Lease, LockHolder
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.errors import UserError

BRANCH = "incident-ops/lock"

_FILE = "lock.json"
_LONGEST = timedelta(days=1)


class RefLock:
    """A lock on a remote. It ends by itself, so that a run that was killed stops nobody for long."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def take(self, now: datetime, holder: str, seconds: int = 900) -> Lease | LockHolder:
        """Takes the lock for `seconds`, or tells who has it. `now` is the real time, whatever instant a run looks at.

        One that has expired, or that cannot be understood, is taken over. WriteFailed where the remote refuses,
        Incomplete where it cannot be read, Ambiguous where its answer was lost.
        """
        lasting = timedelta(seconds=seconds)
        if not timedelta(0) < lasting <= _LONGEST:
            raise UserError(f"a lock cannot last {seconds} s", hint="between 1 second and a day")
        objects, until = self._remote.objects, now + lasting
        # the nonce keeps two runs of the same holder at the same instant from making the same commit
        content = {"holder": holder, "nonce": secrets.token_hex(8), "taken": stamp(now), "until": stamp(until)}
        tree = objects.file_tree(_FILE, json.dumps(content).encode())

        def decide(seen: str | None) -> Move[Lease | LockHolder] | Stay[Lease | LockHolder]:
            if seen is not None and (held := self._held(seen, now)):
                return Stay(held)
            commit = objects.commit(tree, (seen,) if seen else (), "Lock of incident-ops", now)
            return Move(commit, Lease(commit, until))

        return swap(self._remote, BRANCH, decide, "the lock was not taken")

    def release(self, lease: Lease) -> bool:
        """Gives the lock back; False where it is no longer ours, and then nothing is changed. WriteFailed as `take`."""

        def decide(seen: str | None) -> Move[bool] | Stay[bool]:
            return Move(None, True) if seen == lease.commit else Stay(False)

        return swap(self._remote, BRANCH, decide, "the lock was not given back; it ends by itself")

    def _held(self, commit: str, now: datetime) -> LockHolder | None:
        try:
            told = json.loads(self._remote.objects.content(commit, _FILE) or b"")
            held = LockHolder(one_line(str(told["holder"]), 100), parse_instant(told["until"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return held if now < held.until <= now + _LONGEST else None
