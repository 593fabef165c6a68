"""Action items in the repository of the team that owns the service: opened, worked on and closed there."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_ops.adapters.github import connect
from incident_ops.adapters.github import issues as adapter
from incident_ops.adapters.github.client import Wire
from incident_ops.adapters.github.responses import Answer, Lost
from incident_ops.app import apply as applying
from incident_ops.domain.time import stamp
from incident_ops.domain.tracker import WholeList
from incident_ops.errors import WriteFailed
from incident_ops.reconcile.generated_block import owner
from tests.cli.scene import Folder
from tests.cli.test_apply_github import TRUSTED
from tests.cli.test_incremental_listing import pass_a_second
from tests.cli.test_two_way import Team
from tests.support.hosted import hosted
from tests.support.standin import BOB_TOKEN, PERSON_TOKEN, Standin

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]), pytest.mark.slow]


BARE = re.compile(r"(?<![\w/&])#\d+")
"""A number without its repository."""


class Teams(Team):
    """The same team, whose items have their issues in a second repository, `app`."""

    app: str

    def there(self) -> dict[str, dict[str, Any]]:
        """Key -> its open or closed issue in the repository of the team."""
        found = self.github.ask("GET", f"/repos/{self.app}/issues?state=all&per_page=100")
        return {key: one for one in found if (key := owner(one["body"] or ""))}

    def item_issue(self) -> dict[str, Any]:
        """The issue of the action item, there."""
        (issue,) = self.there().values()
        return issue

    def does_there(self, token: str, **fields: object) -> None:
        """Somebody changes it in the browser."""
        path = f"/repos/{self.app}/issues/{self.item_issue()['number']}"
        self.github.ask("PATCH", path, fields, token=token)

    def said_there(self) -> list[str]:
        """The comments under it."""
        found = self.github.ask("GET", f"/repos/{self.app}/issues/{self.item_issue()['number']}/comments")
        return [one["body"].replace("&#8203;", "") for one in found]

    def accept(self) -> None:
        """One proposal after the other, with the run that follows each merge."""
        while pulls := self.ask("GET", "/pulls?state=open"):
            self.folder.git("fetch", "--quiet", "origin", pulls[0]["head"]["ref"])
            self.folder.git("merge", "--quiet", "--squash", "FETCH_HEAD")
            self.push(pulls[0]["title"])
            self.apply()

    def has_issues_in(self, repository: str) -> None:
        """services.yaml names another repository for the items of `api`."""
        services = {"api": {"owner": "@acme/api", **({"issues": repository} if repository else {})}}
        (self.folder.path / "services.yaml").write_text(yaml.safe_dump({"services": services}))


@pytest.fixture
def declared(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Teams:
    """An incident with one action item of bob's, pushed; no run has been yet."""
    folder = Folder(tmp_path / "clone", policy=f"extends: sev0-3\n{TRUSTED}")
    repository = hosted(folder, github, monkeypatch)
    made = Teams(folder, tmp_path / "origin.git", github, repository, "")
    made.app = github.new_repository()
    made.has_issues_in(made.app)
    made.command("declare", "Login fails", "-s", "api", "--severity", "SEV2", "--by", "@alice")
    made.command("action", "add", "Alert on the locks", "--owner", "@bob", "--due", "2099-03-01")
    made.push("An incident")
    return made


@pytest.fixture
def teams(declared: Teams) -> Teams:
    """The same after a run, its numbers merged."""
    declared.apply()
    declared.accept()
    assert declared.nothing_is_planned()
    return declared


