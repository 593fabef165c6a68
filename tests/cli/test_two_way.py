"""The two-way story: people work in the issues, and the records follow; each step as a team would see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_ops.domain.time import stamp
from tests.cli.scene import Folder
from tests.cli.test_apply_github import TRUSTED, Place
from tests.support.hosted import hosted
from tests.support.standin import BOB_TOKEN, PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])


class Team(Place):
    """A team whose records are in a clone and whose issues are on the stand-in; alice leads, bob mends."""

    def command(self, *words: str) -> str:
        """One of us types a command, now -> what it printed."""
        done = self.call(*words, clock=stamp(datetime.now(UTC) + timedelta(seconds=1)))
        assert done.code == 0, done
        return done.out

    def apply(self) -> str:
        """A run, as it comes with each push and each day."""
        return self.command("apply", "--tracker", "github")

    def accept(self) -> None:
        """Alice merges every proposal that is open, and the run that follows the merge."""
        for pull in self.ask("GET", "/pulls?state=open"):
            self.folder.git("fetch", "--quiet", "origin", pull["head"]["ref"])
            self.folder.git("merge", "--quiet", "--squash", "FETCH_HEAD")
            self.push(pull["title"])
        self.apply()

    def item(self) -> dict[str, Any]:
        """The action item as the record of the work tree has it."""
        (record,) = self.folder.path.glob("incidents/*/incident.yaml")
        return dict(yaml.safe_load(record.read_text())["action_items"][0])

    def issue(self, part: str = "/AI-1") -> dict[str, Any]:
        """The issue of the action item, or with `part` "" the incident's own."""
        return next(one for key, one in self.issues().items() if key.endswith(part) and (part or "/" not in key))

    def does(self, token: str, part: str = "/AI-1", **fields: object) -> None:
        """Somebody changes an issue in the browser."""
        self.ask("PATCH", f"/issues/{self.issue(part)['number']}", fields, token=token)

    def comments(self, part: str = "/AI-1") -> list[str]:
        """What stands under an issue."""
        found = self.ask("GET", f"/issues/{self.issue(part)['number']}/comments")
        return [one["body"].replace("&#8203;", "") for one in found]

    def nothing_is_planned(self) -> bool:
        """True where records and issues agree."""
        return "Nothing to do" in self.command("plan", "--tracker", "github")


