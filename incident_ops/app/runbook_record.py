"""The record that gets the steps of a runbook: which one it is, and why it may be the wrong one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from incident_ops.app.edit_record import find_record, read_for_edit
from incident_ops.app.workspace import Workspace
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER, counts
from incident_ops.domain.record import Record
from incident_ops.edits.step import state_words


class RecordingPlace(NamedTuple):
    """The record of a run, and the doubts whether it is the one that is meant; none = it is."""

    record: Record
    doubts: tuple[str, ...]


def recording_place(workspace: Workspace, incident: str, service: str, *, is_named: bool) -> RecordingPlace:
    """Where the steps of a service's runbook go; `is_named`: somebody named the incident. UserError for none."""
    record = read_for_edit(workspace, find_record(workspace, incident)).record
    others = [one.incident for one in workspace.catalogue.live() if one.incident.id != record.incident.id]
    open_ones = [one for one in others if one.state not in OVER]
    return RecordingPlace(record, tuple(_doubts(record.incident, open_ones, service, is_named=is_named)))


def open_elsewhere(workspace: Workspace) -> list[str]:
    """The real incidents that are worked on, by id."""
    live = (record.incident for record in workspace.catalogue.live())
    return [one.id for one in live if one.state not in OVER and counts(one)]


def _doubts(incident: Incident, others: list[Incident], service: str, *, is_named: bool) -> Iterator[str]:
    if incident.state in OVER:
        yield f"{incident.id} is {state_words(incident.state)}"
    if service and service not in incident.services:
        yield f"{incident.id} is not on {service}"
    real = next((one for one in others if counts(one)), None)
    drill = next((one for one in others if one.drill and service not in one.services), None)
    if incident.drill and real:
        yield f"{incident.id} is a drill, and {real.id} is a real incident"
    if not incident.drill and drill and not is_named:  # of two on the service somebody has chosen one
        yield f"{incident.id} is a real incident, and the drill {drill.id} is going on"
