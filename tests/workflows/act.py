"""Whole workflows, each step of them, run on this machine by `act` against a GitHub of our own.

act executes the jobs on the host. Where a workflow uses an action of GitHub's, it gets the stand-in of `actions/`; the
API is the stand-in for GitHub, git is served over HTTPS to whoever has its token, packages are wheels in a folder.
Not shown: concurrency groups, `permissions:`, `timeout-minutes` of jobs, reviewers of environments, and the schedule.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.scene import Folder
from tests.support.certificate import CERTIFICATE
from tests.support.origin import Served, serve
from tests.support.standin import Standin, standin
from tests.support.wheels import WHEELS, build_wheel, need_wheels
from tests.workflows.running import ROOT, WORKFLOWS

ACTIONS = Path(__file__).resolve().parent / "actions"
APP_RIGHTS = ("actions", "contents", "issues", "pull-requests", "statuses")
HONOURED: dict[str, dict[str, str]] = {
    "checkout": {
        "repository": "",
        "ref": "",
        "token": "${{ github.token }}",
        "path": "",
        "fetch-depth": "1",
        "persist-credentials": "true",
    },
    "setup-python": {"python-version": "", "update-environment": "true"},
    "create-github-app-token": dict.fromkeys(
        ["client-id", "private-key", "owner", "repositories", *(f"permission-{one}" for one in APP_RIGHTS)], ""
    ),
    "cache": {"path": "", "key": "", "restore-keys": ""},
    "upload-artifact": {"name": "artifact", "path": "", "if-no-files-found": "warn", "retention-days": ""},
    "download-artifact": {"name": "", "path": "", "run-id": "", "github-token": ""},
}
"""The actions that a stand-in is there for, with the inputs that it honours and their defaults."""

OURS = "incident-ops/incident-ops@COMMIT"
"""This house as the examples name it: a name for `local` of `run`."""
_UNKNOWN = {"concurrency": "queue", "environment": "deployment", "schedule": "timezone"}
_LONGEST = 900.0  # seconds of a run
_runs = itertools.count(1)


def need_act() -> Path:
    """The program; skips, with the reason, where it, the wheels, or what the stand-in for GitHub needs is not there."""
    found = sorted(ROOT.glob(".venv/act/*/act"))
    if not found:
        pytest.skip("act is not here: `make laws` and .ci/run build it where Go is")
    need_wheels()
    return found[-1]


@dataclass
class Step:
    """A step that ran: its log, its part of the summary, and how it ended."""

    outcome: str = ""
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class WholeJob:
    """A job that ran: `conclusion` is success or failure, steps that were left out are not in `steps`."""

    conclusion: str = ""
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """What its page says."""
        return "".join(step.summary for step in self.steps.values())

    @property
    def log(self) -> str:
        """What its steps printed."""
        return "".join(step.log for step in self.steps.values())


@dataclass(frozen=True)
class WholeRun:
    """A run: the exit code of act, the jobs that ran by name (of a called workflow with the caller's before), and each
    call of an action of GitHub's: {"job", "action", "with"}, its inputs without tokens."""

    code: int
    jobs: dict[str, WholeJob]
    used: list[dict[str, Any]]
    said: str

    def conclusions(self) -> dict[str, str]:
        """How each job that ran ended."""
        return {name: job.conclusion for name, job in self.jobs.items()}


def _read(lines: list[str]) -> dict[str, WholeJob]:
    """The jobs in what `act --json` prints."""
    jobs: dict[str, WholeJob] = {}
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if "job" not in told:
            continue
        job = jobs.setdefault(told["job"].partition("/")[2].strip(), WholeJob())
        job.conclusion = told.get("jobResult", job.conclusion)
        if told.get("stage") == "Main":
            _add(job.steps.setdefault(told["step"], Step()), told)
    return {name: job for name, job in jobs.items() if job.steps or job.conclusion}


def _story(printed: str) -> str:
    """The same for people."""
    told = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return "\n".join(
        f"{one.get('job', '')} | {one.get('step', '')} | {one['msg'].strip()}"
        for one in told
        if one["msg"].strip() and "LocalRepositoryCache" not in one["msg"]
    )


def _add(step: Step, told: dict[str, Any]) -> None:
    inner = len(told["stepID"]) > 1
    if told.get("raw_output"):
        step.log += told["msg"].replace("\r", "").rstrip("\n") + "\n"
    elif told.get("command") == "summary":
        if told["content"] not in step.summary or inner:  # act tells the last one of a composite action twice
            step.summary += told["content"]
    elif told.get("command") == "set-output" and not inner:
        step.outputs[told["name"]] = told["arg"]
    elif "raw" in told:
        step.log += told["raw"].replace("\r", "").rstrip("\n") + "\n"
    elif "stepResult" in told and not inner:
        step.outcome = told["stepResult"]


def without_unknown_keys(text: str) -> str:
    """The workflow without the keys that act refuses: `concurrency.queue`, `environment.deployment`, `timezone`."""
    kept, above, depth = [], "", 0
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip(" -"))
        if opened := re.match(r" *(\w+): *(#.*)?$", line):
            if opened[1] in _UNKNOWN:
                above, depth = opened[1], len(line) - len(line.lstrip())
        elif above and line.strip() and indent > depth and re.match(rf"[ -]*{_UNKNOWN[above]}:", line):
            continue
        elif line.strip() and indent <= depth:
            above = ""
        kept.append(line)
    return "".join(kept)


