"""What branches of a clone are called: those of origin as last fetched, and the one that is checked out."""

from __future__ import annotations

import os

from incident_ops.adapters.git import SETTINGS, Git, quiet_environment
from incident_ops.adapters.processes import one_line, run
from incident_ops.errors import Incomplete

_SECONDS = 60.0


def fetched_names(git: Git, folder: str) -> list[str]:
    """What the branches of origin below a folder such as `incident-ops/edit/` are called in it, as last fetched."""
    begins = f"refs/remotes/origin/{folder}"
    names = _asked(git, "for-each-ref", "--format=%(refname)", begins).split("\n")
    return [name.removeprefix(begins) for name in names if name]


def branch_name(git: Git) -> str:
    """The branch that is checked out; "" where none is."""
    return _asked(git, "branch", "--show-current").strip()


def _asked(git: Git, *words: str) -> str:
    done = run(["git", *SETTINGS, "-C", str(git.root), *words], quiet_environment(), _SECONDS)
    if done.code != 0:
        raise Incomplete(f"git {words[0]} failed", hint=one_line(done.stderr.decode(errors="replace"), 200))
    return os.fsdecode(done.stdout)
