"""Least privilege, proven: what a job is granted is what its runs need, no more and no less."""

from __future__ import annotations

import re
import subprocess
import urllib.error
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_ops.reconcile.generated_block import owner
from tests.support.http_sink import HttpSink
from tests.support.standin import PERSON_TOKEN, Standin
from tests.workflows.act import OURS, Hosted, Machine, WholeRun
from tests.workflows.permissions import Asked, JobToken, Rights, granted, jobs_of, needed, only_reads, rows_of
from tests.workflows.running import WORKFLOWS, own_files
from tests.workflows.test_called_gate import CALLER, hosted
from tests.workflows.test_whole_workflows import POLICY, declared, tip

HERE = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
PLACE = "/repos/acme/records"


PULLS = (8,)
PULL_WRITE: Rights = {"pull-requests": "write"}
BOTH: Rights = {"issues": "write", "pull-requests": "read"}


@pytest.mark.parametrize(
    ("asked", "git", "rights"),
    [
        ([], [], {}),
        ([], ["read"], {"contents": "read"}),
        ([], ["write", "read"], {"contents": "write"}),
        ([("GET", PLACE), ("GET", f"{PLACE}/rulesets")], [], {}),
        ([("GET", f"{PLACE}/issues"), ("POST", f"{PLACE}/issues")], [], {"issues": "write"}),
        ([("POST", f"{PLACE}/issues/7/comments"), ("POST", f"{PLACE}/pulls")], [], {"issues": "write", **PULL_WRITE}),
        ([("POST", f"{PLACE}/issues/8/comments")], [], PULL_WRITE),
        ([("GET", f"{PLACE}/labels")], [], {"issues": "read"}),
        ([("GET", f"{PLACE}/labels"), ("GET", f"{PLACE}/pulls")], [], {"pull-requests": "read"}),
        ([("POST", f"{PLACE}/labels"), ("GET", f"{PLACE}/pulls")], [], PULL_WRITE),
        ([("POST", f"{PLACE}/labels"), ("GET", f"{PLACE}/pulls"), ("POST", f"{PLACE}/issues")], [], BOTH),
        ([("PATCH", f"{PLACE}/git/refs/heads/a/b")], [], {"contents": "write"}),
        ([("POST", f"{PLACE}/statuses/{'a' * 40}")], [], {"statuses": "write"}),
        ([("PUT", f"{PLACE}/actions/workflows/a.yml/enable")], ["read"], {"actions": "write", "contents": "read"}),
        ([("POST", "/graphql"), ("GET", "/user")], [], {"issues": "read"}),
    ],
    ids=[
        "nothing", "a fetch", "a push", "what everybody may read", "the higher level", "an issue by its number",
        "a pull request by its number", "of two: that of issues", "of two: the one needed anyway",
        "of two: raised where it is", "of two: the one that is high enough", "a ref is contents", "a status",
        "a workflow", "graphql",
    ],
)  # fmt: skip
def test_what_requests_need(asked: list[Asked], git: list[str], rights: Rights) -> None:
    assert needed(asked, git, PULLS) == rights


def test_a_request_that_the_table_lacks_is_no_proof() -> None:
    with pytest.raises(LookupError, match="hovercrafts"):
        rows_of(("GET", f"{PLACE}/hovercrafts"))
    with pytest.raises(LookupError, match="graphql"):
        rows_of(("GET", "/graphql"))


@pytest.fixture
def records(runner: Machine, tmp_path: Path) -> Hosted:
    """A repository with a SEV1 incident of a minute ago with an item, and the workflows installed."""
    made = Hosted(runner, tmp_path, policy=POLICY)
    made.folder.put("INC-1", times=declared(1), action_items="\n- {id: AI-1, title: Mend it, status: open}")
    made.install("validate.yml", "reconcile.yml", "sla.yml", "tick.yml", "watch.yml", "doctor.yml")
    made.push()
    return made


def is_least(tokens: Sequence[JobToken], rights: Rights) -> None:
    """What all runs of a job asked for needs exactly these rights; fails with both sides where they differ."""
    assert [one for token in tokens for one in token.refused] == []
    asked = {one for token in tokens for one in token.asked}
    git = {one for token in tokens for one in token.git}
    pulls = {number for token in tokens for number in token.pulls()}
    assert needed(asked, git, pulls) == rights, f"asked for: {sorted(asked)}, git: {sorted(git)}"


