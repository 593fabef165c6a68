"""The workflows that check this repository itself, run whole: which events start them, and what each step is given.

What they call is another's matter: `lint-workflows` runs the real checkers, of the environment that is here; in the
place of `.ci/run`, `make test`, `sudo` and downloads stand scripts that write down what they got.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.scene import POLICY
from tests.workflows.act import Hosted, Machine, WholeRun
from tests.workflows.running import ROOT, RUNNER, WORKFLOWS, need_node, own_files

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]
SECRET = "nobody-may-read-this"
SECRETS = {"INCIDENT_OPS_CHANNEL_CHAT": SECRET, "SLACK_BOT_TOKEN": SECRET}
NOTE = """\
#!/bin/sh
here="$NOTES/$$"
mkdir "$here"
echo "{what} $*" >"$here/what"
env >"$here/env"
git rev-list --count HEAD >"$here/commits"
git config --get-regexp extraheader >"$here/header"
command -v python >"$here/python"
{then}
"""
MAKEFILE = "test:\n\t@sh note.sh\n"
TESTS = [f"test with Python {version}" for version in ("3.11", "3.12", "3.14")]


def note(what: str, then: str = "") -> str:
    """A script that writes down how it was called, and what it could read."""
    return NOTE.format(what=what, then=then)


def program(path: Path, text: str) -> Path:
    """A script as a file that runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def lay(repository: Hosted, workflow: str) -> None:
    """Lays one workflow of this house into a repository, and nothing that it installs."""
    repository.folder.write(f".github/workflows/{workflow}", (WORKFLOWS / workflow).read_text(encoding="utf-8"))


class Checked:
    """A small repository with `ci.yml`, whose `.ci/run` and `make test` only write down what they got."""

    def __init__(self, runner: Machine, folder: Path) -> None:
        self.notes, self.bin = folder / "notes", folder / "bin"
        self.notes.mkdir()
        program(self.bin / "sudo", note("sudo"))
        self.repository = Hosted(runner, folder, policy=POLICY)
        lay(self.repository, "ci.yml")
        program(self.repository.folder.path / ".ci/run", note("run"))
        self.repository.folder.write("Makefile", MAKEFILE)
        self.repository.folder.write("note.sh", note("make"))
        self.repository.push()

    def run(self, event_name: str, event: dict[str, object] | None = None, ref: str = "refs/heads/main") -> WholeRun:
        """Runs it for an event, with secrets in the repository."""
        path = f"{self.bin}:{os.environ['PATH']}"
        given: dict[str, Any] = {"secrets": SECRETS, "installs": True, "PATH": path, "NOTES": str(self.notes)}
        return self.repository.run("ci.yml", event_name, event, ref=ref, **given)

    def noted(self, what: str) -> dict[str, list[str]]:
        """What was written down by calls of a script, kind by kind."""
        calls = [one for one in sorted(self.notes.iterdir()) if (one / "what").read_text().split()[0] == what]
        kinds = ("what", "env", "commits", "header", "python")
        return {kind: [(one / kind).read_text().strip() for one in calls] for kind in kinds}


@pytest.fixture
def checked(runner: Machine, tmp_path: Path) -> Checked:
    """The repository with `ci.yml`."""
    return Checked(runner, tmp_path)


def ended(run: WholeRun) -> dict[str, str]:
    """How each job ended; act numbers those of a matrix."""
    return {re.sub(r"-\d$", "", name): conclusion for name, conclusion in run.conclusions().items()}


def asked(run: WholeRun, action: str, given: str) -> list[tuple[str, str]]:
    """What each call of an action was given for an input, with the job."""
    return sorted((use["job"], use["with"][given]) for use in run.used if use["action"] == f"actions/{action}")


def pythons_of(run: WholeRun) -> dict[str, str]:
    """The Python that each job set up."""
    step = "Set up Python"
    return {re.sub(r"-\d$", "", name): job.steps[step].outputs["python-path"] for name, job in run.jobs.items()}


