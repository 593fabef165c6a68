"""No key gets two issues: not after a lost answer, not beside another run, not within one run."""

from __future__ import annotations

import pytest

from incident_ops.adapters.github.issues import GitHubTracker
from incident_ops.errors import Ambiguous, Stopped, WriteFailed
from tests.adapters.github.building import BOT, NAME, body, issue, tracker
from tests.support.scripted_server import DROP, Reply, ScriptedServer
from tests.support.standin import Standin

INSTALLATION = Reply(403, {"message": "Resource not accessible by integration"})
NONE = Reply(data=[])
POST = f"POST /repos/{NAME}/issues"
LOST = [Reply(502), Reply(500), Reply(fault=DROP), Reply(201, text="{"), Reply(201, {"number": "odd"})]


def _create(at: GitHubTracker, key: str = "INC-1") -> int:
    return at.create(key, "x", body(key), ["incident"], ["alice"])


def _made(number: int = 7, key: str = "INC-1", **changes: object) -> dict[str, object]:
    return issue(number, body=body(key), **changes)


def test_one_request_carries_everything(server: ScriptedServer) -> None:
    """Title, body with the marker, labels and assignees go in one POST."""
    server.script(INSTALLATION, NONE, NONE, Reply(201, _made()))
    assert _create(tracker(server.url)) == 7
    assert server.asked[-1].body == {
        "title": "x",
        "body": body("INC-1"),
        "labels": ["incident"],
        "assignees": ["alice"],
    }


def test_the_same_key_is_opened_once_in_a_run(github: Standin) -> None:
    """A second wish for the same key gets the first number."""
    name = github.new_repository()
    at = tracker(github.url, name)
    assert _create(at) == _create(at)
    assert len(github.ask("GET", f"/repos/{name}/issues?state=all")) == 1


@pytest.mark.parametrize("lost", LOST)
def test_after_a_lost_answer_the_issue_is_found(server: ScriptedServer, lost: Reply) -> None:
    """One POST, then a fresh list, newest first: the issue is there, and its number is the answer."""
    server.script(INSTALLATION, NONE, NONE, lost, Reply(data=[_made(8, "INC-2"), _made()]))
    assert _create(tracker(server.url)) == 7
    assert server.lines.count(POST) == 1
    assert "direction=desc" in server.asked[-1].path


@pytest.mark.parametrize("lost", LOST)
def test_after_a_lost_answer_an_issue_that_is_not_found_is_not_opened_again(
    server: ScriptedServer, lost: Reply
) -> None:
    """The list may be stale: this run opens it no more, other keys go on."""
    server.script(INSTALLATION, NONE, NONE, lost, NONE, NONE, Reply(201, _made(9, "INC-2")))
    at = tracker(server.url)
    with pytest.raises(Ambiguous, match="a fresh list does not show it"):
        _create(at)
    with pytest.raises(Ambiguous, match="a fresh list does not show it"):
        _create(at)
    assert _create(at, "INC-2") == 9
    assert server.lines.count(POST) == 2


def test_a_stranger_cannot_pass_for_the_lost_issue(server: ScriptedServer) -> None:
    """Somebody else's issue with our marker is not ours."""
    server.script(INSTALLATION, NONE, NONE, Reply(502), Reply(data=[_made(author="mallory")]), NONE)
    with pytest.raises(Ambiguous):
        _create(tracker(server.url))


def test_where_the_fresh_list_fails_too_nothing_is_concluded(server: ScriptedServer) -> None:
    """Ambiguous, with both reasons."""
    server.script(INSTALLATION, NONE, NONE, Reply(502), Reply(404, {"message": "Not Found"}))
    with pytest.raises(Ambiguous, match=r"502.*404"):
        _create(tracker(server.url))


def test_a_refused_opening_is_no_doubt(server: ScriptedServer) -> None:
    """422 means not done: told, and tried again when asked for."""
    server.script(INSTALLATION, NONE, NONE, Reply(422, {"message": "Validation Failed"}), Reply(201, _made()))
    at = tracker(server.url)
    with pytest.raises(WriteFailed, match="opening the issue of INC-1: GitHub answered 422"):
        _create(at)
    assert _create(at) == 7


def test_what_another_run_opened_meanwhile_is_found(github: Standin) -> None:
    """Two runs observe the same empty tracker; the second to get the lock opens nothing twice."""
    name = github.new_repository()
    first, second = tracker(github.url, name), tracker(github.url, name)
    assert first.owned() == second.owned() == []
    assert _create(first) == _create(second)
    assert len(github.ask("GET", f"/repos/{name}/issues?state=all")) == 1


def test_only_what_is_newer_than_the_plan_is_looked_through(server: ScriptedServer) -> None:
    """The plan saw #5 and still wants the issue; an older one, or a closed duplicate, is not the answer."""
    pages = {"Link": '<{url}/never?page=2>; rel="next"'}
    duplicate = _made(6, state="closed", state_reason="duplicate")
    server.script(
        Reply(data=[_made(5)]),
        NONE,
        INSTALLATION,
        Reply(data=[duplicate, _made(5)], headers=pages),
        NONE,
        Reply(201, _made(7)),
    )
    at = tracker(server.url)
    at.owned()
    assert _create(at) == 7


def test_the_search_for_newer_issues_is_made_once_a_run(server: ScriptedServer) -> None:
    """N issues cost N writes and a fixed number of reads."""
    server.script(INSTALLATION, NONE, NONE, *[Reply(201, _made(number, f"INC-{number}")) for number in range(1, 6)])
    at = tracker(server.url)
    assert [_create(at, f"INC-{number}") for number in range(1, 6)] == [1, 2, 3, 4, 5]
    assert at.requests_made == 3 + 5


def test_dropped_labels_stop_the_run(server: ScriptedServer) -> None:
    """An issue without our label would not be found again, and be opened again by every run."""
    server.script(INSTALLATION, NONE, NONE, Reply(201, _made(labels=[])))
    with pytest.raises(Stopped, match="#7 of INC-1 was opened, and GitHub left out its labels"):
        _create(tracker(server.url))


def test_an_unknown_author_stops_the_run_after_the_first(server: ScriptedServer) -> None:
    """An App whose bot policy does not name: one issue, then stop, naming the login to add."""
    server.script(INSTALLATION, NONE, NONE, Reply(201, _made(author="our-app[bot]")))
    with pytest.raises(Stopped, match=r"our-app\[bot\]") as told:
        _create(tracker(server.url, identities=(BOT,)))
    assert "add our-app[bot] to tracker.identities" in told.value.hint
