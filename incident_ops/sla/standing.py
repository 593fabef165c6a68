"""How each incident stands against its clocks: ok, at risk or breached, with age and last update (R52, R53)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import parse_instant
from incident_ops.sla.clock import AFTERWARDS, Clock, Risk
from incident_ops.sla.facts import cycle_start, declaration_lag, facts, is_retroactive, update_instants
from incident_ops.sla.phases import Stretch, present

_WORST = (Risk.BREACHED, Risk.AT_RISK, Risk.OK)


class Standing(NamedTuple):
    """One incident that is not resolved.

    `risk` is the worst of its running clocks, `clock` the one that is due next (None: none is due). Instants are aware
    UTC. `lag_seconds` is how long it took from detection to declaration, where that was after the fact.
    """

    incident: str
    level: str
    assignee: str | None
    risk: Risk
    clock: Clock | None
    age_seconds: int
    updated_at: datetime | None
    phase: Stretch | None
    retroactive: bool
    lag_seconds: int | None


def standing(incident: Incident, policy: Policy, now: datetime, clocks: Sequence[Clock]) -> Standing:
    """An incident and its clocks at `now` -> how it stands. UserError as `sla.clocks.clocks`."""
    given = facts(incident, now)
    running = [clock for clock in clocks if not clock.is_over and clock.clock not in AFTERWARDS]
    due = [(clock.due, number) for number, clock in enumerate(running) if clock.due is not None]
    updates = update_instants(given)
    late = is_retroactive(given)
    return Standing(
        incident=incident.id,
        level=(incident.priority if policy.drives == "priority" else incident.severity) or "",
        assignee=next((one.to for one in reversed(incident.assignments) if parse_instant(one.at) <= now), None),
        risk=min((clock.risk for clock in running), key=_WORST.index, default=Risk.OK),
        clock=running[min(due)[1]] if due else None,
        age_seconds=max(int((now - cycle_start(given)).total_seconds()), 0),
        updated_at=updates[-1] if updates else None,
        phase=present(incident, policy, now),
        retroactive=late,
        lag_seconds=declaration_lag(given) if late else None,
    )
