"""Correcting a time of a record, which depends on whether that time is merged."""

from __future__ import annotations

from incident_ops.app.edit_record import EditedRecord, edit_record, find_record
from incident_ops.app.workspace import Workspace, settled_commit
from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import Incident
from incident_ops.edits.correct import correct_instant, field_named
from incident_ops.edits.step import Step
from incident_ops.records.history import merged_incident


def correct_time(workspace: Workspace, asked: str, field: str, at: str, reason: str | None, by: str) -> EditedRecord:
    """The time `field` of the incident that is meant becomes `at` (RFC 3339 text, or `unknown`).

    UserError as `field_named` and `correct_instant`, and where the times would be out of order.
    """
    merged = merged_incident(workspace.git, settled_commit(workspace.git), find_record(workspace, asked))
    known = corrected_instants(merged) if merged else {}

    def corrected(current: Incident) -> Step:
        name = field_named(current, field)
        return correct_instant(current, workspace.now, by, name, at, reason, is_merged=name in known)

    return edit_record(workspace, asked, corrected)
