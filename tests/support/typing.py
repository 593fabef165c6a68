"""Commands typed at a terminal, with what a person answers to their questions."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import termios
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


class TypedSession:
    """A command at a terminal that somebody reads before typing the next word; it is killed with the block."""

    def __init__(self, folder: Path, *args: str, columns: int = 80, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command(*args, clock=None),
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "dumb", "COLUMNS": str(columns), **variables},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self.shown = ""
        self._read_up_to = 0

    def __enter__(self) -> TypedSession:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Waits until the text is shown, behind what was waited for before."""
        until = time.monotonic() + seconds
        while (at := self.shown.find(text, self._read_up_to)) < 0:
            if not self._more(until):
                raise AssertionError((text, self.shown[self._read_up_to :]))
        self._read_up_to = at + len(text)

    def type(self, text: str) -> None:
        """Types a text as it is; a line ends with a line break, Ctrl-C is its character."""
        os.write(self._ours, text.encode())

    def answer(self, question: str, word: str) -> None:
        """Waits for a question and answers it."""
        self.wait_for(question)
        self.type(f"{word}\n")

    def end(self, seconds: float = 60) -> int:
        """The exit code, once the command has ended by itself."""
        until = time.monotonic() + seconds
        while self._more(until):
            pass
        return self.process.wait(seconds)

    def _more(self, until: float) -> bool:
        left = until - time.monotonic()
        if left <= 0 or not select.select([self._ours], [], [], left)[0]:
            return False
        try:
            read = os.read(self._ours, 4096)
        except OSError:  # the terminal is closed
            return False
        self.shown += read.decode(errors="replace")
        return bool(read)
