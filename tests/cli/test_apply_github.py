"""plan and apply against the stand-in for GitHub, in a clone of a bare repository: issues, lock, proposal."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.git import Git
from incident_ops.adapters.git_branches import RefLock
from incident_ops.adapters.git_remote import Remote
from incident_ops.domain.ports import Lease
from incident_ops.domain.time import stamp
from incident_ops.reconcile.generated_block import owner
from tests.cli.scene import ROOT, Done, Folder, call
from tests.support.hosted import hosted
from tests.support.standin import LOGIN, PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])

CLOCKS = {
    "sev0-3": "2025-01-29T09:00:00Z",
    "itil-p1-p4": "2025-10-21T18:00:00Z",
    "sev1-3": "2025-01-22T16:00:00Z",
    "p0-p3": "2025-01-22T09:00:00Z",
}
TRUSTED = f"tracker: {{identities: [{LOGIN}], limits: {{creates: 100, writes: 200}}}}\n"
BRANCH = "incident-ops/numbers"


@dataclass
class Place:
    """A clone whose origin is a bare repository, and the repository on the stand-in that has its issues."""

    folder: Folder
    origin: Path
    github: Standin
    repository: str
    clock: str

    def call(self, *args: str, clock: str = "") -> Done:
        """Runs a command in the clone; notices have tests of their own (test_apply_notices.py)."""
        quiet = ("--no-notify",) if args[0] in ("plan", "apply") else ()
        return call(*args, *quiet, at=self.folder.path, clock=clock or self.clock)

    def plan(self, *args: str) -> dict[str, Any]:
        """The plan as data."""
        done = self.call("plan", "--tracker", "github", "--format", "json", *args)
        assert done.code == 0, done
        return dict(json.loads(done.out))

    def issues(self) -> dict[str, dict[str, Any]]:
        """Key -> its issue; one open issue a key."""
        found = self.ask("GET", "/issues?state=all&per_page=100")
        ours = [(key, one) for one in found if (key := owner(one["body"] or ""))]
        open_keys = [key for key, one in ours if one["state"] == "open"]
        assert len(open_keys) == len(set(open_keys))
        return dict(ours)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """A request of somebody else."""
        return self.github.ask(method, f"/repos/{self.repository}{path}", body, **options)

    def push(self, message: str = "a step") -> None:
        """Commits the work tree and pushes main."""
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--message", message)
        self.folder.git("push", "--quiet", "origin", "main")


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The example repository of a preset (by parameter, else sev0-3), pushed, with an empty tracker."""
    preset = getattr(request, "param", "sev0-3")
    folder = Folder(tmp_path / "clone")
    shutil.copytree(ROOT / "examples" / preset, folder.path, dirs_exist_ok=True)
    with (folder.path / "policy.yaml").open("a") as policy:
        policy.write(TRUSTED)
    repository = hosted(folder, github, monkeypatch)
    made = Place(folder, tmp_path / "origin.git", github, repository, CLOCKS[preset])
    made.push("the records")
    return made


@pytest.mark.slow
@pytest.mark.parametrize("place", list(CLOCKS), indirect=True)
def test_an_example_is_opened_once_and_then_left_alone(place: Place) -> None:
    """Everything is opened in one run, each issue names the others and its record; the second plans nothing, within the
    bound of requests; numbers wait in a PR."""
    first = place.plan()
    created = [change["key"] for change in first["changes"] if change["kind"] != "label"]
    done = place.call("apply", "--tracker", "github", "--checksum", first["checksum"])
    assert (done.code, done.err) == (0, ""), done
    issues = place.issues()
    assert sorted(issues) == sorted(created)
    assert all(one["user"]["login"] == LOGIN for one in issues.values())
    for key, one in issues.items():
        incident = key.partition("/")[0]
        assert f"/{place.repository}/blob/HEAD/incidents/{incident}/incident.yaml>)" in one["body"]
        if key != incident:
            assert f"**{key.partition('/')[2]}** #{one['number']} " in issues[incident]["body"]
            assert f"** #{issues[incident]['number']} " in one["body"]
    (pull,) = place.ask("GET", "/pulls?state=open")
    assert (pull["head"]["ref"], pull["base"]["ref"]) == (BRANCH, "main")
    told = place.call("plan", "--tracker", "github", "--show-requests")
    assert told.out.startswith("Nothing to do")
    policy = place.call("policy", "show", "--resolved").out
    lists = 1 + ("declare: false" in policy)  # a policy that makes tickets has them listed by a label of their own
    pulls = 1  # while a proposal waits
    assert len(re.findall(r"^GET ", told.err, re.MULTILINE)) <= 2 + lists + pulls + ceil(len(issues) / 100)
    again = place.call("apply", "--tracker", "github")
    assert (again.code, again.err) == (0, "")
    assert place.issues() == issues
    assert "incident-ops/lock" not in place.folder.git("ls-remote", "origin")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["p0-p3"], indirect=True)
