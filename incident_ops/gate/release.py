"""What lets a held deploy through: an override of one commit, or a fix given by the commander."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from incident_ops.gate.freeze import is_worked_on
from incident_ops.gate.verdict import Release
from incident_ops.model.incident import Incident
from incident_ops.model.record import Record
from incident_ops.model.time import parse_instant
from incident_ops.model.window import Freeze
from incident_ops.windows import Span, planned_freeze

SHORTEST_SHA = 7
FIX_LASTS = timedelta(hours=4)
"""How long a commander's word for a fix holds."""


def override_of(
    service: str,
    environment: str,
    sha: str | None,
    now: datetime,
    records: Iterable[Record],
    freezes: Mapping[str, Freeze],
) -> Release | None:
    """The override of this commit that is in force, of an incident's record or of freezes/; None where there is none.

    One whose times cannot be read releases nothing; nor does one of a drill.
    """
    if sha is None:
        return None
    for record in records:
        for one in () if record.incident.drill else record.incident.overrides:
            span = Span(parse_instant(one.at), parse_instant(one.expires))
            right = (one.service, one.environment) == (service, environment) and is_same_commit(one.sha, sha)
            if right and span.covers(now):
                return Release(one.by, one.reason, span.end, record.incident.id)
    for path, freeze in freezes.items():
        if freeze.is_override and freeze.concerns(service, environment) and is_same_commit(freeze.sha or "", sha):
            try:
                span = planned_freeze(freeze).span
            except ValueError:
                continue
            if span.covers(now):
                return Release(freeze.by or "", freeze.reason, span.end, path)
    return None


def is_same_commit(recorded: str, asked: str) -> bool:
    """True for one commit: the same id, or a recorded one that was cut to its first digits, seven at least."""
    return len(recorded) >= SHORTEST_SHA and asked.casefold().startswith(recorded.casefold())


def fix_refused(incident: Incident, service: str, by: str | None) -> str | None:
    """Why a fix for an incident does not release a deploy of `service` given by `by`; None where it does."""
    if not is_worked_on(incident):
        return f"{incident.id} is not open"
    if service not in incident.services:
        return f"{incident.id} is not on {service}"
    commander = incident.roles.commander
    if commander is None:
        return f"{incident.id} has no commander: incident-ops assign commander @who {incident.id}"
    if by is None or by.casefold() != commander.casefold():
        return f"{by or 'who asks is not known, and'} is not the commander of {incident.id}, {commander} is"
    return None
