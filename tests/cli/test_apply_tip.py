"""`apply` on GitHub follows the tip of the default branch, and refuses every other commit before it writes anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.scene import Done, Folder, call
from tests.support.hosted import hosted
from tests.support.standin import LOGIN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])


class Place:
    """A clone whose origin is a bare repository, and its repository on the stand-in."""

    def __init__(self, folder: Folder, github: Standin, repository: str) -> None:
        self.folder, self.github, self.repository = folder, github, repository

    def apply(self, *args: str) -> Done:
        return call("apply", "--tracker", "github", "--no-notify", *args, at=self.folder.path)

    def commit(self, name: str) -> None:
        self.folder.put(name, services="[api]")
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--message", name)

    def wrote(self) -> bool:
        """Whether anything was written, on the tracker or on the remote."""
        issues = self.github.ask("GET", f"/repos/{self.repository}/issues?state=all")
        heads = self.folder.git("ls-remote", "--heads", "origin").strip().splitlines()
        return bool(issues) or len(heads) > 1


@pytest.fixture
def place(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Place:
    policy = f"extends: sev0-3\ntracker: {{identities: [{LOGIN}]}}\nnotify: {{incident_channel: {{create: false}}}}\n"
    folder = Folder(tmp_path / "clone", policy=policy)
    repository = hosted(folder, github, monkeypatch)
    made = Place(folder, github, repository)
    made.commit("INC-1")
    folder.git("push", "--quiet", "origin", "main")
    return made


def test_a_checkout_behind_the_tip_is_refused(place: Place) -> None:
    """It would undo what was merged since; the way on is to pull."""
    place.commit("INC-2")
    place.folder.git("push", "--quiet", "origin", "main")
    place.folder.git("reset", "--quiet", "--hard", "HEAD~1")
    done = place.apply()
    done.told_once(6, "is behind the tip of main on origin", "undo what was merged since")
    assert "git switch main && git pull" in done.err
    assert not place.wrote()


@pytest.mark.parametrize("branch", ["main", "feature"])
def test_commits_that_nobody_merged_are_refused(place: Place, branch: str) -> None:
    """From the default branch before a push, and from a branch of its own, pushed or not."""
    if branch != "main":
        place.folder.git("checkout", "--quiet", "-b", branch)
    place.commit("INC-2")
    done = place.apply()
    done.told_once(6, "is not merged into main on origin")
    assert "then run it on main" in done.err
    assert not place.wrote()


def test_ways_that_parted_are_refused(place: Place) -> None:
    """Each has what the other lacks."""
    place.commit("INC-2")
    place.folder.git("push", "--quiet", "origin", "main")
    place.folder.git("reset", "--quiet", "--hard", "HEAD~1")
    place.commit("INC-3")
    place.apply().told_once(6, "is not the tip of main on origin, and each has commits that the other lacks")
    assert not place.wrote()


def test_a_tip_that_cannot_be_read_applies_nothing(place: Place, tmp_path: Path) -> None:
    """Nobody can tell what is merged: exit 4."""
    (tmp_path / "origin.git").rename(tmp_path / "gone.git")
    place.apply().told_once(4, "origin cannot be read")
    (tmp_path / "gone.git").rename(tmp_path / "origin.git")
    assert not place.wrote()


def test_a_clone_without_a_remote_applies_nothing_to_github(place: Place) -> None:
    """It says what to add."""
    place.folder.git("remote", "remove", "origin")
    place.apply().told_once(2, "no remote 'origin'")


def test_what_is_not_committed_is_listed_and_not_applied(place: Place) -> None:
    """A new record and a changed one; the commit counts."""
    place.folder.put("INC-2", services="[api]")
    place.folder.put("INC-1", services="[api]", title="Not yet")
    done = place.apply()
    assert done.code == 0, done
    listed = "note: not committed, so not applied: incidents/INC-1/incident.yaml, incidents/INC-2/incident.yaml"
    assert done.err.strip() == listed
    found = place.github.ask("GET", f"/repos/{place.repository}/issues?state=all")
    assert [one["title"] for one in found if "pull_request" not in one] == ["INC-1: Login fails"]
    assert "INC-2" not in done.out


def test_the_embedded_tracker_takes_any_commit(place: Place) -> None:
    """It is nobody else's."""
    place.commit("INC-2")
    assert call("apply", "--tracker", "local", "--no-notify", at=place.folder.path).code == 0