def propose_by_hand(records: Hosted) -> None:
    """A branch of the automation waits on the remote."""
    git = records.folder.git
    git("checkout", "--quiet", "--detach")
    git("commit", "--quiet", "--allow-empty", "--message", "Numbers", "--message", "Incident-Ops-Proposal: 1")
    git("push", "--quiet", "origin", "HEAD:refs/heads/incident-ops/numbers")
    git("checkout", "--quiet", "main")


@HERE
@pytest.mark.slow
def test_a_token_that_may_only_read_writes_nothing(records: Hosted) -> None:
    """Neither over the API nor by git: the proof that the others rest on."""
    token = JobToken(records, {"contents": "read", "issues": "read", "pull-requests": "read"})
    address = f"{records.machine.git.url}/{records.name}".replace("://", f"://x-access-token:{token.text}@")
    settings = ["-c", f"http.sslCAInfo={records.machine.git.notes}/certificate.pem"]
    records.folder.git(*settings, "ls-remote", address)
    with pytest.raises(subprocess.CalledProcessError):
        records.folder.git(*settings, "push", address, "HEAD:refs/heads/new")
    assert "refs/heads/new" not in records.folder.git("ls-remote", "origin")
    github: Standin = records.github
    with pytest.raises(urllib.error.HTTPError, match="403"):
        github.ask("POST", f"/repos/{records.name}/issues", {"title": "x"}, token=token.text)
    assert (token.git, token.refused) == ({"read", "write"}, [("POST", f"/repos/{records.name}/issues")])


@HERE
@pytest.mark.slow
@pytest.mark.parametrize("job", ["validate", "preview"])
def test_the_jobs_that_judge_a_pull_request_read_only_what_they_are_given(records: Hosted, job: str) -> None:
    rights = granted("validate.yml", job)
    assert only_reads(rights)
    records.folder.put("INC-2", times=declared(5))
    propose_by_hand(records)
    token = JobToken(records, rights)
    event = records.propose("good")
    run = records.run("validate.yml", "pull_request", event, ref="refs/pull/1/merge", job=job, token=token.text)
    assert (run.code, list(run.conclusions().values())) == (0, ["success"]), run.said
    is_least([token], rights)


class Runs:
    """Runs of the one job of a workflow, each with a token of its own that may do what the job is granted."""

    def __init__(self, records: Hosted, workflow: str, sink: HttpSink) -> None:
        self._records, self._workflow = records, workflow
        self._secrets = {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}
        (self.job,) = jobs_of(workflow)
        self.rights = granted(workflow, self.job)
        self.tokens: list[JobToken] = []

    def run(self, event_name: str, event: dict[str, Any] | None = None) -> WholeRun:
        """One that must end well."""
        token = JobToken(self._records, self.rights)
        self.tokens.append(token)
        words: dict[str, Any] = {"secrets": self._secrets, "token": token.text}
        done = self._records.run(self._workflow, event_name, event, **words)
        assert (done.code, done.conclusions()) == (0, {self.job: "success"}), (token.refused, done.said)
        return done


def close_item(records: Hosted) -> None:
    """A person closes the issue of an action item."""
    (issue,) = [one for one in records.ask("/issues") if owner(one["body"] or "") == "INC-1/AI-1"]
    body = {"state": "closed", "state_reason": "completed"}
    records.github.ask("PATCH", f"/repos/{records.name}/issues/{issue['number']}", body, token=PERSON_TOKEN)


@HERE
@pytest.mark.slow
def test_the_job_that_reconciles_needs_all_that_it_is_granted(records: Hosted, sink: HttpSink) -> None:
    """Declared, over a limit that makes it start the next run, answered by a person, and nothing left to do."""
    records.folder.write("policy.yaml", POLICY.replace("tracker: {", "tracker: {limits: {creates: 1}, "))
    records.push()
    runs = Runs(records, "reconcile.yml", sink)
    runs.run("push", {"after": tip(records)})
    assert "reconcile.yml" in [one["file"] for one in records.github.dispatches(records.name)]
    runs.run("workflow_dispatch")
    close_item(records)
    runs.run("workflow_dispatch")
    is_least(runs.tokens, runs.rights)


