"""Which incidents are related, whichever record says so; and saying it, without a contradiction."""

from __future__ import annotations

from functools import partial

from incident_ops.app.edit_record import EditedRecord, edit_record, find_record, read_for_edit
from incident_ops.app.known import known_record
from incident_ops.app.workspace import Workspace
from incident_ops.domain.fence import Unusable, evaluate_one
from incident_ops.domain.incident import Incident, Relation
from incident_ops.domain.record import Record
from incident_ops.domain.relations import circle, inverse, spell_relation
from incident_ops.edits.relate import relate_incident, unrelate_incident
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.records.history import read_record

RELATED = "related"


def relations_of(workspace: Workspace, record: Record) -> tuple[Relation, ...]:
    """What an incident has to do with others: what its record says, then what theirs say, seen from this side."""
    own = record.incident.relations
    named = {one.id for one in own}
    found = []
    for path in _naming(workspace, record.incident.id):
        try:
            known = evaluate_one(read_record(workspace.store, path), partial(known_record, workspace))
        except Unusable:  # the views of that one name it; this one is not broken
            continue
        if known is None or known.incident.id in named:
            continue
        found += [
            Relation(id=known.incident.id, kind=inverse(one.kind))
            for one in known.incident.relations
            if one.id == record.incident.id
        ]
    return (*own, *found)


def other_incident(workspace: Workspace, asked: str) -> Incident:
    """The incident at the other end. UserError where it is not there, or cannot be read."""
    return read_for_edit(workspace, find_record(workspace, asked)).record.incident


def relate_to(workspace: Workspace, asked: str, other: Incident, kind: str | None) -> EditedRecord:
    """Relates the incident that is meant to another; without a kind the relation is taken away.

    UserError for an incident and itself, for what the other record says already, and for a circle.
    """
    return edit_record(workspace, asked, lambda current: _step(workspace, current, other, kind))


def _step(workspace: Workspace, current: Incident, other: Incident, kind: str | None) -> Step:
    if current.id == other.id:
        raise UserError(f"{current.id} cannot be related to itself", hint="name another incident")
    said = next((one for one in other.relations if one.id == current.id), None)
    if kind is None:
        if said is not None:
            hint = f"incident-ops relate {other.id} {current.id} --remove"
            raise UserError(f"{other.id} names {current.id}, not the other way round", hint=hint)
        return unrelate_incident(current, other.id)
    relation = Relation(id=other.id, kind=kind)
    if said is not None and inverse(said.kind) == kind:
        return Step((), (f"{other.id} says so already ({spell_relation(said)}); nothing changed",))
    if said is not None:
        hint = f"change it there: incident-ops relate {other.id} {current.id} --kind KIND"
        raise UserError(f"{other.id} names {current.id} already: {spell_relation(said)}", hint=hint)
    known = {source: _relations_in(workspace, path) for source, path in _sources(workspace).items()}
    known[current.id] = tuple(one for one in current.relations if one.id != other.id)
    if way := circle(current.id, relation, known):
        message = f"{current.id} {spell_relation(relation)} would close a circle: {' -> '.join(way)}"
        raise UserError(message, hint="see `incident-ops show` of each, and fix the one that is wrong")
    return relate_incident(current, relation)


def _relations_in(workspace: Workspace, path: str) -> tuple[Relation, ...]:
    return tuple(read_record(workspace.store, path).incident.relations)


def _sources(workspace: Workspace) -> dict[str, str]:
    """The incidents that name others, each with the path of its record."""
    return {link.source: link.path for link in workspace.catalogue.links() if link.kind == RELATED}


def _naming(workspace: Workspace, incident_id: str) -> list[str]:
    """The paths of the records that name an incident, each once."""
    links = workspace.catalogue.links()
    named = (link.path for link in links if link.kind == RELATED and link.target == incident_id != link.source)
    return list(dict.fromkeys(named))