@pytest.fixture
def team(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Team:
    """An incident with one action item of bob's, on the tracker, its numbers merged."""
    folder = Folder(tmp_path / "clone", policy=f"extends: sev0-3\n{TRUSTED}")
    repository = hosted(folder, github, monkeypatch)
    made = Team(folder, tmp_path / "origin.git", github, repository, "")
    made.command("declare", "Login fails", "-s", "api", "--severity", "SEV2", "--by", "@alice")
    made.command("action", "add", "Alert on the locks", "--owner", "@bob", "--due", "2099-03-01")
    made.push("An incident")
    made.apply()
    made.accept()
    assert made.nothing_is_planned()
    return made


@pytest.mark.slow
def test_a_ticked_measure_is_done_in_the_record(team: Team) -> None:
    """Prevention of the postmortem by horizon: bob ticks its box in the tracking issue, and the record gets the day."""
    (record,) = team.folder.path.glob("incidents/*/incident.yaml")
    planned = "postmortem: {status: draft, prevention: {short: [{text: Alert on locks}], long: [{text: Shards}]}}\n"
    record.write_text(record.read_text() + planned)
    team.push("what prevents it")
    team.apply()
    body = team.issue("")["body"]
    assert "**Short term (1 to 2 weeks)**" in body
    team.does(BOB_TOKEN, "", body=body.replace("- [ ] Alert on locks", "- [x] Alert on locks"))
    team.apply()
    team.accept()
    prevention = yaml.safe_load(record.read_text())["postmortem"]["prevention"]
    assert prevention["short"][0]["done_at"]
    assert "done_at" not in prevention["long"][0]
    assert "- [x] Alert on locks · done " in team.issue("")["body"]
    assert team.nothing_is_planned()


def test_a_number_that_stands_in_full_in_the_record_is_shown_once(team: Team) -> None:
    """`acme/records#2` is this repository's `#2`."""
    (record,) = team.folder.path.glob("incidents/*/incident.yaml")
    number = team.item()["issue"]
    record.write_text(record.read_text().replace(f"issue: {number}", f"issue: {team.repository}#{number}"))
    assert team.item()["issue"] == f"{team.repository}#{number}"
    team.push("in full")
    assert team.nothing_is_planned()
    team.apply()
    (line,) = (line for line in team.issue("")["body"].splitlines() if "**AI-1**" in line)
    assert line.count(f"#{number}") == 1, line


@pytest.mark.slow
def test_bob_closes_the_issue_and_the_item_is_done(team: Team) -> None:
    """Declared, applied, closed in the browser, proposed, merged: nothing is planned."""
    team.does(BOB_TOKEN, state="closed", state_reason="completed")
    team.apply()
    assert team.item()["status"] == "open", "nothing changes the record but a merge"
    team.accept()
    item = team.item()
    assert (item["status"], item["done_by"]) == ("done", "@bob")
    assert team.nothing_is_planned()
    assert team.comments() == []


@pytest.mark.slow
def test_alice_reopens_it_because_the_fix_does_not_hold(team: Team) -> None:
    """The issue says what it waits for; merged, the item is open again, and the comment says that it is settled."""
    team.does(BOB_TOKEN, state="closed", state_reason="completed")
    team.apply()
    team.accept()
    team.does(PERSON_TOKEN, state="open")
    team.apply()
    (said,) = team.comments()
    assert "@alice reopened this issue" in said
    assert "Merge the proposal that opens the item again, or close this issue" in said
    team.accept()
    item = team.item()
    assert item["status"] == "open"
    assert "done_at" not in item
    assert [(row["field"], row["to"], row["by"]) for row in item["changes"]] == [("status", "open", "@alice")]
    assert team.nothing_is_planned()
    assert team.comments()[0].endswith("Settled: this issue and its record agree.")
    assert len(team.comments()) == 1


@pytest.mark.slow
def test_bob_hands_it_to_alice(team: Team) -> None:
    """The assignee of the issue becomes the owner of the item; nobody is put back meanwhile."""
    team.does(BOB_TOKEN, assignees=["alice"])
    team.apply()
    assert [one["login"] for one in team.issue()["assignees"]] == ["alice"]
    team.accept()
    item = team.item()
    assert item["owner"] == "@alice"
    (row,) = item["changes"]
    assert (row["from"], row["to"], row["by"]) == ("@bob", "@alice", "@bob")
    assert team.nothing_is_planned()


@pytest.mark.slow
def test_bob_closes_the_incident_and_is_told_the_way(team: Team) -> None:
    """An incident ends in its record: its issue is open again, with one comment."""
    for _ in range(2):
        team.does(BOB_TOKEN, "", state="closed")
        team.apply()
        assert team.issue("")["state"] == "open"
    (said,) = team.comments("")
    assert "@bob closed this issue, and it is open again" in said
    assert "`incident-ops resolve INC-" in said
    assert team.nothing_is_planned()


@pytest.mark.slow
def test_bob_ticks_his_box_in_the_tracking_issue(team: Team) -> None:
    """The box of an item in the incident's issue is the same as closing its own: done, by whom and when."""
    body = team.issue("")["body"]
    team.does(BOB_TOKEN, "", body=body.replace("- [ ] **AI-1**", "- [x] **AI-1**"))
    team.apply()
    assert team.issue()["state"] == "open", "the item's issue waits for the merge"
    team.accept()
    item = team.item()
    assert (item["status"], item["done_by"]) == ("done", "@bob")
    assert team.issue()["state"] == "closed"
    assert team.nothing_is_planned()
