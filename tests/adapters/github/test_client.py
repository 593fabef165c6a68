"""Requests: repeated where that is safe, counted, logged, paged, and never past the budget."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.adapters.github import client
from incident_ops.adapters.github.client import Request
from incident_ops.domain.tracker import IssueEdit
from incident_ops.errors import Ambiguous, Incomplete, Stopped, WriteFailed
from tests.adapters.github.building import body, issue, tracker
from tests.support.scripted_server import CUT, DROP, HANG, Reply, ScriptedServer

NOW = "Sat, 21 Nov 2026 12:00:00 GMT"
LATER = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795266000", "Date": NOW}
BROKEN = [
    Reply(502, text="<html>"),
    Reply(fault=DROP),
    Reply(data=[1, 2], fault=CUT),
    Reply(text="[{"),
    Reply(text="<html>"),
    Reply(text=""),
    Reply(202),
]
EDIT = IssueEdit(title="new")


@pytest.mark.parametrize("broken", BROKEN)
def test_a_read_is_repeated_until_it_is_whole(server: ScriptedServer, broken: Reply) -> None:
    """One bad answer of any kind, then a good one: the reader sees the good one only."""
    server.script(broken, Reply(data=[{"name": "a", "color": "ffffff", "description": None}]))
    waits: list[float] = []
    assert [label.name for label in tracker(server.url, waits=waits).labels()] == ["a"]
    assert waits == [1.0]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_read_that_stays_broken_is_incomplete(server: ScriptedServer, broken: Reply) -> None:
    """Never "nothing there": five tries, then an error."""
    server.script(*[broken] * 5)
    waits: list[float] = []
    with pytest.raises(Incomplete, match="GET /repos/acme/records/labels"):
        tracker(server.url, waits=waits).labels()
    assert waits == [1.0, 2.0, 4.0, 8.0]
    assert len(server.asked) == 5


def test_a_server_that_does_not_answer_is_not_waited_for(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timeout is repeated like a dropped line."""
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 1)
    server.script(Reply(fault=HANG), Reply(data=[]))
    assert tracker(server.url).labels() == []


@pytest.mark.parametrize("broken", [BROKEN[0], BROKEN[1], BROKEN[3]])
def test_a_patch_is_repeated(server: ScriptedServer, broken: Reply) -> None:
    """PyGithub never sends a PATCH again; doing one twice does no harm."""
    server.script(broken, Reply(data=issue(1)))
    tracker(server.url).update(1, EDIT)
    assert server.lines == ["PATCH /repos/acme/records/issues/1"] * 2


def test_a_patch_that_stays_broken_is_ambiguous(server: ScriptedServer) -> None:
    """Each 502 may have been done: nobody can tell."""
    server.script(*[Reply(502)] * 5)
    with pytest.raises(Ambiguous, match="GitHub answered 502 5 times"):
        tracker(server.url).update(1, EDIT)


def test_no_connection_is_no_doubt() -> None:
    """What never left this machine was not done."""
    with pytest.raises(WriteFailed, match="cannot be reached"):
        tracker("http://127.0.0.1:9").update(1, EDIT)
    with pytest.raises(Incomplete, match="cannot be reached"):
        tracker("http://127.0.0.1:9").labels()


@pytest.mark.parametrize(
    ("refusal", "waited"),
    [
        (Reply(429, {"message": "slow down"}, {"retry-after": "3"}), 3.0),
        (Reply(403, {"message": "You have exceeded a secondary rate limit."}), 60.0),
        (Reply(403, {"message": "API rate limit exceeded"}, {"retry-after": "9"}), 9.0),
    ],
)
def test_a_post_refused_by_a_limit_is_sent_again(server: ScriptedServer, refusal: Reply, waited: float) -> None:
    """It was refused, so it was not done."""
    server.script(Reply(403), Reply(data=[]), Reply(data=[]), refusal, Reply(201, issue(7)))
    waits: list[float] = []
    assert tracker(server.url, waits=waits).create("INC-1", "x", body("INC-1"), ["incident"], []) == 7
    assert waits == [waited]
    assert server.lines[-2:] == ["POST /repos/acme/records/issues"] * 2


def test_a_limit_that_outlasts_the_cap_ends_the_run(server: ScriptedServer) -> None:
    """A read is incomplete, a write stops, and both say when GitHub listens again; nobody waits an hour."""
    limit = Reply(403, {"message": "API rate limit exceeded"}, LATER)
    server.script(limit, limit)
    waits: list[float] = []
    at = tracker(server.url, waits=waits)
    with pytest.raises(Incomplete, match="until 13:00 UTC"):
        at.labels()
    with pytest.raises(Stopped, match="until 13:00 UTC"):
        at.update(1, EDIT)
    assert not waits


