"""The machine that runs whole workflows: its stand-ins for GitHub's actions do what those do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.scene import POLICY
from tests.workflows.act import Hosted, Machine, WholeRun, without_unknown_keys
from tests.workflows.running import ROOT, WORKFLOWS

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]
FILES = [*WORKFLOWS.glob("*.yml"), *ROOT.glob("examples/*/.github/workflows/*.yml")]
TEXT = "".join(file.read_text(encoding="utf-8") for file in FILES)
PINS = {name: f"actions/{name}@{pin}" for name, pin in re.findall(r"uses: actions/([\w-]+)@([0-9a-f]{40})", TEXT)}
CACHE = "actions/cache@" + "0" * 40
HEAD = "name: parts\non: push\npermissions: {}\nconcurrency:\n  group: parts\n  queue: max\njobs:\n"


def job(name: str, *steps: str, needs: str = "") -> str:
    """A job of a workflow; each step is the flow mapping it is written as."""
    lines = [f"  {name}:", "    runs-on: ubuntu-24.04", *([f"    needs: {needs}"] if needs else []), "    steps:"]
    return "\n".join([*lines, *(f"    - {step}" for step in steps), ""])


def use(action: str, **given: str) -> str:
    """A step that uses one of GitHub's actions."""
    words = ", ".join(f'{name.replace("_", "-")}: "{value}"' for name, value in given.items())
    return f"{{uses: {PINS.get(action, CACHE)}, with: {{{words}}}}}"


def say(script: str) -> str:
    """A step that prints."""
    return f"{{name: say, run: '{script}'}}"


@pytest.fixture
def repository(runner: Machine, tmp_path: Path) -> Hosted:
    """A repository with two commits on main and a branch `other`."""
    made = Hosted(runner, tmp_path, policy=POLICY)
    made.push("main")
    made.folder.write("file.txt", "on other\n")
    made.push("other")
    made.folder.write("file.txt", "on main\n")
    return made


def run(repository: Hosted, *jobs: str) -> WholeRun:
    """The workflow of these jobs, at a push to main."""
    repository.folder.write(".github/workflows/parts.yml", HEAD + "".join(jobs))
    repository.push()
    local = {CACHE: repository.machine.home / "actions/cache"}
    return repository.run("parts.yml", "push", local=local, installs=True)


def test_a_checkout_is_what_it_was_asked_for(repository: Hosted) -> None:
    """Ref, depth and credentials; a shallow one has one commit, and by default the token stays in its settings."""
    headers, branch = "git config --get-regexp extraheader | wc -l", "git symbolic-ref --short HEAD"
    shown = f"cat file.txt; git rev-list --count HEAD; {headers}; {branch}"
    done = run(
        repository,
        job("plain", use("checkout"), say(shown)),
        job("other", use("checkout", ref="other", fetch_depth="0", persist_credentials="false"), say(shown)),
        job("inner", use("checkout", repository=repository.name, path="inner", ref="other"), say(f"cd inner; {shown}")),
        job("wrong", use("checkout", token="none"), say(shown)),
    )
    said = {name: done.jobs[name].steps["say"].log.split() for name in ("plain", "other", "inner")}
    assert said["plain"] == ["on", "main", "1", "1", "main"]
    assert said["other"] == ["on", "other", "2", "0", "other"]
    assert said["inner"] == ["on", "other", "1", "1", "other"]
    assert done.conclusions() == {"plain": "success", "other": "success", "inner": "success", "wrong": "failure"}


def test_an_artifact_goes_from_job_to_job_once(repository: Hosted) -> None:
    """A name that is taken, and one that nobody has uploaded, are errors."""
    upload = use("upload-artifact", name="it", path="out")
    done = run(
        repository,
        job("one", say("mkdir out; echo hello > out/it.txt; touch out/.hidden"), upload),
        job("two", use("download-artifact", name="it", path="in"), say("ls -A in; cat in/it.txt"), upload, needs="one"),
        job("three", use("download-artifact", name="that"), needs="one"),
    )
    assert done.jobs["two"].steps["say"].log.split() == ["it.txt", "hello"]
    assert done.conclusions() == {"one": "success", "two": "failure", "three": "failure"}


def test_a_cache_is_kept_after_a_job_that_went_well(repository: Hosted) -> None:
    """Found by its key, and by the beginning of one."""
    keep = use("cache", path="kept", key="index-1", restore_keys="index-")
    show = say("cat kept/it || echo nothing; mkdir -p kept; echo it > kept/it")
    bad = run(repository, job("one", keep, show, "{run: exit 1}"))
    assert bad.jobs["one"].steps["say"].log.split()[-1] == "nothing"
    assert run(repository, job("one", keep, show)).jobs["one"].steps["say"].log.split()[-1] == "nothing"
    assert run(repository, job("one", keep, show)).jobs["one"].steps["say"].log == "it\n"
    near = use("cache", path="kept", key="index-2", restore_keys="index-")
    assert run(repository, job("one", near, show)).jobs["one"].steps["say"].log == "it\n"


def test_an_input_that_the_stand_in_does_not_honour_is_refused(repository: Hosted) -> None:
    done = run(repository, job("one", use("checkout", sparse_checkout="incidents")))
    assert done.conclusions() == {"one": "failure"}
    assert "does not honour sparse-checkout" in done.said


def test_only_the_keys_that_act_refuses_are_taken_out() -> None:
    text = (
        "on:\n  schedule:\n    - cron: '1 2 * * *'\n      timezone: UTC\njobs:\n  one:\n    concurrency:\n"
        "      group: g\n      queue: max\n    environment:\n      name: n\n      deployment: false\n"
        "    env:\n      queue: kept\n      timezone: kept\n"
    )
    left = without_unknown_keys(text)
    taken = ["      timezone: UTC\n", "      queue: max\n", "      deployment: false\n"]
    assert left == "".join(line for line in text.splitlines(keepends=True) if line not in taken)