def test_a_ticket_is_found_by_its_label_and_keeps_its_issue_when_it_is_raised(place: Place) -> None:
    """Before its number is merged; the label of tickets goes, that of incidents comes, no second issue is opened."""
    place.call("declare", "Dashboard sluggish", "-s", "api", "--severity", "P2", "--by", "@alice")
    place.push("a ticket")
    assert place.call("apply", "--tracker", "github").code == 0
    key = f"INC-{place.clock.replace('-', '').replace(':', '').replace('T', '-').removesuffix('Z')}"
    before = place.issues()[key]
    assert {label["name"] for label in before["labels"]} == {"ticket", "P2", "state:triaged"}
    assert place.plan()["changes"] == []
    raised = place.call("update", key, "--severity", "P0", "--by", "@alice")
    assert raised.code == 0, raised
    place.push("raised")
    assert place.call("apply", "--tracker", "github").code == 0
    after = place.issues()[key]
    assert after["number"] == before["number"]
    assert {label["name"] for label in after["labels"]} == {"incident", "P0", "state:triaged"}
    assert place.plan()["changes"] == []


@pytest.mark.slow
def test_what_is_due_by_a_release_has_its_milestone(place: Place) -> None:
    """A SEV3, to be resolved in the next release, and an item due on its day; the plan says what moves, and why not."""
    releases = 'releases:\n- {name: "Release 2025.2", on: 2025-02-05}\n- {name: "Release 2025.3", on: 2025-02-10}\n'
    with (place.folder.path / "policy.yaml").open("a") as policy:
        policy.write(releases)
    assert place.call("declare", "Typo in the footer", "-s", "auth", "--severity", "SEV3", "--by", "@alice").code == 0
    place.push("releases, and a SEV3")
    planned = place.call("plan", "--tracker", "github").out
    assert "2 milestones to create" in planned
    assert "+ create Release 2025.2\n      milestone, due 2025-02-05\n" in planned
    assert place.call("apply", "--tracker", "github").code == 0

    def found() -> dict[str, str]:
        titled = {key.partition("/")[2] or key: one["milestone"] for key, one in place.issues().items()}
        return {key: milestone["title"] for key, milestone in titled.items() if milestone}

    sev3 = f"INC-{place.clock.replace('-', '').replace(':', '').replace('T', '-').removesuffix('Z')}"
    assert found() == {"AI-2": "Release 2025.2", "AI-3": "Release 2025.3", sev3: "Release 2025.2"}
    assert {one["title"]: one["due_on"][:10] for one in place.ask("GET", "/milestones")} == {
        "Release 2025.2": "2025-02-05",
        "Release 2025.3": "2025-02-10",
    }
    assert place.plan()["changes"] == []
    place.call("action", "edit", "AI-2", "120500", "--due", "2025-02-10", "--reason", "late", "--by", "@alice")
    place.push("later")
    assert "milestone: Release 2025.2 -> Release 2025.3" in place.call("plan", "--tracker", "github").out
    mine = place.ask("POST", "/milestones", {"title": "mine"}, token=PERSON_TOKEN)
    number = next(one["number"] for key, one in place.issues().items() if key.endswith("AI-3"))
    place.ask("PATCH", f"/issues/{number}", {"milestone": mine["number"]}, token=PERSON_TOKEN)
    assert place.call("apply", "--tracker", "github").code == 0
    assert found() == {"AI-2": "Release 2025.3", "AI-3": "mine", sev3: "Release 2025.2"}
    assert place.plan()["changes"] == []
    told = place.call("plan", "--tracker", "github", "--show-requests")
    assert "/milestones" not in told.err


def test_the_numbers_come_home_by_the_proposal(place: Place) -> None:
    """Merged, the records name their issues, the branch and its pull request go, and nothing is planned."""
    assert place.call("apply", "--tracker", "github").code == 0
    issues = place.issues()
    place.folder.git("fetch", "--quiet", "origin", BRANCH)
    place.folder.git("merge", "--quiet", "--squash", "FETCH_HEAD")
    place.push("numbers")
    assert place.call("validate").code == 0
    text = "".join(path.read_text() for path in sorted(place.folder.path.glob("incidents/*/incident.yaml")))
    for one in issues.values():
        assert f": {one['number']}\n" in text
    plan = place.plan()
    (change,) = plan["changes"]
    assert (change["kind"], change["reason"]) == ("proposal", "nothing is left to propose")
    done = place.call("apply", "--tracker", "github")
    assert (done.code, done.err) == (0, "")
    assert BRANCH not in place.folder.git("ls-remote", "origin")
    assert place.ask("GET", "/pulls?state=open") == []
    assert place.plan()["changes"] == []


