"""`canary-gate.yml` and `actions/setup`, as another repository uses them: under act, from a commit of this house."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.canary_scene import POLICY, gate
from tests.workflows.act import OURS, Hosted, Machine, WholeRun
from tests.workflows.running import ROOT, WORKFLOWS, own_files

GATE = WORKFLOWS / "canary-gate.yml"
CALLER = """\
name: caller
on: push
permissions: {}
jobs:
  deploy:
    permissions: {contents: read, deployments: read}
    uses: ./.github/workflows/canary-gate.yml
    with: {gate: gates/checkout.yaml, service: SERVICE, timeout-minutes: 5, fail-job: false}
  roll-back:
    needs: deploy
    if: ${{ always() && needs.deploy.outputs.verdict != 'pass' }}
    runs-on: ubuntu-24.04
    steps:
    - name: say
      run: echo "$VERDICT for $ID, schema $SCHEMA"
      env:
        VERDICT: ${{ needs.deploy.outputs.verdict }}
        ID: ${{ needs.deploy.outputs.incident-id }}
        SCHEMA: ${{ fromJSON(needs.deploy.outputs.report).schema }}
"""
SET_UP = """\
name: caller
on: push
permissions: {}
jobs:
  check:
    runs-on: ubuntu-24.04
    steps:
    - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
    - id: tool
      uses: incident-ops/incident-ops/actions/setup@COMMIT
    - name: say
      run: |
        command -v python3 > before.txt
        incident-ops --version
        incident-ops validate
        echo "$VERSION"
      env: {VERSION: "${{ steps.tool.outputs.version }}"}
"""


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
    return found


ACTION = read(ROOT / "actions/canary-gate/action.yml")
CALLED = read(GATE)["on"]["workflow_call"]
OF_A_JOB = {"passed", "state", "step-state", "continue"}
"""Inputs of files that a job of its own does not have."""


def test_it_takes_what_the_action_takes() -> None:
    """The same names, each handed on; a token is a secret here."""
    (step,) = [one for one in read(GATE)["jobs"]["gate"]["steps"] if one.get("uses") == "$/actions/canary-gate"]
    assert set(CALLED["inputs"]) == set(ACTION["inputs"]) - OF_A_JOB - {"token"} | {"timeout-minutes"}
    assert set(step["with"]) == set(ACTION["inputs"]) - OF_A_JOB
    assert all("default" in one or one.get("required") == "true" for one in CALLED["inputs"].values())
    required = {name for name, one in ACTION["inputs"].items() if one.get("required") == "true"}
    assert {name for name, one in CALLED["inputs"].items() if one.get("required") == "true"} == required
    for name, given in step["with"].items():
        wanted = "secrets.incident-token" if name == "token" else f"inputs.{name}"
        assert wanted in given, name


def test_its_outputs_are_those_of_the_action() -> None:
    job = read(GATE)["jobs"]["gate"]
    assert set(CALLED["outputs"]) == set(job["outputs"]) <= set(ACTION["outputs"])
    assert job["outputs"] == {name: f"${{{{ steps.gate.outputs.{name} }}}}" for name in job["outputs"]}
    assert CALLED["outputs"]["verdict"]["value"] == "${{ jobs.gate.outputs.verdict || 'inconclusive' }}"


def hosted(runner: Machine, folder: Path, workflow: str) -> tuple[Hosted, str]:
    """A repository whose service has an open SEV0 incident, with a workflow of its own."""
    made = Hosted(runner, folder, policy=POLICY)
    service = next(iter(yaml.safe_load((made.folder.path / "services.yaml").read_text())["services"]))
    made.folder.write("gates/checkout.yaml", gate())
    declared = f"{{declared: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}}}"
    made.folder.put("INC-1", severity="SEV0", services=f"[{service}]", times=declared)
    made.folder.write(".github/workflows/caller.yml", workflow.replace("SERVICE", service))
    made.folder.write(".github/workflows/canary-gate.yml", GATE.read_text(encoding="utf-8"))
    made.push()
    return made, service


def call(repository: Hosted) -> WholeRun:
    local = {OURS: own_files(repository.temp / "house")}
    return repository.run("caller.yml", "push", local=local, installs=True)


@pytest.mark.slow
@pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
def test_a_pipeline_gets_the_verdict_of_the_called_gate(runner: Machine, tmp_path: Path) -> None:
    """An open incident holds the service, and what comes after the gate knows why. (act ends a run whose called
    workflow failed, so the job is green here; that it is red by itself is tried with the action.)"""
    repository, _ = hosted(runner, tmp_path, CALLER)
    run = call(repository)
    assert run.conclusions() == {"canary-gate/gate": "success", "roll-back": "success"}, run.said
    assert run.jobs["roll-back"].steps["say"].log == "frozen for INC-1, schema 1\n"
    assert run.jobs["canary-gate/gate"].summary.startswith("## Canary: frozen: ")


@pytest.mark.slow
@pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
def test_the_tool_is_on_the_path_and_nothing_else_of_it(runner: Machine, tmp_path: Path) -> None:
    """Isolated, whatever lies in the folder."""
    repository, _ = hosted(runner, tmp_path, SET_UP)
    for name in ("click.py", "sitecustomize.py", "incident_ops/__init__.py"):
        repository.folder.write(name, "raise SystemExit(99)\n")
    repository.push()
    run = call(repository)
    assert run.conclusions() == {"check": "success"}, run.said
    first, *_, last = run.jobs["check"].steps["say"].log.splitlines()
    assert first.startswith("incident-ops, version ")
    assert last == first
    assert json.dumps(run.said).count("SystemExit") == 0
