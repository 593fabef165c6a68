"""gate.json from its branch counts where GitHub signed its commit for somebody who is trusted, and not otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from incident_ops.adapters.github.connect import commits_of
from tests.cli.scene import Done, Folder, call
from tests.cli.test_proposals import POLICY, SERVICES
from tests.support.hosted import address_on_github, hosted
from tests.support.standin import LOGIN, PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])

BRANCH = "incident-ops/public"


def said(at: Path, records: str, *words: str, **variables: str) -> Done:
    """What the gate of a service says, in one line."""
    done = call("gate", "check", "-s", "api", "--records", records, *words, at=at, **variables)
    return done._replace(out=" ".join(done.out.split()))


class Published:
    """A repository on GitHub whose gate.json is published, and a folder elsewhere that asks it."""

    def __init__(self, folder: Folder, repository: str, elsewhere: Path) -> None:
        self.folder, self.repository, self.elsewhere = folder, repository, elsewhere

    def publish(self, **variables: str) -> None:
        done = call("gate", "publish", at=self.folder.path, **variables)
        assert done.code == 0, done

    def check(self, *words: str, **variables: str) -> Done:
        place = f"git@localhost:{self.repository}.git@{BRANCH}"
        return said(self.elsewhere, place, *words, **variables)

    def tip(self) -> str:
        self.folder.git("fetch", "--quiet", self.origin, BRANCH)
        return self.folder.git("rev-parse", "FETCH_HEAD").strip()

    def put(self, content: str, *words: str) -> None:
        """Somebody with write access puts a gate.json on the branch by git, in the bot's name."""
        git, file = self.folder.git, self.folder.write("gate.json", content)
        git("add", "gate.json")
        tree = git("write-tree", "--prefix=").strip()
        blob = git("rev-parse", f"{tree}:gate.json").strip()
        git("rm", "--quiet", "-r", "--cached", ".")
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},gate.json")
        alone = git("write-tree").strip()
        git("reset", "--quiet")
        file.unlink()
        author = ("-c", f"user.name={LOGIN}", "-c", f"user.email={LOGIN}@users.noreply.github.com")
        self.move_to(git(*author, "commit-tree", alone, "-m", "What holds deploys", *words).strip())

    def move_to(self, commit: str) -> None:
        self.folder.git("push", "--quiet", "--force", self.origin, f"{commit}:refs/heads/{BRANCH}")

    def proposal(self) -> str:
        """A commit that GitHub signed for the bot: a proposal, on a main that somebody gave a gate.json."""
        maker = commits_of(os.environ, f"git@localhost:{self.repository}.git")
        assert maker is not None
        self.folder.write("gate.json", "{}")
        self.folder.git("add", "gate.json")
        self.folder.git("commit", "--quiet", "--message", "a gate.json")
        self.folder.git("push", "--quiet", "origin", "main")
        head = self.folder.git("rev-parse", "HEAD").strip()
        tree = self.folder.git("rev-parse", "HEAD^{tree}").strip()
        made = maker.signed(tree, tree, [], head, "A proposal")
        self.folder.git("fetch", "--quiet", self.origin, made)
        return made

    @property
    def origin(self) -> str:
        return (self.folder.path.parent / "origin.git").as_uri()


@pytest.fixture
def place(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Published:
    folder = Folder(tmp_path / "clone", policy=POLICY, services=SERVICES)
    repository = hosted(folder, github, monkeypatch)
    folder.git("add", "--all")
    folder.git("commit", "--quiet", "--message", "a step")
    folder.git("push", "--quiet", "origin", "main")
    monkeypatch.setenv("GIT_SSH_COMMAND", address_on_github(folder, repository))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    return Published(folder, repository, elsewhere)


def test_github_signs_what_is_published_and_who_is_not_trusted_lets_nothing_through(place: Published) -> None:
    """The bot of the stand-in is not github-actions[bot], which is the one that is trusted unless somebody says so."""
    place.publish()
    done = place.check("--trusted", LOGIN)
    assert (done.code, done.out) == (0, "pass: nothing holds deploys of api to production (ok)")
    done = place.check()
    assert done.code == 3, done
    assert "incident_repo_unreachable" in done.out
    assert f"GitHub signed it for {LOGIN}, and github-actions[bot] is trusted" in done.out
    assert f"--trusted '{LOGIN}'" in done.out
    assert place.check("--trusted", "other[bot]", "--trusted", LOGIN).code == 0


def test_what_git_pushed_is_not_signed_and_the_way_on_is_said(place: Published) -> None:
    """GitHub signs nothing for the token of a person: it is published by a push, and nobody can tell by whom."""
    place.publish(GITHUB_TOKEN=PERSON_TOKEN)
    done = place.check("--trusted", LOGIN)
    assert done.code == 3, done
    assert "GitHub did not sign" in done.out
    assert f"--records git@localhost:{place.repository}.git@main" in done.out


@pytest.mark.slow
def test_somebody_who_may_push_forges_no_gate(place: Published) -> None:
    """In the bot's name; on top of what GitHub signed; or a commit that GitHub signed for something else."""
    place.publish()
    signed = place.tip()
    text = place.folder.git("show", f"{signed}:gate.json")
    place.put(text)
    assert "GitHub did not sign it (unsigned)" in place.check("--trusted", LOGIN).out
    place.put(text, "-p", signed)
    assert "GitHub did not sign it (unsigned)" in place.check("--trusted", LOGIN).out
    place.move_to(place.proposal())
    done = place.check("--trusted", LOGIN)
    assert (done.code, "holds other files as well" in done.out) == (3, True), done
    place.move_to(signed)
    done = place.check("--trusted", LOGIN)
    assert (done.code, "and the repository is at" in done.out) == (3, True), done


@pytest.mark.slow
def test_where_github_cannot_be_asked_one_line_says_so(place: Published) -> None:
    """Without a token, and for a repository that is not on GitHub; an answer of GitHub that fails is no yes."""
    place.publish()
    done = place.check(GITHUB_TOKEN="", GH_TOKEN="")
    assert done.code == 0, done
    assert "who published gate.json was not checked: set GITHUB_TOKEN" in done.out
    done = said(place.elsewhere, f"{place.origin}@{BRANCH}")
    assert (done.code, "who published gate.json was not checked: it is not on GitHub" in done.out) == (0, True), done
    done = place.check("--trusted", LOGIN, GITHUB_API_URL="http://localhost:9")
    assert (done.code, "incident_repo_unreachable" in done.out) == (3, True), done


def test_trusted_is_about_a_published_gate(place: Published) -> None:
    done = call("gate", "check", "-s", "api", "--trusted", "x", at=place.folder.path)
    done.told_once(2, "--trusted", "--records")
