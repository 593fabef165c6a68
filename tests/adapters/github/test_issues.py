"""The tracker against the stand-in, and against what the stand-in cannot say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.tracker import (
    ISSUE_DELETED,
    ISSUE_TRANSFERRED,
    ISSUE_UNREACHABLE,
    Issue,
    IssueEdit,
    Label,
    MissingIssue,
)
from incident_ops.errors import Incomplete, WriteFailed
from tests.adapters.github.building import NAME, body, issue, tracker
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.standin import PERSON_TOKEN, Standin

OURS = ["incident", "sev1"]


def test_an_issue_lives_its_life(github: Standin) -> None:
    """Opened, changed, closed as duplicate, reopened: each is what a reader then sees."""
    name = github.new_repository()
    at: IssueTracker = tracker(github.url, name)
    assert list(at.owned()) == []
    number = at.create("INC-1", "Login fails", body("INC-1"), OURS, ["alice"])
    expected = Issue(
        number=number,
        title="Login fails",
        body=body("INC-1"),
        labels=tuple(OURS),
        assignees=("alice",),
        author="keeper",
    )
    assert list(at.owned()) == [expected]
    at.update(number, IssueEdit(title="Login slow", remove_labels=("sev1", "gone"), add_assignees=("bob",)))
    at.close(number, "duplicate", IssueEdit(body=body("INC-1", "closed"), add_labels=("sev2",)))
    seen = at.look_up(number)
    assert isinstance(seen, Issue)
    assert (seen.title, seen.labels, seen.assignees) == ("Login slow", ("incident", "sev2"), ("alice", "bob"))
    assert (seen.state, seen.state_reason, seen.body) == ("closed", "duplicate", body("INC-1", "closed"))
    at.reopen(number, IssueEdit(remove_assignees=("bob",)))
    again = at.look_up(number)
    assert isinstance(again, Issue)
    assert (again.state, again.state_reason, again.assignees) == ("open", "reopened", ("alice",))
    assert (at.source, at.repository, at.has_sub_issues) == ("github", name, False)


def test_nothing_is_sent_for_an_edit_of_nothing(server: ScriptedServer) -> None:
    """An empty edit costs no request."""
    tracker(server.url).update(1, IssueEdit())
    assert not server.asked


def test_owned_leaves_out_pull_requests_and_counts_an_issue_once(server: ScriptedServer) -> None:
    """An issue with both labels is in both lists; GitHub lists pull requests as issues."""
    both = issue(2, labels=["incident", "action-item"])
    server.script(
        Reply(data=[issue(9, pull_request={"url": "x"}), both]), Reply(data=[issue(1, labels=["action-item"]), both])
    )
    assert [one.number for one in tracker(server.url).owned()] == [1, 2]


def test_gone_accounts_and_empty_bodies_are_read(server: ScriptedServer) -> None:
    """GitHub gives null for a body that is empty and an account that is gone."""
    server.script(Reply(data={**issue(1), "body": None, "user": None, "assignees": None}))
    seen = tracker(server.url).look_up(1)
    assert isinstance(seen, Issue)
    assert (seen.body, seen.author, seen.assignees) == ("", "", ())


def test_parents_come_with_the_issue(server: ScriptedServer) -> None:
    """The parent's number, in whatever repository it lies."""
    here, there = f"{{url}}/repos/{NAME}/issues/4", "{url}/repos/acme/other/issues/4"
    server.script(
        Reply(
            data=[issue(5, parent_issue_url=here), issue(6, parent_issue_url=there), issue(7, parent_issue_url=None)]
        ),
        Reply(data=[]),
    )
    at = tracker(server.url)
    assert at.has_sub_issues is None
    assert [one.parent for one in at.owned()] == [4, 4, None]
    assert at.has_sub_issues is True


@pytest.mark.parametrize(
    ("status", "message", "why"),
    [(404, "Not Found", ISSUE_UNREACHABLE), (410, "This issue was deleted", ISSUE_DELETED)],
)
def test_an_issue_that_is_not_there_is_gone(server: ScriptedServer, status: int, message: str, why: str) -> None:
    """Gone is data, not an error."""
    server.script(Reply(status, {"message": message}))
    assert tracker(server.url).look_up(4) == MissingIssue(number=4, why=why)