def _local_actions(folder: Path) -> Path:
    """The stand-ins as act takes them, each in a folder of its own."""
    for name, inputs in HONOURED.items():
        home = folder / name
        home.mkdir(parents=True)
        for file in ("common.mjs", f"{name}.mjs"):
            shutil.copy(ACTIONS / file, home)
        runs = {"using": "node20", "main": f"{name}.mjs"}
        if name == "cache":
            (home / "save.mjs").write_text(
                'process.argv[2] = "save";\nawait import("./cache.mjs");\n', encoding="utf-8"
            )
            runs |= {"post": "save.mjs", "post-if": "success()"}
        described = {"name": name, "inputs": {one: {"default": value} for one, value in inputs.items()}, "runs": runs}
        (home / "action.yml").write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
    return folder


class Machine:
    """What all runs of a process share: act, the stand-in, wheels, and git, served from `hub` by owner and name."""

    def __init__(self, home: Path, act: Path, github: Standin, git: Served) -> None:
        self.home, self.act, self.github, self.git = home, act, github, git
        self.hub, self.wheels = home / "hub", home / "wheels"

    @functools.cached_property
    def pins(self) -> str:
        """What .github/incident-ops.txt of a repository of records holds: all with hashes, our own wheel as well."""
        wheel = build_wheel(self.wheels)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        ours = f"incident-ops=={wheel.name.split('-')[1]} --hash=sha256:{digest}\n"
        return (ROOT / "requirements/run.txt").read_text(encoding="utf-8") + ours

    @functools.cached_property
    def empty(self) -> Path:
        """A Python with nothing but pip."""
        subprocess.run([sys.executable, "-m", "venv", str(self.home / "empty")], check=True)
        return self.home / "empty"

    @functools.cached_property
    def full(self) -> Path:
        """A Python that has what is pinned."""
        shutil.copytree(self.empty, self.home / "full", symlinks=True)
        pinned = self.home / "pinned.txt"
        pinned.write_text(self.pins, encoding="utf-8")
        words = ["--quiet", "--no-index", "--find-links", str(self.wheels), "--require-hashes", "-r", str(pinned)]
        subprocess.run([self.home / "full/bin/python", "-m", "pip", "install", *words], check=True)
        return self.home / "full"


@contextmanager
def machine(home: Path) -> Iterator[Machine]:
    """Starts what runs of workflows need in an empty folder, and ends it with the block."""
    act = need_act()
    (home / "hub").mkdir()
    shutil.copytree(WHEELS, home / "wheels")
    _local_actions(home / "actions")
    with standin() as github, serve(home / "hub", home / "notes", "token", github.token) as git:
        yield Machine(home, act, github, git)