def test_a_pull_request_runs_everything_and_each_python_of_the_matrix(checked: Checked) -> None:
    """All of the history is there, nobody's token is, and each `make test` gets the Python that its job set up."""
    checked.repository.folder.write("file.txt", "changed\n")
    event = checked.repository.propose("change")
    run = checked.run("pull_request", event, "refs/pull/1/merge")
    assert (run.code, ended(run)) == (0, dict.fromkeys(["all", *TESTS], "success")), run.said
    assert asked(run, "checkout", "fetch-depth") == [("all", "0"), *[("test", "0")] * 3]
    assert asked(run, "checkout", "persist-credentials") == [("all", "false"), *[("test", "false")] * 3]
    versions = [("all", "3.13"), *(("test", one.split()[-1]) for one in TESTS)]
    assert asked(run, "setup-python", "python-version") == versions
    everything, tests, root = (checked.noted(what) for what in ("run", "make", "sudo"))
    assert everything["what"] == ["run"]
    pythons = pythons_of(run)
    assert everything["python"] == [pythons["all"]]
    assert sorted(root["what"]) == [
        "sudo apt-get install -y -qq --no-install-recommends prometheus",
        "sudo apt-get update -qq",
    ]
    given = [re.findall(r"^PYTHON=(.*)$", env, re.MULTILINE) for env in tests["env"]]
    assert sorted(given) == sorted([pythons[name]] for name in TESTS)
    assert len(set(pythons.values())) == 1 + len(TESTS)
    for calls in (everything, tests):
        assert set(calls["commits"]) == {"3"}, "the merge commit with all that is below it"
        assert set(calls["header"]) == {""}
        assert [env for env in calls["env"] if SECRET in env or checked.repository.github.token in env] == []


def test_one_python_that_fails_stops_no_other(checked: Checked) -> None:
    then = 'mkdir "$NOTES/../first" 2>/dev/null && exit 1; exit 0'
    checked.repository.folder.write("note.sh", note("make", then))
    checked.repository.push()
    run = checked.run("push")
    assert run.code == 1
    outcomes = [step.outcome for job in run.jobs.values() for name, step in job.steps.items() if name == "Test"]
    assert sorted(outcomes) == ["failure", "success", "success"], run.said  # act says of each job what one of them is
    assert run.jobs["all"].conclusion == "success"


def test_what_ci_run_finds_is_red(checked: Checked) -> None:
    program(checked.repository.folder.path / ".ci/run", note("run", "exit 1"))
    checked.repository.push()
    run = checked.run("merge_group", {"merge_group": {"base_ref": "refs/heads/main"}})
    assert (run.code, ended(run)) == (1, {"all": "failure", **dict.fromkeys(TESTS, "success")}), run.said


@pytest.mark.parametrize("workflow", ["ci.yml", "lint-workflows.yml"])
def test_a_push_to_a_branch_is_left_to_its_pull_request(runner: Machine, tmp_path: Path, workflow: str) -> None:
    repository = Hosted(runner, tmp_path, policy=POLICY)
    lay(repository, workflow)
    repository.push("other")
    run = repository.run(workflow, "push", ref="refs/heads/other", installs=True)
    assert (run.code, run.conclusions()) == (0, {}), run.said


@pytest.fixture(scope="module")
def house(runner: Machine, tmp_path_factory: pytest.TempPathFactory) -> Hosted:
    """This repository as it is now, with the environment that is here in place of one that is installed."""
    need_node()
    if subprocess.run(["make", "--question", "setup"], cwd=ROOT, check=False).returncode:
        pytest.skip("the environment is not that of the pins: `make setup`")
    if not list(ROOT.glob(".venv/actionlint/*/actionlint")):
        pytest.skip("actionlint is not here: `make test` builds it where Go is")
    made = Hosted(runner, tmp_path_factory.mktemp("house"), policy=POLICY)
    own_files(made.folder.path)
    (made.folder.path / ".venv").symlink_to(ROOT / ".venv")
    made.push()
    return made