@HERE
@pytest.mark.slow
@pytest.mark.parametrize("workflow", ["sla.yml", "tick.yml", "watch.yml"])
def test_the_jobs_that_check_what_is_due_need_all_that_they_are_granted(
    records: Hosted, sink: HttpSink, workflow: str
) -> None:
    """A SEV1 that nobody took: people are called, the escalation is proposed, and the issue says so. The alarm clock
    has had its minutes, so it ends after one look; the tick was switched off."""
    Runs(records, "reconcile.yml", sink).run("push", {"after": tip(records)})
    records.folder.write("policy.yaml", f"{POLICY}watch: {{minutes: {{incident: 5}}}}\n")
    records.folder.put("INC-1", times=declared(60))
    records.push()
    began, ended = (f"{datetime.now(UTC) - timedelta(minutes=ago):%Y-%m-%dT%H:%M:%SZ}" for ago in (55, 5))
    past = {"created_at": began, "updated_at": ended, "status": "completed", "conclusion": "success"}
    records.github.set_runs(records.name, "watch.yml", *([past] if workflow == "watch.yml" else []))
    if workflow != "tick.yml":
        records.github.ask("PUT", f"/repos/{records.name}/actions/workflows/tick.yml/disable")
    runs = Runs(records, workflow, sink)
    runs.run("workflow_dispatch")
    is_least(runs.tokens, runs.rights)


OF_NO_JOB = {"administration", "environments", "secrets"}
"""Rights that no `permissions:` can give: what needs them is told by `doctor` to be run with a person's token."""


@HERE
@pytest.mark.slow
def test_the_job_that_looks_at_the_settings_reads_what_it_may(records: Hosted, sink: HttpSink) -> None:
    """What no job can be granted is refused to it; all else it needs, and it writes nothing."""
    (job,) = jobs_of("doctor.yml")
    rights = granted("doctor.yml", job)
    assert only_reads(rights)
    Runs(records, "reconcile.yml", sink).run("push", {"after": tip(records)})
    token = JobToken(records, rights)
    run = records.run("doctor.yml", "workflow_dispatch", token=token.text)
    assert run.jobs[job].log, run.said
    assert {row.permission for one in token.refused for row in rows_of(one)} <= OF_NO_JOB
    assert needed(token.asked - set(token.refused), token.git) == rights, sorted(token.asked)


@HERE
@pytest.mark.slow
def test_the_called_gate_reads_only_what_it_is_given(runner: Machine, tmp_path: Path) -> None:
    """A caller gives it these two rights; an open incident holds the service, and it asks whether it passed before."""
    rights = granted("canary-gate.yml", "gate")
    assert only_reads(rights)
    repository, _ = hosted(runner, tmp_path, CALLER)
    token = JobToken(repository, rights)
    local = {OURS: own_files(repository.temp / "house")}
    run = repository.run("caller.yml", "push", local=local, installs=True, token=token.text)
    assert run.conclusions() == {"canary-gate/gate": "success", "roll-back": "success"}, run.said
    is_least([token], rights)


RUN_HERE = {
    ("validate.yml", "validate"),
    ("validate.yml", "preview"),
    *(
        (name, next(iter(jobs_of(name))))
        for name in ("reconcile.yml", "sla.yml", "tick.yml", "watch.yml", "doctor.yml", "postmortem.yml")
    ),
    ("canary-gate.yml", "gate"),
}
SIGN_OR_PUBLISH = {("release.yml", job) for job in ("attest", "image", "publish", "release")}
"""What asks services that nothing here stands in for; what it may not do: `test_workflow_files.py`."""


def test_every_other_job_only_checks_out() -> None:
    """No token is named in it, so it asks GitHub for nothing else."""
    every = [(file.name, job) for file in sorted(WORKFLOWS.glob("*.yml")) for job in jobs_of(file.name)]
    assert set(every) >= RUN_HERE
    for workflow, job in set(every) - RUN_HERE - SIGN_OR_PUBLISH:
        assert granted(workflow, job) == {"contents": "read"}, (workflow, job)
        assert not re.search(r"github\.token|GITHUB_TOKEN|secrets\.", str(jobs_of(workflow)[job])), (workflow, job)
