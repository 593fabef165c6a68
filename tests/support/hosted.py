"""A clone of records on the stand-in for GitHub: a bare origin beside it, and a repository that has its issues."""

from __future__ import annotations

import functools

import pytest

from incident_ops.adapters.github import connect
from tests.cli.scene import Folder
from tests.support.standin import Standin


def hosted(folder: Folder, github: Standin, monkeypatch: pytest.MonkeyPatch) -> str:
    """Gives a clone both, and our program the variables to find them -> the name of the repository.

    Nothing is pushed yet; the origin is `origin.git` beside the clone, and no request waits before it is repeated.
    """
    origin = folder.path.parent / "origin.git"
    folder.git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    folder.git("remote", "add", "origin", origin.as_uri())
    repository = github.new_repository()
    for name, value in github.environment(repository).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_EVENT_NAME", raising=False)
    monkeypatch.setattr(connect, "connect", functools.partial(connect.connect, pause=0.0))
    return repository
