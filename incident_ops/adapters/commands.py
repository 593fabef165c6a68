"""The caller's own commands: what is run when a rollout takes a step, passes or fails.

They come from a command line or a workflow only, never from a file of the repository. Nothing is put into their text:
facts are environment variables, so that no name, reason or commit can become code.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

from incident_ops.errors import Incomplete

LONGEST, GRACE = 3600.0, 3.0
"""Seconds that a command may take, and that it has to end in when we end."""


def perform(option: str, command: str, facts: Mapping[str, str], seconds: float = LONGEST) -> None:
    """Runs `sh -c command` with `facts` in its environment, and waits; what it prints goes to the error stream.

    Incomplete, which names `option`, where it cannot be started, fails or takes too long. Whatever it started ends with
    this process.
    """
    environment = {**os.environ, **facts}
    try:
        process = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=_error_stream(),
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise Incomplete(f"the command of {option} cannot be run: {os.strerror(error.errno or 0)}") from error
    with process:
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(process, signal.SIGKILL)
            told = f"the command of {option} took longer than {seconds:g} s and was ended"
            raise Incomplete(told, hint="what it began may be half done: look before you go on") from None
        except BaseException:
            _end(process, signal.SIGTERM)
            raise
    if code:
        hint = "the rollout stops where it is; what the command said stands above"
        raise Incomplete(f"the command of {option} ended with exit code {code}", hint=hint)


def _end(process: subprocess.Popen[bytes], gently: int) -> None:
    """Ends the command and all that it started; by force where it does not go within GRACE seconds."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, gently)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _error_stream() -> int | None:
    try:
        sys.stderr.flush()
        return sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        return subprocess.DEVNULL
