"""The way back, from issues into records, by pull requests: each topic has one, its text tells every edit of its diff.

Nothing is lost by a request that failed, and a "no" is kept.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_ops.app import proposals
from incident_ops.app.workspace import Workspace
from incident_ops.app.write_back import EditsByPath
from incident_ops.domain.time import stamp
from incident_ops.errors import UserError
from incident_ops.reconcile.generated_block import owner
from tests.cli.scene import Done, Folder, call
from tests.support.hosted import hosted
from tests.support.standin import LOGIN, PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])

POLICY = f"extends: sev0-3\ntracker: {{identities: [{LOGIN}]}}\nnotify: {{incident_channel: {{create: false}}}}\n"
SERVICES = 'services:\n  api:\n    owner: "@team"\n'
ITEMS = (
    "action_items:\n"
    "- {id: AI-1, title: Alert on locks, owner: '@bob', due: 2099-02-01, priority: P1, kind: detective, status: open}\n"
    "- {id: AI-2, title: Write it down, owner: '@bob', due: 2099-02-02, priority: P2, kind: runbook, status: open}\n"
)
FORBIDDEN = "Actions may not open pull requests"
NUMBERS, PEOPLE, OLD = "incident-ops/numbers", "incident-ops/people/INC-1", "incident-ops/write-back/records"


@dataclass
class Place:
    """A clone with one incident and two action items, its bare origin, and its repository on the stand-in."""

    folder: Folder
    github: Standin
    repository: str

    def call(self, *args: str) -> Done:
        return call(*args, at=self.folder.path, clock=stamp(datetime.now(UTC)))

    def plan(self) -> dict[str, Any]:
        done = self.call("plan", "--tracker", "github", "--no-notify", "--format", "json")
        assert done.code == 0, done
        return dict(json.loads(done.out))

    def apply(self, code: int = 0) -> Done:
        done = self.call("apply", "--tracker", "github", "--no-notify")
        assert done.code == code, done
        return done

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        return self.github.ask(method, f"/repos/{self.repository}{path}", body, **options)

    def push(self) -> None:
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--allow-empty", "--message", "a step")
        self.folder.git("push", "--quiet", "origin", "main")

    def declare(self, name: str, items: str = ITEMS) -> None:
        """A record with action items, merged."""
        self.folder.put(name, services="[api]")
        with (self.folder.path / "incidents" / name / "incident.yaml").open("a") as record:
            record.write(items)
        self.push()

    def number(self, key: str) -> int:
        found = [one for one in self.ask("GET", "/issues?state=all&per_page=100") if owner(one["body"] or "") == key]
        return int(found[0]["number"])

    def close(self, key: str, reason: str = "completed") -> int:
        """A person closes the issue of a key."""
        number = self.number(key)
        self.ask("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": reason}, token=PERSON_TOKEN)
        return number

    def pulls(self, state: str = "open") -> dict[str, dict[str, Any]]:
        """Branch -> its pull request; one open one a branch."""
        found = self.ask("GET", f"/pulls?state={state}&per_page=100")
        assert state != "open" or len({one["head"]["ref"] for one in found}) == len(found)
        return {one["head"]["ref"]: one for one in found}

    def refuse(self, branch: str) -> int:
        """A person closes the pull request of a branch without merging it."""
        number = int(self.pulls()[branch]["number"])
        self.ask("PATCH", f"/pulls/{number}", {"state": "closed"}, token=PERSON_TOKEN)
        return number

    def diff(self, branch: str) -> str:
        self.folder.git("fetch", "--quiet", "origin", branch)
        return self.folder.git("diff", "-U0", "origin/main...FETCH_HEAD")

    def merge(self, branch: str) -> None:
        """A person merges the pull request of a branch."""
        self.folder.git("fetch", "--quiet", "origin", branch)
        self.folder.git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
        self.push()
        self.ask("PUT", f"/pulls/{self.pulls()[branch]['number']}/merge", {}, token=PERSON_TOKEN)

    def record(self, name: str = "INC-1") -> str:
        return (self.folder.path / "incidents" / name / "incident.yaml").read_text()

    def tip(self, branch: str) -> str:
        self.folder.git("fetch", "--quiet", "origin")
        return self.folder.git("rev-parse", f"origin/{branch}").strip()

    def branches(self) -> set[str]:
        rows = self.folder.git("ls-remote", "--heads", "origin").splitlines()
        return {row.partition("refs/heads/")[2] for row in rows}


@pytest.fixture
def place(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Place:
    folder = Folder(tmp_path / "clone", policy=POLICY, services=SERVICES)
    repository = hosted(folder, github, monkeypatch)
    made = Place(folder, github, repository)
    made.declare("INC-1")
    return made


@pytest.mark.slow
def test_a_repository_that_forbids_pull_requests_mends_itself_after_one_click(place: Place) -> None:
    """The first run says where to click; the next one after it opens what the branch holds."""
    place.ask("PATCH", "", {"description": FORBIDDEN})
    told = place.apply(code=4)
    assert "Allow GitHub Actions to create and approve pull requests" in told.err
    assert place.pulls() == {}
    assert NUMBERS in place.branches()
    again = place.apply(code=4)
    assert "Allow GitHub Actions" in again.err
    place.ask("PATCH", "", {"description": "mended"})
    assert {one["reason"] for one in place.plan()["changes"]} == {"the record does not name its issue"}
    done = place.apply()
    assert "pull request #4 proposes 3 edits" in done.out
    assert list(place.pulls()) == [NUMBERS]
    assert place.plan()["changes"] == []
    shown = place.call("plan", "--tracker", "github", "--no-notify").out
    assert shown.startswith("Nothing to do until #4 is merged.\n")


def test_an_edit_waits_only_while_an_open_pull_request_holds_it(place: Place) -> None:
    """`plan` says where it waits; once its pull request is closed by us or by GitHub it is proposed again."""
    place.apply()
    pull = place.pulls()[NUMBERS]["number"]
    assert f"waiting in #{pull}" in {one["reason"] for one in place.plan()["kept"]}
    place.ask("PATCH", f"/pulls/{pull}", {"state": "closed"})
    assert [one["action"] for one in place.plan()["changes"]] == ["edit"] * 3
    place.apply()
    assert place.pulls()[NUMBERS]["number"] > pull
    assert place.plan()["changes"] == []


@pytest.mark.slow
def test_the_text_tells_every_edit_of_the_diff(place: Place) -> None:
    """A later incident does not push what @alice did out of the text; who, when, where, and each field are named."""
    place.apply()
    number = place.close("INC-1/AI-1")
    place.apply()
    place.declare("INC-2")
    place.apply()
    place.declare("INC-3", items="")
    place.apply()
    pulls = place.pulls()
    assert sorted(pulls) == [NUMBERS, PEOPLE]
    people, numbers = pulls[PEOPLE]["body"], pulls[NUMBERS]["body"]
    for field in ("status", "done_at", "done_by"):
        assert f"`action_items.AI-1.{field}`" in people
        assert re.search(rf"^\+.*\b{field}: ", place.diff(PEOPLE), re.MULTILINE)
    assert f"- #{number}, " in people
    assert "alice closed it as completed" in people
    assert f" {place.ask('GET', f'/issues/{number}')['closed_at'][:10]}" in people
    assert "@alice" not in people.replace("`@alice`", "")
    for key in ("INC-1", "INC-1/AI-1", "INC-1/AI-2", "INC-2", "INC-2/AI-1", "INC-2/AI-2", "INC-3"):
        assert f"- #{place.number(key)}: **{key}** has its issue" in numbers
    assert "done" not in place.diff(NUMBERS)
    assert "tracking_issue" not in place.diff(PEOPLE)
    assert place.plan()["changes"] == []


@pytest.mark.slow
def test_a_no_is_kept_until_the_facts_change_and_is_none_to_another_topic(place: Place) -> None:
    """Refused by a person: not proposed again, whatever else comes, and who refused it is told; other news is."""
    place.apply()
    place.close("INC-1/AI-1", "not_planned")
    place.apply()
    refused = place.refuse(PEOPLE)
    told = f"@alice closed #{refused} without merging: @alice closed as not planned"
    reason = f"{told}; reopening #{refused} proposes it again"
    for comments in (1, 0):  # the issue says it once
        plan = place.plan()
        assert [change["action"] for change in plan["changes"]] == ["update"] * comments
        assert reason in {one["reason"] for one in plan["kept"]}
        place.apply()
    place.folder.git("push", "--quiet", "origin", "--delete", PEOPLE)
    place.declare("INC-2")
    place.apply()
    assert list(place.pulls()) == [NUMBERS]
    assert f"{told}; to accept it, edit the record" in {one["reason"] for one in place.plan()["kept"]}
    place.close("INC-1/AI-2")
    place.apply()
    text = place.pulls()[PEOPLE]["body"]
    assert "AI-2" in text
    assert "AI-1" not in text
    assert "wont_do" not in place.diff(PEOPLE)
    assert f"{told}; to accept it, edit the record" in {one["reason"] for one in place.plan()["kept"]}
    number = place.number("INC-1/AI-1")
    place.ask("PATCH", f"/issues/{number}", {"state": "open"}, token=PERSON_TOKEN)
    place.close("INC-1/AI-1", "completed")
    place.apply()
    assert "AI-1" in place.pulls()[PEOPLE]["body"]
    assert place.plan()["changes"] == []


@pytest.mark.slow
def test_a_refused_pull_request_that_is_reopened_is_taken_up_again(place: Place) -> None:
    """Whoever said no may think again; until then its branch stays."""
    place.apply()
    place.close("INC-1/AI-1")
    place.apply()
    refused = place.refuse(PEOPLE)
    place.apply()
    assert PEOPLE in place.branches()
    place.ask("PATCH", f"/pulls/{refused}", {"state": "open"}, token=PERSON_TOKEN)
    assert f"waiting in #{refused}" in {one["reason"] for one in place.plan()["kept"]}
    place.merge(PEOPLE)
    place.apply()
    assert "status: done" in place.record()


@pytest.mark.slow
def test_merging_one_leaves_no_other_in_conflict(place: Place) -> None:
    """Each stands on the tip: what is merged goes, the rest is made anew on what was merged."""
    place.apply()
    place.close("INC-1/AI-1")
    place.apply()
    assert set(place.pulls()) == {NUMBERS, PEOPLE}
    place.merge(NUMBERS)
    place.apply()
    assert set(place.pulls()) == {PEOPLE}
    assert NUMBERS not in place.branches()
    assert place.folder.git("merge-base", "origin/main", place.tip(PEOPLE)) == place.folder.git("rev-parse", "HEAD")
    place.merge(PEOPLE)
    place.apply()
    assert PEOPLE not in place.branches()
    record = place.record()
    assert "status: done" in record
    assert f"issue: {place.number('INC-1/AI-1')}" in record
    assert place.call("validate").code == 0
    place.apply()
    assert place.plan()["changes"] == []
    assert place.pulls() == {}


@pytest.mark.slow
def test_the_proposal_of_an_earlier_version_is_ended_with_a_word(place: Place) -> None:
    """One comment, its pull request closed, its branch removed; what it held is proposed by topic."""
    place.folder.git("checkout", "--quiet", "-b", "old")
    place.folder.git("commit", "--quiet", "--allow-empty", "-m", "incident-ops: write back\n\nIncident-Ops-Proposal: 1")
    place.folder.git("push", "--quiet", "origin", f"HEAD:{OLD}")
    place.folder.git("checkout", "--quiet", "main")
    old = place.ask("POST", "/pulls", {"head": OLD, "base": "main", "title": "t", "body": "b"})["number"]
    assert (OLD, "its edits are proposed by topic now") in {(o["key"], o["reason"]) for o in place.plan()["changes"]}
    place.apply()
    assert list(place.pulls()) == [NUMBERS]
    assert OLD not in place.branches()
    (comment,) = place.ask("GET", f"/issues/{old}/comments")
    assert "a pull request for each topic" in comment["body"]
    assert place.plan()["changes"] == []


@pytest.mark.slow
def test_a_persons_commit_on_a_branch_is_left_alone_and_told(place: Place) -> None:
    """It is listed, with what to do, and no other topic waits for it."""
    place.apply()
    place.folder.git("fetch", "--quiet", "origin", NUMBERS)
    place.folder.git("checkout", "--quiet", "-b", "mine", "FETCH_HEAD")
    place.folder.git("commit", "--quiet", "--allow-empty", "--message", "a word of mine")
    place.folder.git("push", "--quiet", "origin", f"mine:{NUMBERS}")
    place.folder.git("checkout", "--quiet", "main")
    tip = place.tip(NUMBERS)
    place.declare("INC-2")
    place.close("INC-1/AI-1")
    place.apply()
    assert place.tip(NUMBERS) == tip
    assert PEOPLE in place.pulls()
    plan = place.plan()
    assert plan["changes"] == []
    assert f"branch {NUMBERS} has commits of people, so it is left alone: merge it or delete it" in {
        one["reason"] for one in plan["kept"]
    }


@pytest.mark.slow
def test_a_branch_moves_only_where_its_records_did_and_never_onto_its_base(place: Place) -> None:
    """Else GitHub would close its pull request, or people would be told of nothing new."""
    origin = place.folder.path.parent / "origin.git"
    place.folder.git("-C", str(origin), "config", "core.logAllRefUpdates", "true")
    place.apply()
    first = place.tip(NUMBERS)
    place.folder.write("README.md", "no record")
    place.push()
    assert place.plan()["changes"] == []
    place.apply()
    assert place.tip(NUMBERS) == first
    place.folder.put("INC-1", services="[api]", title="Login fails for all")
    with (place.folder.path / "incidents/INC-1/incident.yaml").open("a") as record:
        record.write(ITEMS)
    place.push()
    assert (NUMBERS, "it is made anew") in {(one["key"], one["reason"]) for one in place.plan()["changes"]}
    place.apply()
    place.declare("INC-2")
    place.apply()
    log = (origin / "logs/refs/heads" / NUMBERS).read_text().splitlines()
    assert len(log) == 3
    main = set(place.folder.git("rev-list", "origin/main").split())
    assert not [line for line in log if line.split()[1] in main]


@pytest.mark.slow
def test_a_storm_of_topics_is_gone_through_in_several_runs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """New ones come before those that somebody may have refused, and a run never stops before it did anything."""
    monkeypatch.setattr(proposals, "_MOST_ASKED", 2)
    for name in ("INC-2", "INC-3", "INC-4"):
        place.declare(name)
    place.apply()
    place.merge(NUMBERS)
    place.apply()
    place.close("INC-1/AI-1")
    place.apply()
    place.refuse(PEOPLE)
    for name in ("INC-2", "INC-3", "INC-4"):
        place.close(f"{name}/AI-1")
    for count in (2, 3, 3):
        place.apply()
        assert len(place.pulls()) == count
    reasons = {one["reason"] for one in place.plan()["kept"]}
    assert any("without merging" in reason for reason in reasons)
    assert not any("left for the next run" in reason for reason in reasons)
    assert place.plan()["changes"] == []


@pytest.mark.slow
def test_a_record_that_takes_no_edit_holds_back_no_other_topic(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of new issues are first known when they are proposed: what cannot be made then is an error alone."""
    place.apply()
    place.merge(NUMBERS)
    place.apply()
    place.close("INC-1/AI-1")
    place.declare("INC-2")
    made = proposals.edited_texts

    def refuse(workspace: Workspace, wanted: EditsByPath) -> dict[str, bytes]:
        if any("INC-2" in path for path in wanted):
            raise UserError("the record takes no edit")
        return made(workspace, wanted)

    monkeypatch.setattr(proposals, "edited_texts", refuse)
    done = place.call("apply", "--tracker", "github", "--no-notify")
    assert "the record takes no edit" in done.err
    assert PEOPLE in place.pulls()


@pytest.mark.slow
def test_a_policy_that_pushes_ends_what_was_proposed(place: Place) -> None:
    """The numbers are on main, and no pull request asks for them any more."""
    place.apply()
    place.folder.write("policy.yaml", f"{POLICY}write_back: {{automation: push}}\n")
    place.push()
    done = place.apply()
    assert "1 of 1 records written back: commit" in done.out
    assert "nothing is left to propose on incident-ops/numbers: pull request #4 is closed" in done.out
    assert place.pulls() == {}
    assert place.branches() == {"main", "incident-ops/ids"}
    place.folder.git("pull", "--quiet", "origin", "main")
    assert f"tracking_issue: {place.number('INC-1')}" in place.record()
    assert place.plan()["changes"] == []
