"""Whether this token can open issues in a repository of a team, before anything is written there."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.responses import RepositorySeen, check, refused
from incident_ops.domain.tracker import TAKES_NONE, Unreached
from incident_ops.errors import Incomplete

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+", re.ASCII)
_MAY_WRITE = ("admin", "maintain", "push", "triage")
_MOST_PAGES = 10  # of a hundred repositories each; beyond them the first write tells


class Reached(NamedTuple):
    """A repository that takes issues: its present name, `owner/name`, its id, and who can read it, "" = unknown."""

    name: str
    id: int
    visibility: str = ""


class _Installed(msgspec.Struct, frozen=True):
    repositories: list[RepositorySeen]


def reached(client: Client) -> Reached | Unreached:
    """Asks about the client's repository: whether it is there, has issues, and is this token's to write to.

    Incomplete where GitHub did not answer, or answers something else.
    """
    asked = client.repository
    doing = f"asking about {asked}"
    answer = client.ask("GET", "")
    if answer.status in (403, 404, 451):
        hint = "check the name; the token has to be of a GitHub App that is installed there"
        return _no(asked, "is not there, or this token may not see it", hint)
    if answer.status >= 300:
        raise refused(answer, Incomplete, doing, asked)
    seen = check(answer.data, RepositorySeen, doing)
    name = seen.full_name or asked
    if not _NAME.fullmatch(name):
        raise Incomplete(f"{doing}: GitHub's answer names no repository", hint="run it again")
    if seen.archived:
        return _no(asked, "is archived", "unarchive it")
    if not seen.has_issues:
        return _no(asked, "has issues switched off", "switch them on there: Settings > General > Features")
    if not _may_write(client, seen, doing):
        hint = "use the token of a GitHub App that is installed there with `Issues: write`"
        return _no(asked, "is not open to this token", hint)
    return Reached(name, seen.id, seen.readers)


def readers_of(client: Client) -> str:
    """Who can read the client's repository: public, internal or private; "" where GitHub does not say."""
    answer = client.ask("GET", "")
    doing = f"asking who can read {client.repository}"
    return check(answer.data, RepositorySeen, doing).readers if answer.status < 300 else ""


def _no(repository: str, reason: str, hint: str) -> Unreached:
    return Unreached(repository, TAKES_NONE, reason, hint)


def _may_write(client: Client, seen: RepositorySeen, doing: str) -> bool:
    """A person's token says so itself; that of an App has a list of the repositories it was given."""
    if any((seen.permissions or {}).get(right) for right in _MAY_WRITE):
        return True
    for page in range(1, _MOST_PAGES + 1):
        answer = client.installed(page)
        if answer.status in (401, 403, 404):
            return False
        if answer.status >= 300:
            raise refused(answer, Incomplete, doing, client.repository)
        listed = check(answer.data, _Installed, doing).repositories
        if any(repository.id == seen.id for repository in listed):
            return True
        if len(listed) < 100:
            return False
    return True
