"""The deploy of examples/deploy, whole: its workflow under act, our two actions, real traffic and a real Prometheus."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.toy_deploy import GATE, ROOT, ToyDeploy, toy_deploy
from tests.support.toy_deploy import SCRIPTS as OF_A_SHELL
from tests.workflows.act import OURS, Hosted, Machine, WholeRun
from tests.workflows.running import describe, own_files

EXAMPLE = ROOT / "examples/deploy"
WORKFLOW = ".github/workflows/deploy.yml"
SCRIPTS = {
    "build.sh": 'mkdir build && cp "versions/$(cat version).json" build/toy.json',
    "traffic.sh": 'cp build/toy.json "$TOY/toy/release.new" && mv "$TOY/toy/release.new" "$TOY/toy/release"\n'
    'echo "$1" > "$TOY/toy/weight.new" && mv "$TOY/toy/weight.new" "$TOY/toy/weight"\n'
    'echo "$1 %" >> "$TOY/deploys.log"',
    "rollback.sh": 'echo 0 > "$TOY/toy/weight.new" && mv "$TOY/toy/weight.new" "$TOY/toy/weight"\n'
    'echo "rolled back" >> "$TOY/deploys.log"',
}


def hosted(runner: Machine, toy: ToyDeploy, folder: Path, version: str) -> Hosted:
    """The repository of the service as its owner has it, with the version to deploy pushed."""
    read = {name: (toy.repo.root / name).read_text(encoding="utf-8") for name in ("policy.yaml", "services.yaml")}
    made = Hosted(runner, folder, policy=read["policy.yaml"], services=read["services.yaml"])
    made.folder.write(WORKFLOW, (EXAMPLE / WORKFLOW).read_text(encoding="utf-8"))
    made.folder.write("gates/toy.yaml", GATE)
    for name, script in SCRIPTS.items():
        made.folder.write(name, f"#!/bin/sh\n{script}\n").chmod(0o755)
    made.folder.write("version", version)
    made.folder.write(f"versions/{version}.json", (toy.repo.root / f"versions/{version}.json").read_text())
    made.push()
    return made


def deploy(repository: Hosted, toy: ToyDeploy) -> WholeRun:
    """A push to main, with our actions as they are in this checkout."""
    house = own_files(repository.temp / "house")
    local = {OURS: house}
    return repository.run("deploy.yml", "push", local=local, installs=True, TOY=str(toy.repo.root))


WELL = {"ask": "success", "build": "success", "canary": "success"}
BACK = {**WELL, "canary": "failure"}


@pytest.mark.slow
@pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
@pytest.mark.parametrize(
    ("version", "verdict", "conclusions", "log"),
    [
        ("good", "pass", WELL, ["10 %", "50 %", "100 %"]),
        ("bad", "fail", BACK, ["10 %", "rolled back"]),
        ("late", "fail", BACK, ["10 %", "50 %", "rolled back"]),
        ("quiet", "pass", WELL, ["10 %", "50 %", "100 %"]),
    ],
)
def test_a_version_goes_where_it_belongs(
    runner: Machine, tmp_path: Path, version: str, verdict: str, conclusions: dict[str, str], log: list[str]
) -> None:
    """What was done with the traffic, and of a bad version the incident, in a pull request of its own."""
    with toy_deploy(tmp_path / "toy", version) as toy:
        repository = hosted(runner, toy, tmp_path, version)
        run = deploy(repository, toy)
        assert run.conclusions() == conclusions, run.said
        assert toy.log == log
        assert toy.weight == (0 if verdict == "fail" else 100)
        outputs = run.jobs["canary"].steps["incident-ops/incident-ops/actions/canary-gate@COMMIT"].outputs
        assert outputs["verdict"] == verdict
        assert run.jobs["ask"].summary.startswith("## Gate: pass: ")
        assert run.jobs["canary"].summary.startswith(f"## Canary: {verdict}: ")
        heads = [pull["head"]["ref"] for pull in repository.ask("/pulls?state=open")]
        wanted = [f"incident-ops/declare/{outputs['incident-id']}"] if verdict == "fail" else []
        assert heads == wanted


@pytest.mark.slow
@pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
def test_a_frozen_service_is_not_even_built(runner: Machine, tmp_path: Path) -> None:
    """An open incident on the service: the first job says so, and nothing moves."""
    with toy_deploy(tmp_path / "toy", "good") as toy:
        repository = hosted(runner, toy, tmp_path, "good")
        repository.folder.put("INC-1", services="[toy]", severity="SEV0")
        repository.push()
        run = deploy(repository, toy)
        assert run.conclusions() == {"ask": "failure"}, run.said
        assert "INC-1" in run.jobs["ask"].summary
        assert toy.log == []


def test_the_gate_of_the_example_is_the_one_that_was_run() -> None:
    """But for its times, the limit, and the names of the codes."""
    example, run = (yaml.safe_load(text)["spec"] for text in ((EXAMPLE / "gates/toy.yaml").read_text(), GATE))
    assert [step["weight"] for step in example["steps"]] == [step["weight"] for step in run["steps"]]
    assert example["provider"] == run["provider"]
    assert {"watch", "metrics", "steps", "provider"} == set(example)
    (metric,), (other,) = example["metrics"], run["metrics"]
    assert metric["type"] == other["type"]
    assert set(metric) == set(other) - {"maxErrorRate", "lookback"}


def test_the_pages_lead_to_the_example() -> None:
    """docs/gate.md to its folder, which leads to both files and has the script that `test_toy_deploy.py` runs."""
    assert "](../examples/deploy/README.md)" in (ROOT / "docs/gate.md").read_text(encoding="utf-8")
    page = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert [name for name in (WORKFLOW, "gates/toy.yaml") if f"]({name})" not in page] == []
    assert f"# deploy.sh VERSION SHA\n{OF_A_SHELL['deploy.sh']}```" in page


def test_the_example_is_a_workflow_as_github_reads_it() -> None:
    assert describe(EXAMPLE / WORKFLOW)[0]["errors"] == []
