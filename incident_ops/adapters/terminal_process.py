"""A command of a person at a terminal: on a terminal of its own, which shows what it prints and hands on what is typed.

It leads a process group of its own, so that Ctrl-C ends the command and whatever it started, and not the caller.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from incident_ops.adapters.processes import GRACE
from incident_ops.errors import Incomplete

MOST_KEPT = 64 * 1024
"""Bytes of an output that are kept: the last ones."""
_PIECE, _PAUSE = 16 * 1024, 0.1


class TerminalRun(NamedTuple):
    """How a command ended: its exit code (below 0: the signal that ended it), the last bytes it printed, and whether
    somebody pressed Ctrl-C."""

    code: int
    output: bytes
    was_interrupted: bool


def run_on_terminal(command: Sequence[str], show: Callable[[bytes], None]) -> TerminalRun:
    """Runs a program until it ends; `show` gets what it prints as it comes. Incomplete where it cannot be started.

    Ctrl-C is handed to it; where it does not end within GRACE seconds it is killed.
    """
    ours, theirs = pty.openpty()
    try:
        _take_size(theirs)
        try:
            process = subprocess.Popen(  # noqa: S603
                command,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
                preexec_fn=_own_terminal,
            )
        except OSError as error:
            hint = f"install {command[0]}, or fix PATH"
            raise Incomplete(f"{command[0]} cannot be run: {os.strerror(error.errno or 0)}", hint=hint) from error
        finally:
            os.close(theirs)
        with _typed_through() as typed:
            return _Session(process, ours, typed, show).whole()
    finally:
        os.close(ours)


def _own_terminal() -> None:
    """In the child, which leads a session: its standard input becomes the terminal of that session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class _Session:
    """A command while it runs."""

    def __init__(
        self, process: subprocess.Popen[bytes], ours: int, typed: int | None, show: Callable[[bytes], None]
    ) -> None:
        self._process, self._ours, self._typed, self._show = process, ours, typed, show
        self._kept = bytearray()
        self._kill_at: float | None = None

    def whole(self) -> TerminalRun:
        """Lets it run to its end."""
        try:
            while True:
                try:
                    if self._has_ended():
                        break
                except KeyboardInterrupt:
                    self._interrupt()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            code = self._process.wait()
        return TerminalRun(code, bytes(self._kept), self._kill_at is not None)

    def _interrupt(self) -> None:
        number = signal.SIGINT if self._kill_at is None else signal.SIGKILL
        self._kill_at = self._kill_at or time.monotonic() + GRACE
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _has_ended(self) -> bool:
        """Hands on what waits in both directions; True once the command is gone and all it printed is read."""
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        is_gone = self._process.poll() is not None
        watched = [self._ours, *([] if self._typed is None else [self._typed])]
        ready = select.select(watched, [], [], 0 if is_gone else _PAUSE)[0]
        if self._typed in ready:
            self._hand_on(self._typed)
        if self._ours in ready:
            return not self._take()
        return is_gone

    def _hand_on(self, typed: int | None) -> None:
        words = os.read(typed, _PIECE) if typed is not None else b""
        if not words:
            self._typed = None
        with contextlib.suppress(OSError):
            os.write(self._ours, words)

    def _take(self) -> bool:
        """Shows and keeps a piece of output; False where there is none any more."""
        try:
            piece = os.read(self._ours, _PIECE)
        except OSError as error:
            if error.errno == errno.EIO:  # nobody has the other end any more
                self._process.wait()
                return False
            raise
        self._kept.extend(piece)
        del self._kept[:-MOST_KEPT]
        self._show(piece)
        return bool(piece)


@contextlib.contextmanager
def _typed_through() -> Iterator[int | None]:
    """The terminal that people type at, whose keys come one by one and unseen: the other terminal shows them, or hides
    a password. None where there is none."""
    if sys.stdin is None or not sys.stdin.isatty():
        yield None
        return
    typed = sys.stdin.fileno()
    before = termios.tcgetattr(typed)
    try:
        tty.setcbreak(typed, termios.TCSANOW)
        yield typed
    finally:
        termios.tcsetattr(typed, termios.TCSADRAIN, before)


def _take_size(terminal: int) -> None:
    """Gives a terminal the size of ours."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        size = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
