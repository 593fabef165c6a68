"""What surrounds a run: who started it, what GitHub Actions gives its step, and waiting for the next tick."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from incident_ops.adapters import clock
from incident_ops.errors import WriteFailed

SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
CHOSEN, ACTOR = "INCIDENT_OPS_BY", "GITHUB_ACTOR"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)


def summary_size() -> int | None:
    """The bytes the summary of this step has already; None where there is no summary to write."""
    path = os.environ.get(SUMMARY)
    if not path:
        return None
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def add_to_summary(text: str) -> None:
    """Appends to the summary of this step. WriteFailed where the system refuses."""
    path = Path(os.environ[SUMMARY])
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise WriteFailed(f"the summary of the step cannot be written: {error.strerror}", where=str(path)) from error


def set_outputs(values: Mapping[str, str]) -> None:
    """Writes outputs of this step; nothing outside GitHub Actions. The last value of a name counts.

    Each stands between random delimiters that no value can hold. WriteFailed where the system refuses.
    """
    path = os.environ.get(OUTPUT)
    if not path:
        return
    import secrets  # most runs set no output

    blocks = []
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of an output")
        mark = f"incident-ops-{secrets.token_hex(16)}"
        blocks.append(f"{name}<<{mark}\n{value}\n{mark}\n")
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write("".join(blocks))
    except OSError as error:
        raise WriteFailed(f"the outputs of the step cannot be written: {error.strerror}", where=path) from error


def whoever(folder: Path) -> str | None:
    """`INCIDENT_OPS_BY` as it is, else the actor of a workflow as a handle, else git's user name; None = not known."""
    if chosen := os.environ.get(CHOSEN):
        return chosen
    if actor := os.environ.get(ACTOR):
        return f"@{actor.removesuffix('[bot]')}"
    try:
        command = ["git", "-C", str(folder), "config", "--get", "user.name"]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    except OSError:
        return None
    name = " ".join(done.stdout.decode(errors="replace").split())
    return name if name and "@" not in name and name.isprintable() and len(name) <= 100 else None


class Ticking:
    """The wall clock, and waiting for it. A signal ends the wait at once."""

    def now(self) -> datetime:
        """This instant, aware UTC, whole seconds."""
        return clock.now()

    def wait(self, seconds: float) -> None:
        """Returns after so many seconds."""
        time.sleep(max(seconds, 0.0))
