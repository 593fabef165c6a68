"""The gate lets good requests through and none that GitHub would refuse."""

from __future__ import annotations

import gzip
import json

import pytest
import requests

from tests.github.gate import HOME, KEPT, Gate, description
from tests.github.trim import packed, trim

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
        ("PUT", f"{REPOSITORY}/issues/3", {"state": "closed"}),
        ("POST", f"{REPOSITORY}/labels", {"color": "ff0000"}),
        ("POST", f"{REPOSITORY}/issues/3/sub_issues", {"sub_issue_id": "12"}),
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


def test_what_is_kept_is_what_the_script_makes_of_it() -> None:
    """Trimming again changes nothing: the file was made by the script, and is small."""
    kept = KEPT.read_bytes()
    whole = json.loads(gzip.decompress(kept))
    assert packed(trim(whole)) == kept
    assert len(kept) < 150_000
    assert description()["info"]["license"]["name"] == "MIT"
    assert "MIT License" in KEPT.with_name("LICENSE").read_text(encoding="utf-8")
