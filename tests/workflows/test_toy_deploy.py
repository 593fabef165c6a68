"""The deploy of a toy service by the canary action: real traffic, a real Prometheus, and a version that breaks late."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.toy_deploy import toy_deploy
from tests.workflows.running import need_node, run_action

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["localhost", "127.0.0.1"])]
SHA = "7be19f2" + "0" * 33


def test_a_version_that_breaks_late_is_rolled_back_and_its_incident_leaves_the_runner(tmp_path: Path) -> None:
    """It is fine at 10 % and dead at 50 %: back to the old one, and the record is on a branch of the remote."""
    need_node()
    with toy_deploy(tmp_path, "late") as toy:
        bare = tmp_path / "origin.git"
        toy.repo.git("clone", "--quiet", "--bare", str(toy.repo.root), str(bare))
        toy.repo.git("remote", "add", "origin", bare.as_uri())
        subprocess.run(["./build.sh", "late"], cwd=toy.repo.root, check=True)
        inputs = {
            "gate": "gates/toy.yaml",
            "service": "toy",
            "sha": SHA,
            "on-step": './traffic.sh "$INCIDENT_OPS_WEIGHT"',
            "on-fail": "./rollback.sh",
            "declare-on-fail": "true",
        }
        job = run_action("canary-gate", toy.repo.root, tmp_path / "job", inputs, GITHUB_TOKEN="")
        step = job.steps["Judge the canary"]
        assert (step["exit"], job.outputs["verdict"], job.outputs["rollback"]) == (1, "fail", "done"), step
        assert toy.log == [f"10 % of production on {SHA}", f"50 % of production on {SHA}", "rolled back"]
        assert toy.weight == 0
        name = job.outputs["incident-id"]
        shown = f"incident-ops/declare/{name}:incidents/{name}/incident.yaml"
        assert "Rolled back: the --on-fail command succeeded" in toy.repo.git("--git-dir", str(bare), "show", shown)
        assert job.summary.startswith("## Canary: fail: ")
