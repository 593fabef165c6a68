"""Who sits at the keyboard, as far as the surroundings say."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

CHOSEN, ACTOR = "INCIDENT_OPS_BY", "GITHUB_ACTOR"


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
