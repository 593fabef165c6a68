"""A process that sends itself a signal at a chosen call of a function: a moment that a busy machine cannot shift.

    python -m tests.support.killing SIGNAL CALL FOLDER WORDS...     incident-ops WORDS..., with the signal at that call

CALL counts every call of a Python or C function from the start of the command, or, below 0, from the first issue that
is opened; 0 is never. Without a kill the process writes into FOLDER/calls how many there were, and how many before that
issue.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Calls:
    """Calls so far, and how many there were when the first issue was opened."""

    def __init__(self) -> None:
        self.made = 0
        self.before_issues = 0


def kill_with_children() -> None:
    """`kill -9` of this process and the programs it started itself; what those started on a server lives on."""
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def signal_at(call: int, number: int = signal.SIGKILL, end: Callable[[], None] | None = None) -> Calls:
    """From now on this process counts calls and gets the signal at that one, or runs `end`."""
    calls = Calls()

    def seen(frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            calls.made += 1
            if not calls.before_issues and event == "call" and frame.f_code.co_qualname == "LocalTracker.create":
                calls.before_issues = calls.made
            if calls.made == (call if call >= 0 else calls.before_issues and calls.before_issues - call):
                sys.setprofile(None)
                end() if end else os.kill(os.getpid(), number)

    sys.setprofile(seen)
    return calls


class Ended(NamedTuple):
    """How a command ended, and its calls: all, and those before the first issue (0 where it was killed)."""

    code: int
    err: str
    calls: int = 0
    before_issues: int = 0


def run_with_signal(*words: str, at: Path, notes: Path, call: int = 0, number: int = signal.SIGKILL) -> Ended:
    """Runs a command in folder `at`; it gets the signal at the chosen call."""
    note = notes / "calls"
    note.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.support.killing", str(int(number)), str(call), str(notes), *words]
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(command, cwd=at, env=os.environ | paths, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stderr, *map(int, note.read_text().split() if note.exists() else ()))


def main() -> None:
    """Runs the command."""
    number, call, folder, *words = sys.argv[1:]
    sys.argv = ["incident-ops", *words]
    calls = signal_at(int(call), int(number))
    try:
        from incident_ops.cli.main import main as command

        command()
    finally:
        sys.setprofile(None)
        (Path(folder) / "calls").write_text(f"{calls.made} {calls.before_issues}")


if __name__ == "__main__":
    main()
