"""What the workflows install is a program that starts: their own steps, run for real in an empty environment."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.standin import Standin
from tests.workflows.running import ROOT, WORKFLOWS, need_node, own_files, run_job

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
ACTIONS = sorted((ROOT / "actions").glob("*/action.yml"))
WITHOUT = {"canary-gate.yml", "ci.yml", "lint-workflows.yml", "release.yml"}
"""Workflows that use an action of ours, or `make`, which install by themselves."""
FILES = [*sorted(file for file in WORKFLOWS.glob("*.yml") if file.name not in WITHOUT), *ACTIONS]
INSTALL = "Install incident-ops"
COMPLETE = "python -I -m pip check"


def _steps(file: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    jobs = document["jobs"].values() if "jobs" in document else [document["runs"]]
    return [step for job in jobs for step in job.get("steps", [])]


def _installs(file: Path, named: str = "") -> list[str]:
    """The scripts with which a workflow or an action installs anything, without their comments; `named`: by steps of
    that name."""
    steps = [step for step in _steps(file) if named in ("", step.get("name"))]
    scripts = [step["run"] for step in steps if "pip install" in step.get("run", "")]
    return [re.sub(r"[ \t]*# .*", "", script) for script in scripts]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_install_ends_by_asking_whether_all_is_there(file: Path) -> None:
    """A package that is missing is told where it is missing; no pip.py of the checkout runs in the place of pip."""
    scripts = _installs(file)
    assert scripts
    for script in scripts:
        lines = script.strip().splitlines()
        assert lines[-1] == COMPLETE
        assert not re.search(r"python (?!-I -m pip )", script), script


def test_the_workflows_install_in_one_way() -> None:
    """So that the test below speaks for each of them."""
    assert len({script for file in FILES if file not in ACTIONS for script in _installs(file, INSTALL)}) == 1
    others = {file.name: len(_installs(file)) - len(_installs(file, INSTALL)) for file in FILES}
    assert {name for name, count in others.items() if count} == {"doctor.yml"}  # what verifies signatures


@pytest.mark.parametrize("place", [".ci/run", "Makefile", "requirements/setup.sh"])
def test_every_other_install_asks_too(place: str) -> None:
    """The line after the last `pip install` is a `pip check`."""
    lines = (ROOT / place).read_text(encoding="utf-8").splitlines()
    last = max(number for number, line in enumerate(lines) if "pip install" in line)
    assert "pip check" in next(line for line in lines[last + 1 :] if line != "done")


def _checkout(home: Path) -> Path:
    """A clone of a repository with the files of this one as they are now."""
    own_files(home / "checkout")
    origin = home / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)], check=True)
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "-m", "all"],
        ["remote", "add", "origin", origin.as_uri()],
        ["push", "--quiet", "origin", "main"],
    ):
        subprocess.run(["git", *words], cwd=home / "checkout", check=True)
    return home / "checkout"


@pytest.mark.slow
def test_what_the_workflow_installs_plans_against_github(tmp_path: Path, github: Standin) -> None:
    """The whole job of reconcile.yml by hand: its install from requirements/build.txt, then what it would do."""
    need_node()
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    checkout = _checkout(tmp_path)
    environment = {"HOME": str(Path.home()), **github.environment(github.new_repository())}
    python, event = tmp_path / "venv/bin", {"repository": {"default_branch": "main"}}
    by_hand: dict[str, Any] = {"inputs": {"dry_run": True}, "python": python}
    job = run_job("reconcile.yml", "run", checkout, tmp_path, "workflow_dispatch", event, **by_hand, **environment)
    assert job.steps[INSTALL]["outcome"] == "success", job.steps[INSTALL]["output"]
    assert job.conclusion == "success", job
    assert "## Plan for the tracker" in job.summary
    assert "No broken requirements found" in job.steps[INSTALL]["output"]
