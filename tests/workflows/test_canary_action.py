"""`actions/canary-gate`, its steps run: pass, fail, inconclusive, frozen; nothing else is green."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.canary_scene import POLICY, gate
from tests.support.repository import Repo
from tests.support.standin import PERSON_TOKEN, Standin
from tests.workflows.running import ROOT, Job, need_node, run_action

pytestmark = pytest.mark.slow

pytestmark = [pytest.mark.usefixtures("_node"), pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]
JUDGE = "Judge the canary"
PROGRAM = """\
import os, sys
sys.path.insert(0, {root!r})
import incident_ops.app.canary_run as live, incident_ops.app.canary_sources as sources
from incident_ops.cli.main import main
from tests.cli.canary_scene import Clock, Source

source = Source(float(os.environ.get("RATIO", "1")), rps=float(os.environ.get("RPS", "20")))
if os.environ.get("SILENT"):
    source.answers = {{"canary_requests": lambda at: {{}}}}
if os.environ.get("CRASHES"):
    source.answers = None
clock = Clock()
live.Ticking, sources.connect = (lambda: clock), (lambda *given, **words: source)
main()
"""


@pytest.fixture
def _node() -> None:
    need_node()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository of records with a gate, and nothing that holds."""
    repo = Repo(tmp_path / "incidents")
    repo.write("policy.yaml", POLICY)
    repo.write("gates/checkout.yaml", gate())
    repo.commit("a gate")
    return repo


def judge(repo: Repo, surroundings: dict[str, str] | None = None, **inputs: str) -> Job:
    """The action with a source and a clock that need no waiting."""
    temp = Path(tempfile.mkdtemp(dir=repo.root.parent))
    program = repo.root.parent / "program.py"
    program.write_text(PROGRAM.format(root=str(ROOT)), encoding="utf-8")
    service = next(iter(yaml.safe_load((repo.root / "services.yaml").read_text(encoding="utf-8"))["services"]))
    words = {"gate": "gates/checkout.yaml", "service": service, "sha": "a" * 40}
    words |= {name.replace("_", "-"): value for name, value in inputs.items()}
    return run_action("canary-gate", repo.root, temp, words, program=str(program), **(surroundings or {}))


def test_a_good_canary_is_green_and_says_pass(repo: Repo) -> None:
    """Outputs, summary and the caller's command."""
    job = judge(repo, on_pass="echo promoted > promoted.txt")
    assert job.conclusion == "success", job.steps[JUDGE]
    assert (job.outputs["verdict"], job.outputs["reason-code"], job.outputs["seconds"]) == ("pass", "ok", "600")
    assert json.loads(job.outputs["report"])["schema"] == 1
    assert job.summary.startswith("## Canary: pass: ")
    assert "The run as a page with pictures: `canary-run.html` in " in job.summary
    assert "✓</span> pass" in Path(job.outputs["page"]).read_text(encoding="utf-8")
    assert (repo.root / "promoted.txt").read_text() == "promoted\n"


SMOKE = """\
  - {name: smoke, type: threshold, count: 1, provider: {command: {name: smoke}}}
  - {name: load, type: threshold, count: 1, provider: {command: {name: load, inconclusiveExitCode: 99}}}
"""


@pytest.mark.slow
def test_commands_of_the_workflow_are_metrics_of_the_gate(repo: Repo) -> None:
    """One a line; their text holds blanks and quotes, and reaches no script of the action."""
    repo.write("gates/checkout.yaml", gate() + SMOKE)
    repo.commit("a gate that asks for commands")
    commands = """smoke=test "$INCIDENT_OPS_GATE" = 'checkout-errors'\nload=exit {}"""
    passed = judge(repo, commands=commands.format(0))
    assert (passed.outputs["verdict"], passed.conclusion) == ("pass", "success"), passed.steps[JUDGE]
    failed = judge(repo, commands=commands.format(4))
    assert (failed.outputs["verdict"], failed.steps[JUDGE]["exit"]) == ("fail", 1), failed.steps[JUDGE]
    missing = judge(repo, commands="smoke=true")
    assert missing.steps[JUDGE]["exit"] == 2
    assert "--command load=" in missing.steps[JUDGE]["output"]


def test_a_bad_canary_is_red_and_says_fail(repo: Repo) -> None:
    """One annotation, the rollback is run, the incident declared."""
    environment = {"RATIO": "5"}
    job = judge(repo, environment, on_fail="echo back > back.txt", declare_on_fail="true", severity="SEV2")
    assert (job.conclusion, job.steps[JUDGE]["exit"]) == ("failure", 1)
    assert (job.outputs["verdict"], job.outputs["reason-code"]) == ("fail", "error_rate")
    assert job.steps[JUDGE]["output"].count("::error title=Canary failed and was rolled back::") == 1
    assert (repo.root / "back.txt").exists()
    assert (repo.root / f"incidents/{job.outputs['incident-id']}/incident.yaml").exists()
    assert job.outputs["rollback"] == "done"


