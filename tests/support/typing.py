"""Commands typed at a terminal, with what a person answers to their questions."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path

from tests.cli.scene import command


def at_terminal(folder: Path, *args: str, clock: str, answers: str = "", seconds: float = 60) -> str:
    """What a command prints at a terminal where somebody types these answers; it must succeed, and in that time."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*args, clock=clock),
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "200"},
    )
    os.close(theirs)
    try:
        os.write(ours, answers.encode())
        shown, has_ended = _read(ours, time.monotonic() + seconds)
        assert has_ended, (args, f"still there after {seconds:g} s", shown)
        assert process.wait(seconds) == 0, (args, shown)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return shown


def _read(terminal: int, until: float) -> tuple[str, bool]:
    """(what is shown until then, whether the terminal was closed before)."""
    shown = b""
    while (left := until - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            read = os.read(terminal, 4096)
        except OSError:  # the terminal is closed
            read = b""
        if not read:
            return shown.decode(), True
        shown += read
    return shown.decode(errors="replace"), False
