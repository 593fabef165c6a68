"""The documents beside the records: written where they differ, or only compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.files import demand_no_link, write_text
from incident_ops.app.workspace import Workspace
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.fence import Unusable, evaluate_each
from incident_ops.domain.record import Record, Unread
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.history import every_record, read_record


class Rendered(NamedTuple):
    """The paths of the documents that differed, how many documents there are, and the records that have none."""

    differing: list[Path]
    total: int
    unread: list[Unread]


def render_documents(workspace: Workspace, incidents: Sequence[str] = (), *, write: bool = True) -> Rendered:
    """Writes what differs, each file whole or not at all; of every record, or of `incidents`.

    UserError for an incident that is not there or cannot be read.
    """
    policy, _ = workspace.judged_by
    differing, count, broken = [], 0, tuple[Unread, ...]()
    records = _records(workspace, incidents)
    try:
        for record, documents in evaluate_each(
            records, lambda record: (record, incident_documents(record.incident, policy, workspace.now))
        ):
            for name, text in documents.items():
                count += 1
                path = workspace.root / Path(record.path).with_name(name)
                if not path.is_file() or path.read_bytes() != text.encode():
                    differing.append(path)
                    if write:
                        demand_no_link(workspace.root, record.path)
                        write_text(path, text)
    except Unusable as error:
        broken = error.unread
    return Rendered(differing, count, sorted([*(() if incidents else workspace.catalogue.unreadable()), *broken]))


def _records(workspace: Workspace, incidents: Sequence[str]) -> Iterable[Record]:
    if not incidents:
        return every_record(workspace.store, workspace.catalogue)
    return [_record(workspace, incident) for incident in dict.fromkeys(incidents)]


def _record(workspace: Workspace, incident: str) -> Record:
    path = workspace.catalogue.path_of(incident)
    if path is None:
        raise UserError(f"there is no incident {incident}", hint=did_you_mean(incident, workspace.catalogue.ids()))
    broken = next((unread for unread in workspace.catalogue.unreadable() if unread.path == path), None)
    if broken is not None:
        raise UserError(f"cannot be rendered: {broken.reason}", where=path, hint=f"see `incident-ops validate {path}`")
    return read_record(workspace.store, path)
