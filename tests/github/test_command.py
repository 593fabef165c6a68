"""Whatever befalls a whole `apply`, the runs after it bring everything home (docs/reliability.md)."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import pytest

from incident_ops.adapters.git_remote import Pushed, Remote
from tests.github.command import NUMBERS, SCENES, Life, Stage, cells, go_through, lengths
from tests.github.faulty import Proxy
from tests.support.laws import cells_run, chosen, seeds
from tests.support.standin import Standin

ROOT = Path(__file__).resolve().parents[2]
PARTS = 4
"""A scene is gone through by so many tests, so that they can run beside each other."""
pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])


@functools.cache
def measured() -> dict[str, tuple[int, int]]:
    """The lengths of the scenes, once for each process of the tests."""
    return {}


def length(github: Standin, proxy: Proxy, folder: Path, scene: str) -> tuple[int, int]:
    """Requests and git operations of a scene."""
    if scene not in measured():
        measured()[scene] = lengths(github, proxy, folder / f"length-{scene}", scene)
    return measured()[scene]


@pytest.mark.slow
@pytest.mark.law
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("scene", SCENES)
def test_every_request_and_every_git_operation_may_fail(
    github: Standin, proxy: Proxy, tmp_path: Path, scene: str, part: int, record_property: pytest.RecordProperty
) -> None:
    """Four runs later every edit is in an open pull request whose text tells it, one a topic; no notice twice."""
    every = cells(scene, *length(github, proxy, tmp_path, scene))[part::PARTS]
    name = f"{scene}, part {part}"
    taken = chosen(f"whole command, {name}", every, sample=2)
    record_property(*cells_run("the fault matrix of the whole command", name, len(taken), len(every)))
    for number, cell in enumerate(taken):
        go_through(github, proxy, tmp_path / str(number), cell)


def test_a_branch_that_is_on_its_base_for_a_moment_is_noticed(
    github: Standin, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the run ends well: GitHub would have closed the pull request in between."""
    stage, push = Stage(github, proxy, tmp_path, "first"), Remote.push

    def by_its_base(remote: Remote, branch: str, commit: str | None, expected: str | None) -> Pushed:
        if branch == NUMBERS:
            push(remote, branch, remote.tip("main"), expected)
        return push(remote, branch, commit, expected)

    monkeypatch.setattr(Remote, "push", by_its_base)
    stage.run()
    assert [f"refs/heads/{NUMBERS}" in fault for fault in stage.untold()] == [True]


@pytest.mark.slow
def test_the_page_tells_the_size_of_the_matrix(github: Standin, proxy: Proxy, tmp_path: Path) -> None:
    """docs/reliability.md gives the figures of today."""
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    for scene in SCENES:
        requests, operations = length(github, proxy, tmp_path, scene)
        assert f"| {scene} | {requests} | {operations} | {len(cells(scene, requests, operations))} |" in page


@pytest.mark.slow
@seeds("people, refusals and merges between whole runs that fail", whole=60, sample=2)
def test_the_text_names_each_field_of_the_diff_and_nothing_is_lost(
    github: Standin, proxy: Proxy, tmp_path: Path, seed: int
) -> None:
    """After each of twelve random steps; at the end four runs without faults leave nothing to do."""
    life = Life(Stage(github, proxy, tmp_path, "first"), random.Random(seed))
    for step in range(12):
        life.step()
        assert not (untold := life.untold()), (step, untold)
    life.stage.settle()
    assert not (untold := life.untold()), untold
    assert not (lost := life.lost()), lost
