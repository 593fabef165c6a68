"""Do open incidents hold deploys of a service? (R245)

An incident holds while people work on it: in every state before resolved, pending included. Once it is resolved the
fix is in and the next deploy may follow; reopened, it holds again. Drills do not hold, nor does what turned out to be
a duplicate, a false alarm or withdrawn: the original, if there is one, holds by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from incident_ops.gate.verdict import OPEN_INCIDENT, Hold
from incident_ops.lifecycle import FIXED, OVER
from incident_ops.model.fence import each, run
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.unread import Unread


def incident_holds(names: Sequence[str], records: Iterable[Record], policy: Policy) -> tuple[list[Hold], list[Unread]]:
    """The open incidents of rank `gate.block_on_open_rank` or worse on one of `names` (the asked service first), by
    id; and the records whose level the policy does not know. A policy without a rank holds nothing."""
    worst = policy.gate.block_on_open_rank
    holds: list[Hold] = []
    unknown: list[Unread] = []

    def ask(record: Record) -> None:
        on = next((name for name in names if name in record.incident.services), None)
        if on is None or not is_worked_on(record.incident):
            return
        level = policy.duties(record.incident.severity, record.incident.priority)
        if level is None:
            unknown.append(Unread(record.path, f"its level is none of scheme {policy.scheme.id}"))
        elif worst is not None and level.rank <= worst:
            holds.append(_hold(record.incident, level.id, "" if on == names[0] else on))

    run(each(records if worst is not None else (), ask))
    return sorted(holds, key=lambda hold: hold.id), unknown


def is_worked_on(incident: Incident) -> bool:
    """True for a real incident before resolved."""
    return incident.state not in OVER and incident.outcome == FIXED and not incident.drill


def _hold(incident: Incident, level: str, on: str) -> Hold:
    label = f"{level}/{incident.severity}" if incident.severity and incident.severity != level else level
    hidden = incident.visibility == "restricted"
    state = f"{label}  {incident.state}"
    return Hold(OPEN_INCIDENT, incident.id, None if hidden else incident.title, state, on, is_restricted=hidden)
