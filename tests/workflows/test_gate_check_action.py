"""`actions/gate-check`, its steps run: only a yes is green, and the caller keeps the Python it has."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest

from tests.cli.scene import POLICY, SERVICES, record
from tests.support.repository import Repo
from tests.workflows.running import Job, need_node, run_action

ASK = "Ask the gate"


@pytest.fixture(autouse=True)
def _node() -> None:
    need_node()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A clone of a repository of records, behind its default branch by the commit that opens a SEV1."""
    repo = Repo(tmp_path / "incidents")
    repo.write("policy.yaml", POLICY)
    repo.write("services.yaml", SERVICES)
    repo.commit("nothing")
    bare = Repo(tmp_path / "bare.git", git=False, settings=False)
    bare.git("clone", "--quiet", "--bare", str(repo.root), ".")
    repo.git("remote", "add", "origin", str(bare.root))
    return repo


def opened(repo: Repo) -> None:
    repo.write("incidents/INC-1/incident.yaml", record())
    repo.commit("INC-1")
    repo.git("push", "--quiet", "origin", "HEAD:main")
    repo.git("reset", "--quiet", "--hard", "HEAD~1")


def ask(repo: Repo, **inputs: str) -> Job:
    temp = Path(tempfile.mkdtemp(dir=repo.root.parent))
    return run_action("gate-check", repo.root, temp, {"service": "api", **inputs})


def test_a_yes_is_green_and_says_where_it_was_looked(repo: Repo) -> None:
    job = ask(repo)
    assert job.conclusion == "success", job.steps[ASK]
    assert (job.outputs["verdict"], job.outputs["reason-code"]) == ("pass", "ok")
    assert job.summary.startswith("## Gate: pass: nothing holds deploys of api to production")
    assert "main on origin" in json.loads(job.outputs["report"])["looked_at"]


@pytest.mark.slow
def test_what_is_merged_and_not_checked_out_is_red(repo: Repo) -> None:
    opened(repo)
    job = ask(repo)
    assert (job.conclusion, job.steps[ASK]["exit"]) == ("failure", 3)
    assert (job.outputs["verdict"], job.outputs["incident-id"]) == ("frozen", "INC-1")
    assert job.steps[ASK]["output"].count("::error title=Gate frozen::") == 1
    assert "Login fails" in job.summary
    job = ask(repo, **{"fail-job": "false"})
    assert (job.conclusion, job.outputs["verdict"]) == ("success", "frozen")


def test_a_question_that_cannot_be_asked_is_red_and_no_pass(repo: Repo) -> None:
    job = ask(repo, service="apii")
    assert (job.conclusion, job.outputs["verdict"]) == ("failure", "inconclusive")
    assert job.outputs["reason-code"] == "config_error"


def test_it_waits_where_that_is_asked_for(repo: Repo) -> None:
    job = ask(repo, wait="0s")
    assert (job.conclusion, job.outputs["verdict"]) == ("success", "pass")


def test_it_installs_nothing_into_the_python_of_the_job(repo: Repo) -> None:
    made, *told = ask(repo).installed.splitlines()
    assert re.fullmatch(r"-I -m venv /.*/runner/incident-ops", made)
    assert [line.split()[2] for line in told] == ["pip", "pip", "pip"]


@pytest.mark.slow
def test_a_budget_of_requests_is_judged_by_their_number(repo: Repo) -> None:
    slo = "slo: {target_pct: 99.9, window: 30d, mode: requests}"
    repo.write("policy.yaml", f"{POLICY}gate: {{budget: hold}}\n{slo}\n")
    repo.commit("a budget")
    repo.git("push", "--quiet", "origin", "HEAD:main")
    assert ask(repo).outputs["reason-code"] == "no_data"
    assert ask(repo, requests="1000000").outputs["verdict"] == "pass"
