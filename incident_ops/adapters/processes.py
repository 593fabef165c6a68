"""Other programs and calls with an end: what takes too long is ended, and whatever it started with it.

The caller's own commands (`perform`) come from a command line or a workflow only, never from a file of the repository.
Nothing is put into their text: facts are environment variables, so that no name, reason or commit can become code.
"""

from __future__ import annotations

import contextvars
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import IO, Any, NamedTuple, TypeVar

from incident_ops.errors import Incomplete

Made = TypeVar("Made")

LONGEST, GRACE = 3600.0, 3.0
"""Seconds that a command may take, and that it has to end in when we end."""
MOST_OUTPUT, _PIECE = 8 * 1024, 64 * 1024

_ON_WINDOWS = os.name == "nt"
_SHELL = "sh" if _ON_WINDOWS else "/bin/sh"  # there it is the one that comes with git
_BY_FORCE = signal.SIGTERM if _ON_WINDOWS else signal.SIGKILL


class Ran(NamedTuple):
    """How a process ended: its code, None where its time was up; and what it wrote."""

    code: int | None
    stdout: bytes
    stderr: bytes


class _SignalsWait:
    """Keeps the signals that end us from now on until `let_in`: one that comes while a process starts, before anybody
    has it to end it, would leave it running alone."""

    def __init__(self) -> None:
        self._came: list[int] = []
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object]] = {}
        if threading.current_thread() is not threading.main_thread():
            return  # no signal ends another thread
        for one in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(one)
            if callable(handler):
                self._before[one] = handler
                signal.signal(one, lambda number, _: self._came.append(number))

    def let_in(self) -> None:
        """Signals come again, first those that waited."""
        for one, handler in self._before.items():
            signal.signal(one, handler)
        self._before.clear()
        while self._came:
            signal.raise_signal(self._came.pop(0))


def _started(command: Sequence[str], **settings: Any) -> tuple[subprocess.Popen[bytes], _SignalsWait]:
    """A process in a session of its own, and the signals that wait until it is in the hands of its caller. OSError
    where it cannot be started."""
    signals = _SignalsWait()
    try:
        return subprocess.Popen(command, start_new_session=True, **settings), signals  # noqa: S603
    except BaseException:
        signals.let_in()
        raise


def run(command: Sequence[str], environment: Mapping[str, str], seconds: float, stdin: bytes = b"") -> Ran:
    """Runs a program away from the terminal, for `seconds` at most. Incomplete where it cannot be started."""
    pipe = subprocess.PIPE
    try:
        process, signals = _started(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    except OSError as error:
        hint = f"install {command[0]}, or fix PATH"
        raise Incomplete(f"{command[0]} cannot be run: {os.strerror(error.errno or 0)}", hint=hint) from error
    with process:
        try:
            signals.let_in()
            stdout, stderr = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            _end_group(process)
            return Ran(None, b"", b"")
        except BaseException:
            _end_group(process)
            raise
    return Ran(process.returncode, stdout, stderr)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and its children: git leaves the talking to another program, which would go on alone."""
    _send_signal(process, _BY_FORCE)


def _send_signal(process: subprocess.Popen[bytes], kind: int) -> None:
    """To the process and all that it started. Windows knows no gentle signals: there they are ended at once."""
    if _ON_WINDOWS:
        words = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(words, capture_output=True, check=False)  # noqa: S603
    else:
        os.killpg(process.pid, kind)


def one_line(text: str, most: int = 300) -> str:
    """Text of another program as it may stand in a message: one line, printable, at most `most` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def within(seconds: float, call: Callable[[], Made]) -> Made:
    """What `call` gives or raises; TimeoutError after `seconds`, and then it goes on alone until the program ends.

    A time limit of a socket is not enough: it begins anew with every byte.
    """
    made: list[Made] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(call())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not made:
        raise TimeoutError
    return made[0]


def perform(option: str, command: str, facts: Mapping[str, str], seconds: float = LONGEST) -> None:
    """Runs `sh -c command` with `facts` in its environment, and waits; what it prints goes to the error stream.

    Incomplete, which names `option`, where it cannot be started, fails or takes too long. Whatever it started ends with
    this process.
    """
    environment = {**os.environ, **facts}
    try:
        process, signals = _started(
            [_SHELL, "-c", command], stdin=subprocess.DEVNULL, stdout=_error_stream(), env=environment
        )
    except OSError as error:
        raise Incomplete(f"the command of {option} cannot be run: {os.strerror(error.errno or 0)}") from error
    with process:
        try:
            signals.let_in()
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(process, _BY_FORCE)
            problem = f"the command of {option} took longer than {seconds:g} s and was ended"
            raise Incomplete(problem, hint="what it began may be half done: look before you go on") from None
        except BaseException:
            _end(process, signal.SIGTERM)
            raise
    if code:
        hint = "the rollout stops where it is; the command's output is above"
        raise Incomplete(f"the command of {option} ended with exit code {code}", hint=hint)


def measured(command: str, facts: Mapping[str, str], seconds: float, most_bytes: int = MOST_OUTPUT) -> Ran:
    """How `sh -c command` ends within `seconds`, with the last bytes of what it printed as its output, both streams.

    Incomplete where it cannot be started. Whatever it started ends with it.
    """
    kept = bytearray()
    try:
        process, signals = _started(
            [_SHELL, "-c", command],
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **facts},
        )
    except OSError as error:
        raise Incomplete(f"it cannot be run: {os.strerror(error.errno or 0)}") from error

    def keep_last(stream: IO[bytes]) -> None:
        with stream:
            while piece := stream.read(_PIECE):
                kept.extend(piece)
                del kept[:-most_bytes]

    reader = threading.Thread(target=keep_last, args=(process.stdout,), daemon=True)
    reader.start()
    code: int | None = None
    try:
        signals.let_in()
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with suppress(ProcessLookupError):
            _send_signal(process, _BY_FORCE)
        process.wait()
        reader.join(GRACE)
    return Ran(code, bytes(kept), b"")


def _end(process: subprocess.Popen[bytes], gently: int) -> None:
    """Ends the command and all that it started; by force where it does not go within GRACE seconds."""
    with suppress(ProcessLookupError):
        _send_signal(process, gently)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            _send_signal(process, _BY_FORCE)


def _error_stream() -> int | None:
    try:
        sys.stderr.flush()
        return sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        return subprocess.DEVNULL
