"""A release, built once for all tests of it, from the files of this checkout as they are now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.workflows.running import ROOT, own_files

TIME = "2026-11-30T12:00:00Z"
BUILD = "contrib/release/build.py"


class Built(NamedTuple):
    """A checkout with one commit, and what was built of it."""

    checkout: Path
    dist: Path

    @property
    def wheel(self) -> Path:
        (found,) = self.dist.glob("*.whl")
        return found


def commit_all(checkout: Path) -> None:
    """One commit of all that is there, made at TIME."""
    for words in (["init", "--quiet", "--initial-branch=trunk"], ["add", "--all"], ["commit", "--quiet", "-m", "all"]):
        environment = {"GIT_AUTHOR_DATE": TIME, "GIT_COMMITTER_DATE": TIME, **IDENTITY}
        subprocess.run(["git", *words], cwd=checkout, env=environment, check=True)


IDENTITY = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.invalid",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.invalid",
}


def run_build(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The script of the release, in a checkout of its own."""
    call = [sys.executable, "-I", str(checkout / BUILD), *words]
    return subprocess.run(call, cwd=checkout, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """As `make dist` builds it."""
    checkout = own_files(tmp_path_factory.mktemp("release") / "checkout")
    commit_all(checkout)
    done = run_build(checkout)
    assert done.returncode == 0, done.stderr
    return Built(checkout, checkout / "dist")


@pytest.fixture(scope="session")
def wheels() -> Path:
    """The packages of requirements/build.txt, from which all is installed without a network."""
    if not [*ROOT.glob(".venv/wheels/.stamp-*")]:
        pytest.skip("the wheels of requirements/build.txt are not here: `make laws` and .ci/run fetch them")
    return ROOT / ".venv/wheels"
