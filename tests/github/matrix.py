"""The fault matrix: every request of a run, times everything that can befall it.

    python -m tests.github.matrix        runs all of it and prints its size

One cell: a fresh repository, a run in which one request meets one fault, then runs without faults until nothing is
planned. Then the law of `runs.broken_laws` must hold.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from incident_ops.reconcile.limits import LimitOverrides
from tests.github.faulty import (
    AFTER,
    BEFORE,
    CUT,
    DROP,
    KILL,
    OUTAGE,
    STALE,
    TIMEOUT,
    Fault,
    Killed,
    Proxy,
    dying,
    faulty,
)
from tests.github.runs import FIRST, NOTHING_LIFTED, THEIRS, Run, broken_laws, issues, prepare, run, tracker_at
from tests.support.standin import Standin, standin

MOST_RUNS = 4


class Kind(NamedTuple):
    """A column of the matrix. `hidden` True: the next run's lists do not show what was made of late either."""

    what: str
    when: str = BEFORE
    hidden: bool = False

    def __str__(self) -> str:
        return f"{self.what} {self.when}{', then stale lists' if self.hidden else ''}"


# a refusal by a rate limit is always BEFORE: GitHub says that it then did nothing, and a POST is sent again
KINDS = (
    *(Kind(what, when) for what in (KILL, DROP, TIMEOUT, "502", "504") for when in (BEFORE, AFTER)),
    *(Kind(what, AFTER) for what in (CUT, "500", STALE)),
    *(Kind(what, AFTER, hidden=True) for what in (KILL, STALE)),
    *(Kind(what) for what in (OUTAGE, "503", "401", "403_permission", "403_archived", "404", "410_issues_off", "422")),
    *(Kind(what) for what in ("moved", "403_limit", "403_limit_far", "429_limit", "403_secondary")),
    *(Kind(what) for what in ("403_secondary_retry_after", "429", "429_retry_after", "429_retry_after_far")),
)
SCENES = ("first", "later")
_tokens = itertools.count(1)
_lengths: dict[str, int] = {}


class Stage:
    """A repository before a run, behind a proxy, with a token that no other cell uses up."""

    def __init__(self, github: Standin, proxy: Proxy, scene: str) -> None:
        self.github, self.proxy, self.scene = github, proxy, scene
        self.repository = github.new_repository()
        self.token = f"ghp_cell{next(_tokens)}"
        self.numbers: dict[str, int] = {}
        self.records = prepare(github, self.repository, self.token) if scene == "later" else FIRST

    def run(
        self, fault: Fault | None = None, *, hidden_for: int = 0, lifts: LimitOverrides = NOTHING_LIFTED
    ) -> Run | None:
        """One run with a fault -> what it was, None where it was killed."""
        self.proxy.arm(fault, hidden_for=hidden_for)
        try:
            with dying(self.proxy):
                return run(tracker_at(self.proxy.url, self.repository, self.token), self.records, lifts, self.numbers)
        except Killed:
            return None

    def settle(self, *, hidden_for: int = 0, lifts: LimitOverrides = NOTHING_LIFTED) -> int:
        """Runs without faults until a plan is empty -> how many there were."""
        for count in range(1, MOST_RUNS + 1):
            done = self.run(hidden_for=hidden_for if count == 1 else 0, lifts=lifts)
            assert done is not None
            assert not done.errors, f"a run without faults failed: {done.errors}"
            self.records = done.records
            if done.made is not None and not done.made.changes and (count > 1 or not hidden_for):
                return count
        planned = (
            [(one.action, one.key, one.reason, one.fields) for one in done.made.changes] if done and done.made else done
        )
        raise AssertionError(f"after {MOST_RUNS} runs something is still planned: {planned}")

    def laws(self, *, doubles: bool) -> None:
        """The law, and that what people wrote is there."""
        faults = broken_laws(self.github, self.repository, self.records, doubles=doubles or self.scene == "later")
        if self.scene == "later":
            seen = issues(self.github, self.repository)
            kept = [one for one in seen if THEIRS in one["body"] and "theirs" in {n["name"] for n in one["labels"]}]
            faults += [] if len(kept) == 1 else ["people's text or label is lost"]
            faults += [] if doubles or len(seen) == 7 else [f"there are {len(seen)} issues, not 7"]
        assert not faults, faults


def length(github: Standin, proxy: Proxy, scene: str) -> int:
    """Requests of a run of this scene without any fault, by the proxy's count."""
    stage = Stage(github, proxy, scene)
    done = stage.run()
    assert done is not None
    assert not done.errors
    return len(proxy.log)


def cell(github: Standin, proxy: Proxy, scene: str, kind: Kind, at: int) -> int:
    """One cell -> its runs, the one with the fault included; fails where the law is broken."""
    stage = Stage(github, proxy, scene)
    stage.run(Fault(at, kind.what, kind.when))
    count = 1 + stage.settle(hidden_for=50 if kind.hidden else 0)
    stage.laws(doubles=kind.what == STALE or kind.hidden)
    return count


def known_length(github: Standin, proxy: Proxy, scene: str) -> int:
    """The same, measured once for each process of the tests."""
    if scene not in _lengths:
        _lengths[scene] = length(github, proxy, scene)
    return _lengths[scene]


def column(github: Standin, proxy: Proxy, scene: str, kind: Kind, places: Sequence[int]) -> int:
    """These requests of a scene met by one kind -> runs."""
    runs = 0
    for at in places:
        try:
            runs += cell(github, proxy, scene, kind, at)
        except AssertionError as error:
            log = "\n".join(f"  {one.method} {one.path} {one.status}" for one in proxy.log)
            raise AssertionError(f"{scene}, {kind} at request {at}: {error}\nthe last run asked:\n{log}") from error
    return runs


def main() -> None:
    """All of it, one after the other."""
    start = time.perf_counter()
    with standin() as github, faulty(github.url) as proxy:
        for scene in SCENES:
            requests = length(github, proxy, scene)
            runs = sum(column(github, proxy, scene, kind, range(requests)) for kind in KINDS)
            cells = requests * len(KINDS)
            sys.stdout.write(f"{scene}: {requests} requests x {len(KINDS)} kinds = {cells} cells, {runs} runs\n")
    sys.stdout.write(f"{time.perf_counter() - start:.0f} s\n")


if __name__ == "__main__":
    main()
