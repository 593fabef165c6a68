"""Whether a token can open issues in a team's repository; asked before anything is written there."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.tracker import Unreached
from incident_ops.errors import Incomplete, Stopped
from tests.adapters.github.building import NAME, issue, tracker
from tests.support.scripted_server import Reply, ScriptedServer

TEAM = {"id": 8, "full_name": "acme/app", "archived": False, "has_issues": True}
PERSON, APP_TOKEN = {"push": False, "triage": True}, {"push": False, "pull": False}


def seen(**fields: Any) -> Reply:
    """GitHub's answer about the repository."""
    return Reply(data={**TEAM, **fields})


def found(server: ScriptedServer, *replies: Reply) -> Any:
    """What is known of the repository after these answers."""
    server.script(*replies)
    return tracker(server.url).beside("acme/app", "action-item")


def test_a_person_who_may_triage_there_reaches_it(server: ScriptedServer) -> None:
    """One request; it is asked about once a run."""
    server.script(seen(permissions=PERSON), seen(permissions=PERSON))
    here = tracker(server.url)
    there = here.beside("acme/app", "action-item")
    assert here.beside("Acme/App", "action-item") is there
    assert (there.repository, there.repository_id, there.records_id) == ("acme/app", 8, here.records_id)
    assert here.requests_made == there.requests_made


@pytest.mark.parametrize(("ids", "is_reached"), [([1, 8], True), ([1], False)])
def test_an_app_reaches_what_it_was_given(server: ScriptedServer, ids: list[int], *, is_reached: bool) -> None:
    """Its permissions on a repository tell nothing, the list of its repositories does."""
    given = Reply(data={"total_count": len(ids), "repositories": [{"id": one} for one in ids]})
    got = found(server, seen(permissions=APP_TOKEN), given)
    assert isinstance(got, Unreached) is not is_reached
    if not is_reached:
        assert got.why() == (
            "acme/app is not open to this token (use the token of a GitHub App that is installed there with "
            "`Issues: write`)"
        )


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([Reply(404, {"message": "Not Found"})], "is not there, or this token may not see it"),
        (
            [Reply(403, {"message": "Resource protected by organization SAML enforcement"})],
            "is not there, or this token",
        ),
        ([seen(archived=True)], "is archived"),
        ([seen(has_issues=False)], "has issues switched off"),
        (
            [seen(permissions=PERSON | {"triage": False}), Reply(403, {"message": "no App"})],
            "is not open to this token",
        ),
    ],
)
def test_a_repository_that_takes_no_issues_says_why(server: ScriptedServer, replies: list[Reply], reason: str) -> None:
    """Nothing is written to find out."""
    got = found(server, *replies)
    assert got.reason.startswith(reason)
    assert got.hint


def test_an_answer_that_says_nothing_is_no_refusal(server: ScriptedServer) -> None:
    """The next run asks again; nothing is opened elsewhere meanwhile."""
    with pytest.raises(Incomplete):
        found(server, *[Reply(502)] * 6)
    with pytest.raises(Incomplete):
        found(server, Reply(data={"name": "app"}))


def test_the_budget_is_one_for_all_repositories(server: ScriptedServer) -> None:
    """A team's repository cannot spend more than what is left."""
    server.script(seen(permissions=PERSON))
    there = tracker(server.url, requests=1).beside("acme/app", "action-item")
    with pytest.raises(Stopped):
        there.owned()


def test_an_issue_there_becomes_a_sub_issue_here(server: ScriptedServer) -> None:
    """The request goes to the parent's repository, with the id of the child."""
    one = Reply(data=[issue(5, parent_issue_url=None, repository="acme/app")])
    server.script(seen(permissions=PERSON), one, Reply(201, issue(4)))
    there = tracker(server.url).beside("acme/app", "action-item")
    there.owned()
    there.link(4, 5)
    assert server.lines[-1] == f"POST /repos/{NAME}/issues/4/sub_issues"
    assert server.asked[-1].body["sub_issue_id"] == 1005
