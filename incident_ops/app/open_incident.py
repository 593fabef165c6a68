"""The open incident of one and the same thing: in the work tree, and, where records are sent, on the remote.

A job begins with a fresh checkout, which lacks what the last one declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from incident_ops.adapters.files import demand_no_link, write_in_new_folder
from incident_ops.app.edit_record import record_of
from incident_ops.app.workspace import Workspace, at_commit, need_remote
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record, is_incident_id
from incident_ops.domain.sending import DECLARE_BRANCHES
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.records.store import record_path

_SECONDS = 10.0
"""How long one question to the remote may take."""

IsMeant = Callable[[Incident], bool]


class OpenIncident(NamedTuple):
    """The path of the newest open incident that is meant, "" where none is known; `problem` says why not all was looked
    at, "" where it was."""

    path: str = ""
    problem: str = ""

    @property
    def incident(self) -> str:
        """Its id."""
        return self.path.split("/")[-2] if self.path else ""


def find_open(workspace: Workspace, is_meant: IsMeant, *, asks_remote: bool) -> OpenIncident:
    """Finds it; one of the remote is in the work tree from then on."""
    here = _newest(record for record in workspace.catalogue.live() if is_meant(record.incident))
    if here is not None or not asks_remote:
        return OpenIncident("" if here is None else here.path)
    try:
        for path, raw in _on_remote(workspace, is_meant):
            demand_no_link(workspace.root, path)
            if write_in_new_folder(workspace.root / path, raw) or workspace.store.read(path) is not None:
                return OpenIncident(path)  # what is here already may be an older version
    except IncidentOpsError as error:
        return OpenIncident(problem=str(error))
    return OpenIncident()


def _on_remote(workspace: Workspace, is_meant: IsMeant) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of the records that are meant: the newest merged one, then those that wait for a merge."""
    remote, git = need_remote(workspace.git, _SECONDS, by_person=True), workspace.git
    if git is None:
        return
    tip = remote.default_tip()
    merged = at_commit(workspace, tip) if tip else None
    found = _newest(one for one in merged.catalogue.live() if is_meant(one.incident)) if merged else None
    if found is not None and tip:
        raw = git.read_path(tip, found.path)
        if raw is not None:
            yield found.path, raw
    for branch, commit in sorted(remote.tips((DECLARE_BRANCHES,)).items(), reverse=True):
        name = branch.removeprefix(DECLARE_BRANCHES)
        path = record_path(name)
        raw = git.read_path(commit, path) if is_incident_id(name) else None
        if raw is None or (tip and git.read_path(tip, path) is not None):
            continue
        try:
            record = record_of(path, raw)
        except UserError:  # a broken declaration of somebody is not the one that is meant
            continue
        if is_meant(record.incident):
            yield path, raw


def _newest(records: Iterator[Record]) -> Record | None:
    return max(records, key=lambda record: record.incident.id, default=None)
