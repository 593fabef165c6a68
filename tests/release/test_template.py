"""The template of a release: a team types its README, from the release alone, and has a repository that works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from incident_ops import __version__
from incident_ops.app.laid_files import drift
from incident_ops.domain.pin_file import read_pins, tool_pin
from incident_ops.domain.time import stamp
from incident_ops.reconcile.generated_block import owner
from tests.cli.scene import Folder, call
from tests.cli.test_how_to_pages import MOST_COMMANDS, counted, lay_jq
from tests.cli.test_init_github import ACTIONLINT
from tests.release.conftest import Built
from tests.release.test_installing import BIN, packages_from
from tests.support.gh_on_standin import lay_gh
from tests.support.http_sink import HttpSink
from tests.support.standin import LOGIN, PERSON
from tests.workflows.act import Hosted, Machine, WholeRun, machine
from tests.workflows.people import must_be_mergeable, person_changes, person_ticks
from tests.workflows.running import ROOT

TEMPLATE = ROOT / "template"
README = TEMPLATE / "README.md"
TOP = f"incident-ops-template-{__version__}"
NAME = "acme/records"
ADDRESS = re.compile(r"https://github\.com/\S+/releases/download/v\S+/(incident_ops-\S+\.whl)(?=\")")
HALF_A_PAGE = 300  # words
CHAT = "/200"
LATER = "incident-ops --at 2126-12-01T12:00:00Z sla run --dry-run"
TO_DO = "Renew tokens by themselves"
UNANSWERED = "Nobody answered"
UNSIGNED = "attestation"
"""The one check that is never clean here: what is built here was not signed by the workflow of a release."""


def typed(block: int = 0) -> list[str]:
    """The lines of a block of the README."""
    found = re.findall(r"(?:^    .+\n)+", README.read_text(encoding="utf-8"), re.MULTILINE)
    return [line.removeprefix("    ") for line in found[block].splitlines()]


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """The template as a repository of git, without what `init --github` lays beside it."""
    made = tmp_path / "team"
    shutil.copytree(TEMPLATE, made, ignore=shutil.ignore_patterns(".github"))
    subprocess.run(["git", "init", "-q", "-b", "main", made], check=True)
    return made


def test_the_readme_is_half_a_page_and_counts_its_commands() -> None:
    """And it names this release."""
    text = README.read_text(encoding="utf-8")
    count = sum(map(counted, typed()))
    assert f"**{count} commands**" in text
    assert count <= MOST_COMMANDS
    assert len(text.split()) <= HALF_A_PAGE
    assert f"/v{__version__}/incident_ops-{__version__}-py3" in text


@pytest.mark.parametrize("command", ["validate", "policy lint", "canary validate"])
def test_nothing_in_it_is_wrong(team: Path, command: str) -> None:
    done = call(*command.split(), at=team, clock="2026-11-30T12:00:00Z")
    assert done.code == 0, done
    assert "warning" not in done.out + done.err


def test_its_one_record_is_a_drill_that_is_over_with_its_documents(team: Path) -> None:
    done = call("list", "--format", "json", at=team, clock="2026-11-30T12:00:00Z")
    (seen,) = json.loads(done.out)["incidents"]
    assert seen["state"] == "closed"
    assert "**This is a drill.**" in (team / seen["file"]).with_name("incident.md").read_text(encoding="utf-8")
    assert "4 already up to date" in call("render", at=team, clock="2026-11-30T12:00:00Z").out


# ------------------------------------------------------------------ from the built release alone


def unpacked(built: Built, place: Path) -> Path:
    """The template of a release, unpacked in a folder."""
    with zipfile.ZipFile(built.dist / f"{TOP}.zip") as packed:
        packed.extractall(place)
    return place / TOP


@pytest.mark.slow
def test_the_archive_has_all_that_init_lays_and_the_linters_find_nothing(built: Built, tmp_path: Path) -> None:
    """One folder, with the workflows and the pin of this release, and nothing that a team has to throw away."""
    team = unpacked(built, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == [TOP]
    assert drift(team) == []
    pin = tool_pin(read_pins((team / ".github/incident-ops.txt").read_text(encoding="utf-8")))
    assert pin is not None
    assert pin.digests == (sha256(built.wheel.read_bytes()).hexdigest(),)
    assert not [one for one in team.rglob("*") if one.name in {".git", ".incident-ops", "__pycache__"}]
    subprocess.run(["git", "init", "-q", "-b", "main", team], check=True)
    assert call("validate", at=team, clock="2026-11-30T12:00:00Z").code == 0
    files = sorted(map(str, (team / ".github/workflows").glob("*.yml")))
    for words in (
        [BIN / "zizmor", "--offline", "--persona=auditor", "--no-progress", team],
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files],
        *(
            [[ACTIONLINT, "-shellcheck=", "-pyflakes=", "-ignore", 'unexpected key "queue"', *files]]
            if ACTIONLINT
            else ()
        ),
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def published(folder: Path) -> Iterator[str]:
    """The files of a release at an address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