def test_disabled_issues_are_no_deletion(server: ScriptedServer) -> None:
    """The same 410 means that nothing can be told."""
    server.script(Reply(410, {"message": "Issues are disabled for this repo"}))
    with pytest.raises(Incomplete, match="disabled"):
        tracker(server.url).look_up(4)


def test_a_transferred_issue_is_told_with_its_address(server: ScriptedServer) -> None:
    """301 to another repository; the repository itself still has its name."""
    server.script(
        Reply(301, {}, {"Location": "{url}/repositories/8/issues/2"}),
        Reply(data=issue(2, repository="acme/other")),
        Reply(data={"full_name": NAME}),
    )
    at = tracker(server.url)
    assert at.look_up(4) == MissingIssue(
        number=4, why=ISSUE_TRANSFERRED, place=f"{server.url}/repos/acme/other/issues/2"
    )
    assert at.renamed_to is None


def test_an_issue_of_a_renamed_repository_was_not_transferred(server: ScriptedServer) -> None:
    """The same 301, but it is the repository that moved."""
    server.script(
        Reply(301, {}, {"Location": "{url}/repositories/7/issues/4"}),
        Reply(data=issue(4, repository="acme/new")),
        Reply(301, {}, {"Location": "{url}/repositories/7"}),
        Reply(data={"full_name": "acme/new"}),
    )
    at = tracker(server.url)
    seen = at.look_up(4)
    assert isinstance(seen, Issue)
    assert (seen.number, at.renamed_to) == (4, "acme/new")


def test_a_number_that_is_a_pull_request_is_no_issue(server: ScriptedServer) -> None:
    """A record may name a number that never was an issue."""
    server.script(Reply(data=issue(4, pull_request={"url": "x"})))
    seen = tracker(server.url).look_up(4)
    assert isinstance(seen, MissingIssue)
    assert (seen.why, seen.place) == (ISSUE_UNREACHABLE, f"{server.url}/repos/{NAME}/issues/4")


def test_closing_names_the_person(github: Standin) -> None:
    """Who closed it last, and when; nothing merged, so no evidence."""
    name = github.new_repository()
    at = tracker(github.url, name)
    number = at.create("INC-1", "x", body("INC-1"), OURS, [])
    github.ask("PATCH", f"/repos/{name}/issues/{number}", {"state": "closed"}, token=PERSON_TOKEN)
    found = at.closing(number)
    assert (found.by, found.evidence) == ("alice", None)
    assert found.at is not None
    assert len(found.at) == len("2026-01-01T00:00:00Z")


def test_assignable_asks_once_for_all(github: Standin) -> None:
    """One list answers for everybody while it has less than 100 people, in any case of letters; answers are kept."""
    at = tracker(github.url, github.new_repository())
    wanted = ["Alice", "bob", "stranger", "nosuch", "acme/team", "two words", ""]
    assert at.assignable(wanted) == {"Alice", "bob"}
    assert at.assignable(["alice", "nosuch"]) == {"alice"}
    assert at.requests_made == 1


def test_assignable_asks_alone_for_those_past_the_first_page(server: ScriptedServer) -> None:
    """A full page leaves the others open: each is then asked about."""
    full = [{"login": f"person-{number}"} for number in range(100)]
    server.script(Reply(data=full), Reply(404, {}), Reply(204), Reply(403, {"message": "no"}))
    at = tracker(server.url)
    assert at.assignable(["person-7", "zoe", "Zorro[bot]"]) == {"person-7", "zoe"}
    assert server.lines[1:] == [f"GET /repos/{NAME}/assignees/{login}" for login in ("Zorro%5Bbot%5D", "zoe")]
    with pytest.raises(Incomplete, match="whether ann can be assigned"):
        at.assignable(["ann"])


