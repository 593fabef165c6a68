"""The whole id of a commit that somebody names by its first digits: what is written down is compared whole."""

from __future__ import annotations

from incident_ops.adapters.git_names import commits_beginning
from incident_ops.app.workspace import Workspace
from incident_ops.deploy_gate.release import WHOLE_IDS
from incident_ops.edits.freeze import commit_id
from incident_ops.errors import UserError


def whole_commit_id(workspace: Workspace, text: str) -> str:
    """The commit id `text`, whole; a short one is looked up in the repository at hand. UserError where it has none
    or several such commits, or `text` is not a commit id."""
    sha = commit_id(text)
    if len(sha) in WHOLE_IDS:
        return sha
    found = [] if workspace.git is None else commits_beginning(workspace.git, sha)
    if len(found) == 1:
        return found[0]
    why = f"{len(found)} commits here begin with it" if found else "no commit of this repository begins with it"
    hint = f"all 40 digits; in a clone of the code that you deploy: git rev-parse {sha}"
    raise UserError(f"--sha {sha} is not a whole commit id, and {why}", hint=hint)
