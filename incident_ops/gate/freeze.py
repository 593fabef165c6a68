"""Do open incidents hold deploys of a service? (R245, contract 8)

An incident holds while people work on it: in every state before resolved, pending included. Once it is resolved the
fix is in and the next deploy may follow; reopened, it holds again. Drills do not hold, nor does what turned out to be
a duplicate, a false alarm or withdrawn: the original, if there is one, holds by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.gate.verdict import (
    FROZEN,
    INCONCLUSIVE,
    OK,
    OPEN_INCIDENT,
    PASS,
    UNREADABLE_RECORD,
    Holding,
    Verdict,
)
from incident_ops.lifecycle import FIXED, OVER
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.service import Service
from incident_ops.model.unread import Unread


def check(
    service: str,
    records: Iterable[Record],
    services: Mapping[str, Service],
    policy: Policy,
    unread: Sequence[Unread] = (),
) -> Verdict:
    """Whether deploys of `service` are held by an incident of rank `gate.block_on_open_rank` or worse.

    `unread` are the records that could not be used and may concern the service; so is one whose level the policy does
    not know. They make the answer inconclusive, unless something holds anyway. A policy without a rank holds nothing.
    UserError for a service that services.yaml does not name.
    """
    if service not in services:
        raise UserError(f"service {service!r} is not in services.yaml", hint=did_you_mean(service, services))
    worst = policy.gate.block_on_open_rank
    if worst is None:
        return Verdict(service, PASS, OK)
    holding, unknown = [], list(unread)
    for record in records:
        if service not in record.incident.services or not is_worked_on(record.incident):
            continue
        level = policy.duties(record.incident.severity, record.incident.priority)
        if level is None:
            unknown.append(Unread(record.path, f"its level is none of scheme {policy.scheme.id}"))
        elif level.rank <= worst:
            holding.append(_holding(record.incident, level.id))
    holding.sort(key=lambda incident: incident.id)
    verdict, reason = PASS, OK
    if holding:
        verdict, reason = FROZEN, OPEN_INCIDENT
    elif unknown:
        verdict, reason = INCONCLUSIVE, UNREADABLE_RECORD
    return Verdict(service, verdict, reason, tuple(holding), tuple(sorted(unknown)))


def is_worked_on(incident: Incident) -> bool:
    """True for a real incident before resolved."""
    return incident.state not in OVER and incident.outcome == FIXED and not incident.drill


def _holding(incident: Incident, level: str) -> Holding:
    label = f"{level}/{incident.severity}" if incident.severity and incident.severity != level else level
    return Holding(incident.id, label, incident.state, None if incident.visibility == "restricted" else incident.title)
