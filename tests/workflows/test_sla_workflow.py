"""`.github/workflows/sla.yml`, run against the stand-in with a late clock: told once, written down."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import Folder
from tests.support.standin import LOGIN, Standin, standin
from tests.workflows.running import WORKFLOWS, Job, describe, faulty_program, need_node, run_job

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
WORKFLOW = "sla.yml"
BRANCH = "incident-ops/automation/INC-1"
POLICY = f"""\
extends: sev0-3
tracker: {{identities: [{LOGIN}]}}
notify: {{incident_channel: {{create: false}}}}
levels:
- {{id: SEV1, escalate_at: 1h, channels: [ticket]}}
escalation: {{tiers: [{{id: first, tier: 1}}, {{id: second, tier: 2}}]}}
"""
LATE = "2025-01-26T17:41:00Z"
ESCALATION = "INC-1/resolution/1/escalate.SEV1"


@pytest.fixture(scope="module")
def github() -> Iterator[Standin]:
    """A running stand-in for GitHub; the steps are processes of their own, whose requests no gate of ours sees."""
    need_node()
    with standin() as running:
        yield running


class Scene:
    """A checkout of main with one SEV1 incident, its bare origin, and its repository on the stand-in."""

    def __init__(self, temp: Path, github: Standin, policy: str = POLICY) -> None:
        self.temp, self.github, self.repository, self.runs = temp, github, github.new_repository(), 0
        self.folder = Folder(temp / "checkout", policy=policy)
        self.folder.git("init", "--quiet", "--bare", "--initial-branch=main", str(temp / "origin.git"))
        self.folder.git("remote", "add", "origin", (temp / "origin.git").as_uri())
        self.folder.put()
        self.push()

    def push(self) -> None:
        """Commits and pushes main."""
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--allow-empty", "--message", "a step")
        self.folder.git("push", "--quiet", "origin", "main")

    def job(self, name: str, event: str = "schedule", **more: Any) -> Job:
        """Runs one job; `plan/` stands for the artifact between the two."""
        self.runs += 1
        temp = self.temp / f"run-{self.runs}"
        runner = temp / "runner"
        runner.mkdir(parents=True)
        if name == "notify" and (self.temp / "artifact").is_dir():
            shutil.copytree(self.temp / "artifact", runner / "plan")
        given = {**self.github.environment(self.repository), **more}
        done = run_job(WORKFLOW, name, self.folder.path, temp, event, {}, **given)
        if name == "check" and (runner / "plan").is_dir():
            shutil.rmtree(self.temp / "artifact", ignore_errors=True)
            shutil.copytree(runner / "plan", self.temp / "artifact")
        return done

    def both(self, **inputs: object) -> tuple[Job, Job]:
        """The two jobs of one run by hand at LATE."""
        given = {"at": LATE, "dry_run": False, **inputs}
        checked = self.job("check", "workflow_dispatch", inputs=given)
        assert checked.conclusion == "success", checked
        return checked, self.job("notify", "workflow_dispatch", inputs=given, needs={"check": checked})

    def ask(self, path: str) -> Any:
        """A question to the stand-in."""
        return self.github.ask("GET", f"/repos/{self.repository}{path}")

    def comments(self) -> list[str]:
        """What stands under the one issue."""
        (issue,) = self.ask("/issues?state=open")
        return [one["body"] for one in self.ask(f"/issues/{issue['number']}/comments")]


@pytest.fixture
def scene(tmp_path: Path, github: Standin) -> Scene:
    """The checkout."""
    return Scene(tmp_path, github)


@pytest.mark.slow
def test_a_late_run_leaves_the_escalation_on_the_issue_and_in_the_record(scene: Scene) -> None:
    """Due at 13:05, seen at 17:41: both instants are told, in the comment and in the record of the proposal."""
    checked, done = scene.both()
    assert (
        "::error title=INC-1::Threshold of 1h of the resolution passed on SEV1"
        in (checked.steps["Show what is due"]["output"])
    )
    assert "| escalation | `INC-1` |" in checked.summary
    assert "### People to notify: 5" in checked.summary
    assert done.conclusion == "success", done
    told = next(one for one in scene.comments() if "Threshold of 1h" in one)
    assert "At 13:05 UTC, noticed 17:41 UTC, 4 hours 36 minutes later" in told
    pulls = {pull["head"]["ref"]: pull["body"] for pull in scene.ask("/pulls?state=open")}
    assert sorted(pulls) == [BRANCH, "incident-ops/numbers"]
    assert f"**{ESCALATION}**" in pulls[BRANCH]
    scene.folder.git("fetch", "--quiet", "origin", BRANCH)
    record = scene.folder.git("show", "FETCH_HEAD:incidents/INC-1/incident.yaml")
    assert f"- at: 2025-01-26T13:05:00Z\n  key: {ESCALATION}\n" in record
    assert "noticed_at: 2025-01-26T17:41:00Z" in record


@pytest.mark.slow
def test_a_second_run_has_nothing_to_do(scene: Scene) -> None:
    """Before and after the proposal is merged; nobody is told twice."""
    scene.both()
    before = scene.comments()
    checked = scene.job("check", "workflow_dispatch", inputs={"at": LATE, "dry_run": False})
    assert checked.outputs["changes"] == "0"
    assert scene.job("notify", needs={"check": checked}).conclusion == "skipped"
    scene.folder.git("fetch", "--quiet", "origin", BRANCH)
    scene.folder.git("merge", "--quiet", "--squash", "FETCH_HEAD")
    scene.push()
    _, done = scene.both()  # the text of the issue follows the record
    assert done.conclusion == "success", done
    assert scene.comments() == before
    assert scene.both()[1].conclusion == "skipped"


@pytest.mark.slow
def test_the_checkout_is_the_planned_commit(scene: Scene) -> None:
    """The job that sends has the records that were planned from, also when main went on meanwhile."""
    checked, done = scene.both()
    commit = scene.folder.git("rev-parse", "HEAD").strip()
    assert checked.outputs["commit"] == commit
    assert done.steps["Check out the planned commit"]["with"]["ref"] == commit


def test_a_plan_that_no_longer_fits_speaks_of_no_channel(scene: Scene) -> None:
    """Exit 6 has words of its own, and nobody is told anything by a plan of other records."""
    checked = by_hand(scene, "check")
    scene.folder.put("INC-2")
    scene.push()
    done = by_hand(scene, "notify", needs={"check": checked})
    step = done.steps["Apply exactly that plan"]
    assert (done.conclusion, step["exit"]) == ("failure", 6)
    assert "::error title=incident-ops::the plan is out of date; the next run makes a new one" in step["output"]
    assert "channel" not in step["output"]
    assert scene.ask("/issues?state=all") == []


def test_a_run_by_hand_can_only_look(scene: Scene) -> None:
    """dry_run: what is owed is in the summary, nothing is sent."""
    checked, done = scene.both(dry_run=True)
    assert "People to notify" in checked.summary
    assert done.conclusion == "skipped"
    assert scene.ask("/issues?state=open") == []


@pytest.mark.slow
def test_the_schedule_takes_the_clock_of_the_runner(scene: Scene) -> None:
    """Years late, and the incident is still open: what stands is told, however late it is, and says how late."""
    checked = scene.job("check")
    assert checked.conclusion == "success", checked
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", checked.outputs["at"])
    assert scene.job("notify", needs={"check": checked}).conclusion == "success"
    told = scene.comments()
    assert any("Declared" in one for one in told), told
    assert any("Response of" in one and "days" in one and "late" in one for one in told), told


@pytest.mark.slow
def test_a_channel_without_its_secret_is_an_error_and_the_rest_is_done(tmp_path: Path, github: Standin) -> None:
    """The job fails and names the variable; issue, comments and proposals are there."""
    scene = Scene(tmp_path, github, POLICY.replace("[ticket]", "[ticket, chat]"))
    _, done = scene.both()
    assert done.conclusion == "failure"
    output = done.steps["Apply exactly that plan"]["output"]
    assert "channel chat is not set up: set INCIDENT_OPS_CHANNEL_CHAT" in output
    assert "::error title=incident-ops::a channel or a setting is missing or wrong; see the lines above" in output
    assert len(scene.comments()) == 5
    assert len(scene.ask("/pulls?state=open")) == 2


def published(scene: Scene) -> dict[str, Any]:
    """gate.json as it lies on its branch."""
    scene.folder.git("fetch", "--quiet", "origin", "incident-ops/public")
    found: dict[str, Any] = json.loads(scene.folder.git("show", "FETCH_HEAD:gate.json"))
    return found


@pytest.mark.slow
def test_what_holds_deploys_is_published_and_only_when_it_is_due(scene: Scene) -> None:
    """Of the commit that was checked, by the clock of the runner; the next run leaves it as it is."""
    checked, done = scene.both()
    assert (checked.outputs["publish"], done.conclusion) == ("1", "success")
    found = published(scene)
    assert found["revision"] == scene.folder.git("rev-parse", "main").strip()
    assert found["services"]["api"]["ids"] == ["INC-1"]
    assert found["written_at"] > LATE
    assert scene.job("check").outputs["publish"] == "0"
    scene.push()
    assert scene.job("check").outputs["publish"] == "1"


def test_a_plan_that_cannot_be_made_does_not_keep_gate_json_from_its_readers(scene: Scene) -> None:
    """GitHub lists no issues: the job fails, the other one publishes and applies nothing."""
    given = {"at": LATE, "dry_run": False}
    checked = scene.job("check", "workflow_dispatch", inputs=given, GITHUB_REPOSITORY="nobody/nothing")
    assert checked.conclusion == "failure"
    done = scene.job("notify", "workflow_dispatch", inputs=given, needs={"check": checked})
    assert done.conclusion == "success", done
    assert published(scene)["services"]["api"]["held"] is True
    assert scene.ask("/issues?state=all") == []


PLANS, SHOWS, LOOKS = "Plan what is due", "Show what is due", "See whether gate.json is current"


def by_hand(scene: Scene, name: str, **more: Any) -> Job:
    """One job of a run by hand at LATE, with a program that can be made to fail."""
    given = {"inputs": {"at": LATE, "dry_run": False}, "program": faulty_program(scene.temp)}
    return scene.job(name, "workflow_dispatch", **given, **more)


def test_a_plan_that_crashes_is_red_and_starts_nothing(scene: Scene) -> None:
    """The job ends with the code of the crash and hands nothing on."""
    checked = by_hand(scene, "check", CRASHES="--format json")
    assert (checked.conclusion, checked.steps[PLANS]["exit"]) == ("failure", 70)
    assert checked.outputs["changes"] == ""
    assert checked.steps["Pass the plan on"]["outcome"] == "skipped"


def test_an_empty_plan_is_red(scene: Scene) -> None:
    """A program that ends well without a word has not said that nothing is to be done."""
    checked = by_hand(scene, "check", SILENT="--format json")
    assert checked.conclusion == "failure"
    assert "::error title=incident-ops::the plan is empty or damaged" in checked.steps[PLANS]["output"]
    assert checked.outputs["changes"] == ""


@pytest.mark.slow
@pytest.mark.parametrize("words", ["sla check", "--format markdown"])
def test_a_crash_while_the_plan_is_shown_is_red_and_people_are_told(scene: Scene, words: str) -> None:
    """The plan was made before, so the other job carries it out."""
    checked = by_hand(scene, "check", CRASHES=words)
    assert (checked.conclusion, checked.steps[SHOWS]["exit"]) == ("failure", 70)
    assert by_hand(scene, "notify", needs={"check": checked}).conclusion == "success"
    assert scene.comments()


@pytest.mark.slow
def test_a_crash_at_gate_json_is_red_and_people_are_told(scene: Scene) -> None:
    """A file that could not be looked at is not taken for a current one."""
    checked = by_hand(scene, "check", CRASHES="gate publish")
    assert (checked.conclusion, checked.steps[LOOKS]["exit"], checked.outputs["publish"]) == ("failure", 70, "")
    assert by_hand(scene, "notify", needs={"check": checked}).conclusion == "success"
    assert scene.comments()


def test_a_crash_of_the_other_job_is_red_and_gate_json_is_published(scene: Scene) -> None:
    """The step that applies has the code of the crash."""
    checked = by_hand(scene, "check")
    done = by_hand(scene, "notify", needs={"check": checked}, CRASHES="apply")
    assert (done.conclusion, done.steps["Apply exactly that plan"]["exit"]) == ("failure", 70)
    assert published(scene)["services"]["api"]["held"] is True


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["checksum", "plan.json"])
def test_nothing_is_applied_without_a_plan(scene: Scene, missing: str) -> None:
    """An output or a file that did not arrive is red, and nobody is told anything."""
    checked = by_hand(scene, "check")
    if missing == "plan.json":
        (scene.temp / "artifact/plan.json").write_text("")
    else:
        checked = replace(checked, outputs={**checked.outputs, missing: ""})
    done = by_hand(scene, "notify", needs={"check": checked})
    assert done.conclusion == "failure"
    assert "there is no valid plan to apply" in done.steps["Apply exactly that plan"]["output"]
    assert scene.ask("/issues?state=all") == []


@pytest.mark.slow
def test_a_call_waits_for_nobody_who_waits_for_it(scene: Scene) -> None:
    """Called by reconcile, which holds the group of runs that write, it has a group of its own; alone it takes it."""
    assert scene.job("check").group == "incident-ops-write"
    assert scene.job("check", "push", inputs={"called": True}).group.startswith("incident-ops-called-")


def test_reconcile_ends_by_calling_it() -> None:
    """After its two jobs, whatever became of them, with no more than the rights and secrets that it needs."""
    ours, theirs = (describe(WORKFLOWS / name)[0]["document"] for name in (WORKFLOW, "reconcile.yml"))
    call = theirs["jobs"]["sla"]
    assert call["uses"] == "./.github/workflows/sla.yml"
    assert call["needs"] == ["plan", "apply"]
    assert call["if"].startswith("${{ always()")
    asked = {right for job in ours["jobs"].values() for right in job["permissions"].items() if right[1] == "write"}
    assert set(call["permissions"].items()) == asked
    assert call["secrets"] == "inherit", "the step that sends names them, and no other place does"
    assert "secrets" not in ours["on"]["workflow_call"]
    assert "--no-notify" in (WORKFLOWS / "reconcile.yml").read_text(encoding="utf-8")


def test_secrets_are_named_in_the_step_that_sends_alone() -> None:
    """No other step of either job sees one, but for the token that reads the pager, where the plan is made."""
    jobs = describe(WORKFLOWS / WORKFLOW)[0]["document"]["jobs"]
    seen = [(job, step["name"]) for job, body in jobs.items() for step in body["steps"] if "secrets." in str(step)]
    assert seen == [("check", "Plan what is due"), ("notify", "Apply exactly that plan")]
    (plan,) = [step for step in jobs["check"]["steps"] if step["name"] == "Plan what is due"]
    assert [name for name, value in plan["env"].items() if "secrets." in value] == ["PAGERDUTY_API_TOKEN"]
