"""`.github/workflows/reconcile.yml`, run against the stand-in: issues, a branch with the numbers, and nothing twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from incident_ops.reconcile.generated_block import owner
from tests.cli.scene import ROOT, Folder
from tests.support.standin import LOGIN, Standin, standin
from tests.workflows.running import Job, faulty_program, need_node, run_job

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
WORKFLOW = "reconcile.yml"
BRANCH = "incident-ops/numbers"
POLICY = f"extends: sev0-3\ntracker: {{identities: [{LOGIN}]}}\n"


@pytest.fixture(scope="module")
def github() -> Iterator[Standin]:
    """A running stand-in for GitHub; the steps are processes of their own, whose requests no gate of ours sees."""
    need_node()
    with standin() as running:
        yield running


class Scene:
    """A checkout of main, its bare origin, and its repository on the stand-in."""

    def __init__(self, temp: Path, github: Standin) -> None:
        self.temp, self.github, self.repository = temp, github, github.new_repository()
        self.folder = Folder(temp / "checkout", policy=POLICY)
        self.folder.git("init", "--quiet", "--bare", "--initial-branch=main", str(temp / "origin.git"))
        self.folder.git("remote", "add", "origin", (temp / "origin.git").as_uri())
        self.gh = temp / "gh"
        self.gh.mkdir()
        (self.gh / "gh").write_text(f'#!/bin/sh\necho "$*" >>{self.gh}/asked\n')
        (self.gh / "gh").chmod(0o755)
        self.runs = 0

    def push(self) -> None:
        """Commits and pushes main."""
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--allow-empty", "--message", "a step")
        self.folder.git("push", "--quiet", "origin", "main")

    def job(self, name: str, event_name: str = "push", event: Any = None, **more: Any) -> Job:
        """Runs one job of the workflow; `plan/` stands for the artifact between the two."""
        self.runs += 1
        temp = self.temp / f"run-{self.runs}"
        runner = temp / "runner"
        runner.mkdir(parents=True)
        if (self.temp / "artifact").is_dir() and name == "apply":
            shutil.copytree(self.temp / "artifact", runner / "plan")
        environment = self.github.environment(self.repository)
        path = {"INCIDENT_OPS_TEST_PATH": str(self.gh)}
        done = run_job(WORKFLOW, name, self.folder.path, temp, event_name, event or {}, **more, **environment, **path)
        if (runner / "plan").is_dir() and name == "plan":
            shutil.rmtree(self.temp / "artifact", ignore_errors=True)
            shutil.copytree(runner / "plan", self.temp / "artifact")
        return done

    def both(self) -> tuple[Job, Job]:
        """The two jobs of one run."""
        planned = self.job("plan")
        assert planned.conclusion == "success", planned
        return planned, self.job("apply", needs={"plan": planned})

    def keys(self) -> list[str]:
        """The keys of the open issues."""
        found = self.github.ask("GET", f"/repos/{self.repository}/issues?state=open&per_page=100")
        return sorted(key for one in found if (key := owner(one["body"] or "")))


@pytest.fixture
def scene(tmp_path: Path, github: Standin) -> Scene:
    """A checkout with one incident and two items, pushed."""
    made = Scene(tmp_path, github)
    items = "".join(f"\n- {{id: AI-{n}, title: Mend part {n}, status: open}}" for n in (1, 2))
    made.folder.put("INC-1", action_items=items)
    made.push()
    return made


def test_a_push_opens_the_issues_and_proposes_their_numbers(scene: Scene) -> None:
    """One job plans and writes nothing; the other leaves issues, a write-back branch and its pull request."""
    planned = scene.job("plan")
    assert planned.conclusion == "success", planned
    assert scene.keys() == []
    assert "INC-1/AI-2" in planned.summary
    done = scene.job("apply", needs={"plan": planned})
    assert done.conclusion == "success", done
    assert scene.keys() == ["INC-1", "INC-1/AI-1", "INC-1/AI-2"]
    assert BRANCH in scene.folder.git("ls-remote", "origin")
    (pull,) = scene.github.ask("GET", f"/repos/{scene.repository}/pulls?state=open")
    assert pull["head"]["ref"] == BRANCH
    assert "requirements/build.txt" in done.installed or "incident-ops.txt" in done.installed


@pytest.mark.slow
def test_a_second_run_has_nothing_to_apply(scene: Scene) -> None:
    """The writer does not even start."""
    scene.both()
    before = scene.keys()
    planned = scene.job("plan")
    assert planned.outputs["changes"] == "0"
    assert scene.job("apply", needs={"plan": planned}).conclusion == "skipped"
    assert scene.keys() == before


@pytest.mark.slow
def test_a_run_by_hand_only_plans_unless_told_otherwise(scene: Scene) -> None:
    """The default of dry_run is true: the plan is in the summary, nothing is written."""
    planned = scene.job("plan", "workflow_dispatch", inputs={"dry_run": True})
    needs = {"plan": planned}
    assert scene.job("apply", "workflow_dispatch", needs=needs, inputs={"dry_run": True}).conclusion == "skipped"
    assert scene.keys() == []
    assert scene.job("apply", "workflow_dispatch", needs=needs, inputs={"dry_run": False}).conclusion == "success"
    assert scene.keys()


def test_other_peoples_issues_start_nothing(scene: Scene) -> None:
    """An event about an issue without a label of ours is left out."""
    other = {"issue": {"labels": [{"name": "bug"}]}}
    assert scene.job("plan", "issues", other).conclusion == "skipped"
    ours = {"issue": {"labels": [{"name": "action-item"}]}}
    assert scene.job("plan", "issues", ours).conclusion == "success"


@pytest.mark.slow
def test_a_limit_is_a_warning_and_another_run(scene: Scene) -> None:
    """Exit 5 is no failure: the job says so and starts the next run."""
    scene.folder.write("policy.yaml", f"extends: sev0-3\ntracker: {{identities: [{LOGIN}], limits: {{creates: 1}}}}\n")
    scene.push()
    _, done = scene.both()
    assert done.conclusion == "success", done
    assert "another run follows" in done.steps["Apply exactly that plan"]["output"]
    assert "workflow run reconcile.yml" in (scene.gh / "asked").read_text()
    assert len(scene.keys()) == 1
    assert scene.both()[1].conclusion == "success"
    assert len(scene.keys()) == 2


def test_a_policy_that_a_merge_broke_stops_no_run(scene: Scene) -> None:
    """The last one that can be used decides, whole run long; `validate` is what stays red."""
    scene.folder.write("policy.yaml", "extends: nothing\n")
    scene.push()
    _, done = scene.both()
    assert done.conclusion == "success", done
    assert scene.keys() == ["INC-1", "INC-1/AI-1", "INC-1/AI-2"]


PLANS, SHOWS, APPLIES = "Plan", "Show the plan", "Apply exactly that plan"


@pytest.mark.parametrize(("step", "words"), [(PLANS, "--format json"), (SHOWS, "--format markdown")])
def test_a_crash_of_the_plan_is_red_and_nothing_is_applied(scene: Scene, step: str, words: str) -> None:
    """The step has the code of the crash, and the other job does not start."""
    planned = scene.job("plan", program=faulty_program(scene.temp), CRASHES=words)
    assert (planned.conclusion, planned.steps[step]["exit"]) == ("failure", 70)
    assert scene.job("apply", needs={"plan": planned}).conclusion == "skipped"


def test_an_empty_plan_is_red(scene: Scene) -> None:
    """A program that ends well without a word has not said that nothing is to be done."""
    planned = scene.job("plan", program=faulty_program(scene.temp), SILENT="--format json")
    assert planned.conclusion == "failure"
    assert "::error title=incident-ops::the plan is empty or damaged" in planned.steps[PLANS]["output"]
    assert planned.outputs["changes"] == ""


@pytest.mark.slow
def test_records_that_are_gone_are_red(scene: Scene) -> None:
    """Nothing to do, since no record is there while the tracker has issues of some, does not mean that all is well."""
    scene.both()
    shutil.rmtree(scene.folder.path / "incidents")
    scene.push()
    scene.both()  # git shows the deletion: their issues are closed
    planned = scene.job("plan")
    assert (planned.conclusion, planned.steps[PLANS]["exit"]) == ("failure", 3)
    assert "the tracker has issues of some" in planned.steps[PLANS]["output"]


@pytest.mark.parametrize("missing", ["checksum", "plan.json"])
def test_nothing_is_applied_without_a_plan(scene: Scene, missing: str) -> None:
    """An output or a file that did not arrive is red, and nothing is written."""
    planned = scene.job("plan")
    if missing == "plan.json":
        (scene.temp / "artifact/plan.json").write_text("")
    else:
        planned = replace(planned, outputs={**planned.outputs, missing: ""})
    done = scene.job("apply", needs={"plan": planned})
    assert done.conclusion == "failure"
    assert "there is no valid plan to apply" in done.steps[APPLIES]["output"]
    assert scene.keys() == []


def test_a_crash_of_apply_is_red(scene: Scene) -> None:
    """Its code is none that the step forgives."""
    done = scene.job("apply", needs={"plan": scene.job("plan")}, program=faulty_program(scene.temp), CRASHES="apply")
    assert (done.conclusion, done.steps[APPLIES]["exit"]) == ("failure", 70)


def test_a_plan_that_no_longer_fits_is_red_and_said(scene: Scene) -> None:
    """Exit 6: main has other records than those that were planned from."""
    planned = scene.job("plan")
    scene.folder.put("INC-2")
    scene.push()
    done = scene.job("apply", needs={"plan": planned})
    assert (done.conclusion, done.steps[APPLIES]["exit"]) == ("failure", 6)
    assert "::error title=incident-ops::the plan is out of date" in done.steps[APPLIES]["output"]
    assert scene.keys() == []


@pytest.mark.slow
def test_a_record_that_cannot_be_read_keeps_its_issues_and_stops_no_other(scene: Scene) -> None:
    """Exit 3 of the plan is told, and the rest is applied."""
    scene.both()
    scene.folder.write("incidents/INC-1/incident.yaml", "id: [\n")
    scene.folder.put("INC-2")
    scene.push()
    _, done = scene.both()
    assert done.conclusion == "success", done
    assert scene.keys() == ["INC-1", "INC-1/AI-1", "INC-1/AI-2", "INC-2"]


@pytest.mark.slow
def test_the_checkout_is_the_planned_commit(scene: Scene) -> None:
    """The writer checks out what was planned from, also when main went on meanwhile."""
    planned = scene.job("plan")
    done = scene.job("apply", needs={"plan": planned})
    assert done.steps["Check out the planned commit"]["with"]["ref"] == planned.outputs["commit"]
    assert planned.outputs["commit"] == scene.folder.git("rev-parse", "HEAD").strip()


def test_the_folders_are_those_of_the_examples() -> None:
    """The workflow's labels are those of the presets, as its condition cannot read a policy."""
    text = (ROOT / ".github/workflows" / WORKFLOW).read_text(encoding="utf-8")
    for preset in sorted((ROOT / "incident_ops/presets").glob("*.yaml")):
        labels = "    incident: incident\n    ticket: ticket\n    action_item: action-item\n"
        assert labels in preset.read_text(encoding="utf-8")
    assert "'incident')" in text
    assert "'ticket')" in text
    assert "'action-item')" in text
