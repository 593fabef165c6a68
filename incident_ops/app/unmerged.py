"""Incidents that this checkout does not have: declared on a branch and not merged, or merged and not pulled.

Both as this clone last fetched them; nobody is asked.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.git import Git
from incident_ops.adapters.git_names import branch_name, fetched_names
from incident_ops.app.workspace import Workspace, merged_commit
from incident_ops.domain.record import is_incident_id
from incident_ops.domain.sending import DECLARE_BRANCHES
from incident_ops.errors import Incomplete, UserError
from incident_ops.records.history import incident_in
from incident_ops.records.store import INCIDENTS, record_path

_MOST_NAMED = 5
_MOST_READ = 200  # of what was merged since; the newest first
_DEFAULT_BRANCHES = ("main", "master")


class Unmerged(NamedTuple):
    """The `ids` of incidents that wait for a merge, newest first and never none; the branch that is checked out, ""
    where none is; the folder of records as it is typed in the current folder."""

    ids: tuple[str, ...]
    branch: str
    folder: str

    @property
    def text(self) -> str:
        """How many there are, and which."""
        if len(self.ids) == 1:
            return f"1 incident is declared on a branch {DECLARE_BRANCHES}* and waits for a merge: {self.ids[0]}"
        what = f"{len(self.ids)} incidents are declared on branches {DECLARE_BRANCHES}*"
        return f"{what} and wait for a merge: {_named_first(self.ids)}"

    def where(self, incident: str) -> str:
        """Where the record of one is."""
        return f"{incident} is declared on branch {DECLARE_BRANCHES}{incident}, which is not merged"

    def taking_over(self, incident: str) -> str:
        """The command that brings the record of one into the work tree."""
        return f"git checkout origin/{DECLARE_BRANCHES}{incident} -- {self.folder}/{incident}"


class NotPulled(NamedTuple):
    """The same of incidents that are open at `commit`, which the remote's default branch has."""

    ids: tuple[str, ...]
    branch: str
    folder: str
    commit: str

    @property
    def text(self) -> str:
        """How many there are, and which."""
        is_one = len(self.ids) == 1
        what = f"{len(self.ids)} {'incident is' if is_one else 'incidents are'} open on the remote's default branch"
        return f"{what} as last fetched, and {'is' if is_one else 'are'} not here yet: {_named_first(self.ids)}"

    @property
    def beside(self) -> tuple[str, str]:
        """The same in short, under a list of those that are here, and the command for the newest."""
        more = f" and {len(self.ids) - 1} more" if len(self.ids) > 1 else ""
        return f"and {self.ids[0]}{more}, merged and not here yet:", f"  {self.taking_over(self.ids[0])}"

    def where(self, incident: str) -> str:
        """Where the record of one is."""
        return f"{incident} is merged, and is not here yet"

    def taking_over(self, incident: str) -> str:
        """The command that brings the record of one into the work tree."""
        if self.branch in _DEFAULT_BRANCHES:
            return "git pull"
        return f"git checkout {self.commit[:12]} -- {self.folder}/{incident}"


Elsewhere = Unmerged | NotPulled


def working_on(away: Elsewhere) -> str:
    """How the newest of them is worked on."""
    return f"to work on {'it' if len(away.ids) == 1 else 'one'} here: {away.taking_over(away.ids[0])}"


def incidents_elsewhere(workspace: Workspace) -> list[Elsewhere]:
    """All that this checkout does not have; nothing where no git is, or a revision is asked about."""
    found = (not_pulled(workspace), unmerged_declarations(workspace))
    return [one for one in found if one is not None]


def _named_first(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return f"{', '.join(ids[:_MOST_NAMED])}{more}"


def unmerged_declarations(workspace: Workspace) -> Unmerged | None:
    """Those that neither the work tree nor the default branch has; None where there are none, or no git is."""
    git = workspace.git
    if git is None or workspace.store.revision:
        return None
    found = sorted(filter(is_incident_id, fetched_names(git, DECLARE_BRANCHES)), reverse=True)
    ids = tuple(name for name in found if not _is_here(workspace, name))
    if not ids:
        return None
    return Unmerged(ids, branch_name(git), _typed_folder(workspace))


def not_pulled(workspace: Workspace) -> NotPulled | None:
    """Those that are open on the default branch, and that nobody has changed here: absent, or closed before they came
    back. None where there are none."""
    git, merged = workspace.git, merged_commit(workspace.git)
    if git is None or git.head is None or workspace.store.revision or merged in (None, git.head):
        return None
    with suppress(UserError, Incomplete):  # a shallow clone cannot tell
        ids = tuple(_open_there(workspace, git, git.head, str(merged)))
        return NotPulled(ids, branch_name(git), _typed_folder(workspace), str(merged)) if ids else None
    return None


def _open_there(workspace: Workspace, git: Git, head: str, merged: str) -> Iterator[str]:
    base = git.merge_base(merged, head)
    if base == merged:
        return
    ours = {*workspace.catalogue.uncommitted(), *(blob.path for blob in git.changed(base, head, (INCIDENTS,)))}
    ours |= {record.path for record in workspace.catalogue.live() if not record.incident.is_closed}
    theirs = {blob.path: blob for blob in git.changed(base, merged, (INCIDENTS,)) if blob.id and blob.regular}
    names = sorted({path.split("/")[1] for path in theirs.keys() - ours}, reverse=True)
    blobs = [theirs[path] for path in map(record_path, filter(is_incident_id, names)) if path in theirs][:_MOST_READ]
    for blob, raw in zip(blobs, git.read(blob.id for blob in blobs), strict=True):
        incident = incident_in(blob.path, raw)
        if incident is not None and not incident.is_closed:
            yield incident.id


def _typed_folder(workspace: Workspace) -> str:
    return shlex.quote(os.path.relpath(workspace.root / INCIDENTS, Path.cwd()))


def _is_here(workspace: Workspace, incident: str) -> bool:
    path, git = record_path(incident), workspace.git
    if workspace.store.read(path) is not None or git is None:
        return True
    merged = merged_commit(git)
    return merged is not None and git.read_path(merged, path) is not None