def _family(process: int) -> list[int]:
    """A process and all that come from it, itself first."""
    above: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            above.setdefault(int(file.read_text().rpartition(")")[2].split()[1]), []).append(int(file.parent.name))
    found = [process]
    for one in found:
        found += above.get(one, ())
    return found


class Hosted:
    """A repository on GitHub and a clone of it, `folder`, with which a person works; it has no workflows yet."""

    def __init__(self, machine: Machine, temp: Path, *, policy: str, services: str = "") -> None:
        self.machine, self.temp, self.github = machine, temp, machine.github
        self.going: set[int] = set()
        self.over = threading.Event()
        bare = temp / "origin.git"
        more = {"services": services} if services else {}
        self.folder = Folder(temp / "clone", policy=policy, **more)
        self.folder.git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        self.folder.git("remote", "add", "origin", bare.as_uri())
        self.name = self.github.new_repository(homepage=bare.as_uri())
        (machine.hub / self.name).parent.mkdir(exist_ok=True)
        (machine.hub / self.name).symlink_to(bare)

    def install(self, *workflows: str) -> None:
        """Lays the workflows of this house into it, and the file that pins what they install."""
        for name in workflows:
            self.folder.write(f".github/workflows/{name}", (WORKFLOWS / name).read_text(encoding="utf-8"))
        self.folder.write(".github/incident-ops.txt", self.machine.pins)
        attestation = (ROOT / "requirements/attestation.txt").read_text(encoding="utf-8")
        self.folder.write(".github/incident-ops-attestation.txt", attestation)

    def push(self, branch: str = "main") -> str:
        """Commits all there is and pushes it -> the commit."""
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--allow-empty", "--message", "a step")
        self.folder.git("push", "--quiet", "origin", f"HEAD:{branch}")
        return self.folder.git("rev-parse", "HEAD").strip()

    def propose(self, branch: str, number: int = 1) -> dict[str, Any]:
        """Makes what is in the folder a pull request, with the merge commit that GitHub would make -> its event.

        The folder is on main again afterwards.
        """
        base = self.folder.git("rev-parse", "main").strip()
        self.folder.git("checkout", "--quiet", "-B", branch)
        head = self.push(branch)
        self.folder.git("checkout", "--quiet", "main")
        self.folder.git("merge", "--quiet", "--no-ff", "--message", f"Merge {head} into {base}", branch)
        self.folder.git("push", "--quiet", "origin", f"+HEAD:refs/pull/{number}/merge")
        self.folder.git("reset", "--quiet", "--hard", base)
        return {"number": number, "pull_request": {"number": number, "base": {"sha": base}, "head": {"sha": head}}}

    def ask(self, path: str, **more: Any) -> Any:
        """A question to the API about the repository."""
        return self.github.ask("GET", f"/repos/{self.name}{path}", **more)

    def run(
        self,
        workflow: str,
        event_name: str,
        event: dict[str, Any] | None = None,
        *,
        ref: str = "refs/heads/main",
        secrets: dict[str, str] | None = None,
        actor: str = "alice",
        installs: bool = False,
        local: dict[str, Path] | None = None,
        job: str = "",
        token: str = "",
        variables: dict[str, str] | None = None,
        **environment: str,
    ) -> WholeRun:
        """Runs a workflow of the repository whole, as its file is at `ref`, for an event at that ref.

        `installs`: every job gets an empty Python; otherwise one that has what is pinned, as its step finds out.
        `job` names the only one that runs, with those it needs; `token` is the GITHUB_TOKEN of all, else one that may
        do everything.
        `variables` are those of the repository (`vars`).
        `local` maps OWNER/REPO@REF of other actions to folders. `environment` is that of the runner.
        """
        number = str(next(_runs))
        home, state = self.temp / f"run-{number}", self.temp / "state"
        sha = self._lay_out(home / "workflows", ref)
        event = event or {}
        repository = {**event.get("repository", {}), "full_name": self.name, "default_branch": "main"}
        told = event if event_name == "schedule" else {**event, "repository": repository}  # a schedule names none
        (home / "event.json").write_text(json.dumps(told))
        known = self.github.environment(self.name) | {
            "GITHUB_SERVER_URL": self.machine.git.url,
            "GITHUB_RUN_ID": number,
        }
        known |= {"GITHUB_REF": ref, "SHA_REF": sha}
        known["GITHUB_TOKEN"] = token or known["GITHUB_TOKEN"]
        given = {"GITHUB_TOKEN": known.pop("GITHUB_TOKEN"), **(secrets or {})}
        words = [
            event_name,
            "--json",
            "-C",
            str(home / "workflows"),
            "-a",
            actor,
            "-e",
            str(home / "event.json"),
            "--rm",
        ]
        words += ["-W", f".github/workflows/{workflow}", "-P", "ubuntu-24.04=-self-hosted", "--no-skip-checkout"]
        words += ["-j", job] if job else []
        words += ["--no-cache-server", "--action-cache-path", str(home / "act"), "--action-offline-mode"]
        pairs = {
            "--env": known,
            "--secret": given,
            "--var": variables or {},
            "--local-repository": self._local(local or {}),
        }
        words += [word for flag, all_of in pairs.items() for pair in all_of.items() for word in (flag, "=".join(pair))]
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        surroundings = outside | self._surroundings(state, installs) | environment
        code, stdout, stderr = self._finished([str(self.machine.act), *words], home, surroundings)
        notes = state / "used.jsonl"
        used = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
        notes.unlink(missing_ok=True)
        return WholeRun(code, _read(stdout.splitlines()), used, _story(stdout) + stderr)

    def _finished(self, words: list[str], home: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """Code, output and error output of a run."""
        pipe = subprocess.PIPE
        with subprocess.Popen(words, cwd=home, env=environment, stdout=pipe, stderr=pipe, text=True) as act:
            self.going.add(act.pid)
            try:
                if self.over.is_set():
                    self.end()
                stdout, stderr = act.communicate(timeout=_LONGEST)
            except BaseException:
                self.end()
                raise
            finally:
                self.going.discard(act.pid)
        return act.returncode, stdout, stderr

    def end(self) -> None:
        """Ends at once every run that goes on or begins, and all its steps, which act starts in groups of their own."""
        self.over.set()
        for process in [one for run in self.going for one in _family(run)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _lay_out(self, place: Path, ref: str) -> str:
        """Writes the workflows as they are at a ref, as act takes them -> the commit.

        What a workflow of ours has of its own repository (`$/`) is OURS, see `local` of `run`.
        """
        self.folder.git("fetch", "--quiet", "origin", ref)
        sha = self.folder.git("rev-parse", "FETCH_HEAD").strip()
        for path in self.folder.git("ls-tree", "-r", "--name-only", sha, ".github/workflows").splitlines():
            copy = place / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = without_unknown_keys(self.folder.git("show", f"{sha}:{path}"))
            repository, _, commit = OURS.partition("@")
            text = re.sub(r"uses: \$/(\S+)", rf"uses: {repository}/\1@{commit}", text)
            copy.write_text(text, encoding="utf-8")
        return sha

    def _local(self, more: dict[str, Path]) -> dict[str, str]:
        """OWNER/REPO@REF -> folder, for every pinned action that any workflow or action of this house uses."""
        files = [*WORKFLOWS.glob("*.yml"), *ROOT.glob("actions/*/action.yml"), *ROOT.glob("examples/**/*.yml")]
        text = "".join(file.read_text(encoding="utf-8") for file in files)
        known = re.findall(r"uses: (actions/([\w-]+)@[0-9a-f]{40})", text)
        ours = {use: str(self.machine.home / "actions" / name) for use, name in known}
        return ours | {name: str(folder) for name, folder in more.items()}

    def _surroundings(self, state: Path, installs: bool) -> dict[str, str]:
        """What the runner has: our stand-ins' places, and a pip that asks no index."""
        return {
            "STANDIN_STATE": str(state),
            "STANDIN_PYTHON": str(self.machine.empty if installs else self.machine.full),
            "STANDIN_PYTHON_IS": "empty" if installs else "shared",
            "STANDIN_CERTIFICATE": str(self.machine.git.notes / CERTIFICATE),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.machine.wheels),
        }
