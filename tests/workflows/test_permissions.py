"""Least privilege, proven: what a job is granted is what its runs need, no more and no less."""

from __future__ import annotations

import subprocess
import urllib.error
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.standin import Standin
from tests.workflows.act import Hosted, Machine
from tests.workflows.permissions import Asked, JobToken, Rights, granted, needed, only_reads, rows_of
from tests.workflows.test_whole_workflows import POLICY, declared

HERE = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
PLACE = "/repos/acme/records"


@pytest.mark.parametrize(
    ("asked", "git", "rights"),
    [
        ([], [], {}),
        ([], ["read"], {"contents": "read"}),
        ([], ["write", "read"], {"contents": "write"}),
        ([("GET", PLACE), ("GET", f"{PLACE}/rulesets")], [], {}),
        ([("GET", f"{PLACE}/issues"), ("POST", f"{PLACE}/issues")], [], {"issues": "write"}),
        ([("GET", f"{PLACE}/labels")], [], {"issues": "read"}),
        ([("GET", f"{PLACE}/labels"), ("GET", f"{PLACE}/pulls")], [], {"pull-requests": "read"}),
        (
            [("POST", f"{PLACE}/issues/7/comments"), ("GET", f"{PLACE}/pulls")],
            [],
            {"pull-requests": "write"},
        ),
        (
            [("POST", f"{PLACE}/issues/7/comments"), ("GET", f"{PLACE}/pulls"), ("POST", f"{PLACE}/issues")],
            [],
            {"issues": "write", "pull-requests": "read"},
        ),
        ([("PATCH", f"{PLACE}/git/refs/heads/a/b")], [], {"contents": "write"}),
        ([("POST", f"{PLACE}/statuses/{'a' * 40}")], [], {"statuses": "write"}),
        ([("PUT", f"{PLACE}/actions/workflows/a.yml/enable")], ["read"], {"actions": "write", "contents": "read"}),
        ([("POST", "/graphql"), ("GET", "/user")], [], {"issues": "read"}),
    ],
    ids=[
        "nothing", "a fetch", "a push", "what everybody may read", "the higher level", "of two: that of issues",
        "of two: the one needed anyway", "of two: raised where it is", "of two: the one that is high enough",
        "a ref is contents", "a status", "a dispatch", "graphql",
    ],
)  # fmt: skip
def test_what_requests_need(asked: list[Asked], git: list[str], rights: Rights) -> None:
    assert needed(asked, git) == rights


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
    made.install("validate.yml", "reconcile.yml", "sla.yml")
    made.push()
    return made


def is_least(tokens: Sequence[JobToken], rights: Rights) -> None:
    """What all runs of a job asked for needs exactly these rights; fails with both sides where they differ."""
    assert [one for token in tokens for one in token.refused] == []
    asked = {one for token in tokens for one in token.asked}
    git = {one for token in tokens for one in token.git}
    assert needed(asked, git) == rights, f"asked for: {sorted(asked)}, git: {sorted(git)}"


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
    assert (run.code, run.conclusions()) == (0, {job: "success"}), run.said
    is_least([token], rights)
