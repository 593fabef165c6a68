"""`freeze --send`: the freeze is a pull request on top of the default branch, and nothing in the checkout changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.scene import Done, Folder, call
from tests.cli.test_apply_github import TRUSTED
from tests.cli.test_send import Team
from tests.cli.test_two_way import Team as OnGitHub
from tests.support.hosted import hosted
from tests.support.standin import Standin

AT = "2025-01-26T14:00:00Z"
FREEZE = ("freeze", "db-move", "-s", "api", "--reason", "migration", "--until", "4h", "--by", "@alice", "--send")
FILE = "freezes/db-move.yaml"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def frozen(place: Folder, *words: str, code: int = 0) -> Done:
    done = call(*FREEZE, *words, at=place.path, clock=AT)
    assert done.code == code, done
    return done


def branches(team: Team) -> list[str]:
    return team.git("for-each-ref", "--format=%(refname:short)", "refs/heads/incident-ops/freeze/").split()


def test_it_goes_on_a_branch_of_its_own_and_the_checkout_stays(team: Team) -> None:
    alice = team.clone()
    out = frozen(alice).out
    (branch,) = branches(team)
    assert team.changed(branch) == [FILE]
    data = yaml.safe_load(team.git("show", f"{branch}:{FILE}"))
    assert (data["name"], data["services"], data["by"]) == ("db-move", ["api"], "@alice")
    assert f"{data['until']:%H:%M}" == "18:00"
    assert alice.git("status", "--porcelain") == ""
    lines = out.splitlines()
    assert lines[-4:] == [
        f"  pushed: branch {branch}",
        "  it counts once it is merged; until then nothing is held",
        f"  next: merge branch {branch} into main",
        f"  with git: git push origin {branch}:main",
    ]
    held = "db-move: deploys of api to every environment are held from 2025-01-26T14:00:00Z until"
    assert " ".join(out.split()).startswith(held)
    team.git("update-ref", "refs/heads/main", f"refs/heads/{branch}")
    assert call("gate", "check", "-s", "api", at=alice.path, clock=AT).code == 3


def test_the_same_once_more_sends_nothing_new(team: Team) -> None:
    alice = team.clone()
    frozen(alice)
    (branch,) = branches(team)
    assert f"nothing new to push: branch {branch}" in frozen(alice).out
    data = json.loads(frozen(alice, "--format", "json").out)
    assert (data["send"]["sent"], data["send"]["branch"], data["path"]) == (True, branch, FILE)


def test_a_commit_of_a_colleague_on_the_branch_stays_there(team: Team) -> None:
    """Who sends the same again, or with another end, adds to the branch and takes nothing from it."""
    alice = team.clone()
    frozen(alice)
    (branch,) = branches(team)
    alice.git("fetch", "--quiet", "origin", branch)
    alice.git("switch", "--quiet", "--detach", "FETCH_HEAD")
    alice.write("freezes/README.md", "why")
    alice.write(FILE, (alice.path / FILE).read_text().replace("migration", "migration, then a copy"))
    alice.git("add", "--all")
    alice.git("commit", "--quiet", "--message", "Say more")
    alice.git("push", "--quiet", "origin", f"HEAD:{branch}")
    theirs = alice.git("rev-parse", "HEAD").strip()
    alice.git("switch", "--quiet", "main")
    frozen(alice)
    team.git("merge-base", "--is-ancestor", theirs, branch)
    assert team.changed(branch) == ["freezes/README.md", FILE]


def test_what_is_merged_already_or_cannot_be_is_refused_before_anything_is_sent(team: Team) -> None:
    alice = team.clone()
    frozen(alice)
    (branch,) = branches(team)
    team.git("update-ref", "refs/heads/main", f"refs/heads/{branch}")
    team.git("branch", "-D", branch)
    frozen(alice, code=2).told_once(2, "it is there already, and it is not over")
    call(*FREEZE, "-s", "apii", at=alice.path, clock=AT).told_once(2, "service 'apii' is not in services.yaml")
    assert branches(team) == []
    team.away()
    frozen(alice, code=4)
    team.back()
    assert alice.git("status", "--porcelain") == ""


@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
def test_on_github_it_is_a_pull_request_opened_once(
    tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "clone", policy=f"extends: sev0-3\n{TRUSTED}")
    place = OnGitHub(folder, tmp_path / "origin.git", github, hosted(folder, github, monkeypatch), "")
    folder.write("note", "x")
    place.push("A step")
    words = tuple("see @everyone" if word == "migration" else word for word in FREEZE)
    first, again = place.command(*words), place.command(*words)
    (pull,) = place.ask("GET", "/pulls?state=open")
    assert f"sent: opened pull request #{pull['number']} of branch incident-ops/freeze/db-move-" in first
    assert f"it is on pull request #{pull['number']} of branch incident-ops/freeze/db-move-" in again
    assert pull["title"] == "Freeze db-move"
    assert "@everyone" not in pull["body"]
    assert "It counts once it is merged" in pull["body"]