@pytest.mark.slow
def test_the_issues_of_a_service_are_in_its_repository(declared: Teams) -> None:
    """Opened there with its labels; a second run plans nothing; merged, both issues name each other."""
    plan = declared.command("plan", "--tracker", "github")
    assert "create INC-" in plan
    assert f"/AI-1 in {declared.app}" in plan
    declared.apply()
    issue = declared.item_issue()
    assert {label["name"] for label in issue["labels"]} == {"action-item"}
    assert [one["login"] for one in issue["assignees"]] == ["bob"]
    assert all("/" not in key for key in declared.issues()), "no issue of the item beside the tracking issue"
    assert f"**Incident:** {declared.repository}#{declared.issue('')['number']} " in issue["body"]
    assert not BARE.findall(declared.issue("")["body"] + issue["body"]), "no number of one repository in the other"
    assert "Nothing to do" in declared.command("plan", "--tracker", "github")
    declared.accept()
    assert declared.item()["issue"] == f"{declared.app}#{issue['number']}"
    assert not BARE.findall(declared.issue("")["body"] + declared.item_issue()["body"])
    assert f"{declared.app}#{issue['number']}" in declared.issue("")["body"]
    assert f"{declared.repository}#{declared.issue('')['number']}" in declared.item_issue()["body"]
    assert declared.nothing_is_planned()
    assert declared.command("validate")


@pytest.mark.slow
def test_bob_closes_it_there_and_alice_reopens_it(teams: Teams) -> None:
    """What people do there comes into the record as from the records' own repository."""
    name = f"{teams.app}#{teams.item_issue()['number']}"
    teams.does_there(BOB_TOKEN, state="closed", state_reason="completed")
    teams.apply()
    (pull,) = teams.ask("GET", "/pulls?state=open")
    assert name in pull["body"]
    teams.accept()
    assert (teams.item()["status"], teams.item()["done_by"]) == ("done", "@bob")
    assert teams.nothing_is_planned()
    teams.does_there(PERSON_TOKEN, state="open")
    teams.apply()
    (said,) = teams.said_there()
    assert "@alice reopened this issue" in said
    teams.accept()
    assert teams.item()["status"] == "open"
    assert teams.item()["changes"][0]["reason"] == f"reopened on the tracker ({name})"
    assert teams.nothing_is_planned()
    assert teams.said_there()[0].endswith("Settled: this issue and its record agree.")


@pytest.mark.slow
def test_a_refused_proposal_is_named_with_its_repository(teams: Teams) -> None:
    """The comment stands in another repository than the pull request, where `#3` would be somebody else's issue."""
    teams.does_there(BOB_TOKEN, state="closed", state_reason="completed")
    teams.apply()
    (pull,) = teams.ask("GET", "/pulls?state=open")
    teams.ask("PATCH", f"/pulls/{pull['number']}", {"state": "closed"}, token=PERSON_TOKEN)
    teams.apply()
    (said,) = teams.said_there()
    assert f"@alice closed {teams.repository}#{pull['number']} without merging" in said
    assert f"reopening {teams.repository}#{pull['number']} proposes it again" in said
    assert not BARE.findall(said)
    assert teams.nothing_is_planned()


@pytest.mark.slow
def test_bob_hands_it_to_alice_there(teams: Teams) -> None:
    """The assignee there becomes the owner in the record."""
    teams.does_there(BOB_TOKEN, assignees=["alice"])
    teams.apply()
    teams.accept()
    assert teams.item()["owner"] == "@alice"
    assert teams.nothing_is_planned()


