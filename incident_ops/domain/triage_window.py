"""When people triaged an incident, as opposed to when its record says `triaged`.

`declare` writes a level, so its record is triaged at once; that alone does not say that anybody has looked at it. The
window of triage ends with the first of these that a person did:

- the triage questions were answered at the declaration: the move out of `new` has a reason;
- an entry of `changes` after the declaration, be it of the state, a level, a role or anything else;
- an assignment after the declaration;
- a decision in the timeline after the declaration: `triage INC` writes one.

An acknowledgement, or what comes after it, ends the window too; those are instants of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import NEW
from incident_ops.domain.time import parse_instant

DECISION = "decision"


def triage_instants(incident: Incident, is_person: Callable[[str | None], bool]) -> Iterator[datetime]:
    """The instants (aware UTC) at which people triaged, in no order; `is_person` judges a `by`."""
    declared = parse_instant(incident.times.declared)
    for change in incident.changes:
        at = parse_instant(change.at)
        is_answered = change.field == "state" and change.old == NEW and change.reason is not None
        if (at > declared or is_answered) and is_person(change.by):
            yield at
    yield from (at for entry in incident.assignments if (at := parse_instant(entry.at)) > declared)
    for event in incident.timeline:
        if event.kind == DECISION and is_person(event.by) and (at := parse_instant(event.at)) > declared:
            yield at
