"""The gate lets good requests through and none that GitHub would refuse."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.github.gate import HOME, KEPT, Gate, description, gated
from tests.github.trim import packed, trim
from tests.support.scripted_server import Reply, scripted_server
from tests.support.standin import Standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "/repos/acme/incidents"


def _bad(method: str, path: str, data: object = None) -> set[tuple[str, str]]:
    gate = Gate()
    gate.check(requests.Request(method, HOME + path, json=data).prepare(), None)
    return gate.bad


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "/user", None),
        ("GET", f"{REPOSITORY}/issues?state=all&labels=incident&per_page=100", None),
        ("POST", f"{REPOSITORY}/issues", {"title": "x", "body": "y", "labels": ["a"], "assignees": ["b"]}),
        ("PATCH", f"{REPOSITORY}/issues/3", {"state": "closed", "state_reason": "duplicate"}),
        ("PATCH", f"{REPOSITORY}/issues/3", {"state": "open", "state_reason": None}),
        ("POST", f"{REPOSITORY}/issues/3/labels", ["a"]),
        ("POST", f"{REPOSITORY}/issues/3/sub_issues", {"sub_issue_id": 12}),
        ("DELETE", f"{REPOSITORY}/git/refs/heads/incident-ops/lock", None),
        ("POST", f"{REPOSITORY}/git/trees", {"tree": [{"path": "a", "mode": "100644", "type": "blob", "sha": None}]}),
        ("POST", f"{REPOSITORY}/actions/workflows/tick.yml/dispatches", {"ref": "main", "inputs": {}}),
        ("GET", f"{REPOSITORY}/actions/workflows/tick.yml/runs?created=%3E%3D2026-11-29T12%3A00%3A00Z", None),
    ],
)
def test_a_good_request_passes(method: str, path: str, data: object) -> None:
    assert _bad(method, path, data) == set()


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("POST", f"{REPOSITORY}/issues", {"body": "no title"}),
        ("POST", f"{REPOSITORY}/issues", {"title": "x", "labels": "incident"}),
        ("PATCH", f"{REPOSITORY}/issues/3", {"state": "banana"}),
        ("PATCH", f"{REPOSITORY}/issues/3", {"state": "closed", "state_reason": "bogus"}),
        ("PATCH", f"{REPOSITORY}/issues/three", {"state": "closed"}),
        ("GET", f"{REPOSITORY}/issues?state=banana", None),
        ("GET", f"{REPOSITORY}/isues", None),
        ("GET", f"{REPOSITORY}/actions/workflows/tick.yml/runs?created=%3E%3Dyesterday", None),
        ("PUT", f"{REPOSITORY}/issues/3", {"state": "closed"}),
        ("POST", f"{REPOSITORY}/labels", {"color": "ff0000"}),
        ("POST", f"{REPOSITORY}/git/trees", {"tree": [{"path": "a", "mode": "100600", "type": "blob", "sha": None}]}),
        ("POST", f"{REPOSITORY}/issues", {"title": "x", "assignee": "taken out by version 2026-03-10"}),
        ("POST", f"{REPOSITORY}/issues/3/sub_issues", {"sub_issue_id": "12"}),
        (
            "POST",
            f"{REPOSITORY}/actions/workflows/tick.yml/dispatches",
            {"ref": "main", "return_run_details": True},  # taken out by version 2026-03-10
        ),
    ],
)
def test_a_bad_request_is_told(method: str, path: str, data: object) -> None:
    assert len(_bad(method, path, data)) == 1


def test_an_answer_that_lacks_what_github_sends_is_told() -> None:
    """And a gate that saw one fails its test."""
    gate = Gate()
    response = requests.Response()
    response.status_code, response._content = 201, json.dumps({"number": 1}).encode()
    response.headers["Content-Type"] = "application/json"
    gate.check(requests.Request("POST", f"{HOME}{REPOSITORY}/issues", json={"title": "x"}).prepare(), response)
    assert len(gate.gaps) == 1
    with pytest.raises(AssertionError, match="not as GitHub answers"):
        gate.must_be_clean()


def test_a_status_that_the_operation_does_not_have_is_told() -> None:
    """A success of another kind is no failure to be shrugged at."""
    gate = Gate()
    response = requests.Response()
    response.status_code = 204
    gate.check(requests.Request("POST", f"{HOME}{REPOSITORY}/issues", json={"title": "x"}).prepare(), response)
    assert len(gate.gaps) == 1


def test_a_success_that_only_one_version_names_passes() -> None:
    """A dispatch is answered 204 in the version that is asked for, 200 in the other."""
    gate = Gate()
    response = requests.Response()
    response.status_code = 204
    place = f"{HOME}{REPOSITORY}/actions/workflows/tick.yml/dispatches"
    gate.check(requests.Request("POST", place, json={"ref": "main"}).prepare(), response)
    assert (gate.bad, gate.gaps) == (set(), set())


WRONG = """\
import requests

def test_it(github):
    address = f"{{github.url}}/repos/{{github.new_repository()}}/issues"
    requests.post(address, json={body}, headers={{"Authorization": f"token {{github.token}}"}}, timeout=10)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("body", "refused"), [('{"title": "x"}', False), ('{"title": "x", "labels": "a"}', True)])
def test_the_fixture_of_the_standin_fails_a_test_with_a_bad_request(tmp_path: Path, body: str, refused: bool) -> None:
    """Whoever takes `github` is gated without asking; the stand-in itself takes both requests."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_one.py").write_text(WRONG.format(body=body), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path), "-c", os.devnull],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert (done.returncode != 0) == refused
    assert ("GitHub would refuse: [('POST /repos/*/*/issues'" in done.stdout) == refused


def test_only_what_goes_to_its_address_is_looked_at(github: Standin) -> None:
    """Another server on this machine is none of GitHub; without answers a short one is no gap."""
    with scripted_server() as other, gated(Gate(), other.url, answers=False) as gate:
        other.script(Reply(data=[]), Reply(data={}))
        requests.get(f"{github.url}/user", headers={"Authorization": f"token {github.token}"}, timeout=10)
        assert gate.seen == 0
        requests.get(f"{other.url}/nothing", timeout=10)
        requests.get(f"{other.url}/user", timeout=10)
    assert gate.seen == 2
    assert [where for where, _ in gate.bad] == ["GET /nothing"]
    assert gate.gaps == set()


def test_what_is_kept_is_what_the_script_makes_of_it() -> None:
    """Trimming again changes nothing: the file was made by the script, and is small."""
    kept = KEPT.read_bytes()
    whole = json.loads(gzip.decompress(kept))
    assert packed(trim(whole)) == kept
    assert len(kept) < 150_000
    assert description()["info"]["license"]["name"] == "MIT"
    assert "MIT License" in KEPT.with_name("LICENSE").read_text(encoding="utf-8")
