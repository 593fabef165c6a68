"""`oncall swap --send`: the swap is a pull request, and nothing in the checkout changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.scene import Done, Folder, call
from tests.cli.test_apply_github import TRUSTED
from tests.cli.test_oncall import WEEK
from tests.cli.test_send import Team
from tests.cli.test_two_way import Team as OnGitHub
from tests.support.hosted import hosted
from tests.support.standin import Standin

AT = "2025-01-26T14:00:00Z"
SWAP = ("oncall", "swap", "@alice", "@ben", "--from", "2025-02-05T00:00:00Z", "--to", "2025-02-06T00:00:00Z")
FILE = "oncall/primary.yaml"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    made = Team(tmp_path)
    made.seed.write(FILE, WEEK)
    made.seed.commit()
    made.seed.git("push", "-q", "origin", "HEAD:main")
    return made


def swap(place: Folder, *words: str, code: int = 0) -> Done:
    done = call(*SWAP, "--by", "@alice", "--send", *words, at=place.path, clock=AT)
    assert done.code == code, done
    return done


def branches(team: Team) -> list[str]:
    found = team.git("for-each-ref", "--format=%(refname:short)", "refs/heads/incident-ops/oncall/")
    return found.split()


def test_it_goes_on_a_branch_of_its_own_and_the_checkout_stays(team: Team) -> None:
    alice = team.clone()
    out = swap(alice, "--reason", "school concert").out
    (branch,) = branches(team)
    assert team.changed(branch) == [FILE]
    (override,) = yaml.safe_load(team.git("show", f"{branch}:{FILE}"))["overrides"]
    assert (override["who"], override["by"], override["reason"]) == ("@ben", "@alice", "school concert")
    assert alice.git("status", "--porcelain") == ""
    assert (alice.path / FILE).read_text() == WEEK
    assert out.splitlines() == [
        "primary: @ben is on call from Wed 2025-02-05 01:00 to Thu 2025-02-06 01:00 CET",
        f"  pushed: branch {branch}",
        "  it counts once it is merged; until then the schedule stands",
        f"  next: merge branch {branch} into main",
        f"  with git: git push origin {branch}:main",
    ]
    message = team.git("log", "-1", "--format=%B", branch)
    assert message.startswith("primary: @\u200bben is on call from")
    assert "school concert" in message


def test_the_same_once_more_sends_nothing_new_and_another_one_has_its_own_branch(team: Team) -> None:
    alice = team.clone()
    swap(alice)
    first = branches(team)
    tip = team.tip(first[0])
    assert f"nothing new to push: branch {first[0]}" in swap(alice).out
    assert (branches(team), team.tip(first[0])) == (first, tip)
    data = json.loads(swap(alice, "--reason", "another", "--format", "json").out)
    assert len(branches(team)) == 2
    assert data["send"]["sent"] is True
    assert data["send"]["branch"] in branches(team)
    assert data["path"] == FILE


def test_it_starts_from_the_default_branch_whatever_stands_here(team: Team) -> None:
    alice = team.clone()
    team.seed.write(FILE, WEEK.replace("Europe/Berlin", "Europe/Paris"))
    team.seed.commit()
    team.seed.git("push", "-q", "origin", "HEAD:main")
    (alice.path / FILE).write_text("broken: [\n")
    swap(alice)
    (branch,) = branches(team)
    assert "Europe/Paris" in team.git("show", f"{branch}:{FILE}")


def test_a_remote_that_does_not_answer_or_refuses_leaves_everything_as_it_is(team: Team) -> None:
    alice = team.clone()
    team.hook("exit 1")
    refused = swap(alice, code=4)
    assert "nothing was sent" in refused.err
    team.away()
    swap(alice, code=4)
    team.back()
    assert branches(team) == []
    assert alice.git("status", "--porcelain") == ""


def test_a_swap_that_cannot_be_is_refused_before_anything_is_sent(team: Team) -> None:
    alice = team.clone()
    words = ("oncall", "swap", "@x", "@y", "--from", "2025-02-05", "--to", "2025-02-06", "--send")
    call(*words, at=alice.path, clock=AT).told_once(2, "neither @x nor @y is on call")
    assert branches(team) == []


@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
def test_on_github_it_is_a_pull_request_opened_once(
    tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "clone", policy=f"extends: sev0-3\n{TRUSTED}")
    place = OnGitHub(folder, tmp_path / "origin.git", github, hosted(folder, github, monkeypatch), "")
    folder.write(FILE, WEEK)
    place.push("A schedule")
    words = (*SWAP, "--by", "@alice", "--reason", "see @everyone", "--send")
    first, again = place.command(*words), place.command(*words)
    (pull,) = place.ask("GET", "/pulls?state=open")
    assert f"sent: opened pull request #{pull['number']} of branch incident-ops/oncall/primary-" in first
    assert f"next: merge {pull['html_url']}" in first
    assert f"nothing new to send: it is on pull request #{pull['number']}" in again
    assert pull["title"].replace("\u200b", "") == "On call primary: @alice and @ben swap"
    assert "@everyone" not in pull["body"]
    assert "It counts once it is merged" in pull["body"]
