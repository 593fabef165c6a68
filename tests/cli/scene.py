"""Folders of records to run the command line in, and two ways to run it: inside this process, or as one of its own."""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from incident_ops.adapters.local_tracker import LocalTracker
from incident_ops.app import tip
from incident_ops.cli.main import main
from incident_ops.records.yaml_reader import Document, read_yaml

ROOT = Path(__file__).resolve().parents[2]
AT = "2025-01-26T14:00:00Z"
POLICY = "extends: sev0-3\n"
SERVICES = 'services:\n  api:\n    owner: "@team"\n  web:\n    owner: "@team"\n'


class Done(NamedTuple):
    """How a run ended: exit code and what it printed."""

    code: int
    out: str
    err: str

    def told_once(self, code: int, *words: str) -> None:
        """The run ended with `code`, printed no traceback, and told one error line that holds all the words."""
        assert self.code == code, self
        assert "Traceback" not in self.out + self.err, self
        lines = [line for line in self.err.splitlines() if line.startswith(("error", "Error"))]
        assert len(lines) == 1, self
        for word in words:
            assert word in lines[0], (word, self)


class Screen(io.StringIO):
    """Output that a program takes for a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def call(*args: str, at: Path, clock: str | None = AT, columns: int | None = None, **variables: str) -> Done:
    """Runs a command inside this process, in folder `at`, with `--at clock` unless that is None; by that clock it may
    also notify people.

    With `columns` its output is a terminal of that width; without colours unless `variables` of the environment differ.
    """
    argv = ["incident-ops", *(("--at", clock) if clock else ()), *args]
    out, err = (io.StringIO(), io.StringIO()) if columns is None else (Screen(), Screen())
    shown = {} if columns is None else {"COLUMNS": str(columns), "NO_COLOR": "1"}
    before = signal.getsignal(signal.SIGTERM)
    code: object = "main returned"
    try:
        with contextlib.ExitStack() as scene:
            scene.enter_context(contextlib.chdir(at))
            scene.enter_context(mock.patch.object(sys, "argv", argv))
            scene.enter_context(mock.patch.object(tip, "OFF_THE_CLOCK", timedelta.max))
            scene.enter_context(mock.patch.dict(os.environ, shown | variables))
            scene.enter_context(contextlib.redirect_stdout(out))
            scene.enter_context(contextlib.redirect_stderr(err))
            main()
    except SystemExit as end:
        code = end.code
    finally:
        signal.signal(signal.SIGTERM, before)
    assert isinstance(code, int)
    return Done(code, out.getvalue(), err.getvalue())


def call_merged(*args: str, at: Path, clock: str | None = AT, columns: int | None = None, **variables: str) -> Done:
    """The same; before `gate check`, which looks at no work tree, what lies in the folder is committed."""
    if args[:2] == ("gate", "check") and (at / ".git").exists():
        subprocess.run(["git", "-C", str(at), "add", "-A"], check=True)
        words = ("commit", "-q", "--no-gpg-sign", "-m", "records")
        subprocess.run(["git", "-C", str(at), *words], capture_output=True, check=False)  # nothing new is no failure
    return call(*args, at=at, clock=clock, columns=columns, **variables)


def ok(folder: Folder, *args: str, clock: str | None = AT) -> Done:
    """Runs a command that must succeed in a folder."""
    done = call(*args, at=folder.path, clock=clock)
    assert done.code == 0, (args, done)
    return done


def as_json(folder: Folder, *args: str, clock: str | None = AT) -> Any:
    """What such a command prints for programs."""
    return json.loads(ok(folder, *args, "--format", "json", clock=clock).out)


def command(*args: str, clock: str | None = AT) -> list[str]:
    """The words that start a command as a process of its own."""
    return [sys.executable, "-m", "incident_ops", *(("--at", clock) if clock else ()), *args]


def run(
    *args: str,
    at: Path,
    clock: str | None = AT,
    env: dict[str, str] | None = None,
    stdin: bytes = b"",
    before: Callable[[], None] | None = None,
) -> Done:
    """Runs a command as a process of its own; `env` is laid over the environment, `before` runs in the child."""
    done = subprocess.run(
        command(*args, clock=clock),
        cwd=at,
        env={**os.environ, **(env or {})},
        input=stdin,
        capture_output=True,
        preexec_fn=before,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def record(name: str = "INC-1", **lines: str) -> str:
    """The text of a small valid record; `lines` replaces or adds a top-level key, an empty text takes it away."""
    keys = {
        "id": name,
        "title": "Login fails",
        "severity": "SEV1",
        "state": "new",
        "services": "[api]",
        "times": "{declared: 2025-01-26T12:05:00Z}",
        **lines,
    }
    return "".join(f"{key}: {value}\n" for key, value in keys.items() if value)


CLOSED = {
    "state": "closed",
    "times": "{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z, restored: 2025-01-26T12:20:00Z, "
    "resolved: 2025-01-26T12:30:00Z, closed: 2025-01-26T13:00:00Z}",
    "cause": "{category: unknown}",
}
"""Lines of `record` for an incident that is over."""


class Folder:
    """A repository of records at `path`, with git unless said otherwise."""

    def __init__(self, path: Path, *, git: bool = True, policy: str = POLICY, services: str = SERVICES) -> None:
        self.path = path
        self.has_git = git
        path.mkdir(parents=True)
        self.write("policy.yaml", policy)
        self.write("services.yaml", services)
        if git:
            self.git("init", "-q", "-b", "main")

    def copy(self, path: Path) -> Folder:
        """All of it at another place."""
        shutil.copytree(self.path, path, symlinks=True)
        copied = Folder.__new__(Folder)
        copied.path, copied.has_git = path, self.has_git
        return copied

    def write(self, name: str, text: str | bytes) -> Path:
        """Writes a file below the folder."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def put(self, name: str = "INC-1", text: str | bytes | None = None, **lines: str) -> Path:
        """Writes a record where it belongs; `text` as it is, or made by `record`."""
        return self.write(f"incidents/{name}/incident.yaml", record(name, **lines) if text is None else text)

    def git(self, *words: str) -> str:
        """Runs git here."""
        done = subprocess.run(["git", "-C", str(self.path), *words], capture_output=True, text=True, check=True)
        return done.stdout

    def commit(self) -> None:
        """Commits all there is."""
        self.git("add", "-A")
        self.git("commit", "-q", "--no-gpg-sign", "-m", "records")

    def data(self, name: str = "INC-1") -> dict[str, Any]:
        """What a record holds."""
        path = f"incidents/{name}/incident.yaml"
        document = read_yaml((self.path / path).read_text(encoding="utf-8"), path)
        assert isinstance(document, Document), document
        assert isinstance(document.data, dict)
        return document.data

    @property
    def tracker(self) -> Path:
        """Where the embedded tracker lies."""
        return self.path / (".git/incident-ops" if self.has_git else ".incident-ops") / "tracker.db"

    def open_keys(self) -> list[str]:
        """The key of every open issue, one entry an issue, in order."""
        return sorted(str(issue.key) for issue in LocalTracker(self.tracker).owned() if issue.state == "open")


def example(preset: str, to: Path) -> Path:
    """A copy of a shipped example."""
    shutil.copytree(ROOT / "examples" / preset, to)
    return to


def many(folder: Folder, count: int) -> list[str]:
    """`count` open incidents with one open action item each -> the keys that must have an issue, in order."""
    item = "\n- {id: AI-1, title: Mend it, status: open}"
    for number in range(1, count + 1):
        folder.put(f"INC-{number}", action_items=item)
    return sorted(key for number in range(1, count + 1) for key in (f"INC-{number}", f"INC-{number}/AI-1"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but git's, by relative path."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def as_ordinary_user() -> None:
    """In a child process: what is read-only stays so, root or not (drops the right to override permissions)."""
    if os.getuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if libc.prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
                raise OSError(ctypes.get_errno(), "the capability cannot be dropped")


def small_disk(limit: int) -> Callable[[], None]:
    """In a child: no file may grow beyond `limit` bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


@contextlib.contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Takes write permission from folders for the length of the block."""
    modes = {folder: folder.stat().st_mode for folder in folders}
    try:
        for folder in folders:
            folder.chmod(0o555)
        yield
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode)
