"""What people are shown of records: rows of `list`, the picture of `show`, and the documents beside each record.

Documents are written where they differ, or only compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.files import write_text
from incident_ops.app.edit_record import record_of
from incident_ops.app.workspace import Workspace, served
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.as_of import as_of, declared_at
from incident_ops.domain.fence import Unusable, evaluate_each
from incident_ops.domain.record import Record, Unread
from incident_ops.edits.declare import next_steps
from incident_ops.errors import UserError
from incident_ops.findings import Finding, did_you_mean
from incident_ops.records.history import every_record, read_record
from incident_ops.render import lists
from incident_ops.render.findings import inert
from incident_ops.render.incident import IncidentView
from incident_ops.render.lists import IncidentRow, ItemRow
from incident_ops.rules.item_overdue import days_late
from incident_ops.sla.clocks import Clock, clocks


@dataclass(frozen=True)
class Selection:
    """Which incidents are asked for: None and False = all. `after` is the earliest instant of a declaration."""

    only_open: bool = False
    service: str | None = None
    level: str | None = None
    after: datetime | None = None


def list_incidents(workspace: Workspace, wanted: Selection) -> list[IncidentRow]:
    """Incidents, the most urgent first. UserError for a service or a level that nobody knows."""

    def listed() -> list[IncidentRow]:
        records = _selected(workspace, wanted, only_open=wanted.only_open)
        return lists.incident_rows(records, workspace.judged_by[0], workspace.now)

    return served(workspace, listed)


def list_items(workspace: Workspace, wanted: Selection, owner: str | None, *, overdue: bool) -> list[ItemRow]:
    """The action items of incidents, by due date; of `owner` alone where one is named, and late ones alone."""
    owners = {None} if owner is None else {owner, f"@{owner}"}

    def listed() -> list[ItemRow]:
        policy, _ = workspace.judged_by
        records = _selected(workspace, wanted, only_open=False)
        dated = evaluate_each(records, lambda record: (record, days_late(record.incident, policy, workspace.now)))
        return [
            row
            for row in lists.item_rows(dated, policy)
            if (owner is None or row.item.owner in owners)
            and (row.item.is_open or not wanted.only_open)
            and (row.late or not overdue)
        ]

    return served(workspace, listed)


def record_at(workspace: Workspace, path: str) -> Record:
    """The record at a path. UserError naming file, line and column where it cannot be read."""
    raw = workspace.store.read(path)
    if raw is None:
        raise UserError("the record is not there any more", where=path, hint="was it moved? see `git status`")
    if isinstance(raw, Finding):
        raise UserError(raw.message, hint=raw.hint, where=path)
    return record_of(path, raw)


def view_incident(workspace: Workspace, record: Record) -> IncidentView:
    """A record with all that its picture needs."""
    policy, _ = workspace.judged_by
    incident = record.incident
    late = days_late(incident, policy, workspace.now)
    return IncidentView(record, policy, _clocks(workspace, record), workspace.now, late, next_steps(incident, policy))


def _clocks(workspace: Workspace, record: Record) -> list[Clock] | str:
    try:
        return clocks(as_of(record.incident, workspace.now), workspace.judged_by[0])
    except UserError as error:
        return inert(error.message)


def _selected(workspace: Workspace, wanted: Selection, *, only_open: bool) -> list[Record]:
    if only_open:
        records = [record for record in workspace.catalogue.live() if not record.incident.is_closed]
    else:
        records = [*every_record(workspace.store, workspace.catalogue)]
    if (after := wanted.after) is not None:
        records = [record for record in records if declared_at(record.incident) >= after]
    return _at_level(workspace, _of_service(workspace, records, wanted.service), wanted.level)


def _of_service(workspace: Workspace, records: list[Record], name: str | None) -> list[Record]:
    if name is None:
        return records
    found = [record for record in records if name in record.incident.services]
    services = workspace.judged_by[1]
    if not found and name not in services:
        raise UserError(f"there is no service {inert(name)!r}", hint=did_you_mean(name, services))
    return found


def _at_level(workspace: Workspace, records: list[Record], label: str | None) -> list[Record]:
    if label is None:
        return records
    found = [record for record in records if label in (record.incident.severity, record.incident.priority)]
    policy, _ = workspace.judged_by
    known = [*policy.labels, *policy.major_labels]
    if not found and label not in known:
        raise UserError(f"there is no level {inert(label)!r}", hint=did_you_mean(label, known))
    return found


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
    records = _asked_records(workspace, incidents)
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
                        write_text(path, text)
    except Unusable as error:
        broken = error.unread
    return Rendered(differing, count, sorted([*(() if incidents else workspace.catalogue.unreadable()), *broken]))


def _asked_records(workspace: Workspace, incidents: Sequence[str]) -> Iterable[Record]:
    if not incidents:
        return every_record(workspace.store, workspace.catalogue)
    return [_asked_record(workspace, incident) for incident in dict.fromkeys(incidents)]


def _asked_record(workspace: Workspace, incident: str) -> Record:
    path = workspace.catalogue.path_of(incident)
    if path is None:
        raise UserError(f"there is no incident {incident}", hint=did_you_mean(incident, workspace.catalogue.ids()))
    broken = next((unread for unread in workspace.catalogue.unreadable() if unread.path == path), None)
    if broken is not None:
        raise UserError(f"cannot be rendered: {broken.reason}", where=path, hint=f"see `incident-ops validate {path}`")
    return read_record(workspace.store, path)
