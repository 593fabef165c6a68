"""Commands typed at a terminal, with what a person answers to their questions."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

from tests.cli.scene import command


def at_terminal(folder: Path, *args: str, clock: str, answers: str = "") -> str:
    """What a command prints at a terminal where somebody types these answers; it must succeed."""
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
    os.write(ours, answers.encode())
    shown = b""
    while True:
        try:
            read = os.read(ours, 4096)
        except OSError:  # the terminal is closed
            break
        if not read:
            break
        shown += read
    os.close(ours)
    assert process.wait(60) == 0, (args, shown.decode())
    return shown.decode()