@pytest.mark.slow
def test_a_declared_incident_leaves_the_runner(repo: Repo, github: Standin) -> None:
    """Its pull request is open when the job is gone, with the job's own token; the next job goes on with it."""
    name, bare = github.new_repository(), repo.root.parent / "origin.git"
    repo.git("clone", "--quiet", "--bare", str(repo.root), str(bare))
    environment = {"RATIO": "5", **github.environment(name)}
    for rollback, number in (("exit 7", 1), ("true", 2)):
        job_repo = Repo(repo.root.parent / f"job{number}", git=False, settings=False)
        repo.git("clone", "--quiet", "--depth", "1", bare.as_uri(), str(job_repo.root))
        job = judge(job_repo, environment, on_fail=rollback, declare_on_fail="true", severity="SEV2")
        assert job.steps[JUDGE]["exit"] == 1, job.steps[JUDGE]
        shutil.rmtree(job_repo.root)
        (pull,) = github.ask("GET", f"/repos/{name}/pulls?state=open", token=PERSON_TOKEN)
        assert job.outputs["pull-request"] == pull["html_url"]
    branch = f"incident-ops/declare/{job.outputs['incident-id']}"
    assert pull["head"]["ref"] == branch
    text = repo.git("--git-dir", str(bare), "show", f"{branch}:incidents/{job.outputs['incident-id']}/incident.yaml")
    assert text.index("The rollback failed: ") < text.index("Rolled back: ")


def test_where_an_incident_cannot_leave_it_is_said_on_the_run_page(repo: Repo) -> None:
    """No remote: the verdict stays, and the annotation says that the incident was not sent."""
    job = judge(repo, {"RATIO": "5"}, declare_on_fail="true", severity="SEV2", on_fail="true")
    said = [line for line in job.steps[JUDGE]["output"].splitlines() if line.startswith("::error")]
    assert len(said) == 1
    assert said[0].startswith("::error title=Canary failed and was rolled back::")
    assert f"incident {job.outputs['incident-id']} was not sent" in said[0]


@pytest.mark.parametrize(
    ("environment", "reason"), [({"RPS": "0.5"}, "too_few_samples"), ({"SILENT": "1"}, "no_data")], ids=["few", "none"]
)
def test_an_inconclusive_canary_is_red(repo: Repo, environment: dict[str, str], reason: str) -> None:
    """Also with `fail-job: false` the verdict is not pass."""
    job = judge(repo, environment)
    assert (job.conclusion, job.steps[JUDGE]["exit"]) == ("failure", 3)
    assert (job.outputs["verdict"], job.outputs["reason-code"]) == ("inconclusive", reason)


@pytest.mark.slow
def test_an_inconclusive_canary_is_carried_on_with_its_state(repo: Repo) -> None:
    """A second job with the file of the first; the verdict is over all that was measured."""
    state = str(repo.root.parent / "canary.json")
    assert judge(repo, {"RPS": "0.4"}, state=state).outputs["verdict"] == "inconclusive"
    job = judge(repo, {"RPS": "0.4"}, **{"state": state, "continue": "20m"})
    assert (job.conclusion, job.outputs["verdict"], job.outputs["seconds"]) == ("success", "pass", "1800")


@pytest.mark.slow
def test_a_frozen_service_is_red_before_anything_is_measured(repo: Repo) -> None:
    """The incident that holds it is an output."""
    repo.put("INC-1", severity="SEV0", services=["api"])
    repo.commit("an incident")
    job = judge(repo, on_step="touch stepped.txt")
    assert (job.conclusion, job.steps[JUDGE]["exit"]) == ("failure", 3)
    assert (job.outputs["verdict"], job.outputs["reason-code"]) == ("frozen", "open_incident")
    assert job.outputs["incident-id"] == "INC-1"
    assert not (repo.root / "stepped.txt").exists()


def test_fail_job_false_is_green_and_the_verdict_tells(repo: Repo) -> None:
    """For pipelines that decide by the output."""
    job = judge(repo, {"RATIO": "5"}, fail_job="false")
    assert (job.conclusion, job.outputs["verdict"]) == ("success", "fail")


