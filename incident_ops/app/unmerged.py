"""Incidents that are declared on a branch and not merged, as this clone last fetched them; nobody is asked."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.git_names import branch_name, fetched_names
from incident_ops.app.workspace import Workspace, merged_commit
from incident_ops.domain.record import is_incident_id
from incident_ops.domain.sending import DECLARE_BRANCHES
from incident_ops.records.store import record_path

_MOST_NAMED = 5


class Unmerged(NamedTuple):
    """The `ids` of such incidents, newest first and never none; the branch that is checked out, "" where none is; the
    folder of records as it is typed in the current folder."""

    ids: tuple[str, ...]
    branch: str
    folder: str

    @property
    def text(self) -> str:
        """How many there are, and which."""
        is_one = len(self.ids) == 1
        more = f" and {len(self.ids) - _MOST_NAMED} more" if len(self.ids) > _MOST_NAMED else ""
        named = ", ".join(self.ids[:_MOST_NAMED])
        if is_one:
            return f"1 incident is declared on a branch {DECLARE_BRANCHES}* and waits for a merge: {named}"
        what = f"{len(self.ids)} incidents are declared on branches {DECLARE_BRANCHES}*"
        return f"{what} and wait for a merge: {named}{more}"

    def taking_over(self, incident: str) -> str:
        """The command that brings the record of one from its branch into the work tree."""
        return f"git checkout origin/{DECLARE_BRANCHES}{incident} -- {self.folder}/{incident}"

    @property
    def hint(self) -> str:
        """How the newest is worked on."""
        return f"to work on {'it' if len(self.ids) == 1 else 'one'} here: {self.taking_over(self.ids[0])}"


def unmerged_declarations(workspace: Workspace) -> Unmerged | None:
    """Those that neither the work tree nor the default branch has; None where there are none, or no git is."""
    git = workspace.git
    if git is None or workspace.store.revision:
        return None
    found = sorted(filter(is_incident_id, fetched_names(git, DECLARE_BRANCHES)), reverse=True)
    ids = tuple(name for name in found if not _is_here(workspace, name))
    if not ids:
        return None
    folder = (workspace.root / record_path(ids[0])).parent.parent
    return Unmerged(ids, branch_name(git), shlex.quote(os.path.relpath(folder, Path.cwd())))


def _is_here(workspace: Workspace, incident: str) -> bool:
    path, git = record_path(incident), workspace.git
    if workspace.store.read(path) is not None or git is None:
        return True
    merged = merged_commit(git)
    return merged is not None and git.read_path(merged, path) is not None