@pytest.mark.slow
def test_a_box_in_the_tracking_issue_closes_the_issue_there(teams: Teams) -> None:
    """Ticked in one repository, done in the record, closed in the other."""
    body = teams.issue("")["body"]
    teams.does(BOB_TOKEN, "", body=body.replace("- [ ] **AI-1**", "- [x] **AI-1**"))
    teams.apply()
    teams.accept()
    assert (teams.item()["status"], teams.item()["done_by"]) == ("done", "@bob")
    assert teams.item_issue()["state"] == "closed"
    assert teams.nothing_is_planned()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("home", "team", "is_told"),
    [
        ({"visibility": "public"}, {"visibility": "public"}, True),
        ({"visibility": "private"}, {"visibility": "private"}, True),
        ({"visibility": "public"}, {"visibility": "private"}, True),
        ({"visibility": "private"}, {"visibility": "public"}, False),
        ({"visibility": "private"}, {"visibility": "internal"}, False),
        ({"visibility": None, "private": True}, {"visibility": None, "private": False}, False),
        ({"visibility": None, "private": False}, {"visibility": None, "private": False}, True),
        ({"visibility": None, "private": None}, {"visibility": "public"}, False),
        ({"visibility": "public"}, {"visibility": None, "private": None}, False),
    ],
)
def test_what_happened_is_left_out_where_more_people_can_read(
    declared: Teams,
    monkeypatch: pytest.MonkeyPatch,
    home: dict[str, object],
    team: dict[str, object],
    *,
    is_told: bool,
) -> None:
    """The issue says where the record is instead; so it does where GitHub does not tell who can read."""
    told, sent = {f"/repos/{declared.repository}": home, f"/repos/{declared.app}": team}, Wire.send

    def send(wire: Wire, method: str, place: str, body: object) -> Answer | Lost:
        answer = sent(wire, method, place, body)
        changed = told.get(place.removeprefix(declared.github.url))
        if isinstance(answer, Answer) and method == "GET" and changed and isinstance(answer.data, dict):
            return Answer(answer.status, answer.headers, {**answer.data, **changed})
        return answer

    monkeypatch.setattr(Wire, "send", send)
    declared.command("impact", "--summary", "1,200 passwords leaked")
    declared.command("cause", "--category", "deploy", "--what", "the debug log was public")
    declared.push("what happened")
    declared.apply()
    body = declared.item_issue()["body"]
    for words in ("passwords leaked", "debug log was public", "Login fails"):
        assert (words in body) is is_told, body
    assert ("**Why:** see [the record](<" in body) is not is_told, body
    assert ("What happened, and why, is left out here" in body) is not is_told, body
    assert f"**Incident:** {declared.repository}#{declared.issue('')['number']}" in body
    assert declared.command("plan", "--tracker", "github").startswith("Nothing to do")


@pytest.mark.slow
@pytest.mark.parametrize("is_merged", [True, False])
def test_another_repository_later_opens_no_second_issue(declared: Teams, github: Standin, *, is_merged: bool) -> None:
    """The recorded issue stays where it is, and the one that a run opened too, whether its number is merged or not."""
    declared.apply()
    if is_merged:
        declared.accept()
    later, first = github.new_repository(), declared.app
    for repository in (later, ""):
        declared.has_issues_in(repository)
        declared.push("the team moves")
        declared.apply()
        assert github.ask("GET", f"/repos/{later}/issues?state=all") == []
        assert list(declared.there()) != []
        assert all("/" not in key for key in declared.issues())
    declared.does_there(BOB_TOKEN, state="closed", state_reason="completed")
    declared.apply()
    declared.accept()
    assert declared.item()["issue"].startswith(f"{first}#")
    assert declared.item()["status"] == "done"


@pytest.mark.slow
def test_bob_drops_it_there(teams: Teams) -> None:
    """The reason in the record says where."""
    teams.does_there(BOB_TOKEN, state="closed", state_reason="not_planned")
    teams.apply()
    teams.accept()
    name = f"{teams.app}#{teams.item_issue()['number']}"
    assert teams.item()["reason"] == f"closed as not planned by @bob on the tracker ({name})"
    assert teams.nothing_is_planned()


def test_what_a_change_does_beside_its_base_names_the_repository(teams: Teams) -> None:
    """An item more, and where it goes; what is there already is not planned again."""
    teams.folder.git("switch", "--quiet", "--create", "change")
    teams.command("action", "add", "Alert on the disk", "--owner", "@bob", "--due", "2099-03-01")
    teams.folder.git("commit", "--quiet", "--all", "--message", "one more")
    told = teams.command("plan", "--tracker", "github", "--base", "main")
    assert f"/AI-2 in {teams.app}" in told
    assert "/AI-1 in" not in told
    assert "to add an issue" not in told