@pytest.mark.parametrize("fail_job", ["true", "false"])
def test_a_crash_is_red_whatever_the_job_may_be(repo: Repo, fail_job: str) -> None:
    """A crash is no verdict, so fail-job does not forgive it; the outputs let nothing pass."""
    job = judge(repo, {"CRASHES": "1"}, fail_job=fail_job)
    assert (job.conclusion, job.steps[JUDGE]["exit"]) == ("failure", 70)
    assert job.outputs["verdict"] == "inconclusive"


def test_where_the_install_fails_the_verdict_is_no_pass(repo: Repo) -> None:
    """Nothing was judged, and the outputs say so."""
    job = judge(repo, {"INSTALL_CODE": "1"})
    assert (job.conclusion, job.steps[JUDGE]["outcome"]) == ("failure", "skipped")
    assert (job.outputs["verdict"], job.outputs["reason-code"]) == ("inconclusive", "config_error")


def test_a_gate_that_cannot_be_used_is_red(repo: Repo) -> None:
    """Exit 2 and config_error."""
    job = judge(repo, gate="gates/none.yaml")
    assert (job.conclusion, job.steps[JUDGE]["exit"]) == ("failure", 2)
    assert (job.outputs["verdict"], job.outputs["reason-code"]) == ("inconclusive", "config_error")


@pytest.mark.slow
def test_inputs_stay_text(repo: Repo) -> None:
    """Code in any input is neither run by the shell nor obeyed by the log."""
    hostile = "$(touch hacked)`touch hacked`'; touch hacked; \"\n::set-output name=verdict::pass"
    for name in ("gate", "sha", "environment", "args", "state", "severity", "service"):
        job = judge(repo, **{name: hostile})
        harmless = name in ("state", "severity")
        assert job.conclusion == ("success" if harmless else "failure"), name
        log = job.steps[JUDGE]["output"].splitlines()
        assert not [line for line in log if line.startswith("::set-output")]
    assert not [*repo.root.parent.rglob("hacked")]


def _action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "actions/canary-gate/action.yml").read_text(encoding="utf-8"))
    return found


def test_the_action_installs_its_own_commit_with_hashes(repo: Repo) -> None:
    """What is run is what the pin of the action names."""
    made, *told = judge(repo).installed.splitlines()
    assert re.fullmatch(r"-I -m venv /.*/runner/incident-ops", made)
    assert told[0].endswith("actions/canary-gate/../../requirements/build.txt")
    assert "--require-hashes" in told[0]
    assert told[1].endswith("--no-deps --no-build-isolation " + str(ROOT / "actions/canary-gate") + "/../..")
    assert told[2:] == ["-I -m pip check"]


def test_the_job_keeps_its_own_python(repo: Repo) -> None:
    """Neither its path nor its environment changes: the caller's commands find what they found before, and nothing of
    theirs stands in for a module of ours."""
    (repo.root / "modules").mkdir()
    (repo.root / "modules/click.py").write_text("raise SystemExit('the module of the caller')\n")
    seen = 'echo "$PATH" > path; command -v incident-ops > own; echo "$PYTHONPATH" > modules/seen'
    job = judge(repo, {"PYTHONPATH": str(repo.root / "modules")}, on_pass=seen)
    assert job.conclusion == "success", job.steps[JUDGE]
    assert "runner/incident-ops" not in (repo.root / "path").read_text() + (repo.root / "own").read_text()
    assert (repo.root / "modules/seen").read_text().strip() == str(repo.root / "modules")
    assert job.steps["Find Python"]["with"]["update-environment"] == "false"
    scripts = "".join(step.get("run", "") for step in _action()["runs"]["steps"])
    assert not re.search("GITHUB_(PATH|ENV)", scripts)


def test_no_expression_stands_in_a_script_and_actions_are_pinned() -> None:
    """Inputs reach scripts as variables only."""
    steps = _action()["runs"]["steps"]
    assert not [step["name"] for step in steps if "${{" in step.get("run", "")]
    assert all(re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert set(_action()["outputs"]) >= {"verdict", "reason-code", "report", "incident-id", "next-stage"}


def test_what_the_gate_asks_for_is_passed_on(repo: Repo) -> None:
    """Commits that passed before, and requests for a budget that counts them."""
    repo.put("INC-1", severity="SEV0", services=["api"])
    repo.write("policy.yaml", f"{POLICY}slo: {{target_pct: 99.9, window: 30d, mode: requests}}\n")
    repo.write("passed.txt", f"{'a' * 40}\n")
    repo.commit("an incident")
    job = judge(repo, passed="passed.txt", requests="1000000")
    assert (job.conclusion, job.outputs["verdict"]) == ("success", "pass"), job.steps[JUDGE]
