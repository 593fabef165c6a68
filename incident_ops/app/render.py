"""The documents beside the records: written where they differ, or only compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.files import demand_no_link, write_text
from incident_ops.app.edit_record import find_record
from incident_ops.app.kept_prose import Kept, keep_typed
from incident_ops.app.known import known_record, not_declared
from incident_ops.app.render_memory import RenderMemory
from incident_ops.app.workspace import Workspace
from incident_ops.documents.document_mark import is_as_rendered
from incident_ops.domain.fence import Unusable, evaluate_each
from incident_ops.domain.record import Record, Unread
from incident_ops.errors import UserError
from incident_ops.records.history import every_record, read_record


class Rendered(NamedTuple):
    """The paths of the documents that differed, how many documents there are, and the records that have none.

    `kept` is what people typed into those that were written anew.
    """

    differing: list[Path]
    total: int
    unread: list[Unread]
    kept: list[Kept]


def render_documents(workspace: Workspace, incidents: Sequence[str] = (), *, write: bool = True) -> Rendered:
    """Writes what differs, each file whole or not at all; of every record, or of `incidents`.

    Where a time is asked about, the documents say what was known then; an incident that was declared later has none.
    UserError for one of `incidents` that is not there, was declared later, or cannot be read.
    """
    rendered = Rendered([], 0, [], [])
    broken, count = tuple[Unread, ...](), 0
    memory = RenderMemory(workspace)

    def documents_of(record: Record) -> tuple[Record, Mapping[str, str] | int]:
        known = known_record(workspace, record)
        if known is None and incidents:
            raise not_declared(workspace, record)
        if known is None:
            return record, 0
        return record, memory.count_current(known) or memory.render(known)

    try:
        for record, documents in evaluate_each(records_to_render(workspace, incidents), documents_of):
            if isinstance(documents, int):
                count += documents
                continue
            for name, text in documents.items():
                count += 1
                _render_one(workspace, record.path, name, text, rendered, write=write)
    except Unusable as error:
        broken = error.unread
    memory.save()
    unread = sorted([*(() if incidents else workspace.catalogue.unreadable()), *broken])
    return rendered._replace(total=count, unread=unread)


def _render_one(
    workspace: Workspace, record_path: str, name: str, text: str, rendered: Rendered, *, write: bool
) -> None:
    """Compares one document, and writes it; what somebody typed into it goes to a file beside it first."""
    path = str(Path(record_path).with_name(name))
    file = workspace.root / path
    there = file.read_bytes() if file.is_file() else None
    if there == text.encode():
        return
    rendered.differing.append(file)
    if not write:
        return
    demand_no_link(workspace.root, path)
    if there is not None and not is_as_rendered(there):
        rendered.kept.extend(keep_typed(workspace, record_path, name, there, text))
    write_text(file, text)


def records_to_render(workspace: Workspace, incidents: Sequence[str]) -> Iterable[Record]:
    if not incidents:
        return every_record(workspace.store, workspace.catalogue)
    return [_record(workspace, incident) for incident in dict.fromkeys(incidents)]


def _record(workspace: Workspace, incident: str) -> Record:
    path = workspace.catalogue.path_of(incident) or find_record(workspace, incident)
    broken = next((unread for unread in workspace.catalogue.unreadable() if unread.path == path), None)
    if broken is not None:
        raise UserError(f"cannot be rendered: {broken.reason}", where=path, hint=f"see `incident-ops validate {path}`")
    return read_record(workspace.store, path)