def test_beside_its_base_an_item_that_goes_to_another_repository_is_shown(declared: Teams, github: Standin) -> None:
    """With the labels that the one gets, and the other no longer; as text and as Markdown."""
    later = github.new_repository()
    declared.folder.git("switch", "--quiet", "--create", "change")
    declared.has_issues_in(later)
    declared.folder.git("commit", "--quiet", "--all", "--message", "the team moves")
    told = declared.command("plan", "--tracker", "github", "--base", "main")
    coming, _, gone = told.partition("No longer to be done")
    assert f"/AI-1 in {later}" in coming
    assert f"action-item in {later}" in coming
    assert re.search(rf"x create INC-\S+/AI-1 in {declared.app}: ", " ".join(gone.split()))
    assert later not in gone.partition("Left unchanged")[0]
    told = declared.command("plan", "--tracker", "github", "--base", "main", "--format", "markdown")
    assert re.search(rf"\| `action-item` in `{later}` \|", told)
    assert re.search(rf"\| create \| new in `{declared.app}` \| `INC-\S+/AI-1` \|", told)


def test_what_an_outage_left_open_there_is_closed_long_after(teams: Teams, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is over and no longer looked at by itself; its tracking issue leads to it."""
    path = f"/repos/{teams.app}"
    outage = Outage(monkeypatch, lambda _, place: "before" if path in place else "")
    (key,) = teams.there()
    teams.command("action", "done", "AI-1", "--by", "@bob")
    teams.command("update", "--severity", "SEV3", "--reason", "one customer", "--by", "@alice")
    teams.command("resolve", "--restored", "now", "--cause", "deploy", "--what", "x", "--why", "y", "--by", "@alice")
    teams.command("close", "--by", "@alice")
    teams.push("over")
    assert teams.call("apply", "--tracker", "github", clock=_later()).code == 3
    assert teams.item_issue()["state"] == "open"
    outage.what = lambda *_: ""
    far = stamp(datetime.now(UTC) + timedelta(days=400))
    told = teams.call("plan", "--tracker", "github", clock=far)
    assert f"close {teams.app}#{teams.item_issue()['number']} {key}" in told.out, told


def _archive(github: Standin, repository: str, **fields: object) -> None:
    github.ask("PATCH", f"/repos/{repository}", fields)


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"archived": True}, "is archived"), ({"has_issues": False}, "has issues switched off"), (None, "is not there")],
)
def test_where_the_team_takes_no_issues_it_stays_here_and_says_so(
    declared: Teams, github: Standin, fields: dict[str, bool] | None, why: str
) -> None:
    """In the plan and on the tracking issue, with the reason and the fix; the next run plans nothing."""
    if fields is None:
        declared.has_issues_in("acme/gone")
        declared.push("a repository that is not there")
    else:
        _archive(github, declared.app, **fields)
    told = declared.command("-v", "plan", "--tracker", "github")
    assert "its issue stays with the tracking issue" in told
    declared.apply()
    assert sum("/" in key for key in declared.issues()) == 1
    assert why in declared.issue("")["body"]
    assert "Nothing to do" in declared.command("plan", "--tracker", "github")
    declared.accept()
    assert isinstance(declared.item()["issue"], int)
    assert why in declared.issue("")["body"]
    assert declared.nothing_is_planned()


@pytest.mark.slow
@pytest.mark.parametrize("fields", [{"archived": True}, {"has_issues": False}])
def test_a_repository_that_takes_nothing_any_more_hides_no_other_work(
    teams: Teams, github: Standin, fields: dict[str, bool]
) -> None:
    """Its items are left alone and listed, exit code 3; the tracking issue follows its record."""
    number, (key,) = teams.item_issue()["number"], teams.there()
    _archive(github, teams.app, **fields)
    teams.command("update", "--severity", "SEV1", "--reason", "it is worse", "--by", "@alice")
    teams.push("worse")
    done = teams.call("plan", "--tracker", "github", clock=_later())
    assert done.code == 3, done
    assert f"{teams.app}: " in done.out
    done = teams.call("apply", "--tracker", "github", clock=_later())
    assert done.code == 3, done
    assert teams.app in done.err
    assert "SEV1" in {label["name"] for label in teams.issue("")["labels"]}
    assert all("/" not in key for key in teams.issues()), "no second issue"
    assert teams.item()["issue"] == f"{teams.app}#{number}"
    assert "--recreate KEY" in done.err
    done = teams.call("apply", "--tracker", "github", "--recreate", key, clock=_later())
    assert done.code == 0, done
    assert "Nothing to do" in teams.command("plan", "--tracker", "github")
    teams.accept()
    assert teams.item()["issue"] == teams.issue()["number"]
    assert teams.nothing_is_planned()


class Outage:
    """Requests about one repository whose answers are lost, as `what` says of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, what: Callable[[str, str], str]) -> None:
        self.what, self.sent = what, Wire.send
        monkeypatch.setattr(Wire, "send", lambda wire, *words: self.send(wire, *words))
        quick = functools.partial(connect.connect, sleep=lambda _: None)
        monkeypatch.setattr(connect, "connect", quick)

    def send(self, wire: Wire, method: str, place: str, body: object) -> Answer | Lost:
        """`before` = it never comes there, `after` = only its answer is lost."""
        when = self.what(method, place)
        answer = None if when == "before" else self.sent(wire, method, place, body)
        return Answer(502, {}, None) if answer is None or when else answer


