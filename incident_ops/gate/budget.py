"""The error budget as a hold: spent, burning too fast, or about to be spent (R246)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from incident_ops.gate.holds import BURNING
from incident_ops.gate.verdict import ERROR_BUDGET, Hold
from incident_ops.model.incident import Incident
from incident_ops.model.objective import REQUESTS, Objective
from incident_ops.model.policy import Policy
from incident_ops.model.time import shift
from incident_ops.sla.budget import Budget, burning, request_budget, status_line, time_budget


def budget_of(
    incidents: Sequence[Incident], objective: Objective, now: datetime, requests: int | None
) -> Budget | None:
    """The error budget as the objective counts it; None where it counts requests and nobody says how many."""
    if objective.mode != REQUESTS:
        return time_budget(incidents, objective, now)
    return None if requests is None else request_budget(incidents, objective, now, requests)


def budget_holds(
    service: str,
    budget: Budget,
    incidents: Sequence[Incident],
    objective: Objective,
    policy: Policy,
    now: datetime,
) -> list[Hold]:
    """A spent error budget (R246), or the instant at which it will be spent if the impact goes on; with policy
    `gate.budget: burn` also one that burns too fast."""
    told = status_line(budget)
    if budget.is_exhausted:
        return [Hold(ERROR_BUDGET, service, told, begin=now)]
    fast = burning(incidents, objective, now, policy.gate.burn_rates) if policy.gate.budget == "burn" else None
    if fast is not None:
        text = f"{fast.rate:g} times the even pace or more, in {fast.long} and in {fast.short}"
        return [Hold(ERROR_BUDGET, service, text, BURNING, begin=now)]
    if budget.is_running:
        return [Hold(ERROR_BUDGET, service, told, begin=shift(now, 60 * budget.left))]
    return []