def test_a_label_is_made_once_in_any_case(server: ScriptedServer) -> None:
    """A label that is there stays as people have it; another 422 is told."""
    exists = {
        "message": "Validation Failed",
        "errors": [{"resource": "Label", "code": "already_exists", "field": "name"}],
    }
    absent = Reply(404, {"message": "Not Found"})
    server.script(
        Reply(201, {"name": "SEV1"}),
        *[Reply(422, exists), Reply(data={"name": "SEV1"})],
        *[Reply(422, {"message": "bad colour"}), absent],
    )
    at = tracker(server.url)
    at.create_label(Label(name="SEV1", color="ff0000", description="worst"))
    at.create_label(Label(name="sev1"))
    assert server.asked[0].body == {"name": "SEV1", "color": "ff0000", "description": "worst"}
    with pytest.raises(WriteFailed, match="label `x`: GitHub answered 422 bad colour"):
        at.create_label(Label(name="x"))


def test_labels_of_the_standin_are_read(github: Standin) -> None:
    """Name, colour and description come back."""
    at = tracker(github.url, github.new_repository())
    label = Label(name="sev1", color="ff0000", description="worst")
    at.create_label(label)
    at.create_label(label)
    assert label in at.labels()


def test_what_github_would_refuse_for_its_length_is_not_sent(server: ScriptedServer) -> None:
    """Lengths are said clearly, before anything is sent."""
    at = tracker(server.url)
    refusals: dict[str, Callable[[], object]] = {
        "65,537 characters": lambda: at.update(1, IssueEdit(body="x" * 65_537)),
        "257 characters": lambda: at.create("INC-1", "x" * 257, "b", OURS, []),
        "the title is empty": lambda: at.update(1, IssueEdit(title=" ")),
        "51 characters": lambda: at.create_label(Label(name="x" * 51)),
        "101 characters": lambda: at.create_label(Label(name="x", description="x" * 101)),
    }
    for words, act in refusals.items():
        with pytest.raises(WriteFailed, match=words):
            act()
    assert not server.asked


def test_a_link_names_the_child_by_its_id(server: ScriptedServer) -> None:
    """GitHub wants the id there, which is not the number; twice is no error."""
    twice = Reply(422, {"message": "An error occurred", "errors": ["Issue may not contain duplicate sub-issues"]})
    server.script(Reply(data=issue(5, sub_issues_summary={})), Reply(502), twice)
    tracker(server.url).link(4, 5)
    assert server.lines == [
        f"GET /repos/{NAME}/issues/5",
        *[f"POST /repos/{NAME}/issues/4/sub_issues"] * 2,
    ]
    assert server.asked[1].body == {"sub_issue_id": 1005, "replace_parent": True}


def test_a_server_without_sub_issues_is_asked_nothing_more(github: Standin) -> None:
    """The stand-in has none and its issues show it: no link is tried, and nothing but the link is lost."""
    at = tracker(github.url, github.new_repository())
    first = at.create("INC-1", "x", body("INC-1"), OURS, [])
    second = at.create("INC-1/AI-1", "y", body("INC-1/AI-1"), ["action-item"], [], parent=first)
    before = at.requests_made
    at.link(first, second)
    assert (at.has_sub_issues, at.requests_made) == (False, before)


def test_a_link_that_fails_does_not_lose_the_number(server: ScriptedServer) -> None:
    """The issue is open; the next plan shows the missing link, and asked alone the link tells its refusal."""
    full = Reply(422, {"message": "Parent cannot have more than 100 sub-issues"})
    made = issue(8, labels=["action-item"], sub_issues_summary={})
    server.script(Reply(403), Reply(data=[]), Reply(data=[]), Reply(201, made), full, full)
    at = tracker(server.url)
    assert at.create("INC-1/AI-1", "y", body("INC-1/AI-1"), ["action-item"], [], parent=4) == 8
    with pytest.raises(WriteFailed, match="more than 100"):
        at.link(4, 8)


@pytest.mark.parametrize(("incidents", "items", "most"), [(50, 200, 6), (125, 125, 6), (0, 0, 3), (100, 100, 5)])
def test_an_unchanged_tracker_costs_what_the_contract_allows(
    github: Standin, incidents: int, items: int, most: int
) -> None:
    """At most 3 + ceil(owned / 100) requests."""
    name = github.new_repository()
    for number in range(incidents + items):
        label = "incident" if number < incidents else "action-item"
        key = f"INC-{number + 1}"
        github.ask("POST", f"/repos/{name}/issues", {"title": key, "body": body(key), "labels": [label]})
    at = tracker(github.url, name)
    assert len(at.owned()) == incidents + items
    at.labels()
    assert at.requests_made <= most
