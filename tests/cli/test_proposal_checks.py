"""What the automation says of its own proposals: on exactly the commit that is proposed, and on no other."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.github.statuses import GitHubStatuses
from incident_ops.app.proposal_checks import VALIDATE_STATUS, check_proposals
from incident_ops.app.proposals import seen_branches
from incident_ops.app.run_parts import PartDone
from incident_ops.app.workspace import Workspace, open_workspace
from incident_ops.domain.ports import CommitStatuses
from incident_ops.errors import Incomplete, Stopped
from tests.cli.scene import Folder
from tests.cli.test_proposals import NUMBERS, PEOPLE, POLICY, SERVICES, Place
from tests.support.hosted import hosted
from tests.support.standin import LOGIN, Standin

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]), pytest.mark.slow]
TRAILER = "Incident-Ops-Proposal: 1"


@pytest.fixture
def place(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Place:
    """One incident with two items; its numbers are proposed."""
    folder = Folder(tmp_path / "clone", policy=POLICY, services=SERVICES)
    made = Place(folder, github, hosted(folder, github, monkeypatch))
    made.declare("INC-1")
    made.apply()
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    return made


def workspace(place: Place) -> Workspace:
    return open_workspace({"repo": str(place.folder.path), "rev": "HEAD", "at": None})


def over_github(_place: Place) -> GitHubStatuses:
    return GitHubStatuses.of(dict(os.environ), None, sleep=lambda _: None)


def check(place: Place, statuses: CommitStatuses | None = None) -> PartDone:
    """What the end of a run does."""
    here = workspace(place)
    return check_proposals(here, statuses or over_github(place), seen_branches(here))


def said(place: Place, commit: str) -> list[dict[str, Any]]:
    """What stands on a commit, newest first."""
    return list(place.ask("GET", f"/commits/{commit}/statuses"))


def states(place: Place, commit: str) -> list[tuple[str, str]]:
    return [(one["context"], one["state"]) for one in said(place, commit)]


def amend(place: Place, branch: str, change: Callable[[Path], object]) -> str:
    """Another head for a branch of ours, as the automation would make it -> that commit."""
    git = place.folder.git
    git("fetch", "--quiet", "origin", branch)
    git("checkout", "--quiet", "--detach", "origin/main")
    change(place.folder.path / "incidents/INC-1/incident.yaml")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Other edits", "--message", TRAILER)
    git("push", "--quiet", "--force", "origin", f"HEAD:{branch}")
    head = git("rev-parse", "HEAD").strip()
    git("checkout", "--quiet", "main")
    return str(head)


def make_invalid(record: Path) -> None:
    record.write_text(record.read_text().replace("services: [api]", "services: [nobody-knows]"))


def test_a_head_is_judged_once_and_no_other_commit_is(place: Place) -> None:
    """With a link to the run; the default branch gets nothing, and what was said is not said again."""
    head, main = place.tip(NUMBERS), place.tip("main")
    done = check(place)
    assert done.errors == ()
    (line,) = done.lines
    assert f"{VALIDATE_STATUS} of {head[:12]} is success" in line
    (status,) = said(place, head)
    assert (status["context"], status["state"]) == ("incident-ops/validate", "success")
    assert status["target_url"] == f"https://github.example/{place.repository}/actions/runs/77"
    assert "all fine" in status["description"] or "warning" in status["description"]
    assert said(place, main) == []
    assert check(place) == PartDone()
    assert len(said(place, head)) == 1


def test_outside_of_actions_there_is_no_run_to_link_to(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_RUN_ID")
    check(place)
    assert said(place, place.tip(NUMBERS))[0]["target_url"] is None


@pytest.mark.slow
def test_each_topic_is_judged_on_its_own_head(place: Place) -> None:
    place.close("INC-1/AI-1")
    place.apply()
    assert len(check(place).lines) == 2
    assert place.tip(NUMBERS) != place.tip(PEOPLE)
    for branch in (NUMBERS, PEOPLE):
        assert states(place, place.tip(branch)) == [(VALIDATE_STATUS, "success")]


@pytest.mark.slow
def test_a_head_that_is_not_valid_fails_and_the_next_one_is_judged_anew(place: Place) -> None:
    """As `validate --base` would: the errors that the proposal brings count."""
    good = place.tip(NUMBERS)
    bad = amend(place, NUMBERS, make_invalid)
    check(place)
    (status,) = said(place, bad)
    assert (status["state"], "1 error" in status["description"]) == ("failure", True)
    assert said(place, good) == []
    mended = amend(place, NUMBERS, lambda record: record.write_text(record.read_text() + "tags: [mended]\n"))
    check(place)
    assert states(place, mended) == [(VALIDATE_STATUS, "success")]
    assert states(place, bad) == [(VALIDATE_STATUS, "failure")]


def test_an_error_that_was_merged_before_does_not_count(place: Place) -> None:
    """Somebody broke another record on the default branch; the proposal is as good as it was."""
    place.folder.put("INC-2", services="[nobody-knows]")
    place.push()
    head = amend(place, NUMBERS, lambda record: record.write_text(record.read_text() + "tags: [new]\n"))
    check(place)
    assert states(place, head) == [(VALIDATE_STATUS, "success")]


def test_a_branch_that_people_work_on_is_left_to_its_own_checks(place: Place) -> None:
    """A commit on top of ours, and ours on top of one of theirs."""
    git = place.folder.git
    git("fetch", "--quiet", "origin", NUMBERS)
    git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    for words in (("by a person",), ("ours, on top", TRAILER)):
        git("commit", "--quiet", "--allow-empty", *(word for text in words for word in ("--message", text)))
        git("push", "--quiet", "origin", f"HEAD:{NUMBERS}")
        assert check(place) == PartDone()
        assert said(place, place.tip(NUMBERS)) == []


def test_a_head_that_somebody_brought_up_to_date_is_left(place: Place) -> None:
    """The button "Update branch" makes a merge; it is a person's push, for which the checks run by themselves."""
    git = place.folder.git
    git("commit", "--quiet", "--allow-empty", "--message", "main goes on")
    git("push", "--quiet", "origin", "main")
    git("fetch", "--quiet", "origin", NUMBERS)
    git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    git("merge", "--quiet", "--no-edit", "main")
    git("push", "--quiet", "origin", f"HEAD:{NUMBERS}")
    git("checkout", "--quiet", "main")
    assert check(place) == PartDone()