def test_the_budget_stops_before_the_request_that_would_pass_it(server: ScriptedServer) -> None:
    """Repeats count too; the message names the flag."""
    server.script(Reply(502), Reply(data=[]))
    at = tracker(server.url, requests=2)
    assert at.labels() == []
    with pytest.raises(Stopped, match="2 requests") as told:
        at.update(1, EDIT)
    assert "--max-requests" in told.value.hint
    assert (at.requests_made, len(server.asked)) == (2, 2)


def test_the_log_has_lines_and_no_secrets(server: ScriptedServer) -> None:
    """Method, path, status, seconds; 0 where no answer came."""
    server.script(Reply(fault=DROP), Reply(data=[]))
    log: list[Request] = []
    tracker(server.url, log=log.append, token="ghp_verysecret").labels()
    assert [(one.method, one.path, one.status) for one in log] == [
        ("GET", "/repos/acme/records/labels?per_page=100", 0),
        ("GET", "/repos/acme/records/labels?per_page=100", 200),
    ]
    assert "secret" not in repr(log)
    assert all(one.seconds >= 0 for one in log)
    assert server.asked[0].headers["authorization"].endswith("ghp_verysecret")


def _label(name: str) -> dict[str, Any]:
    return {"name": name, "color": "ffffff"}


def test_pages_follow_the_link_header(server: ScriptedServer) -> None:
    """The address of the next page is GitHub's to choose: another path, another order of words."""
    chain = (
        '<{url}/repositories/7/labels?page=1>; rel="prev", <{url}/repositories/7/labels?after=x,y&page=3>; rel="next"'
    )
    server.script(Reply(data=[_label("a")], headers={"Link": chain}), Reply(data=[_label("b")]))
    assert [label.name for label in tracker(server.url).labels()] == ["a", "b"]
    assert server.asked[0].path == "/repos/acme/records/labels?per_page=100"
    assert server.asked[1].path == "/repositories/7/labels?after=x%2Cy&page=3"


def test_pages_in_a_circle_end(server: ScriptedServer) -> None:
    """A server that chains a page to itself is not read for ever."""
    again = Reply(data=[], headers={"Link": '<{url}/repositories/7/labels?page=2>; rel="next"'})
    server.script(*[again] * 3)
    with pytest.raises(Incomplete, match="circle"):
        tracker(server.url).labels()
    assert len(server.asked) == 2


@pytest.mark.parametrize("page", [{"message": "ok"}, "text", 7, [{"title": "no number"}], [None]])
def test_a_page_of_another_shape_is_incomplete(server: ScriptedServer, page: Any) -> None:
    """Whole JSON that is no list of issues tells nothing about issues."""
    server.script(Reply(data=page))
    with pytest.raises(Incomplete, match="listing the issues of acme/records"):
        tracker(server.url).owned()


def test_a_lost_second_page_is_incomplete(server: ScriptedServer) -> None:
    """Half a list is no list."""
    server.script(
        Reply(data=[issue(1)], headers={"Link": '<{url}/repositories/7/issues?page=2>; rel="next"'}),
        Reply(404, {"message": "Not Found"}),
    )
    with pytest.raises(Incomplete, match="404 Not Found"):
        tracker(server.url).owned()


def test_a_renamed_repository_is_read_and_not_written(server: ScriptedServer) -> None:
    """Reads follow with the same question; a write is refused and names the new name."""
    moved = Reply(301, {"message": "Moved Permanently"}, {"Location": "{url}/repositories/7/issues"})
    server.script(
        *[moved, Reply(data=[issue(3, repository="acme/new")])] * 2,
        Reply(301, {}, {"Location": "{url}/repositories/7"}),
        Reply(data={"full_name": "acme/new"}),
        Reply(307, {}, {"Location": "{url}/repositories/7/issues/3"}),
    )
    at = tracker(server.url)
    assert [one.number for one in at.owned()] == [3]
    assert {"labels=incident", "state=all"} <= set(server.asked[1].path.partition("?")[2].split("&"))
    assert (at.repository, at.renamed_to) == ("acme/records", "acme/new")
    with pytest.raises(WriteFailed, match="acme/records is now acme/new") as told:
        at.update(3, EDIT)
    assert "GITHUB_REPOSITORY=acme/new" in told.value.hint
    assert server.lines[-1] == "PATCH /repos/acme/records/issues/3"


def test_redirects_in_a_circle_end(server: ScriptedServer) -> None:
    """Three are followed; then the redirect itself is the refusal."""
    server.script(*[Reply(301, {}, {"Location": "{url}/repositories/7/labels"})] * 4)
    with pytest.raises(Incomplete, match="301"):
        tracker(server.url).labels()
    assert len(server.asked) == 4


def test_writes_keep_their_distance(server: ScriptedServer) -> None:
    """`pause` seconds lie between two writes, and none before a read."""
    server.script(*[Reply(data=issue(1))] * 2, Reply(data=[]))
    log: list[Request] = []
    at = tracker(server.url, pause=0.2, log=log.append)
    at.update(1, EDIT)
    at.update(1, EDIT)
    at.labels()
    assert log[1].seconds >= 0.19
    assert log[2].seconds < 0.19
