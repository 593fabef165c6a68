"""Which runners the actions are for: elsewhere they stop before anything is installed, and give no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.workflows.running import run_action

GIVEN = {
    "setup": {},
    "declare": {"title": "Import failed", "service": "api"},
    "gate-check": {"service": "api", "fail-job": "false"},
    "canary-gate": {"service": "api", "gate": "gates/api.yaml", "fail-job": "false"},
}


@pytest.mark.parametrize("action", GIVEN)
def test_on_windows_an_action_says_so_and_touches_no_python(action: str, tmp_path: Path) -> None:
    """An environment there has other folders: pip would be that of the job."""
    repo = Repo(tmp_path / "incidents")
    repo.commit("nothing")
    job = run_action(action, repo.root, tmp_path / "job", GIVEN[action], RUNNER_OS="Windows")
    assert (job.conclusion, job.installed) == ("failure", "")
    assert job.outputs.get("verdict", "inconclusive") == "inconclusive"
    said = job.steps["Install incident-ops"]["output"]
    assert "::error::this action runs on Linux and macOS, and this runner has Windows" in said
