"""The pull requests of our branches."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.adapters.github.pulls import CLOSED, OPEN
from incident_ops.errors import Ambiguous, Incomplete, WriteFailed
from tests.adapters.github.building import NAME, tracker
from tests.support.scripted_server import DROP, Reply, ScriptedServer
from tests.support.standin import PERSON, PERSON_TOKEN, Standin

BRANCH = "incident-ops/numbers"
FORBIDDEN = {"message": "GitHub Actions is not permitted to create or approve pull requests."}
EXISTS = {"message": "Validation Failed", "errors": [{"message": f"A pull request already exists for acme:{BRANCH}."}]}


def _pull(number: int, state: str = "open", merged: str | None = None) -> dict[str, Any]:
    return {
        "number": number,
        "html_url": f"https://github.com/{NAME}/pull/{number}",
        "state": state,
        "title": "t",
        "body": None,
        "head": {"ref": BRANCH, "repo": {"full_name": NAME}},
        "base": {"ref": "main", "repo": {"full_name": NAME}},
        "merged_at": merged,
    }


def test_a_pull_request_lives_its_life(github: Standin) -> None:
    """Opened, found, changed, closed by our own hand and by a person's."""
    name = github.new_repository()
    pulls = tracker(github.url, name).pulls
    assert pulls.find(BRANCH) is None
    head = github.ask("GET", f"/repos/{name}/git/ref/heads/main")["object"]["sha"]
    github.ask("POST", f"/repos/{name}/git/refs", {"ref": f"refs/heads/{BRANCH}", "sha": head})
    made = pulls.create(BRANCH, "main", "Numbers", "text")
    assert (made.state, made.title, made.body) == (OPEN, "Numbers", "text")
    assert pulls.open_ones() == {BRANCH: made}
    assert pulls.create(BRANCH, "main", "Numbers", "text") == made
    pulls.update(made.number, "Numbers of 2", "more")
    found = pulls.find(BRANCH)
    assert found is not None
    assert (found.number, found.title, found.body) == (made.number, "Numbers of 2", "more")
    pulls.close(made.number)
    assert pulls.find(BRANCH) is None
    assert pulls.open_ones() == {}
    (closed,) = pulls.closed(BRANCH)
    assert (closed.number, closed.state, pulls.closed_by_person(closed.number)) == (made.number, CLOSED, "")
    again = pulls.create(BRANCH, "main", "Numbers", "text")
    github.ask("PATCH", f"/repos/{name}/pulls/{again.number}", {"state": "closed"}, token=PERSON_TOKEN)
    assert [one.number for one in pulls.closed(BRANCH)] == [again.number, made.number]
    assert pulls.closed_by_person(again.number) == PERSON


def test_merged_ones_and_those_of_forks_are_left_out(server: ScriptedServer) -> None:
    """A branch of a fork may bear our name; what was merged was not refused."""
    fork = _pull(3) | {"head": {"ref": BRANCH, "repo": {"full_name": "stranger/fork"}}}
    gone = _pull(2) | {"head": {"ref": BRANCH, "repo": None}}
    server.script(
        Reply(data=[fork, gone, _pull(1)]), Reply(data=[_pull(5, "closed"), _pull(4, "closed", "2026-01-01")])
    )
    pulls = tracker(server.url).pulls
    assert {branch: one.number for branch, one in pulls.open_ones().items()} == {BRANCH: 1}
    assert [(one.number, one.state) for one in pulls.closed(BRANCH)] == [(5, CLOSED)]
    assert "head=acme%3Aincident-ops%2Fnumbers&" in server.asked[1].path
    assert server.asked[1].path.endswith("state=closed")


def _event(event: str, who: str | None, at: str, kind: str = "User") -> dict[str, Any]:
    actor = {"login": who, "type": kind} if who else None
    return {"event": event, "actor": actor, "created_at": f"2026-01-01T12:00:{at}Z"}


@pytest.mark.parametrize(
    ("events", "who"),
    [
        ([_event("closed", "bob", "00")], "bob"),
        ([_event("closed", "bob", "00"), _event("head_ref_deleted", "bob", "30")], "bob"),
        ([_event("closed", "bob", "00"), _event("head_ref_deleted", "bob", "00")], ""),
        ([_event("head_ref_deleted", "bob", "00"), _event("closed", "bob", "00")], ""),
        ([_event("head_ref_deleted", "bob", "00"), _event("closed", "bob", "30")], "bob"),
        ([_event("closed", "bob", "00"), _event("reopened", "bob", "10"), _event("closed", "dana", "20")], "dana"),
        ([_event("closed", "stale[bot]", "00", "Bot")], ""),
        ([_event("closed", "github-actions[bot]", "00")], ""),
        ([_event("closed", None, "00")], ""),
        ([_event("commented", "bob", "00")], ""),
    ],
    ids=[
        "person",
        "branch deleted later",
        "with its branch",
        "branch first",
        "branch before",
        "twice",
        "bot",
        "us",
        "ghost",
        "none",
    ],
)
def test_only_a_person_who_closes_it_refuses(server: ScriptedServer, events: list[dict[str, Any]], who: str) -> None:
    """The button that deletes the branch afterwards is another thing than deleting the branch of an open one."""
    server.script(Reply(data=events))
    assert tracker(server.url).pulls.closed_by_person(7) == who


@pytest.mark.parametrize("event", ["closed", "head_ref_deleted"])
@pytest.mark.parametrize("at", ["yesterday", None])
def test_an_odd_instant_ends_the_look(server: ScriptedServer, event: str, at: str | None) -> None:
    """Nobody can tell then whether the branch went with it."""
    odd = {**_event(event, "bob", "00"), "created_at": at}
    server.script(Reply(data=[_event("closed", "bob", "00"), odd]))
    with pytest.raises(Incomplete, match=r"who closed pull request #7: .* is not an instant"):
        tracker(server.url).pulls.closed_by_person(7)


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
    """The next run looks for it first."""
    server.script(Reply(502), Reply(data=[]))
    with pytest.raises(Ambiguous, match="502"):
        tracker(server.url).pulls.create(BRANCH, "main", "t", "b")
    assert [one.method for one in server.asked] == ["POST", "GET"]


def test_another_refusal_is_told(server: ScriptedServer) -> None:
    """A branch without a difference has no pull request."""
    none = {"message": "Validation Failed", "errors": [{"message": "No commits between main and x"}]}
    server.script(Reply(422, none))
    with pytest.raises(WriteFailed, match="No commits between"):
        tracker(server.url).pulls.create(BRANCH, "main", "t", "b")
