"""What surrounds a run: who started it, what GitHub Actions gives its step, and waiting for the next tick."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters import clock
from incident_ops.errors import WriteFailed

SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
CHOSEN, ACTOR = "INCIDENT_OPS_BY", "GITHUB_ACTOR"
HANDLE_SETTING = "incident-ops.by"
"""The setting of git in which `init` keeps who works in a clone."""

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


def in_actions() -> bool:
    """Whether a runner of GitHub Actions reads what is printed."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def fenced(text: str) -> str:
    """Text for the log of a workflow, of which a runner obeys no line; it ends with a line break, and "" stays empty.

    Commands for the runner, such as annotations, stand before or behind it. `##[` is broken as well: what reads the log
    later knows nothing of fences.
    """
    if not text:
        return ""
    import secrets  # most runs print no log of a workflow

    mark = secrets.token_hex(16)  # that nobody can know before, so no text ends it
    body = text.removesuffix("\n").replace("##[", "##\\x5b")
    return f"::stop-commands::{mark}\n{body}\n::{mark}::\n"


def artifacts_address() -> str:
    """Where the page of this workflow run lists its artifacts; "" outside GitHub Actions."""
    server, repository, run = (os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}#artifacts" if server and repository and run else ""


def named_by_environment() -> str | None:
    """`INCIDENT_OPS_BY` as it is, else the actor of a workflow as a handle; None where neither is set."""
    if chosen := os.environ.get(CHOSEN):
        return chosen
    actor = os.environ.get(ACTOR)
    return f"@{actor.removesuffix('[bot]')}" if actor else None


class GitIdentity(NamedTuple):
    """What git is set to say of its user: the handle that `init` kept, the name, the address; "" where it has none."""

    handle: str = ""
    name: str = ""
    address: str = ""


def git_identity(folder: Path) -> GitIdentity:
    """The user of git in this folder, by its own settings or those of the machine."""
    names = rf"^({HANDLE_SETTING}|user\.name|user\.email)$"
    command = ["git", "-C", str(folder), "config", "--null", "--get-regexp", names]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    except OSError:
        return GitIdentity()
    found: dict[str, str] = {}
    for entry in done.stdout.decode(errors="replace").split("\0"):
        name, _, value = entry.partition("\n")
        found[name.lower()] = " ".join(value.split())  # the last one counts, as for git
    return GitIdentity(found.get(HANDLE_SETTING, ""), found.get("user.name", ""), found.get("user.email", ""))


def machine_user() -> str:
    """`user@host`, the host without its domain: so that it is not an address."""
    import getpass  # only for people whom nothing else names
    import socket

    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without an account, as in a container; Windows has no ids
        user = f"uid-{os.getuid()}" if hasattr(os, "getuid") else ""
    host = socket.gethostname().split(".")[0]
    return f"{_plain(user)[:32] or 'somebody'}@{_plain(host)[:63] or 'localhost'}"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", text).strip("-")


class Ticking:
    """The wall clock, and waiting for it. A signal ends the wait at once."""

    def now(self) -> datetime:
        """This instant, aware UTC, whole seconds."""
        return clock.now()

    def wait(self, seconds: float) -> None:
        """Returns after so many seconds."""
        time.sleep(max(seconds, 0.0))
