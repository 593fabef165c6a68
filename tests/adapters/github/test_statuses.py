"""What is said of single commits: on exactly that one, and the newest word of a name counts."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.adapters.github.statuses import GitHubStatuses
from incident_ops.errors import Incomplete, UserError, WriteFailed
from tests.adapters.github.building import NAME
from tests.support.scripted_server import CUT, DROP, Reply, ScriptedServer

SHA = "7be19f2" + "0" * 33
OURS = "incident-ops/validate"


def statuses(server: ScriptedServer) -> GitHubStatuses:
    there = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": "ghs_test", "GITHUB_REPOSITORY": NAME}
    return GitHubStatuses.of(there, None, sleep=lambda _: None)


def status(state: str, context: str = OURS) -> dict[str, Any]:
    return {"id": 1, "state": state, "context": context, "description": None, "target_url": None}


@pytest.mark.parametrize(
    ("listed", "newest"),
    [
        ([], ""),
        ([status("success")], "success"),
        ([status("failure"), status("success")], "failure"),
        ([status("success", "other"), status("pending")], "pending"),
        ([status("success", "incident-ops/access")], ""),
        ([status("error", "Incident-Ops/Validate"), status("success")], "error"),
    ],
    ids=["none", "one", "the newest first", "another name before", "another name", "the name in another case"],
)
def test_the_newest_of_a_name_counts(server: ScriptedServer, listed: list[dict[str, Any]], newest: str) -> None:
    server.script(Reply(data=listed))
    assert statuses(server).newest(SHA, OURS) == newest
    assert server.lines == [f"GET /repos/{NAME}/commits/{SHA}/statuses"]


def test_it_is_looked_for_on_every_page(server: ScriptedServer) -> None:
    following = {"link": f'<{{url}}/repos/{NAME}/commits/{SHA}/statuses?page=2>; rel="next"'}
    server.script(Reply(data=[status("success", "other")], headers=following), Reply(data=[status("error")]))
    assert statuses(server).newest(SHA, OURS) == "error"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, {"message": "Not Found"}),
        Reply(422, {"message": f"No commit found for SHA: {SHA}"}),
        Reply(500, {"message": "oops"}),
        Reply(data={"statuses": []}),
        Reply(data=[{"state": "success"}]),
        Reply(data=[], fault=DROP),
        Reply(data=[status("success")], fault=CUT),
    ],
)
def test_what_cannot_be_read_is_no_answer(server: ScriptedServer, reply: Reply) -> None:
    server.script(*[reply] * 5)
    with pytest.raises(Incomplete):
        statuses(server).newest(SHA, OURS)


def test_it_is_said_of_that_commit_and_a_long_text_is_cut(server: ScriptedServer) -> None:
    server.script(Reply(201, {"id": 1}), Reply(502), Reply(201, {"id": 2}))
    statuses(server).tell(SHA, OURS, "failure", "x" * 200)
    statuses(server).tell(SHA, OURS, "success", "fine", "https://example.org/run")
    assert server.lines == [f"POST /repos/{NAME}/statuses/{SHA}"] * 3
    assert server.asked[0].body == {"state": "failure", "context": OURS, "description": "x" * 140}
    assert server.asked[2].body == {
        "state": "success",
        "context": OURS,
        "description": "fine",
        "target_url": "https://example.org/run",
    }


@pytest.mark.parametrize("headers", [{}, {"x-accepted-github-permissions": "statuses=write"}])
def test_a_missing_permission_is_named(server: ScriptedServer, headers: dict[str, str]) -> None:
    server.script(Reply(403, {"message": "Resource not accessible by integration"}, headers))
    with pytest.raises(WriteFailed) as error:
        statuses(server).tell(SHA, OURS, "success", "fine")
    assert "statuses: write" in error.value.hint.replace("=", ": ")
    assert error.value.is_final


def test_a_missing_permission_to_read_is_named(server: ScriptedServer) -> None:
    server.script(Reply(403, {"message": "Resource not accessible by integration"}))
    with pytest.raises(Incomplete) as error:
        statuses(server).newest(SHA, OURS)
    assert "statuses: read" in error.value.hint


def test_without_a_token_nothing_is_asked() -> None:
    with pytest.raises(UserError, match="token"):
        GitHubStatuses.of({"GITHUB_REPOSITORY": NAME}, None)
