"""The one pull request of a fixed branch."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.adapters.github.pulls import CLOSED, MERGED, OPEN
from incident_ops.errors import Ambiguous, WriteFailed
from tests.adapters.github.building import NAME, tracker
from tests.support.scripted_server import DROP, Reply, ScriptedServer
from tests.support.standin import Standin

BRANCH = "incident-ops/write-back/records"
FORBIDDEN = {"message": "GitHub Actions is not permitted to create or approve pull requests."}
EXISTS = {"message": "Validation Failed", "errors": [{"message": f"A pull request already exists for acme:{BRANCH}."}]}


def _pull(number: int, state: str = "open", merged: str | None = None) -> dict[str, Any]:
    return {
        "number": number,
        "html_url": f"https://github.com/{NAME}/pull/{number}",
        "state": state,
        "title": "t",
        "body": None,
        "head": {"sha": "a" * 40},
        "merged_at": merged,
    }


def test_a_pull_request_lives_its_life(github: Standin) -> None:
    """Opened, found, changed, closed by a person's or our own hand, found closed."""
    name = github.new_repository()
    pulls = tracker(github.url, name).pulls
    assert pulls.find(BRANCH) is None
    head = github.ask("GET", f"/repos/{name}/git/ref/heads/main")["object"]["sha"]
    github.ask("POST", f"/repos/{name}/git/refs", {"ref": f"refs/heads/{BRANCH}", "sha": head})
    made = pulls.create(BRANCH, "main", "Numbers", "text")
    assert (made.state, made.title, made.body, made.head) == (OPEN, "Numbers", "text", head)
    pulls.update(made.number, "Numbers of 2", "more")
    found = pulls.find(BRANCH)
    assert found is not None
    assert (found.number, found.title, found.body) == (made.number, "Numbers of 2", "more")
    pulls.close(made.number)
    closed = pulls.find(BRANCH)
    assert closed is not None
    assert closed.state == CLOSED


def test_the_open_one_is_found_before_newer_ones(server: ScriptedServer) -> None:
    """Else the newest: merged, or closed by a person."""
    old = [_pull(3, "closed"), _pull(2, "closed", "2026-01-01T00:00:00Z")]
    server.script(Reply(data=[*old, _pull(1)]), Reply(data=old), Reply(data=old[1:]), Reply(data=[]))
    pulls = tracker(server.url).pulls
    found = [pulls.find(BRANCH) for _ in range(4)]
    assert [(one.number, one.state) if one else None for one in found] == [(1, OPEN), (3, CLOSED), (2, MERGED), None]
    assert "head=acme%3Aincident-ops%2Fwrite-back%2Frecords" in server.asked[0].path


def test_where_actions_may_not_open_one_the_way_out_is_told(server: ScriptedServer) -> None:
    """What to switch on, and where to open it by hand."""
    server.script(Reply(403, FORBIDDEN))
    with pytest.raises(WriteFailed, match="not permitted to create") as told:
        tracker(server.url).pulls.create(BRANCH, "main", "t", "b")
    assert "Allow GitHub Actions to create and approve pull requests" in told.value.hint
    assert f"/{NAME}/compare/main...{BRANCH}?expand=1" in told.value.hint


@pytest.mark.parametrize("lost", [Reply(502), Reply(fault=DROP), Reply(201, text="{"), Reply(422, EXISTS)])
def test_one_that_is_open_already_is_found(server: ScriptedServer, lost: Reply) -> None:
    """An answer was lost, or another run was faster: one pull request, and its number."""
    server.script(lost, Reply(data=[_pull(5)]))
    assert tracker(server.url).pulls.create(BRANCH, "main", "t", "b").number == 5
    assert [one.method for one in server.asked] == ["POST", "GET"]


def test_one_that_is_not_found_is_not_opened_again(server: ScriptedServer) -> None:
    """A closed one is not the one that was asked for."""
    server.script(Reply(502), Reply(data=[_pull(5, "closed")]))
    with pytest.raises(Ambiguous, match="502"):
        tracker(server.url).pulls.create(BRANCH, "main", "t", "b")
    assert [one.method for one in server.asked] == ["POST", "GET"]


def test_another_refusal_is_told(server: ScriptedServer) -> None:
    """A branch without a difference has no pull request."""
    none = {"message": "Validation Failed", "errors": [{"message": "No commits between main and x"}]}
    server.script(Reply(422, none))
    with pytest.raises(WriteFailed, match="No commits between"):
        tracker(server.url).pulls.create(BRANCH, "main", "t", "b")
