"""One comment for each topic, whoever writes beside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_ops.errors import Ambiguous, Incomplete, Stopped, WriteFailed
from tests.adapters.github.building import BOT, tracker
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.standin import LOGIN, PERSON_TOKEN, Standin

MARKER = "<!-- incident-ops v1 comment=duplicate -->"
INSTALLATION = Reply(403, {"message": "Resource not accessible by integration"})
NONE = Reply(data=[])


def _comment(number: int, text: str, author: str = BOT) -> dict[str, object]:
    return {"id": number, "body": text, "user": {"login": author}}


def test_a_topic_has_one_comment_that_changes(github: Standin) -> None:
    """Said once, said again without a change, said differently; another topic has its own."""
    name = github.new_repository()
    at = tracker(github.url, name)
    number = github.ask("POST", f"/repos/{name}/issues", {"title": "x"})["number"]
    place = f"/repos/{name}/issues/{number}/comments"
    github.ask("POST", place, {"body": f"{MARKER}\nmine"}, token=PERSON_TOKEN)
    for text in ("one", "one", "two"):
        at.comment(number, "duplicate", text)
    at.comment(number, "preview", "three")
    assert [one["body"] for one in github.ask("GET", place)] == [
        f"{MARKER}\nmine",
        f"{MARKER}\ntwo",
        "<!-- incident-ops v1 comment=preview -->\nthree",
    ]


def test_line_ends_are_no_change(server: ScriptedServer) -> None:
    """A comment that came back with CRLF says the same."""
    server.script(Reply(data=[_comment(1, f"{MARKER}\r\none\r\n")]))
    tracker(server.url).comment(4, "duplicate", "one")
    assert len(server.asked) == 1


def test_a_marker_further_down_is_text(server: ScriptedServer) -> None:
    """Only line 1 counts: a quote of our comment is not ours."""
    server.script(Reply(data=[_comment(1, f"look:\n{MARKER}")]), INSTALLATION, Reply(201, _comment(2, "x")))
    tracker(server.url).comment(4, "duplicate", "one")
    assert server.lines[-1] == "POST /repos/acme/records/issues/4/comments"


def test_a_lost_comment_that_cannot_be_looked_for_may_be_there(server: ScriptedServer) -> None:
    """Written or not: the look fails too, and that is no certain failure."""
    server.script(NONE, INSTALLATION, Reply(502), Reply(404, {"message": "Not Found"}))
    with pytest.raises(Ambiguous, match=r"502.*Not Found"):
        tracker(server.url).comment(4, "duplicate", "one")


def test_a_lost_comment_is_looked_for_and_not_written_twice(server: ScriptedServer) -> None:
    """Found after a 502: done. Not found: nobody can tell."""
    there = Reply(data=[_comment(2, f"{MARKER}\none")])
    server.script(NONE, INSTALLATION, Reply(502), there, NONE, Reply(502), NONE)
    at = tracker(server.url)
    at.comment(4, "duplicate", "one")
    with pytest.raises(Ambiguous, match="502"):
        at.comment(4, "duplicate", "one")
    assert [line.split()[0] for line in server.lines].count("POST") == 2


def test_a_comment_under_an_unknown_name_stops_the_run(server: ScriptedServer) -> None:
    """The next run would not know it as ours."""
    server.script(NONE, INSTALLATION, Reply(201, _comment(2, "x", "other[bot]")))
    with pytest.raises(Stopped, match=r"other\[bot\]"):
        tracker(server.url).comment(4, "duplicate", "one")


def test_a_comment_that_is_too_long_is_not_sent(server: ScriptedServer) -> None:
    """The limit of a body holds for comments."""
    with pytest.raises(WriteFailed, match="GitHub takes 65,536"):
        tracker(server.url).comment(4, "duplicate", "x" * 65_536)
    assert not server.asked


def test_what_people_said_is_heard(github: Standin) -> None:
    """Who, under which issue, when; what we wrote is marked as no person's."""
    name = github.new_repository()
    at = tracker(github.url, name)
    number = github.ask("POST", f"/repos/{name}/issues", {"title": "x"})["number"]
    place = f"/repos/{name}/issues/{number}/comments"
    github.ask("POST", place, {"body": "still down"}, token=PERSON_TOKEN)
    github.ask("POST", place, {"body": "ours"})
    found = at.comments_since(datetime(2025, 1, 1, tzinfo=UTC))
    assert [(one.issue, one.by, one.body) for one in found] == [
        (number, "alice", "still down"),
        (number, LOGIN, "ours"),
    ]
    assert found[0].is_bot is False
    assert found[0].is_stranger is False
    assert at.comments_since(datetime(2100, 1, 1, tzinfo=UTC)) == []


def test_bots_are_told_from_people(server: ScriptedServer) -> None:
    """By their type, their name, or because policy trusts them; an account that is gone was a person."""

    def said(login: str | None, kind: str = "User") -> dict[str, object]:
        user = None if login is None else {"login": login, "type": kind}
        url = "https://api.github.com/repos/acme/records/issues/7"
        return {"id": 1, "issue_url": url, "created_at": "2025-01-26T12:00:00Z", "body": login, "user": user}

    people = [said("alice"), said("acme-app", "Bot"), said("other[bot]"), said(BOT), said(None)]
    server.script(Reply(data=people))
    found = tracker(server.url).comments_since(datetime(2025, 1, 26, 11, tzinfo=UTC))
    assert [one.is_bot for one in found] == [False, True, True, True, False]
    assert {(one.issue, one.at) for one in found} == {(7, "2025-01-26T12:00:00Z")}
    assert server.lines == ["GET /repos/acme/records/issues/comments"]


@pytest.mark.parametrize(
    ("association", "is_stranger"),
    [("OWNER", False), ("MEMBER", False), ("COLLABORATOR", False), ("CONTRIBUTOR", True), ("NONE", True), ("", True)],
)
def test_a_stranger_is_told_by_the_association(server: ScriptedServer, association: str, is_stranger: bool) -> None:
    """As GitHub names whoever wrote it."""
    one = {"issue_url": "x/7", "created_at": "2025-01-26T12:00:00Z", "body": "any news?", "user": {"login": "mallory"}}
    server.script(Reply(data=[{**one, "author_association": association}]))
    (found,) = tracker(server.url).comments_since(datetime(2025, 1, 26, 11, tzinfo=UTC))
    assert found.is_stranger is is_stranger


@pytest.mark.parametrize("bad", [{"created_at": "yesterday"}, {"issue_url": 7}, {"user": {"login": 4}}])
def test_a_comment_of_another_shape_tells_nothing(server: ScriptedServer, bad: dict[str, object]) -> None:
    """The read did not finish: nobody's silence may be concluded from it."""
    good = {"issue_url": "x/7", "created_at": "2025-01-26T12:00:00Z", "body": None, "user": None}
    server.script(Reply(data=[{**good, **bad}]))
    with pytest.raises(Incomplete, match="reading the comments"):
        tracker(server.url).comments_since(datetime(2025, 1, 26, 11, tzinfo=UTC))
