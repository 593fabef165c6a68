"""Many runs at once on one ledger, some of them killed at any moment: no notice is lost, and few arrive twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from incident_ops.domain.notification import LEDGER_BRANCH, parse_ledger
from incident_ops.domain.time import stamp
from tests.support.laws import seeds
from tests.support.ledger_client import URGENT, WAITING
from tests.support.origin import ROOT, Origin

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
CLIENTS = 4
NEVER = 0


class Ended(NamedTuple):
    """What runs at once came to: how many were killed, what the others printed."""

    killed: int
    printed: list[dict[str, Any]]

    @property
    def refused(self) -> int:
        """Runs that the ledger refused something: urgent notices go out all the same."""
        return sum(line["refused"] is not None for line in self.printed)


class Stage:
    """A bare repository, a clone for each client, and the file that takes the notices."""

    def __init__(self, folder: Path) -> None:
        self.origin = Origin(folder)
        self.clones = [self.origin.clone(f"client-{number}").root for number in range(CLIENTS)]
        self.sink = folder / "sent"

    def run(self, minutes: int, calls: list[int]) -> Ended:
        """Lets one client go for each number, all at one moment; it is killed at that call."""
        instant = stamp(NOW + timedelta(minutes=minutes))
        running = [self._start(clone, instant, call) for clone, call in zip(self.clones, calls, strict=False)]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        ends = [(*process.communicate(timeout=240), process.returncode) for process in running]
        assert {code for _, _, code in ends} <= {0, -signal.SIGKILL}, ends
        return Ended(sum(code != 0 for *_, code in ends), [json.loads(out) for out, _, code in ends if code == 0])

    def _start(self, clone: Path, instant: str, call: int) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.support.ledger_client", str(clone), str(self.sink), instant, str(call)]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def sent(self) -> Counter[str]:
        """How often each notice arrived."""
        return Counter(self.sink.read_text().split() if self.sink.exists() else ())


@pytest.fixture(scope="module")
def length(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The calls of a run that is alone."""
    stage = Stage(tmp_path_factory.mktemp("alone"))
    count: int = stage.run(0, [NEVER]).printed[0]["calls"]
    assert stage.sent() == dict.fromkeys((*URGENT, *WAITING), 1)
    return count


@seeds("runs killed on the ledger", whole=198, sample=3)
def test_no_notice_is_lost_and_a_crash_costs_one_repeat_at_most(tmp_path: Path, length: int, seed: int) -> None:
    """Four runs at once, each killed at a random call or not at all; ten minutes later two more put it right."""
    chance = random.Random(seed)
    stage = Stage(tmp_path)
    first = stage.run(0, [chance.choice((NEVER, chance.randrange(1, length))) for _ in range(CLIENTS)])
    later = [stage.run(minutes, [NEVER, NEVER]) for minutes in (11, 22)]
    sent = stage.sent()
    assert set(sent) == {*URGENT, *WAITING}, "a notice was lost"
    assert sum(sent[name] - 1 for name in WAITING) <= first.killed
    refused = first.refused + sum(one.refused for one in later)
    assert sum(sent[name] - 1 for name in URGENT) <= first.killed + len(URGENT) * refused
    ledger = parse_ledger(f"{stage.origin.show(LEDGER_BRANCH, 'ledger')}\n".encode())
    assert len(ledger) == len(sent)
    assert all(sending.confirmed for sending in ledger.values())
    assert "error" not in stage.origin.bare.git("fsck", "--strict", "--full")
