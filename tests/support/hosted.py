"""A clone of records on the stand-in for GitHub: a bare origin beside it, and a repository that has its issues."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from incident_ops.adapters.github import connect
from tests.cli.scene import Folder
from tests.support.standin import Standin

RULES = """#!/bin/sh
# a proposal is signed, and its head is never equal to its base: GitHub would close the pull request
case "${1#refs/heads/incident-ops/}" in numbers|people/*|automation/*) ;; *) exit 0;; esac
case "$3" in *[!0]*) ;; *) exit 0;; esac
echo "$1 $3" >> moves
if [ "$3" = "$(git rev-parse refs/heads/main)" ]; then echo "$1" >> closed; fi
said=$(git cat-file commit "$3" | sed -n 's/^ \\([0-9a-f]\\{64\\}\\)$/\\1/p')
right=$(git cat-file commit "$3" | sed '/^gpgsig /,/END PGP SIGNATURE/d' | sed '0,/^ $/{/^ $/d}' | sha256sum)
if [ -z "$said" ] || [ "$said" != "${right%% *}" ]; then
  echo "error: GH013: Repository rule violations found for $1." >&2
  echo "- Commits must have verified signatures." >&2
  exit 1
fi
"""
"""An `update` hook of the origin: GitHub's rule that commits are signed. It notes each move of a proposal in `moves`,
and in `closed` each onto main itself."""


def hosted(folder: Folder, github: Standin, monkeypatch: pytest.MonkeyPatch) -> str:
    """Gives a clone both, and our program the variables to find them -> the name of the repository.

    Nothing is pushed yet; the origin is `origin.git` beside the clone, and no request waits before it is repeated.
    """
    origin = make_origin(folder)
    repository = github.new_repository(homepage=origin.as_uri())
    for name, value in github.environment(repository).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_EVENT_NAME", raising=False)
    monkeypatch.setattr(connect, "connect", functools.partial(connect.connect, pause=0.0))
    return repository


def make_origin(folder: Folder) -> Path:
    """A bare repository `origin.git` beside a clone, as its origin."""
    origin = folder.path.parent / "origin.git"
    folder.git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    folder.git("remote", "add", "origin", origin.as_uri())
    return origin


def ask_for_signatures(origin: Path) -> None:
    """From now on a rule of the origin refuses proposals that are not signed."""
    rule = origin / "hooks/update"
    rule.parent.mkdir(exist_ok=True)
    rule.write_text(RULES)
    rule.chmod(0o755)


def address_on_github(folder: Folder, repository: str) -> str:
    """Gives a clone the address that GitHub would, over ssh -> the GIT_SSH_COMMAND that leads it to `origin.git`."""
    here = folder.path.parent
    way = here / "ssh"
    way.write_text(f"#!/bin/sh\nfor asked; do :; done\nexec ${{asked%% *}} '{here / 'origin.git'}'\n")
    way.chmod(0o755)
    folder.git("config", "remote.origin.pushurl", f"git@localhost:{repository}.git")
    return str(way)