@pytest.mark.slow
def test_what_people_close_comes_into_the_record(place: Place) -> None:
    """An item closed as completed is done, by whom and when; the edit waits in the proposal and is planned once."""
    assert place.call("apply", "--tracker", "github").code == 0
    key, issue = next((key, one) for key, one in sorted(place.issues().items()) if "/" in key)
    closing = {"state": "closed", "state_reason": "completed"}
    place.ask("PATCH", f"/issues/{issue['number']}", closing, token=PERSON_TOKEN)
    early = place.plan()
    assert "in the future" in next(one["reason"] for one in early["kept"] if one["key"] == key)
    place.clock = stamp(datetime.now(UTC))
    plan = place.plan()
    assert ("edit", key) in [(change["action"], change["key"]) for change in plan["changes"]]
    assert place.call("apply", "--tracker", "github").code == 0
    assert place.plan()["changes"] == []
    incident = key.partition("/")[0]
    path = f"incidents/{incident}/incident.yaml"
    place.folder.git("fetch", "--quiet", "origin", f"incident-ops/people/{incident}")
    text = place.folder.git("show", f"FETCH_HEAD:{path}")
    assert 'done_by: "@alice"' in text
    assert "tracking_issue:" not in text


def test_a_push_writes_back_at_once(place: Place) -> None:
    """With `write_back.automation: push` the numbers are a commit on main; nothing of the lines around changes."""
    with (place.folder.path / "policy.yaml").open("a") as policy:
        policy.write("write_back: {automation: push}\n")
    place.push("policy")
    done = place.call("apply", "--tracker", "github")
    assert (done.code, done.err) == (0, ""), done
    place.folder.git("pull", "--quiet", "origin", "main")
    removed = [line for line in place.folder.git("diff", "HEAD~1").splitlines() if re.match(r"-(?!--)", line)]
    assert all("issue" in line or "{}" in line for line in removed), removed
    assert place.plan()["changes"] == []


@pytest.mark.slow
def test_limits_are_told_with_their_flag_and_the_next_run_goes_on(place: Place) -> None:
    """One issue a run: exit 5 until all are there, worst and oldest first, and no run starves the rest."""
    runs = 0
    while (done := place.call("apply", "--tracker", "github", "--max-creates", "1")).code == 5:
        assert "--max-creates" in done.err
        assert "the next run continues" in done.err
        runs += 1
        assert runs < 50
    assert (done.code, done.err) == (0, "")
    assert runs > 1
    assert place.plan()["changes"] == []


def test_without_the_lock_no_issue_is_opened(place: Place) -> None:
    """Another run holds it: updates would go on, new issues are left, exit 5, and who holds it is told."""
    git = Git.around(place.folder.path)
    assert git
    lock = RefLock(Remote.of(git))
    lease = lock.take(datetime.now(UTC), "run 7 of reconcile")
    done = place.call("apply", "--tracker", "github")
    assert done.code == 5
    assert "run 7 of reconcile" in done.err
    assert place.issues() == {}
    assert isinstance(lease, Lease)
    assert lock.release(lease)
    assert place.call("apply", "--tracker", "github").code == 0


