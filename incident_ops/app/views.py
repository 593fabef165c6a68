"""What `list` and `show` show: incidents and action items by urgency, and all that one incident's picture needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from incident_ops.app.edit_record import check_services, record_of
from incident_ops.app.known import every_known, known_live, known_record, known_records, not_declared
from incident_ops.app.workspace import Workspace, leads_somewhere, served
from incident_ops.documents.document_mark import DOCUMENT_NAMES
from incident_ops.domain.as_of import as_of, declared_at
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.item_due import days_late
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.record import Record, all_undated
from incident_ops.domain.time import parse_instant
from incident_ops.errors import UserError
from incident_ops.findings import Finding, did_you_mean
from incident_ops.records.history import read_record
from incident_ops.render import lists
from incident_ops.render.findings import inert
from incident_ops.render.incident import IncidentView
from incident_ops.render.lists import IncidentRow, ItemRow
from incident_ops.render.timeline import NumberedEvent, TimelineList
from incident_ops.sla.clocks import Clock, clocks
from incident_ops.sla.escalation_ladder import present_tier, tier_named
from incident_ops.sla.status import PhaseStatus, current_phase

if TYPE_CHECKING:
    from incident_ops.documents.incident_end import IncidentEnd


@dataclass(frozen=True)
class Selection:
    """Which incidents are asked for: None and False = all. `after` is the earliest instant of a declaration, `path`
    that of one record, `tier` the id or number of the one that has them."""

    only_open: bool = False
    service: str | None = None
    level: str | None = None
    after: datetime | None = None
    path: str | None = None
    tier: str | None = None


def list_incidents(workspace: Workspace, wanted: Selection) -> list[IncidentRow]:
    """Incidents, the most urgent first. UserError for a service or a level that nobody knows."""

    def listed() -> list[IncidentRow]:
        records = selected_records(workspace, wanted, only_open=wanted.only_open)
        return lists.incident_rows(records, workspace.judged_by[0], workspace.now)

    return served(workspace, listed)


def list_items(workspace: Workspace, wanted: Selection, owner: str | None, *, overdue: bool) -> list[ItemRow]:
    """The action items of incidents, by due date; of `owner` alone where one is named, and late ones alone."""
    owners = {None} if owner is None else {owner, f"@{owner}"}

    def listed() -> list[ItemRow]:
        records = selected_records(workspace, wanted, only_open=False)
        return [
            row
            for row in lists.item_rows(records, workspace.judged_by[0], workspace.now)
            if (owner is None or row.item.owner in owners)
            and (row.item.is_open or not wanted.only_open)
            and (row.late or not overdue)
        ]

    return served(workspace, listed)


def items_left_out(workspace: Workspace, wanted: Selection) -> tuple[str, ...]:
    """`action_items` where some are not listed because nobody knows whether they were there at the time."""

    def left_out() -> tuple[str, ...]:
        fields = all_undated(selected_records(workspace, wanted, only_open=False))
        return tuple(field for field in fields if field == "action_items")

    return served(workspace, left_out) if workspace.is_at_given else ()


def record_at(workspace: Workspace, path: str) -> Record:
    """The record at a path, as it was known where a time is asked about.

    UserError naming file, line and column where it cannot be read, and for an incident that was declared later.
    """
    return _known(workspace, _as_written(workspace, path))


def _as_written(workspace: Workspace, path: str) -> Record:
    raw = workspace.store.read(path)
    if raw is None:
        raise UserError("the record is not there any more", where=path, hint="was it moved? see `git status`")
    if isinstance(raw, Finding):
        raise UserError(raw.message, hint=raw.hint, where=path)
    return record_of(path, raw)


def _known(workspace: Workspace, record: Record) -> Record:
    known = evaluate_one(record, partial(known_record, workspace))
    if known is None:
        raise not_declared(workspace, record)
    return known


def timeline_of(workspace: Workspace, path: str, kind: str | None) -> TimelineList:
    """The timeline of the record at a path, of one kind where it is named; at an earlier time what had happened then.

    The numbers are those of the record itself. UserError as `record_at`.
    """
    record = _as_written(workspace, path)
    known, events = _known(workspace, record).incident, record.incident.timeline
    if workspace.is_at_given:
        happened = {index for index, event in enumerate(events) if parse_instant(event.at) <= workspace.now}
    else:
        happened = set(range(len(events)))
    corrected_by = {events[index].corrects: index + 1 for index in sorted(happened) if events[index].corrects}
    entries = [
        NumberedEvent(index + 1, events[index], corrected_by.get(index + 1))
        for index in sorted(happened, key=lambda index: (parse_instant(events[index].at), index))
        if kind in (None, events[index].kind)
    ]
    return TimelineList(known, entries, len(happened), kind)


def end_of_incident(workspace: Workspace, record: Record) -> IncidentEnd:
    """What remains of an incident that is over, with the files that are there. UserError while it is not."""
    from incident_ops.documents.incident_end import incident_end  # what only the end of an incident needs

    incident, policy = record.incident, workspace.judged_by[0]
    if incident.state not in OVER:
        state = incident.state.replace("_", " ")
        raise UserError(
            f"{incident.id} is {state}: there is no end to sum up yet", hint=f"incident-ops show {incident.id}"
        )
    paths = [record.path, *(record.path.replace("incident.yaml", name) for name in DOCUMENT_NAMES)]
    there = [path for path in paths if isinstance(workspace.store.read(path), bytes)]
    runbooks = [policy.documents.runbook_path.replace("{service}", name) for name in incident.services]
    return incident_end(incident, policy, there, {path: leads_somewhere(workspace, path) for path in runbooks})


def sheet_of(workspace: Workspace, record: Record) -> str:
    """The sheet of an incident's war room, as Markdown. UserError where its level asks for none."""
    from incident_ops.documents.war_room import has_war_room, war_room_sheet  # templates, which a list does not need

    incident, policy = record.incident, workspace.judged_by[0]
    if not has_war_room(incident, policy):
        label = policy.label_of(incident) or "its level"
        hint = f'with one it has a sheet: incident-ops edit {incident.id} --bridge "..."'
        raise UserError(f"{incident.id} has no bridge, and {label} asks for none", hint=hint)
    return war_room_sheet(incident, policy, workspace.now)


