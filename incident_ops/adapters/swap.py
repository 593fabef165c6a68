"""Moving a branch of a remote by compare-and-swap: read it, decide, push, and again where somebody else was faster."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from incident_ops.adapters.remote import DONE, MOVED, TRIES, Pushed, Remote

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Move(Generic[Answer]):
    """The branch is to go to `commit` (None deletes it); `answer` is what that means to the caller once it is done."""

    commit: str | None
    answer: Answer


@dataclass(frozen=True, slots=True)
class Stay(Generic[Answer]):
    """The branch stays where it is, and `answer` says why."""

    answer: Answer


def swap(
    remote: Remote, branch: str, decide: Callable[[str | None], Move[Answer] | Stay[Answer]], failed: str
) -> Answer:
    """Asks `decide` with the commit the branch is at (None: not there), and moves it or lets it stay.

    WriteFailed where the remote refuses or others are always faster (`failed` says what was not done), Incomplete where
    it cannot be read, Ambiguous where its answer was lost.
    """
    pushed = Pushed(MOVED)
    for _ in _turns():
        seen = remote.tip(branch)
        decided = decide(seen)
        if isinstance(decided, Stay):
            return decided.answer
        pushed = remote.push(branch, decided.commit, seen)
        if pushed.outcome == DONE:
            return decided.answer
        if pushed.outcome != MOVED:
            break
    raise pushed.error(failed)


def _turns() -> Iterator[int]:
    """The tries, with a wait between them that differs from one run to the other."""
    for turn in range(TRIES):
        if turn:
            time.sleep(secrets.randbelow(200 * 2**turn) / 1000)
        yield turn
