"""Whatever befalls whatever request, the runs after it put all right (docs/reliability.md)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.github.faulty import AFTER, BEFORE, KILL, Fault, Proxy
from tests.github.gate import Gate
from tests.github.matrix import KINDS, SCENES, Kind, Stage, column, known_length, length
from tests.support.laws import cells_run, chosen
from tests.support.standin import Standin

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])


@pytest.mark.law
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("scene", SCENES)
def test_every_request_may_fail(
    github: Standin, proxy: Proxy, gate: Gate, scene: str, kind: Kind, record_property: pytest.RecordProperty
) -> None:
    """One open issue for each key, whole, nothing lost, nothing left to do; no second issue but for a stale list."""
    name = f"{scene}, {kind}"
    count = known_length(github, proxy, scene)
    places = chosen(name, range(count), sample=1)
    record_property(*cells_run("the fault matrix", name, len(places), count))
    runs = column(github, proxy, scene, kind, places)
    sys.stdout.write(f"{name}: {len(places)} of {count} requests, {runs} runs\n")
    assert runs > len(places), "each cell has a run with the fault and at least one after it"


@pytest.mark.slow
@pytest.mark.parametrize("when", [BEFORE, AFTER])
@pytest.mark.parametrize("scene", SCENES)
def test_a_real_kill_leaves_nothing_to_mend(github: Standin, proxy: Proxy, gate: Gate, scene: str, when: str) -> None:
    """`kill -9` of a process of its own, at the first and the last request and at two between."""
    count = known_length(github, proxy, scene)
    places = [0, *sorted(random.Random(f"{scene} {when}").sample(range(1, count - 1), 2)), count - 1]
    for at in places:
        stage = Stage(github, proxy, scene)
        proxy.arm(Fault(at, KILL, when))
        words = [sys.executable, "-m", "tests.github.runs", proxy.url, stage.repository, scene]
        environment = {**os.environ, "GITHUB_TOKEN": stage.token}
        running = subprocess.Popen(words, cwd=ROOT, env=environment)
        proxy.kill_process(running.pid)
        assert running.wait(60) == -9, f"the process ended by itself at request {at}"
        proxy.kill_only_in_name()
        assert len(proxy.log) == at + 1
        stage.settle()
        stage.laws(doubles=False)


def test_the_page_tells_the_size_of_the_matrix(github: Standin, proxy: Proxy) -> None:
    """docs/reliability.md gives the figures of today."""
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    for scene in SCENES:
        count = length(github, proxy, scene)
        assert f"| {scene} | {count} | {len(KINDS)} | {count * len(KINDS)} |" in page


@pytest.mark.parametrize("scene", SCENES)
def test_packed_answers_are_read_like_others(github: Standin, proxy: Proxy, gate: Gate, scene: str) -> None:
    """GitHub answers with gzip where it is accepted, and with an ETag, which asks nothing of us."""
    proxy.gzip = True
    stage = Stage(github, proxy, scene)
    stage.settle()
    stage.laws(doubles=False)
