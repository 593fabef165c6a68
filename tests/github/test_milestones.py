"""Milestones of releases on GitHub: what is sent, what befalls it, and what the whole command does on the stand-in."""

from __future__ import annotations

import pytest

from incident_ops.domain.tracker import Issue, IssueEdit, Milestone
from incident_ops.errors import WriteFailed
from tests.adapters.github.building import BOT, body, issue, tracker
from tests.github import matrix, runs
from tests.github.faulty import AFTER, BEFORE, DROP, KILL, Fault, Proxy
from tests.github.gate import Gate
from tests.github.matrix import Stage
from tests.reconcile.builders import item, record
from tests.reconcile.test_milestones import DAY, LATER, released
from tests.support.laws import chosen
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.standin import PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])

OURS = ["incident"]
FIRST = [record(1, item(1, due=DAY), severity="SEV3"), record(2, item(1, due=LATER))]
KINDS = [(KILL, BEFORE), (KILL, AFTER), (DROP, AFTER), ("502", BEFORE), ("500", AFTER), ("403_permission", BEFORE)]


def test_a_milestone_is_made_set_moved_and_taken_off(github: Standin, gate: Gate) -> None:
    """Each request and answer is as GitHub's API describes it; a second making is no error."""
    name = github.new_repository()
    at = tracker(github.url, name)
    for title, day in (("2025.3", DAY), ("2025.4", LATER)):
        at.create_milestone(Milestone(title=title, due=day))
        at.create_milestone(Milestone(title=title, due=day))
    assert at.milestones() == [Milestone(title="2025.3", due=DAY), Milestone(title="2025.4", due=LATER)]
    number = at.create("INC-1", "Login fails", body("INC-1"), OURS, [], None, "2025.3")

    def seen() -> str | None:
        found = at.look_up(number)
        assert isinstance(found, Issue)
        return found.milestone

    assert seen() == "2025.3"
    at.update(number, IssueEdit(milestone="2025.4"))
    assert seen() == "2025.4"
    at.update(number, IssueEdit(title="Login slow"))
    assert seen() == "2025.4"
    at.update(number, IssueEdit(milestone=""))
    assert seen() is None


def test_another_run_that_makes_it_meanwhile_is_no_error(github: Standin, gate: Gate) -> None:
    name = github.new_repository()
    at, other = tracker(github.url, name), tracker(github.url, name)
    assert at.milestones() == []
    other.create_milestone(Milestone(title="2025.3", due=DAY))
    at.create_milestone(Milestone(title="2025.3", due=DAY))
    assert len(other.milestones()) == 1


def test_of_two_milestones_that_differ_in_case_the_open_one_is_set(server: ScriptedServer) -> None:
    listed = [{"number": 3, "title": "V1", "state": "closed"}, {"number": 4, "title": "v1", "state": "open"}]
    server.script(Reply(data=listed), Reply(data=issue(1)))
    tracker(server.url).update(1, IssueEdit(milestone="V1"))
    assert server.asked[1].body == {"milestone": 4}


def test_an_issue_is_opened_and_changed_also_where_its_milestone_is_missing(server: ScriptedServer) -> None:
    """An incident's issue never waits for a milestone; a change says what is missing once the rest is done."""
    server.script(
        Reply(data=[]),
        Reply(data={"login": BOT}),
        Reply(data=[]),
        Reply(data=[]),
        Reply(201, issue(1)),
        Reply(data=issue(1)),
    )
    at = tracker(server.url)
    at.milestones()
    assert at.create("INC-1", "Login fails", body("INC-1"), OURS, [], None, "2025.3") == 1
    assert "milestone" not in server.asked[-1].body
    with pytest.raises(WriteFailed, match="there is no milestone"):
        at.update(1, IssueEdit(title="Login slow", milestone="2025.3"))
    assert server.asked[-1].body == {"title": "Login slow"}


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a policy with two releases."""
    policy = released(("2025.3", DAY), ("2025.4", LATER))
    ours = runs.OURS
    monkeypatch.setattr(
        runs,
        "OURS",
        type(ours)(
            **{
                name: getattr(policy if name in ("levels", "releases") else ours, name)
                for name in ours.__struct_fields__
            }
        ),
    )
    monkeypatch.setattr(matrix, "FIRST", FIRST)


def milestones(stage: Stage) -> dict[str, str | None]:
    """Key -> the milestone of its issue, asked beside the program."""
    found = runs.issues(stage.github, stage.repository)
    return {one["title"].partition(": ")[0]: one["milestone"] and one["milestone"]["title"] for one in found}


@pytest.mark.usefixtures("scene")
@pytest.mark.parametrize(("what", "when"), KINDS)
def test_every_request_may_fail(github: Standin, proxy: Proxy, gate: Gate, what: str, when: str) -> None:
    """After the runs that follow each issue has its milestone, and there is one for each release."""
    whole = Stage(github, proxy, "first")
    whole.run()
    for at in chosen(f"milestones, {what} {when}", range(len(proxy.log)), sample=3):
        stage = Stage(github, proxy, "first")
        stage.run(Fault(at, what, when))
        stage.settle()
        stage.laws(doubles=False)
        assert milestones(stage) == {"INC-1": "2025.3", "INC-1/AI-1": "2025.3", "INC-2": None, "INC-2/AI-1": "2025.4"}
        made = github.ask("GET", f"/repos/{stage.repository}/milestones")
        assert sorted(one["title"] for one in made) == ["2025.3", "2025.4"]


@pytest.mark.usefixtures("scene")
def test_a_run_lists_milestones_once_and_one_in_step_never(github: Standin, proxy: Proxy, gate: Gate) -> None:
    """What a person set is left alone, and asks for nothing."""
    stage = Stage(github, proxy, "first")
    stage.run()
    assert [one.path.partition("?")[0] for one in proxy.log if "/milestones" in one.path and one.method == "GET"] == [
        f"/repos/{stage.repository}/milestones"
    ]
    stage.settle()
    mine = github.ask("POST", f"/repos/{stage.repository}/milestones", {"title": "mine"}, token=PERSON_TOKEN)
    found = next(one for one in runs.issues(github, stage.repository) if one["title"].startswith("INC-2/AI-1"))
    change = {"milestone": mine["number"]}
    github.ask("PATCH", f"/repos/{stage.repository}/issues/{found['number']}", change, token=PERSON_TOKEN)
    stage.run()
    assert not [one for one in proxy.log if "/milestones" in one.path or one.method == "PATCH"]
    assert milestones(stage)["INC-2/AI-1"] == "mine"
