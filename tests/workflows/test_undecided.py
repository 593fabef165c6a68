"""The workflows of examples/undecided: GitHub would take them, and a person carries an undecided canary on by them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflows.running import ROOT, describe, need_node
from tests.workflows.test_canary_action import judge, repo
from tests.workflows.test_workflows import complaints

__all__ = ["repo"]

EXAMPLE = ROOT / "examples/undecided/.github/workflows"
FILES = sorted(EXAMPLE.glob("*.yml"))
OURS = "incident-ops/incident-ops/actions/canary-gate@COMMIT"


@pytest.fixture(autouse=True)
def _node() -> None:
    need_node()


def jobs_of(name: str) -> dict[str, Any]:
    jobs: dict[str, Any] = describe(EXAMPLE / name)[0]["document"]["jobs"]
    return jobs


def inputs_of(name: str, job: str) -> dict[str, str]:
    (step,) = [step for step in jobs_of(name)[job]["steps"] if step.get("uses") == OURS]
    return dict(step["with"])


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_to_copy_is_well_made(file: Path, tmp_path: Path) -> None:
    """As our own: no unknown key, no rights at the top, whole commit ids; inputs are those of the action."""
    copy = tmp_path / file.name
    text = file.read_text(encoding="utf-8")
    assert OURS in text
    copy.write_text(text.replace(OURS, OURS.replace("COMMIT", "a" * 40)), encoding="utf-8")
    assert complaints(copy) == {copy: []}
    action = yaml.safe_load((ROOT / "actions/canary-gate/action.yml").read_text(encoding="utf-8"))
    for job in jobs_of(file.name).values():
        assert "timeout-minutes" in job
        for step in job["steps"]:
            assert step.get("uses") != OURS or set(step["with"]) <= set(action["inputs"])


def test_actionlint_finds_nothing() -> None:
    found = sorted(ROOT.glob(".venv/actionlint/*/actionlint"))
    if not found:
        pytest.skip("actionlint is not here: `make test` builds it where Go is")
    words = [str(found[-1]), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, FILES)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "job"),
    [("reviewed.yml", "reviewed.yml", "carry-on"), ("by-hand.yml", "carry-on.yml", "gate")],
    ids=["by a reviewer", "by hand"],
)
def test_an_undecided_canary_is_carried_on_in_another_job(repo: Any, first: str, second: str, job: str) -> None:
    """The first job leaves its evidence as an artifact; the second one, in a fresh checkout, measures on with it."""
    (repo.root / "traffic.sh").write_text("#!/bin/sh\n")
    (repo.root / "traffic.sh").chmod(0o755)
    service = inputs_of(first, "gate")["service"]
    repo.write("services.yaml", f"services:\n  {service}:\n    owner: '@team'\n")
    repo.commit("a service")
    begun = judge(repo, {"RPS": "0.4"}, **inputs_of(first, "gate"))
    assert (begun.conclusion, begun.outputs["verdict"]) == ("failure", "inconclusive")
    artifact = repo.root.parent / "artifact.json"
    shutil.move(repo.root / "canary.json", artifact)
    repo.git("clean", "-qfdx")
    shutil.copy(artifact, repo.root / "canary.json")
    words = {**inputs_of(second, job), "continue": "20m"} | {"sha": "a" * 40}
    carried = judge(repo, {"RPS": "0.4"}, **words)
    assert (carried.conclusion, carried.outputs["verdict"]) == ("success", "pass"), carried.steps
    assert inputs_of(second, job)["continue"] == "10m"


@pytest.mark.slow
def test_what_is_not_decided_stays_out_and_all_else_is_taken_back() -> None:
    """The condition of each rollback names what it spares; `always()` runs it also after a red job."""
    assert re.findall(r"verdict != '(\w+)'", jobs_of("reviewed.yml")["rollback"]["if"]) == ["pass", "pass"]
    for name in ("by-hand.yml", "carry-on.yml"):
        condition = jobs_of(name)["rollback"]["if"]
        assert re.findall(r"verdict != '(\w+)'", condition) == ["pass", "inconclusive"]
        assert "needs.gate.result == 'cancelled'" in condition
    assert all("always()" in jobs_of(file.name)["rollback"]["if"] for file in FILES)
    assert jobs_of("reviewed.yml")["carry-on"]["environment"] == "canary-decision"