def test_the_lock_of_a_killed_run_is_taken_over_by_its_next_attempt(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever restarts a run need not wait until its lock ends; a run that GitHub knows nothing of keeps it."""
    git = Git.around(place.folder.path)
    assert git
    RefLock(Remote.of(git)).take(datetime.now(UTC), "run 7 of reconcile", run="7/1")
    monkeypatch.setenv("GITHUB_RUN_ID", "8")
    assert place.call("apply", "--tracker", "github").code == 5
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    assert place.call("apply", "--tracker", "github").code == 5
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    done = place.call("apply", "--tracker", "github")
    assert (done.code, done.err) == (0, "")
    assert place.issues()


def test_a_pull_request_applies_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pull request says is not reviewed."""
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    place.call("apply", "--tracker", "github").told_once(2, "does not run on a pull request")
    assert place.issues() == {}


def test_another_person_than_the_trusted_opens_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token whose login the policy does not trust is refused before anything is written."""
    monkeypatch.setenv("GITHUB_TOKEN", PERSON_TOKEN)
    done = place.call("apply", "--tracker", "github")
    assert done.code in (2, 4)
    assert "tracker.identities" in done.err
    assert place.issues() == {}


def test_an_empty_tracker_is_not_filled_again(place: Place, github: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that name issues, and a tracker without one: the wrong repository, until a person says otherwise."""
    assert place.call("apply", "--tracker", "github").code == 0
    place.folder.git("fetch", "--quiet", "origin", BRANCH)
    place.folder.git("merge", "--quiet", "--squash", "FETCH_HEAD")
    place.push("numbers")
    place.repository = github.new_repository()
    for name, value in github.environment(place.repository).items():
        monkeypatch.setenv(name, value)
    done = place.call("apply", "--tracker", "github")
    assert done.code == 5
    assert "--accept-empty-tracker" in done.err
    assert place.issues() == {}


def test_a_deleted_record_closes_its_issues_and_an_unread_one_keeps_them(place: Place) -> None:
    """Only the deletion in git history closes; a record that cannot be read keeps its issues as they are."""
    assert place.call("apply", "--tracker", "github").code == 0
    incident = next(key for key in sorted(place.issues()) if "/" not in key)
    place.folder.put("INC-9", services="[auth]", times="{declared: 2025-01-28T12:05:00Z}")
    record = place.folder.path / "incidents" / incident / "incident.yaml"
    good = record.read_text()
    record.write_text("id: [\n")
    place.push("broken")
    broken = place.call("apply", "--tracker", "github", "--max-closes", "50")
    assert broken.code == 3
    assert all(one["state"] == "open" for key, one in place.issues().items() if key.startswith(incident))
    record.write_text(good)
    place.push("mended")
    shutil.rmtree(record.parent)
    place.push("deleted")
    done = place.call("apply", "--tracker", "github", "--max-closes", "50")
    assert done.code == 0, done
    closed = [one for key, one in place.issues().items() if key.partition("/")[0] == incident]
    assert closed
    assert {(one["state"], one["state_reason"]) for one in closed} == {("closed", "not_planned")}


def test_a_plan_is_applied_from_what_was_observed(place: Place, tmp_path: Path) -> None:
    """The second job plans from the first one's snapshot: same checksum, no second look at everything."""
    file = tmp_path / "observed.json"
    first = place.plan("--save-observed", str(file))
    assert place.plan("--observed", str(file))["checksum"] == first["checksum"]
    done = place.call("apply", "--tracker", "github", "--observed", str(file), "--checksum", first["checksum"])
    assert done.code == 0, done
    assert place.plan()["changes"] == []


def test_markdown_is_what_a_reviewer_reads(place: Place) -> None:
    """The preview names each key and pings nobody."""
    shown = place.call("plan", "--tracker", "github", "--format", "markdown").out
    for change in place.plan()["changes"]:
        assert change["key"] in shown
    assert not re.search(r"(?<![`\w])@\w", shown)


EDITS = {
    "a line above line 1": lambda one: {"body": f"Update: see the bridge\n{one['body']}"},
    "the hidden line cut": lambda one: {"body": one["body"].split("\n", 1)[1]},
    "the text replaced": lambda one: {"body": "we talk on the bridge"},
    "the text emptied": lambda one: {"body": ""},
    "the text of another issue": lambda one: {"body": one["other"]},
    "all labels off": lambda one: {"labels": []},
    "labels and text gone": lambda one: {"labels": [], "body": ""},
    "another title": lambda one: {"title": "Bridge"},
}


@pytest.mark.slow
@pytest.mark.parametrize("is_merged", [False, True], ids=["before the merge", "after the merge"])
def test_no_edit_of_an_issue_opens_a_second_one(place: Place, is_merged: bool) -> None:
    """Its number is known from the run that opened it, merged or not, and what was cut is put back."""
    done = place.call("apply", "--tracker", "github")
    assert (done.code, done.err) == (0, ""), done
    count = len(place.issues())
    if is_merged:
        place.folder.git("fetch", "--quiet", "origin", BRANCH)
        place.folder.git("merge", "--quiet", "--ff-only", "FETCH_HEAD")
        place.folder.git("push", "--quiet", "origin", "main")
    for said, edit in EDITS.items():
        before = place.issues()
        key, one = sorted(before.items())[-1]
        other = sorted(before.items())[0][1]["body"]
        place.ask("PATCH", f"/issues/{one['number']}", edit({**one, "other": other}), token=PERSON_TOKEN)
        done = place.call("apply", "--tracker", "github")
        assert done.code == 0, (said, done)
        assert len(place.ask("GET", "/issues?state=all&per_page=100")) == count, said
        after = place.issues()
        assert (after[key]["number"], after[key]["title"]) == (one["number"], one["title"]), said
        assert after[key]["labels"], said
        assert not [row for row in place.plan()["changes"] if row["action"] != "edit"], said
