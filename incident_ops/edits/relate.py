"""Relating an incident to another: the one record that says it, in the words of its kind."""

from __future__ import annotations

from incident_ops.domain.incident import SIMILAR, Incident, Relation
from incident_ops.domain.record import Append, Set
from incident_ops.domain.relations import spell_relation
from incident_ops.edits.step import Step, list_edits
from incident_ops.errors import UserError


def relate_incident(incident: Incident, relation: Relation) -> Step:
    """Names the other incident, or changes the kind under which it is named."""
    written: object = relation.id if relation.kind == SIMILAR else {"id": relation.id, "kind": relation.kind}
    said = f"related: {spell_relation(relation)}"
    for place, known in enumerate(incident.relations):
        if known == relation:
            return Step((), (f"{said} already; nothing changed",))
        if known.id == relation.id:
            return Step((Set(("related", place), written),), (f"{said} (was: {spell_relation(known)})",))
    return Step((Append(("related",), written),), (said,))


def unrelate_incident(incident: Incident, other: str) -> Step:
    """Names the other incident no more. UserError where it is not named."""
    left = [written for written, one in zip(incident.related, incident.relations, strict=True) if one.id != other]
    if len(left) == len(incident.related):
        named = ", ".join(one.id for one in incident.relations)
        raise UserError(f"{incident.id} does not name {other}", hint=f"it names {named}" if named else "it names none")
    values = [one if isinstance(one, str) else {"id": one.id, "kind": one.kind} for one in left]
    edits = list_edits(("related",), incident.related, values)
    return Step(tuple(edits), (f"no longer related to {other}",))
