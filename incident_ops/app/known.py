"""Records as they were known at the time that `--at` names; without it they are what they are now."""

from __future__ import annotations

from collections.abc import Iterable

from incident_ops.app.workspace import Workspace
from incident_ops.domain.as_of import declared_at
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.known_at import incident_at
from incident_ops.domain.record import Record
from incident_ops.domain.time import stamp
from incident_ops.errors import UserError
from incident_ops.records.history import every_record, read_record


def known_record(workspace: Workspace, record: Record) -> Record | None:
    """The record as it was known, with the fields that are left out; None where it was declared later."""
    if not workspace.is_at_given:
        return record
    known = incident_at(record.incident, workspace.now)
    if known is None:
        return None
    return (
        record if known.incident is record.incident else record._replace(incident=known.incident, undated=known.undated)
    )


def not_declared(workspace: Workspace, record: Record) -> UserError:
    """Why there is nothing to show of a record that was declared later."""
    declared = stamp(declared_at(record.incident))
    message = f"{record.incident.id} was not declared yet at {stamp(workspace.now)}"
    return UserError(message, hint=f"it was declared at {declared}: ask for a later time, or leave out --at")


def known_records(workspace: Workspace, records: Iterable[Record]) -> list[Record]:
    """These records as they were known, without those declared later. Unusable as `evaluate_each`."""
    known = evaluate_each(records, lambda record: known_record(workspace, record))
    return [record for record in known if record is not None]


def every_known(workspace: Workspace) -> list[Record]:
    """Every readable record as it was known. Unusable and Incomplete as the records."""
    return known_records(workspace, every_record(workspace.store, workspace.catalogue))


def known_live(workspace: Workspace) -> list[Record]:
    """The records that are not settled now, or were changed later, as they were known."""
    return known_records(workspace, [*workspace.catalogue.live(), *_changed_later(workspace)])


def count_later(workspace: Workspace) -> int:
    """How many incidents were declared after the time that is asked about."""
    if not workspace.is_at_given:
        return 0
    records = [*workspace.catalogue.live(), *_changed_later(workspace)]
    return len(records) - len(known_records(workspace, records))


def _changed_later(workspace: Workspace) -> list[Record]:
    """The settled records that hold something of a later time."""
    if not workspace.is_at_given:
        return []
    paths = workspace.catalogue.settled_after(int(workspace.now.timestamp()))
    settled = [read_record(workspace.store, path) for path in paths]
    return [record for record in settled if known_record(workspace, record) is not record]
