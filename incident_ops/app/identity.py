"""Who acts: as the environment, git's settings or the contacts of the policy say; else the user of this machine."""

from __future__ import annotations

import re
from typing import NamedTuple

from incident_ops.adapters.environment import (
    GitIdentity,
    git_identity,
    machine_user,
    named_by_environment,
)
from incident_ops.app.workspace import Workspace
from incident_ops.errors import UserError
from incident_ops.render.findings import inert

LONGEST_NAME = 100
MAKE_KNOWN = "incident-ops init --by @who"
"""What makes somebody known in a clone."""
_HANDLE = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9-]{0,38}", re.ASCII)


class Actor(NamedTuple):
    """Who acts, as records name them; `warning` says why that is a guess, "" where it is none."""

    name: str
    warning: str = ""


def actor(workspace: Workspace) -> Actor:
    """INCIDENT_OPS_BY, the actor of a workflow, the handle that `init` kept in git, the contact whom git's name or
    address stands for, git's name; where nobody is known it is `user@host`, with a warning."""
    if named := named_by_environment():
        return Actor(named)
    git = git_identity(workspace.root)
    if named := git.handle or _contact(workspace, git):
        return Actor(named)
    if is_name(git.name):
        return Actor(git.name)
    name = machine_user()
    why = f"git's user.name {git.name!r} does not fit a record" if git.name else "nobody is known here"
    return Actor(name, f"{why}; {name} is recorded")


def handle_of(text: str) -> str:
    """A handle as records write it, whether it was typed with its @ or without. UserError where it is not one."""
    if not _HANDLE.fullmatch(text.strip()):
        raise UserError(f"{inert(text)!r} is not a GitHub handle", hint="letters, digits and hyphens: @alice")
    return f"@{text.strip().removeprefix('@')}"


def is_unknown(workspace: Workspace) -> bool:
    """True in a clone whose git can keep a handle and has none, where the environment names nobody either."""
    return workspace.git is not None and not named_by_environment() and not git_identity(workspace.root).handle


def is_name(text: str) -> bool:
    """True for a plain name: an address does not belong in a record."""
    return 0 < len(text) <= LONGEST_NAME and "@" not in text and text.isprintable()


def _contact(workspace: Workspace, git: GitIdentity) -> str | None:
    try:
        contacts = workspace.judged_by[0].contacts
    except UserError:  # a policy that cannot be used names nobody, and stops nobody
        return None
    return contacts.known_by_git(git.name, git.address)