@pytest.mark.slow
def test_a_repository_that_does_not_answer_is_left_for_the_next_run(
    teams: Teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else is done, exit code 3; what people did there meanwhile comes with the run that reaches it."""
    path = f"/repos/{teams.app}"
    outage = Outage(monkeypatch, lambda _, place: "before" if path in place else "")
    teams.does_there(BOB_TOKEN, state="closed", state_reason="completed")
    teams.command("update", "--severity", "SEV1", "--reason", "it is worse", "--by", "@alice")
    teams.push("worse")
    done = teams.call("apply", "--tracker", "github", clock=_later())
    assert done.code == 3, done
    assert f"{teams.app}: not read, its issues are left alone: did not answer" in done.err
    assert "SEV1" in {label["name"] for label in teams.issue("")["labels"]}
    assert teams.ask("GET", "/pulls?state=open") == []
    outage.what = lambda *_: ""
    teams.apply()
    teams.accept()
    assert teams.item()["status"] == "done"
    assert teams.nothing_is_planned()


@pytest.mark.slow
def test_an_outage_takes_no_proposal_back(declared: Teams, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that of a number nor what people did there; both can be merged meanwhile."""
    path = f"/repos/{declared.app}"
    outage = Outage(monkeypatch, lambda *_: "")
    declared.apply()
    declared.does_there(BOB_TOKEN, state="closed", state_reason="completed")
    declared.apply()
    before = declared.ask("GET", "/pulls?state=open")
    assert len(before) == 2
    outage.what = lambda _, place: "before" if path in place else ""
    done = declared.call("apply", "--tracker", "github", clock=_later())
    assert done.code == 3, done
    after = declared.ask("GET", "/pulls?state=open")
    assert [(one["number"], one["body"], one["head"]["sha"]) for one in after] == [
        (one["number"], one["body"], one["head"]["sha"]) for one in before
    ]
    outage.what = lambda *_: ""
    declared.accept()
    assert (declared.item()["status"], declared.item()["issue"]) == ("done", f"{declared.app}#1")
    assert declared.nothing_is_planned()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_there_opens_no_second_issue(declared: Teams, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """The tracking issue is opened whatever happens there; the next run looks before it opens another."""
    path = f"/repos/{declared.app}/issues"
    outage = Outage(monkeypatch, lambda method, place: when if (method, place) == ("POST", path) else "")
    done = declared.call("apply", "--tracker", "github", clock=_later())
    assert done.code == (4 if when == "before" else 0), done
    assert len(declared.issues()) == 1
    outage.what = lambda *_: ""
    declared.apply()
    declared.accept()
    assert len(declared.there()) == 1
    assert declared.item()["issue"] == f"{declared.app}#{declared.item_issue()['number']}"
    assert declared.nothing_is_planned()


@pytest.mark.slow
def test_a_run_that_dies_after_it_opened_one_there_opens_no_second(
    declared: Teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its line 1 is found, though its number was kept nowhere."""
    with monkeypatch.context() as dying:
        dying.setattr(applying, "keep_numbers", _die)
        assert declared.call("apply", "--tracker", "github", clock=_later()).code != 0
    assert len(declared.there()) == 1
    declared.apply()
    declared.accept()
    assert len(declared.there()) == 1
    assert declared.nothing_is_planned()


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_item_of_a_restricted_incident_stays_with_it(declared: Teams) -> None:
    """Who reads the repository of the team need not read the record."""
    policy = declared.folder.path / "policy.yaml"
    policy.write_text(policy.read_text() + "access: {private: true}\n")
    declared.command("edit", "--visibility", "restricted", "--by", "@alice")
    declared.push("restricted")
    declared.apply()
    assert declared.there() == {}
    assert sum("/" in key for key in declared.issues()) == 1


def _later() -> str:
    return stamp(datetime.now(UTC) + timedelta(seconds=1))


def test_a_pull_request_and_a_record_alone_send_the_token_nowhere(
    declared: Teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a pull request no other repository is asked; a record cannot name one that no service has."""
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    done = declared.call("plan", "--tracker", "github", "--show-requests", clock=_later())
    assert done.code == 0, done
    assert declared.app not in done.err
    assert "only after the merge" in " ".join(done.out.split())
    monkeypatch.delenv("GITHUB_EVENT_NAME")
    (record,) = declared.folder.path.glob("incidents/*/incident.yaml")
    record.write_text(record.read_text().replace("status: open", "status: open\n  issue: evil/app#1"))
    assert declared.item()["issue"] == "evil/app#1"
    declared.push("by hand")
    done = declared.call("plan", "--tracker", "github", "--show-requests", clock=_later())
    assert "evil/app" not in done.err
    assert "no service has its issues there" in " ".join(done.out.split())


def test_the_plan_and_what_was_observed_name_the_repository(teams: Teams, tmp_path: Path) -> None:
    """As JSON; and a saved look plans the same."""
    teams.does_there(BOB_TOKEN, title="Something else")
    saved = str(tmp_path / "observed.json")
    clock = _later()
    done = teams.call("plan", "--tracker", "github", "--format", "json", "--save-observed", saved, clock=clock)
    plan = json.loads(done.out)
    (change,) = plan["changes"]
    assert (change["action"], change["repository"]) == ("update", teams.app)
    again = teams.call("plan", "--tracker", "github", "--format", "json", "--observed", saved, clock=clock)
    assert json.loads(again.out)["checksum"] == plan["checksum"]
    done = teams.call("apply", "--tracker", "github", "--observed", saved, "--checksum", plan["checksum"], clock=clock)
    assert done.code == 0, done
    assert teams.item_issue()["title"].endswith("Alert on the locks")


def test_what_becomes_restricted_is_no_longer_written_there(teams: Teams) -> None:
    """Its issue there stays as it was, and the plan says so."""
    before = teams.item_issue()["body"]
    policy = teams.folder.path / "policy.yaml"
    policy.write_text(policy.read_text() + "access: {private: true}\n")
    teams.command("edit", "--visibility", "restricted", "--by", "@alice")
    teams.command("cause", "--what", "A hole that nobody knows")
    teams.push("restricted")
    assert "its issue there is left as it is" in teams.command("plan", "--tracker", "github")
    teams.apply()
    assert teams.item_issue()["body"] == before


def test_an_issue_there_whose_item_is_gone_is_closed(teams: Teams) -> None:
    """Also where nothing else leads to that repository any more, and no service names it."""
    number = teams.item_issue()["number"]
    (path,) = teams.folder.path.glob("incidents/*/incident.yaml")
    path.write_text(re.sub(r"^action_items:\n(?:[ -].*\n)+", "", path.read_text(), flags=re.MULTILINE))
    teams.has_issues_in("")
    teams.push("the item is gone")
    told = teams.command("plan", "--tracker", "github")
    assert f"close {teams.app}#{number} " in told
    assert "its record was deleted in git" in told
    teams.apply()
    assert teams.item_issue()["state"] == "closed"
    assert teams.nothing_is_planned()


def test_a_run_that_dies_before_another_repository_is_named_opens_no_second(
    declared: Teams, github: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed right after it opened the issue; then `issues` of the service changes, before the next run."""
    with monkeypatch.context() as dying:
        dying.setattr(applying, "keep_numbers", _die)
        assert declared.call("apply", "--tracker", "github", clock=_later()).code != 0
    (issue,) = declared.there().values()
    other = github.new_repository()
    declared.has_issues_in(other)
    declared.push("another repository")
    declared.apply()
    assert github.ask("GET", f"/repos/{other}/issues?state=all") == []
    declared.accept()
    assert declared.item()["issue"] == f"{declared.app}#{issue['number']}"
    assert declared.nothing_is_planned()


def test_where_it_cannot_be_said_that_issues_are_opened_none_is(
    declared: Teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of the repository is kept before the first issue there; the tracking issue is opened all the same."""

    def refused(*_: object) -> None:
        raise WriteFailed("the remote refused it")

    with monkeypatch.context() as failing:
        failing.setattr(applying, "keep_repository_name", refused)
        done = declared.call("apply", "--tracker", "github", clock=_later())
    assert done.code == 4, done
    assert "the remote refused it" in done.err + done.out
    assert declared.there() == {}
    assert declared.issue("")["state"] == "open"
    declared.apply()
    assert len(declared.there()) == 1


@pytest.mark.slow
def test_there_too_a_run_that_finds_nothing_lists_what_changed(teams: Teams, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each repository has a list of its own that is remembered, and before anything is done both are read whole."""
    monkeypatch.setattr(adapter, "_OVERLAP", timedelta(seconds=-1))
    monkeypatch.setattr(WholeList, "is_longer_than", lambda *_: True)
    github = ("--tracker", "github", "--show-requests")
    pass_a_second()
    assert teams.call("apply", *github, clock=_later()).code == 0
    pass_a_second()
    done = teams.call("apply", *github, clock=_later())
    assert (done.code, done.out.startswith("Nothing to do")) == (0, True), done
    lists = re.findall(r"GET \S*/repos/(\S+)/issues\?(\S+)", done.err)
    assert [name for name, _ in lists] == [teams.repository, teams.app]
    assert all("since=" in query and "labels=" not in query for _, query in lists)
    teams.does_there(BOB_TOKEN, title="Renamed")
    done = teams.call("apply", *github, clock=_later())
    assert done.code == 0, done
    assert teams.item_issue()["title"] != "Renamed"
    asked = re.findall(r"(GET|POST|PATCH) (\S*/issues\S*)", done.err)
    written = next(at for at, (method, _) in enumerate(asked) if method != "GET")
    assert sum("labels=" in place for _, place in asked[:written]) >= 3


def test_a_list_with_a_date_to_come_is_not_stored(teams: Teams, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server in front of GitHub whose clock is wrong: what people change until then would be in no list."""
    monkeypatch.setattr(WholeList, "is_longer_than", lambda *_: True)
    monkeypatch.setattr(Answer, "given_at", property(lambda _: datetime.now(UTC) + timedelta(minutes=15)))
    for _ in range(2):
        done = teams.call("apply", "--tracker", "github", "--show-requests", clock=_later())
        assert done.code == 0, done
        assert "labels=incident" in done.err
        assert "since=" not in done.err