def test_what_is_merged_is_not_judged(place: Place) -> None:
    head = place.tip(NUMBERS)
    place.merge(NUMBERS)
    assert check(place) == PartDone()
    assert said(place, head) == []


class Meanwhile:
    """Statuses of GitHub; somebody moves the branch right after they were asked for."""

    def __init__(self, statuses: CommitStatuses, move: Callable[[], object]) -> None:
        self._statuses, self._move = statuses, move

    def newest(self, commit: str, context: str) -> str:
        found = self._statuses.newest(commit, context)
        self._move()
        return found

    def tell(self, commit: str, context: str, state: str, description: str, address: str = "") -> None:
        self._statuses.tell(commit, context, state, description, address)


def test_a_head_that_moves_meanwhile_gets_nothing(place: Place) -> None:
    """Neither does the new one on its behalf: the next run looks at that."""
    old = place.tip(NUMBERS)
    heads: list[str] = []
    done = check(place, Meanwhile(over_github(place), lambda: heads.append(amend(place, NUMBERS, make_invalid))))
    assert "moved meanwhile" in done.lines[0]
    assert (said(place, old), said(place, heads[0])) == ([], [])
    check(place)
    assert (states(place, old), states(place, heads[0])) == ([], [(VALIDATE_STATUS, "failure")])


class Failing:
    """Statuses of which the first question fails."""

    def __init__(self, statuses: CommitStatuses, error: Exception) -> None:
        self._statuses, self._errors = statuses, [error]

    def newest(self, commit: str, context: str) -> str:
        if self._errors:
            raise self._errors.pop()
        return self._statuses.newest(commit, context)

    def tell(self, commit: str, context: str, state: str, description: str, address: str = "") -> None:
        self._statuses.tell(commit, context, state, description, address)


def test_one_that_fails_holds_back_no_other(place: Place) -> None:
    place.close("INC-1/AI-1")
    place.apply()
    error = Incomplete("no answer")
    done = check(place, Failing(over_github(place), error))
    assert (done.errors, len(done.lines)) == ((error,), 1)


class Asked:
    """Statuses that answer one question: all has been said."""

    def __init__(self) -> None:
        self.commits: list[str] = []

    def newest(self, commit: str, context: str) -> str:
        if self.commits:
            raise Stopped("no more requests")
        self.commits.append(commit)
        return "success"

    def tell(self, *_: str) -> None:
        raise AssertionError


@pytest.mark.slow
def test_past_the_limit_of_requests_each_has_its_turn_and_the_run_is_complete(place: Place) -> None:
    """A storm leaves more proposals than one run may ask for: those at the end would never be judged, and the monitor
    of the runs would hear of none."""
    place.close("INC-1/AI-1")
    place.apply()
    here, asked = workspace(place), set[str]()
    for hour in range(24):
        statuses = Asked()
        at = replace(here, now=here.now + timedelta(hours=hour))
        done = check_proposals(at, statuses, seen_branches(at))
        assert done == PartDone(("proposals are left for the next run to judge: no more requests",))
        asked |= {*statuses.commits}
    assert asked == {place.tip(NUMBERS), place.tip(PEOPLE)}


def test_without_the_permission_the_run_says_which(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, however many heads there are."""
    place.close("INC-1/AI-1")
    place.apply()
    monkeypatch.setenv("GITHUB_TOKEN", place.github.new_token({"statuses": "read", "contents": "read"}, login=LOGIN))
    (error,) = check(place).errors
    assert "statuses" in error.hint
    assert "write" in error.hint
