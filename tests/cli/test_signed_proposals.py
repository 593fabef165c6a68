"""A rule of the repository asks for signed commits: the proposals are signed by GitHub, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.scene import Folder
from tests.cli.test_proposals import NUMBERS, PEOPLE, POLICY, SERVICES, Place
from tests.support.hosted import RULES, address_on_github, ask_for_signatures, hosted
from tests.support.standin import LOGIN, PERSON, PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])


@pytest.fixture
def place(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A clone whose origin is the repository on GitHub, with the rule."""
    folder = Folder(tmp_path / "clone", policy=POLICY.replace(LOGIN, f"{LOGIN}, {PERSON}"), services=SERVICES)
    made = Place(folder, github, hosted(folder, github, monkeypatch))
    made.declare("INC-1")
    monkeypatch.setenv("GIT_SSH_COMMAND", address_on_github(folder, made.repository))
    ask_for_signatures(origin(made))
    return made


def origin(place: Place) -> Path:
    return place.folder.path.parent / "origin.git"


def author(place: Place, branch: str) -> str:
    """Who made the commit of a branch."""
    place.folder.git("fetch", "--quiet", origin(place).as_uri(), branch)
    return place.folder.git("show", "--no-patch", "--format=%an, %cn", "FETCH_HEAD").strip()


@pytest.mark.slow
def test_a_rule_that_asks_for_signed_commits_refuses_no_proposal(place: Place) -> None:
    """The branch is new, moves, and goes; its commit is GitHub's own; a run without news makes no commit."""
    place.apply()
    assert author(place, NUMBERS) == f"{LOGIN}, GitHub"
    place.close("INC-1/AI-1")
    place.apply()
    assert sorted(place.pulls()) == [NUMBERS, PEOPLE]
    moves = (origin(place) / "moves").read_text()
    assert [line.split()[0] for line in moves.splitlines()] == [f"refs/heads/{name}" for name in (NUMBERS, PEOPLE)]
    place.apply()
    assert (origin(place) / "moves").read_text() == moves
    assert not (origin(place) / "closed").exists()


def sign_everything(place: Place) -> None:
    """The rule is about every branch of ours: ledger, numbers, lock and gate.json too."""
    of_proposals = 'case "${1#refs/heads/incident-ops/}" in numbers|people/*|automation/*) ;; *) exit 0;; esac'
    assert of_proposals in RULES
    hook = origin(place) / "hooks/update"
    hook.write_text(RULES.replace(of_proposals, 'case "$1" in refs/heads/incident-ops/*) ;; *) exit 0;; esac'))


@pytest.mark.slow
def test_a_rule_for_every_branch_refuses_none_of_ours(place: Place) -> None:
    """What git's push is refused GitHub makes and signs: notices are claimed, issues opened, numbers kept, gate.json
    is published; the lock is given back."""
    quiet = "notify: {incident_channel: {create: false}}\nescalation: {tiers: [{id: first, tier: 1}]}\n"
    own = f"extends: sev0-3\ntracker: {{identities: [{LOGIN}]}}\n{quiet}levels: [{{id: SEV1, channels: [ticket]}}]\n"
    place.folder.write("policy.yaml", own)
    place.push()
    sign_everything(place)
    done = place.call("run")
    assert done.code == 0, done
    assert place.pulls()
    for branch in ("ledger", "ids", "public"):
        assert author(place, f"incident-ops/{branch}") == f"{LOGIN}, GitHub", branch
    assert "incident-ops/lock" not in place.folder.git("ls-remote", origin(place).as_uri())
    again = place.call("run")
    assert (again.code, "Nothing to do" in again.out) == (0, True), again


def test_a_persons_token_is_told_what_github_signs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub signs for no person: the rule refuses the push, and the run says whose token may."""
    monkeypatch.setenv("GITHUB_TOKEN", PERSON_TOKEN)
    done = place.apply(code=4)
    assert "Commits must have verified signatures" in done.out + done.err
    assert "GITHUB_TOKEN" in done.out + done.err
    assert not place.pulls()
    monkeypatch.setenv("GITHUB_TOKEN", place.github.token)
    place.apply()
    assert author(place, NUMBERS) == f"{LOGIN}, GitHub"