def view_incident(workspace: Workspace, record: Record) -> IncidentView:
    """A record with all that its picture needs."""
    from incident_ops.app.relate import relations_of  # what a list does not need
    from incident_ops.edits.declare import next_steps  # a list says nothing of what to do next

    incident = record.incident
    policy = workspace.judged_by[0].for_incident(incident)
    late = days_late(incident, policy, workspace.now)
    related = relations_of(workspace, record)
    running, phase = _clocks(workspace, record)
    steps = next_steps(incident, policy, is_whole=not record.undated)
    return IncidentView(record, policy, running, workspace.now, late, steps, related, phase)


def _clocks(workspace: Workspace, record: Record) -> tuple[list[Clock] | str, PhaseStatus | None]:
    """The clocks, or why there are none, and the phase of the response."""
    view, policy = as_of(record.incident, workspace.now), workspace.judged_by[0]
    try:
        return clocks(view, policy), current_phase(view, policy)
    except UserError as error:
        return inert(error.message), None


def selected_records(workspace: Workspace, wanted: Selection, *, only_open: bool) -> list[Record]:
    """The records that are asked for, as they were known. UserError for a service or a level that nobody knows."""
    if wanted.path is not None:
        records = _of_path(workspace, wanted.path)
    elif only_open:
        records = [record for record in known_live(workspace) if not record.incident.is_closed]
    else:
        records = every_known(workspace)
    if (after := wanted.after) is not None:
        records = [record for record in records if declared_at(record.incident) >= after]
    if wanted.tier is not None:
        policy = workspace.judged_by[0]
        tier = tier_named(wanted.tier, policy)
        records = [record for record in records if present_tier(record.incident, policy) == tier]
    return _at_level(workspace, _of_service(workspace, records, wanted.service), wanted.level)


def _of_path(workspace: Workspace, path: str) -> list[Record]:
    """The record at a path as it was known; none where it cannot be read, or was declared later."""
    if any(one.path == path for one in workspace.unread):
        return []
    return known_records(workspace, [read_record(workspace.store, path)])


def _of_service(workspace: Workspace, records: list[Record], name: str | None) -> list[Record]:
    if name is None:
        return records
    found = [record for record in records if name in record.incident.services]
    if not found:
        check_services(workspace, [name])
    return found


def _at_level(workspace: Workspace, records: list[Record], label: str | None) -> list[Record]:
    label = workspace.judged_by[0].label_typed(label)
    if label is None:
        return records
    found = [record for record in records if label in (record.incident.severity, record.incident.priority)]
    policy, _ = workspace.judged_by
    known = [*policy.labels, *policy.major_labels]
    if not found and label not in known:
        raise UserError(f"there is no level {inert(label)!r}", hint=did_you_mean(label, known))
    return found
