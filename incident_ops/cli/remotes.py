"""The remote of the clone, opened with the token of the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from incident_ops.adapters.git import Git
from incident_ops.errors import UserError

if TYPE_CHECKING:
    from incident_ops.adapters.remote import Remote


def token_and_server() -> tuple[str, str]:
    """(GITHUB_TOKEN else GH_TOKEN, "" without one; the server that it opens)."""
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    return token.strip(), os.environ.get("GITHUB_SERVER_URL") or "https://github.com"


def need_remote(git: Git | None, seconds: float = 60.0) -> Remote:
    """The clone's remote, on which the lock, the ledger and the write-back live; one question takes `seconds` at most.

    UserError where there is none.
    """
    from incident_ops.adapters.remote import Remote

    if git is None:
        raise UserError("there is no git repository here", hint="run it in a clone of the repository of records")
    token, server = token_and_server()
    return Remote.of(git, token=token, server=server, seconds=seconds)


def remote_of(git: Git | None) -> Remote | None:
    """The same; None where there is none."""
    try:
        return need_remote(git)
    except UserError:
        return None
