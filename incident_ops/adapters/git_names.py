"""What a clone calls its remotes and branches: those of a remote as last fetched and when that was, and the one that is
checked out; which commits begin with some digits."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

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


def remote_names(git: Git) -> list[str]:
    """The names of the remotes of a clone."""
    return _asked(git, "remote").split()


def fetched_branch(git: Git, remote: str) -> str:
    """The default branch of a remote as this clone last heard of it, such as `origin/main`; "" where it never did."""
    begins = f"refs/remotes/{remote}/"
    rows = _asked(git, "for-each-ref", "--format=%(refname:lstrip=2) %(symref:lstrip=2)", begins).splitlines()
    named = dict(row.partition(" ")[::2] for row in rows)
    known = (named.get(f"{remote}/HEAD"), *(f"{remote}/{name}" for name in ("main", "master")))
    return next((name for name in known if name and name in named), "")


def is_fetched(git: Git, revision: str) -> bool:
    """True where a revision is the name of a remote's branch."""
    words = ("rev-parse", "--symbolic-full-name", "--verify", "--quiet", "--end-of-options", revision)
    try:
        return _asked(git, *words).startswith("refs/remotes/")
    except Incomplete:
        return False


def last_fetched(git: Git) -> datetime | None:
    """When this clone last fetched anything, by the clock of its disk; None where nothing tells."""
    common = Path(_asked(git, "rev-parse", "--git-common-dir").removesuffix("\n"))
    times = []  # of a clone that never fetched, when it was made
    for file in (git.directory / "FETCH_HEAD", git.root / common / "FETCH_HEAD", git.root / common / "description"):
        with suppress(OSError):
            times.append(datetime.fromtimestamp(file.stat().st_mtime, UTC))
    return max(times, default=None)


def commits_beginning(git: Git, digits: str) -> list[str]:
    """The ids of the commits in this repository that begin with these digits."""
    ids = _asked(git, "rev-parse", f"--disambiguate={digits}").split()
    return [one for one in ids if _asked(git, "cat-file", "-t", one).strip() == "commit"]


def _asked(git: Git, *words: str) -> str:
    done = run(["git", *SETTINGS, "-C", str(git.root), *words], quiet_environment(), _SECONDS)
    if done.code != 0:
        raise Incomplete(f"git {words[0]} failed", hint=one_line(done.stderr.decode(errors="replace"), 200))
    return os.fsdecode(done.stdout)
