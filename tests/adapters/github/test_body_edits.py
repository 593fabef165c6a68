"""Who gave an issue which text: the one question that REST does not answer."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.tracker import BodyEdit
from incident_ops.errors import Incomplete
from tests.adapters.github.building import tracker
from tests.support.scripted_server import Reply, ScriptedServer


def _edits(*nodes: dict[str, Any]) -> Reply:
    return Reply(data={"data": {"repository": {"issue": {"userContentEdits": {"nodes": list(nodes)}}}}})


def _edit(at: str | None, text: str | None, login: str | None = "bob", kind: str = "User") -> dict[str, Any]:
    editor = {"__typename": kind, "login": login} if login else None
    return {"editedAt": at, "diff": text, "editor": editor}


def test_the_texts_come_in_order_of_time(server: ScriptedServer) -> None:
    """Newest first as GitHub gives them, oldest first for us; a bot's login is spelled as REST spells it."""
    late, early = "2026-11-21T12:00:00Z", "2026-11-20T12:00:00Z"
    bot = _edit(early, "first", "github-actions", "Bot")
    server.script(_edits(_edit(late, "second"), bot, _edit(None, "x"), _edit(late, None), _edit(late, "third", None)))
    found = tracker(server.url).body_edits(7)
    assert found == [
        BodyEdit("first", "github-actions[bot]", early),
        BodyEdit("third", None, late),
        BodyEdit("second", "bob", late),
    ]
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/graphql")
    assert asked.body["variables"] == {"owner": "acme", "name": "records", "number": 7}
    assert "userContentEdits(first: 100)" in asked.body["query"]


@pytest.mark.parametrize("data", [{"repository": None}, {"repository": {"issue": None}}])
def test_an_issue_that_is_not_there_has_no_texts(server: ScriptedServer, data: dict[str, Any]) -> None:
    server.script(Reply(data={"data": data}))
    assert tracker(server.url).body_edits(7) == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(data={"errors": [{"message": "no"}]}),
        Reply(data={"data": {"repository": {"issue": {"userContentEdits": 1}}}}),
        Reply(403, {"message": "no"}),
    ],
)
def test_an_answer_that_tells_nothing_ends_the_look(server: ScriptedServer, reply: Reply) -> None:
    """A partial look never seems whole."""
    server.script(reply)
    with pytest.raises(Incomplete, match="reading who edited issue #7"):
        tracker(server.url).body_edits(7)


def test_what_github_could_not_tell_is_said(server: ScriptedServer) -> None:
    """GraphQL answers 200 with `errors` beside half the data."""
    told = [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]
    server.script(Reply(data={"data": {"repository": {"issue": None}}, "errors": told}))
    with pytest.raises(Incomplete, match="issue #7: GitHub answered: Resource not accessible"):
        tracker(server.url).body_edits(7)


def test_a_lost_question_is_asked_again_and_then_given_up(server: ScriptedServer) -> None:
    """It changes nothing, so asking again does no harm; in the end it is a read that did not finish."""
    server.script(Reply(502, {"message": "x"}), _edits())
    assert tracker(server.url).body_edits(7) == []
    server.script(*[Reply(502, {"message": "x"})] * 9)
    with pytest.raises(Incomplete):
        tracker(server.url).body_edits(7)


def test_a_server_of_ones_own_has_another_address(server: ScriptedServer) -> None:
    """`/api/v3` is REST's, GraphQL's is beside it."""
    server.script(_edits())
    assert tracker(f"{server.url}/api/v3").body_edits(7) == []
    assert server.lines == ["POST /api/graphql"]
