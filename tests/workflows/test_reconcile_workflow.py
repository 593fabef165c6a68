"""`.github/workflows/reconcile.yml`, run against the stand-in: one job, issues, proposals, and nothing twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
POLICY = f"""\
extends: sev0-3
tracker: {{identities: [{LOGIN}]}}
notify: {{incident_channel: {{create: false}}}}
levels: [{{id: SEV1, channels: [ticket]}}]
"""
RUN = "Run"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
REPOSITORY = {"repository": {"default_branch": "main"}}


@pytest.fixture(scope="module")
def github() -> Iterator[Standin]:
    """A running stand-in for GitHub; the steps are processes of their own, whose requests no gate of ours sees."""
    need_node()
    with standin() as running:
        yield running


def just_declared() -> str:
    """The times of an incident for which nobody is late yet."""
    return f"{{declared: {datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}}}"


class Scene:
    """A checkout of main, its bare origin, and its repository on the stand-in."""

    def __init__(self, temp: Path, github: Standin, workflow: str = WORKFLOW, policy: str = POLICY) -> None:
        self.temp, self.github, self.workflow = temp, github, workflow
        self.repository, self.runs = github.new_repository(), 0
        self.folder = Folder(temp / "checkout", policy=policy)
        self.folder.git("init", "--quiet", "--bare", "--initial-branch=main", str(temp / "origin.git"))
        self.folder.git("remote", "add", "origin", (temp / "origin.git").as_uri())

    def push(self) -> None:
        """Commits and pushes main."""
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--allow-empty", "--message", "a step")
        self.folder.git("push", "--quiet", "origin", "main")

    def run(self, event_name: str = "push", event: Any = None, **more: Any) -> Job:
        """Runs the job of the workflow."""
        self.runs += 1
        temp = self.temp / f"run-{self.runs}"
        (temp / "runner").mkdir(parents=True)
        given = {**self.github.environment(self.repository), "GITHUB_ACTIONS": "true", **more}
        return run_job(
            self.workflow, "run", self.folder.path, temp, event_name, {**REPOSITORY, **(event or {})}, **given
        )

    def keys(self) -> list[str]:
        """The keys of the open issues."""
        found = self.github.ask("GET", f"/repos/{self.repository}/issues?state=open&per_page=100")
        return sorted(key for one in found if (key := owner(one["body"] or "")))

    def on_branch(self, branch: str, path: str) -> str:
        """A file of a branch of the remote."""
        self.folder.git("fetch", "--quiet", "origin", branch)
        return self.folder.git("show", f"FETCH_HEAD:{path}")


@pytest.fixture
def scene(tmp_path: Path, github: Standin) -> Scene:
    """A checkout with one incident and two items, pushed."""
    made = Scene(tmp_path, github)
    items = "".join(f"\n- {{id: AI-{n}, title: Mend part {n}, status: open}}" for n in (1, 2))
    made.folder.put("INC-1", times=just_declared(), action_items=items)
    made.push()
    return made


@pytest.mark.slow
def test_a_push_opens_the_issues_and_proposes_their_numbers(scene: Scene) -> None:
    """One job: issues, a branch with its pull request, gate.json, and a page that says so."""
    done = scene.run()
    assert done.conclusion == "success", done.steps[RUN]["output"]
    assert scene.keys() == ["INC-1", "INC-1/AI-1", "INC-1/AI-2"]
    assert BRANCH in scene.folder.git("ls-remote", "origin")
    (pull,) = scene.github.ask("GET", f"/repos/{scene.repository}/pulls?state=open")
    assert pull["head"]["ref"] == BRANCH
    gate = json.loads(scene.on_branch("incident-ops/public", "gate.json"))
    assert gate["revision"] == scene.folder.git("rev-parse", "main").strip()
    assert "INC-1/AI-2" in done.summary
    assert "requirements/build.txt" in done.installed or "incident-ops.txt" in done.installed


@pytest.mark.slow
def test_a_second_run_has_nothing_to_do(scene: Scene) -> None:
    assert scene.run().conclusion == "success"
    before = scene.keys()
    again = scene.run()
    assert again.conclusion == "success"
    assert "Nothing to do" in again.summary
    assert scene.keys() == before


@pytest.mark.slow
def test_a_run_by_hand_can_only_look(scene: Scene) -> None:
    """dry_run: the plan is in the summary, nothing is written."""
    looked = scene.run("workflow_dispatch", inputs={"dry_run": True})
    assert looked.conclusion == "success", looked
    assert "INC-1/AI-2" in looked.summary
    assert (scene.keys(), scene.folder.git("ls-remote", "origin").count("\n")) == ([], 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "event", "runs"),
    [
        ("issues", {"action": "closed", "issue": {"labels": [{"name": "bug"}]}}, False),
        ("issues", {"action": "closed", "issue": {"labels": [{"name": "action-item"}]}}, True),
        (
            "issues",
            {"action": "labeled", "issue": {"labels": [{"name": "incident"}]}, "sender": {"type": "Bot"}},
            False,
        ),
        ("issues", {"action": "unlabeled", "issue": {"labels": []}, "sender": {"type": "User"}}, True),
        ("push", {"ref": "refs/heads/main", "repository": {"default_branch": "trunk"}}, False),
    ],
    ids=["another's issue", "our issue", "what our own bot did", "our label taken off", "another branch"],
)
def test_what_starts_a_run(scene: Scene, name: str, event: Any, runs: bool) -> None:
    assert scene.run(name, event).conclusion == ("success" if runs else "skipped")


@pytest.mark.slow
def test_a_policy_that_a_merge_broke_stops_no_run(scene: Scene) -> None:
    """The last one that can be used decides, whole run long; `validate` is what stays red."""
    scene.folder.write("policy.yaml", "extends: nothing\n")
    scene.push()
    done = scene.run()
    assert done.conclusion == "success", done.steps[RUN]["output"]
    assert scene.keys() == ["INC-1", "INC-1/AI-1", "INC-1/AI-2"]


@pytest.mark.slow
def test_a_crash_is_red(scene: Scene) -> None:
    """Its code is none that the step forgives."""
    done = scene.run(program=faulty_program(scene.temp), CRASHES="run --format github")
    assert (done.conclusion, done.steps[RUN]["exit"]) == ("failure", 70)


@pytest.mark.slow
def test_records_that_are_gone_are_red(scene: Scene) -> None:
    """Nothing to do, since no record is there while the tracker has issues of some, does not mean that all is well."""
    scene.run()
    shutil.rmtree(scene.folder.path / "incidents")
    scene.push()
    scene.run()  # git shows the deletion: their issues are closed
    done = scene.run()
    assert (done.conclusion, done.steps[RUN]["exit"]) == ("failure", 3)
    assert "the tracker has issues of some" in done.steps[RUN]["output"]


@pytest.mark.slow
def test_a_record_that_cannot_be_read_is_red_keeps_its_issues_and_stops_no_other(scene: Scene) -> None:
    """Nobody is served by a record that nobody can read, so the run says so until it is mended."""
    scene.run()
    scene.folder.write("incidents/INC-1/incident.yaml", "id: [\n")
    scene.folder.put("INC-2", times=just_declared())
    scene.push()
    done = scene.run()
    assert (done.conclusion, done.steps[RUN]["exit"]) == ("failure", 3)
    assert "::error title=incident-ops::incidents/INC-1/incident.yaml: not read" in done.steps[RUN]["output"]
    assert scene.keys() == ["INC-1", "INC-1/AI-1", "INC-1/AI-2", "INC-2"]


def test_the_labels_are_those_of_the_presets() -> None:
    """The condition of the job cannot read a policy."""
    text = (ROOT / ".github/workflows" / WORKFLOW).read_text(encoding="utf-8")
    for preset in sorted((ROOT / "incident_ops/presets").glob("*.yaml")):
        labels = "    incident: incident\n    ticket: ticket\n    action_item: action-item\n"
        assert labels in preset.read_text(encoding="utf-8")
    for label in ("incident", "ticket", "action-item"):
        assert f"contains(github.event.issue.labels.*.name, '{label}')" in text
