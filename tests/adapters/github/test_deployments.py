"""Whether a commit was deployed before: only a success that is known counts."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.adapters.github.deployments import Deployments
from incident_ops.errors import Incomplete, UserError, WriteFailed
from tests.adapters.github.building import NAME
from tests.support.scripted_server import CUT, DROP, Reply, ScriptedServer

SHA = "7be19f2" + "0" * 33


def deployments(server: ScriptedServer) -> Deployments:
    there = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": "ghs_test", "GITHUB_REPOSITORY": NAME}
    return Deployments.of(there, None, sleep=lambda _: None)


def deployment(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": number, "sha": SHA, "environment": "production", "ref": "main", "task": "deploy", **changes}


def statuses(*states: str) -> Reply:
    """As GitHub lists them: the newest first. Ours are about api, one with `!` is somebody else's."""
    listed = [
        {
            "id": 10 + n,
            "state": state.strip("!"),
            "description": "" if "!" in state else "incident-ops api: canary g: ok",
        }
        for n, state in enumerate(states)
    ]
    return Reply(data=listed[::-1])


@pytest.mark.parametrize(
    ("states", "passed"),
    [
        ((), False),
        (("in_progress",), False),
        (("in_progress", "success"), True),
        (("success", "inactive"), True),
        (("success", "failure"), False),
        (("failure", "inactive"), False),
        (("inactive",), False),
        (("failure", "success"), True),
        (("success!",), False),
        (("error", "success!"), False),
        (("success", "success!"), True),
        (("success", "failure!"), False),
    ],
)
def test_the_newest_status_that_tells_something_counts(
    server: ScriptedServer, states: tuple[str, ...], passed: bool
) -> None:
    server.script(Reply(data=[deployment(1)]), statuses(*states))
    assert deployments(server).deployment_passed(SHA, "production", "api") is passed
    assert server.lines == [f"GET /repos/{NAME}/deployments", f"GET /repos/{NAME}/deployments/1/statuses"]
    assert f"sha={SHA}" in server.asked[0].path
    assert "environment=production" in server.asked[0].path


def test_a_status_about_another_service_does_not_count(server: ScriptedServer) -> None:
    server.script(Reply(data=[deployment(1)]), statuses("success"))
    assert not deployments(server).deployment_passed(SHA, "production", "ap")


def test_one_deployment_that_ended_well_is_enough(server: ScriptedServer) -> None:
    server.script(Reply(data=[deployment(2), deployment(1)]), statuses("failure"), statuses("success"))
    assert deployments(server).deployment_passed(SHA, "production", "api")


def test_a_deployment_of_another_commit_or_environment_does_not_count(server: ScriptedServer) -> None:
    """Even where the server lists it."""
    server.script(Reply(data=[deployment(1, sha="a" * 40), deployment(2, environment="staging")]))
    assert not deployments(server).deployment_passed(SHA, "production", "api")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, {"message": "Not Found"}),
        Reply(403, {"message": "Resource not accessible by integration"}),
        Reply(500, {"message": "oops"}),
        Reply(data={"deployments": []}),
        Reply(data=[{"id": "one"}]),
        Reply(text="<html>"),
        Reply(data=[], fault=DROP),
        Reply(data=[deployment(1)], fault=CUT),
    ],
)
def test_what_cannot_be_read_is_no_answer(server: ScriptedServer, reply: Reply) -> None:
    server.script(*[reply] * 5)
    with pytest.raises(Incomplete):
        deployments(server).deployment_passed(SHA, "production", "api")


def test_without_a_token_nothing_is_asked() -> None:
    with pytest.raises(UserError, match="token"):
        Deployments.of({"GITHUB_REPOSITORY": NAME}, None)


def test_a_status_is_written_and_a_refusal_is_told(server: ScriptedServer) -> None:
    """The verdict as GitHub takes it; without the permission the error names it."""
    needs = {"x-accepted-github-permissions": "deployments=write"}
    server.script(Reply(201, {"id": 1}), Reply(403, {"message": "Resource not accessible by integration"}, needs))
    deployments(server).tell(7, "failure", "canary " + "x" * 200)
    with pytest.raises(WriteFailed) as error:
        deployments(server).tell(7, "success", "fine")
    assert "deployments=write" in error.value.hint
    assert server.lines == [f"POST /repos/{NAME}/deployments/7/statuses"] * 2
    sent = server.asked[0].body
    assert (sent["state"], len(sent["description"]), sent["auto_inactive"]) == ("failure", 140, False)
