"""Numbers of ids, each taken once on a branch of the remote: two people never get the same one.

The branch holds the last number of each series, whether it is of incidents, maintenance or problems. It only grows.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime

from incident_ops.adapters.git_remote import Move, Remote, compare_and_set
from incident_ops.errors import Incomplete

NUMBERS_BRANCH = "incident-ops/ids"
_FILE = "last.json"


def take_number(remote: Remote, series: str, highest: Callable[[str | None], int], now: datetime) -> int:
    """The next number of a series, e.g. `INC-2025-`; from now on nobody else gets it.

    `highest` is given the commit at the tip of the remote's default branch (None: it has no commit), and tells the
    highest number of the series that a record has already. WriteFailed where the remote refuses, Incomplete where it
    cannot be read, Ambiguous where its answer was lost: the number may then be taken, and nobody has it.
    """
    objects = remote.objects

    def decide(seen: str | None) -> Move[int]:
        last = {} if seen is None else _parsed(objects.content(seen, _FILE))
        number = max(last.get(series, 0), highest(remote.default_tip())) + 1
        content = json.dumps({**last, series: number}, indent=0, sort_keys=True)
        # two clones that take the same number at the same instant must not make the same commit
        message = f"Number {number} of {series}\n\nby: {secrets.token_hex(8)}"
        tree = objects.file_tree(_FILE, f"{content}\n".encode())
        return Move(objects.commit(tree, (seen,) if seen else (), message, now), number)

    return compare_and_set(remote, NUMBERS_BRANCH, decide, "no number was taken")


def _parsed(content: bytes | None) -> dict[str, int]:
    """The last number of each series. Incomplete where the branch holds something else: a guess could be taken."""
    try:
        last = json.loads(content or b"")
    except (ValueError, RecursionError):
        last = None
    if not isinstance(last, dict) or not all(type(number) is int and number >= 0 for number in last.values()):
        hint = f"its history has the last good one: git log -p origin/{NUMBERS_BRANCH}"
        raise Incomplete(f"branch {NUMBERS_BRANCH} does not hold numbers", hint=hint, where=NUMBERS_BRANCH)
    return last