def lint(house: Hosted, event_name: str, *, ref: str = "refs/heads/main", has_npm: bool = True) -> WholeRun:
    """Runs `lint-workflows` whole; npm copies what is here, and every other program is that of this machine."""
    programs = house.temp / f"programs-{has_npm}"
    programs.mkdir(exist_ok=True)
    for folder in map(Path, os.environ["PATH"].split(os.pathsep)):
        for one in folder.iterdir() if folder.is_dir() else ():
            if one.name != "npm" and not (programs / one.name).exists() and os.access(one, os.X_OK):
                (programs / one.name).symlink_to(one)
    if has_npm:
        program(programs / "npm", f'#!/bin/sh\n[ "$1" = ci ] && cp -r {shlex.quote(str(RUNNER))}/node_modules .\n')
    return house.run("lint-workflows.yml", event_name, ref=ref, secrets=SECRETS, installs=True, PATH=str(programs))


def test_the_workflows_of_this_house_pass_their_checkers(house: Hosted) -> None:
    run = lint(house, "push")
    assert (run.code, run.conclusions()) == (0, {"lint": "success"}), run.said
    assert asked(run, "checkout", "persist-credentials") == [("lint", "false")]
    assert run.jobs["lint"].log == ""


BROKEN = {
    "a right that nobody knows": ("contents: read # to check out", "content: read # to check out", "content"),
    "a step that is not there": ("steps.python.outputs", "steps.pyton.outputs", "pyton"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_pull_request_with_a_broken_workflow_is_red(house: Hosted, name: str) -> None:
    """The first is found by the schema, the second by what reads expressions."""
    old, new, said = BROKEN[name]
    text = (WORKFLOWS / "ci.yml").read_text(encoding="utf-8")
    assert old in text
    house.folder.write(".github/workflows/ci.yml", text.replace(old, new))
    house.propose(f"broken-{said}")
    run = lint(house, "pull_request", ref="refs/pull/1/merge")
    assert (run.code, run.conclusions()) == (1, {"lint": "failure"}), run.said
    assert "ci.yml" in run.jobs["lint"].log
    assert said in run.jobs["lint"].log


def test_a_checker_that_was_left_out_is_red(house: Hosted) -> None:
    """`make` says it and goes on where npm is not; the workflow does not."""
    run = lint(house, "push", has_npm=False)
    assert (run.code, run.conclusions()) == (1, {"lint": "failure"}), run.said
    assert "npm is not here" in run.jobs["lint"].log


def test_a_change_of_what_is_read_starts_the_checkers() -> None:
    """All that `make lint-workflows` reads, and reads it with, is among the paths of both events."""
    on = yaml.load((WORKFLOWS / "lint-workflows.yml").read_text(encoding="utf-8"), yaml.BaseLoader)["on"]
    assert on["push"]["paths"] == on["pull_request"]["paths"]
    words = ["make", "--print-data-base", "--dry-run", "lint-workflows"]
    printed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    lists = re.findall(r"^(?:WORKFLOW|ACTION|DEPENDABOT)_FILES := (.*)$", printed, re.MULTILINE)
    assert len(lists) == 3
    read = [*" ".join(lists).split(), str(RUNNER.relative_to(ROOT) / "lint.mjs"), "requirements/dev.txt", "Makefile"]
    patterns = [one.replace("**", "*") for one in on["push"]["paths"]]
    assert [file for file in read if not any(fnmatch(file, one) for one in patterns)] == []


def test_the_environment_is_made_with_the_python_that_is_named(tmp_path: Path) -> None:
    """`make test` gives `PYTHON` on: another one that is found would test one version four times."""
    named = program(tmp_path / "named", f'#!/bin/sh\n[ "$1" = -m ] && exit 3\nexec "{sys.executable}" "$@"\n')
    words = ["sh", str(ROOT / "requirements/setup.sh"), str(tmp_path / "made"), str(ROOT / "requirements/dev.txt")]
    version = subprocess.run([sys.executable, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(words, env=os.environ | {"PYTHON": str(named)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, f"setup: {version} -> {tmp_path / 'made'}\n"), done
