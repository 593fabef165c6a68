"""A bare repository as remote, its clones, and a real HTTPS server in front of it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.git import Git
from incident_ops.adapters.git_remote import Remote
from tests.support.certificate import make_certificate
from tests.support.repository import Repo

ROOT = Path(__file__).resolve().parents[2]


@cache
def _prepared(prefix: str) -> Path:
    """A folder with the bare repository as every test wants it, made once for each process of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="incident-ops-origin-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Repo(folder / "origin.git", git=False, settings=False).git("init", "--quiet", "--bare", "--initial-branch=main")
    seed = Repo(folder / "seed", settings=False)
    seed.write(f"{prefix}incidents/INC-1/incident.yaml", "id: INC-1\n")
    seed.write(f"{prefix}notes.txt", "one\n")
    seed.write("outside.txt", "not ours\n")
    seed.commit("first")
    seed.write(f"{prefix}notes.txt", "two\n")
    (folder / "first").write_text(seed.commit("second"))
    seed.git("push", "--quiet", str(folder / "origin.git"), "main")
    return folder


class Origin:
    """A bare repository with one commit on main: `incidents/INC-1/incident.yaml` below `prefix`, and a plain file."""

    def __init__(self, folder: Path, prefix: str = "") -> None:
        self.folder = folder
        self.path = folder / "origin.git"
        self.prefix = prefix
        prepared = _prepared(prefix)
        for name in ("origin.git", "seed"):
            shutil.copytree(prepared / name, folder / name, symlinks=True)
        self.bare = Repo(self.path, git=False, settings=False)
        self.first = (prepared / "first").read_text()

    def clone(self, name: str = "clone", *options: str) -> Repo:
        """A clone beside the bare repository."""
        where = self.folder / name
        self.bare.git("clone", "--quiet", *options, f"file://{self.path}", str(where))
        return Repo(where, settings=False)

    def tip(self, branch: str) -> str:
        """The commit a branch is at; "" where there is none."""
        return self.bare.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def show(self, branch: str, path: str) -> str:
        """The text of a file on a branch."""
        return self.bare.git("show", f"{branch}:{path}")

    def hook(self, text: str, name: str = "pre-receive") -> None:
        """A hook of the server."""
        hook = self.path / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{text}\n")
        hook.chmod(0o755)


def git_of(repo: Repo, prefix: str = "") -> Git:
    """The adapter over a clone, from the records' folder."""
    found = Git.around(repo.root / prefix)
    assert found is not None
    return found


def remote_of(repo: Repo, prefix: str = "", seconds: float = 60.0) -> Remote:
    """The remote `origin` of a clone."""
    return Remote.of(git_of(repo, prefix), seconds=seconds)


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process of its own that runs `script`."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def race(script: str, arguments: list[tuple[str, ...]]) -> list[str]:
    """Runs a script once for each row of arguments, all let go at one moment -> what each printed, in order.

    The script reads a line before it begins, so that starting Python is no part of the race.
    """
    runners = [start(script, *row) for row in arguments]
    for one in runners:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n", one.communicate()[1]
    for one in runners:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    out = []
    for one in runners:
        printed, failed = one.communicate(timeout=240)
        assert one.returncode == 0, failed
        out.append(printed)
    return out


class Served(NamedTuple):
    """A server: the address of the repository, and the folder where it notes what it saw."""

    url: str
    notes: Path


@contextmanager
def https(origin: Origin, mode: str, user_token: str = "") -> Iterator[Served]:
    """`git http-backend` behind HTTPS, in a process of its own.

    `mode` open, readonly, token (who has no `user_token` gets 401), silent (takes the connection, never answers) or
    lost (what is pushed is taken, the answer is not sent).
    """
    with serve(origin.folder, origin.folder / "notes", mode, user_token) as server:
        yield Served(f"{server.url}/origin.git", server.notes)


@contextmanager
def serve(folder: Path, notes: Path, mode: str, user_token: str) -> Iterator[Served]:
    """The same for all bare repositories below a folder; `url` is the server's own."""
    notes.mkdir(exist_ok=True)
    make_certificate(notes, "localhost")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.git_https", str(folder), str(notes), mode],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "WANTED_TOKEN": user_token},
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        yield Served(f"https://localhost:{port}", notes)
    finally:
        server.kill()
        server.communicate()
