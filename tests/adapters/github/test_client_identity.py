"""Whose markers count, and whose token may write them."""

from __future__ import annotations

import pytest

from incident_ops.errors import Incomplete, UserError
from tests.adapters.github.building import BOT, body, issue, tracker
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.standin import PERSON_TOKEN, Standin

NONE = Reply(data=[])


def test_a_persons_token_that_policy_does_not_name_writes_nothing(github: Standin) -> None:
    """Refused before the first issue and before the first comment, naming the login."""
    name = github.new_repository()
    number = github.ask("POST", f"/repos/{name}/issues", {"title": "x"})["number"]
    at = tracker(github.url, name, token=PERSON_TOKEN)
    with pytest.raises(UserError, match="alice") as told:
        at.create("INC-1", "x", body("INC-1"), ["incident"], [])
    assert "add alice to tracker.identities" in told.value.hint
    with pytest.raises(UserError, match="no issue was written"):
        at.comment(number, "duplicate", "text")
    assert len(github.ask("GET", f"/repos/{name}/issues?state=all")) == 1
    assert github.ask("GET", f"/repos/{name}/issues/{number}/comments") == []


@pytest.mark.parametrize("author", ["our-app[bot]", "keeper", "Keeper"])
def test_a_marker_by_a_forgotten_identity_is_an_error(server: ScriptedServer, author: str) -> None:
    """A bot, or this token's own login: all issues would be opened a second time."""
    server.script(Reply(data=[issue(3, body=body("INC-1"), author=author)]), NONE, Reply(data={"login": "keeper"}))
    with pytest.raises(UserError, match=r"issue #3 carries our marker") as told:
        tracker(server.url, identities=(BOT,)).owned()
    assert f"add {author} to tracker.identities" in told.value.hint


def test_a_strangers_marker_is_text(server: ScriptedServer) -> None:
    """Anybody can paste a marker; whose token this is is asked once for all of them."""
    strangers = [issue(number, body=body("INC-1"), author="mallory") for number in (3, 4)]
    server.script(Reply(data=strangers), NONE, Reply(data={"login": "keeper"}))
    at = tracker(server.url, identities=(BOT,))
    assert [one.author for one in at.owned()] == ["mallory", "mallory"]
    assert at.requests_made == 3


def test_markers_by_trusted_authors_cost_no_question(server: ScriptedServer) -> None:
    """GITHUB_TOKEN before, an App now: both are named, nothing is asked; logins have no case."""
    authors = [BOT, "Our-App[bot]"]
    server.script(Reply(data=[issue(n, body=body("INC-1"), author=who) for n, who in enumerate(authors, 1)]), NONE)
    at = tracker(server.url, identities=(BOT, "our-app[bot]"))
    assert len(at.owned()) == 2
    assert at.requests_made == 2


def test_a_wrong_token_is_told_by_its_401(server: ScriptedServer) -> None:
    """Only 403 means an installation."""
    server.script(Reply(401, {"message": "Bad credentials"}))
    with pytest.raises(Incomplete, match=r"whose the token is.*401 Bad credentials"):
        tracker(server.url).create("INC-1", "x", body("INC-1"), ["incident"], [])