class Team(Hosted):
    """A folder with a template, a shell in which its README is typed, and the repository that comes of it."""

    def __init__(self, runner: Machine, temp: Path, built: Built, release: str, sink: HttpSink) -> None:
        self.machine, self.temp, self.github = runner, temp, runner.github
        self.going, self.over, self.name = set(), threading.Event(), NAME
        self.release, self.sink = release, sink
        self.folder = Folder.__new__(Folder)
        self.folder.path, self.folder.has_git = unpacked(built, temp), True
        with (self.folder.path / "policy.yaml").open("a", encoding="utf-8") as policy:
            # the one difference from GitHub, where jobs act as the preset's github-actions[bot]
            policy.write(f"tracker: {{identities: [{LOGIN}]}}\n")
        bare = temp / "origin.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", bare], check=True)
        (runner.hub / "acme").mkdir(exist_ok=True)
        (runner.hub / NAME).symlink_to(bare)
        (temp / "bin").mkdir()
        lay_jq(temp / "bin")
        self.ssh = lay_gh(temp / "bin", self.github.url, self.github.token, bare)
        self.packages = packages_from(temp, ROOT / ".venv/wheels", built.dist)
        del self.packages["UV_OFFLINE"]  # the release is at an address; there, nothing else is found
        self.packages["UV_DEFAULT_INDEX"] = release
        self.links = {"PIP_FIND_LINKS": self.packages["PIP_FIND_LINKS"]}
        self.secrets = {
            "INCIDENT_OPS_CHANNEL_CHAT": sink.address(CHAT),
            "INCIDENT_OPS_HEARTBEAT_URL": f"{sink.url}/202",
        }

    def types(self, line: str, **more: str) -> str:
        """A line of the README, in the folder of the template -> what it printed; addresses lead to the release."""
        line = ADDRESS.sub(rf"{self.release}/\1", line)
        surroundings = {
            **self.packages,
            "PATH": f"{self.temp / 'bin'}:{self.packages['PATH']}",
            "GITHUB_API_URL": self.github.url,
            "GIT_SSH_COMMAND": self.ssh,
            "INCIDENT_OPS_BY": "@alice",
            **more,
        }
        words = ["sh", "-ec", line]
        done = subprocess.run(
            words, cwd=self.folder.path, env=surroundings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def titles(self) -> list[str]:
        """What chat was sent."""
        return [one.data["title"] for one in self.sink.taken if one.path.startswith(CHAT)]

    def proposed(self) -> dict[str, Any]:
        """The event of the newest pull request; the commit that GitHub makes of its merge is before the reviewer."""
        pull = max(self.ask("/pulls?state=open"), key=lambda one: one["number"])
        base, head = self.latest(), self.reviews("rev-parse", f"origin/{pull['head']['ref']}")
        self.reviews("merge", "--quiet", "--no-ff", "--message", f"Merge {head} into {base}", head)
        self.reviews("push", "--quiet", "origin", f"HEAD:refs/pull/{pull['number']}/merge")
        number = pull["number"]
        return {"number": number, "pull_request": {"number": number, "base": {"sha": base}, "head": {"sha": head}}}

    def latest(self) -> str:
        """Puts the reviewer's clone on the tip of main -> its commit."""
        self.reviewer = self.temp / "reviewer"
        if not self.reviewer.exists():
            subprocess.run(["git", "clone", "-q", self.temp / "origin.git", self.reviewer], check=True)
        self.reviews("fetch", "--quiet", "origin")
        self.reviews("reset", "--quiet", "--hard", "origin/main")
        return self.reviews("rev-parse", "HEAD")

    def merge(self) -> dict[str, str]:
        """Merges what the reviewer has before them -> the event of the push."""
        self.reviews("push", "--quiet", "origin", "HEAD:main")
        return {"after": self.reviews("rev-parse", "HEAD"), "ref": "refs/heads/main"}

    def merge_of(self, branch: str) -> dict[str, str]:
        """Merges the pull request that a run has opened from a branch -> the event of the push."""
        self.latest()
        must_be_mergeable(self, branch, self.reviews("rev-parse", f"origin/{branch}"))
        self.reviews("merge", "--quiet", "--no-edit", f"origin/{branch}")
        return self.merge()

    def reads(self, name: str) -> str:
        """A file as it is merged."""
        self.latest()
        return (self.reviewer / name).read_text(encoding="utf-8")

    def reviews(self, *words: str) -> str:
        """Git, in the clone of whoever merges -> what it printed."""
        done = subprocess.run(["git", "-C", self.reviewer, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def goes(self, workflow: str, event: str, payload: dict[str, Any] | None = None, **more: Any) -> WholeRun:
        """A workflow, with packages from the release alone; GitHub lists its run."""
        began = stamp(datetime.now(UTC))
        done = self.run(workflow, event, payload, secrets=self.secrets, installs=True, **self.links, **more)
        assert done.code == 0, done.said
        self.github.set_runs(NAME, workflow, {"created_at": began, "status": "completed", "conclusion": "success"})
        return done


def states(printed: str) -> dict[str, str]:
    """Check -> its state, of what `doctor` prints for programs."""
    return {one["check"]: one["state"] for one in json.loads(printed)["checks"]}


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
def test_a_team_begins_with_the_template(
    built: Built,
    wheels: Path,
    tmp_path: Path,
    sink: HttpSink,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """README typed line by line, a first run, a clean doctor, a drill, and the first incident from page to end."""
    with machine(tmp_path_factory.mktemp("machine")) as runner, published(built.dist) as release:
        team = Team(runner, tmp_path, built, release, sink)
        monkeypatch.setenv("GIT_SSH_COMMAND", team.ssh)
        *lines, doctor = typed()
        for line in lines:
            team.types(line)
        assert (tmp_path / "bin/incident-ops").resolve().is_relative_to(tmp_path / "pipx")
        assert states(team.types(f"{doctor} --format json"))["reconcile.yml runs"] == "warning"
        (asked,) = team.github.dispatches(NAME)
        assert asked["file"] == "reconcile.yml"
        team.goes("reconcile.yml", "workflow_dispatch")
        seen = states(team.types(f"{doctor} --format json"))
        assert {name for name, state in seen.items() if state != "ok"} == {UNSIGNED}
        assert (team.titles(), team.ask("/issues?state=all")) == ([], [])

        drill, declare = typed(1)
        team.types(drill, INCIDENT_OPS_CHANNEL_CHAT=team.secrets["INCIDENT_OPS_CHANNEL_CHAT"])
        assert team.titles()
        assert all(title.startswith("[DRILL] ") for title in team.titles())
        assert team.ask("/issues?state=all") == []

        sink.taken.clear()
        team.types(declare)
        judged = team.goes("validate.yml", "pull_request", team.proposed(), ref="refs/pull/1/merge")
        assert set(judged.conclusions().values()) == {"success"}
        assert team.titles() == []
        team.goes("reconcile.yml", "push", team.merge())
        assert any("SEV1 Login fails - Declared" in title for title in team.titles()), team.titles()
        (issue,) = [one for one in team.ask("/issues?state=open") if "pull_request" not in one]
        assert "Login fails" in issue["title"]
        the_rest_of_the_night(team, owner(issue["body"]) or "")


def the_rest_of_the_night(team: Team, incident: str) -> None:
    """The page is answered, the incident resolved, its documents are there, and what was to be done is done."""
    folder = f"incidents/{incident}"
    take = f"git fetch -q && git checkout -q origin/main -- {folder} && git pull -q"  # as each --send prints it
    team.types(take)
    assert UNANSWERED in team.types(LATER)
    team.goes("reconcile.yml", "issues", person_ticks(team, incident))
    team.merge_of(f"incident-ops/people/{incident}")
    team.types(take)
    assert "acknowledged:" in team.reads(f"{folder}/incident.yaml")
    assert UNANSWERED not in team.types(LATER)

    team.types(f"incident-ops render {incident} && git add incidents && git commit -qm 'Its documents' && git push -q")
    team.types(f'incident-ops action add "{TO_DO}" {incident} --owner @alice')
    ended = f'incident-ops resolve {incident} --restored now --cause deploy --what "A token expired" --send'
    team.types(f'GH_TOKEN="$(gh auth token)" {ended}')
    proposed = team.proposed()
    judged = team.goes("validate.yml", "pull_request", proposed, ref=f"refs/pull/{proposed['number']}/merge")
    assert set(judged.conclusions().values()) == {"success"}
    team.goes("reconcile.yml", "push", team.merge())
    assert any("SEV1 Login fails - " in title and "resolved at" in title for title in team.titles()), team.titles()
    assert "A token expired" in team.reads(f"{folder}/postmortem.md")
    assert TO_DO in team.reads(f"{folder}/action-items.md")

    closed = person_changes(team, f"{incident}/AI-1", "closed", state="closed", state_reason="completed")
    team.goes("reconcile.yml", "issues", closed)
    team.merge_of(f"incident-ops/people/{incident}")
    record = team.reads(f"{folder}/incident.yaml")
    assert "status: done" in record
    assert f"@{PERSON}" in record
