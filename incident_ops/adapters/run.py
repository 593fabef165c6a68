"""One process with an end: whatever it started is ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from incident_ops.errors import Incomplete


class Ran(NamedTuple):
    """How a process ended: its code, None where its time was up; and what it wrote."""

    code: int | None
    stdout: bytes
    stderr: bytes


def run(command: Sequence[str], environment: Mapping[str, str], seconds: float, stdin: bytes = b"") -> Ran:
    """Runs a program away from the terminal, for `seconds` at most. Incomplete where it cannot be started."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
        )
    except OSError as error:
        hint = f"install {command[0]}, or mend PATH"
        raise Incomplete(f"{command[0]} cannot be run: {os.strerror(error.errno or 0)}", hint=hint) from error
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return Ran(None, b"", b"")
        except BaseException:
            _end(process)
            raise
    return Ran(process.returncode, stdout, stderr)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and its children: git leaves the talking to another program, which would go on alone."""
    os.killpg(process.pid, signal.SIGKILL)
