"""Is it safe to deploy now? Everything that holds, what releases from it, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_ops.deploy_gate.holds import (
    budget_holds,
    budget_of,
    freeze_holds,
    incident_holds,
    is_on,
    needed_services,
    off_window,
    window_holds,
)
from incident_ops.deploy_gate.release import override_of
from incident_ops.deploy_gate.verdict import (
    FROZEN,
    HOLDING,
    INCONCLUSIVE,
    NO_DATA,
    OK,
    OVERRIDDEN,
    OVERRIDE,
    PASS,
    ROLLBACK_ALLOWED,
    UNREADABLE_RECORD,
    HeldRelease,
    Hold,
    Verdict,
)
from incident_ops.domain.fence import consume, evaluate_each
from incident_ops.domain.incident import Incident
from incident_ops.domain.planned_changes import Freeze, Maintenance
from incident_ops.domain.policy import Objective, Policy, Service
from incident_ops.domain.record import Record, Unread
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

IGNORE = "ignore"
"""Policy `gate.budget`: a spent error budget holds nothing."""


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What shall be deployed, where and when: `now` aware UTC, `sha` the commit where it is known.

    `requests`: how many requests the service had in the window of its objective, for a budget that counts them.
    `lead`: for how long it will be on its way, so that it must not run into a window, a freeze or closed hours; None =
    into a window no sooner than the policy's rollout would.
    """

    service: str
    environment: str
    now: datetime
    sha: str | None = None
    requests: int | None = None
    lead: timedelta | None = None


@dataclass(frozen=True, slots=True)
class DeployFacts:
    """What the repository says: policy and services, every record that is not settled, everything planned by path.

    `unread` are the files that cannot be read and may concern the service. `objective` and `past` (every record of
    the service in the objective's window) are there where the policy asks for the error budget.
    """

    policy: Policy
    services: Mapping[str, Service]
    records: Sequence[Record]
    freezes: Mapping[str, Freeze]
    maintenance: Mapping[str, Maintenance]
    unread: Sequence[Unread] = ()
    objective: Objective | None = None
    past: Sequence[Record] = ()

    @property
    def past_incidents(self) -> list[Incident]:
        """The incidents of `past`."""
        return [record.incident for record in self.past]


def check_deploy(asked: DeployRequest, facts: DeployFacts) -> Verdict:
    """The verdict on a deploy.

    Held by what holds at `now`; let through by an override of this very commit; inconclusive where something that may
    hold cannot be read. UserError for a service or an environment that is unknown.
    """
    demand_environment(asked.environment, facts.policy)
    every, unread = all_holds(asked, facts)
    holds = tuple(hold for hold in every if is_on(hold, asked.now))
    missing = missing_figures(asked, facts)
    if not holds and not unread and not missing:
        return Verdict(asked.service, PASS, OK, environment=asked.environment)
    if holds:
        verdict, reason = FROZEN, min((hold.reason_code for hold in holds), key=HOLDING.index)
    else:
        verdict, reason = INCONCLUSIVE, UNREADABLE_RECORD if unread else NO_DATA
    held = Verdict(asked.service, verdict, reason, holds, tuple(sorted(unread)), asked.environment, notes=missing)
    release = override_of(asked.service, asked.environment, asked.sha, asked.now, facts.records, facts.freezes)
    return released(held, release) if release else held


def demand_environment(environment: str, policy: Policy) -> None:
    """UserError for an environment that the policy does not name."""
    environments = environments_of(policy)
    if environment not in environments:
        hint = did_you_mean(environment, environments)
        raise UserError(f"environment {environment!r} is not in policy gate", where="policy.yaml", hint=hint)


def environments_of(policy: Policy) -> list[str]:
    """The environments of the policy, the production one first."""
    return [name for name in (policy.gate.environment, policy.gate.canary_environment) if name is not None]


def all_holds(asked: DeployRequest, facts: DeployFacts) -> tuple[list[Hold], list[Unread]]:
    """Everything that holds now or later, the gravest kind first, and what cannot be read or judged.

    UserError for a service that services.yaml does not name. Raises Unusable as `evaluate_each` does.
    """
    policy, now = facts.policy, asked.now
    names = needed_services(asked.service, facts.services, policy.gate.dependency_depth)
    incidents, foreign = incident_holds(names, facts.records, policy)
    lead = asked.lead or timedelta()
    windows, timeless = window_holds(names, facts.maintenance.items(), policy, now, asked.lead)
    freezes, shapeless = freeze_holds(asked.service, asked.environment, facts.freezes.items(), now, lead)
    holds = [*incidents, *windows, *freezes, *off_window(policy, now, lead), *_budget(asked, facts)]
    return holds, [*facts.unread, *foreign, *timeless, *shapeless]


def missing_figures(asked: DeployRequest, facts: DeployFacts) -> tuple[str, ...]:
    """Why it is unknown whether the error budget is spent; nothing where it is known."""
    if facts.objective is None:
        return ()
    budget = budget_of(asked.service, facts.past_incidents, facts.objective, asked.now, asked.requests)
    if budget is None:
        return ("the error budget counts requests: say how many there were in its window, with --requests N",)
    if budget.is_exhausted or not budget.unknown:
        return ()
    return (f"impact.failed_requests is unknown for {', '.join(budget.unknown)}, and the error budget counts it",)


def released(verdict: Verdict, release: HeldRelease) -> Verdict:
    """A verdict other than a pass, let through by a person; the record of it stays in sight."""
    return replace(verdict, verdict=OVERRIDDEN, reason_code=OVERRIDE, release=release)


def rolled_back(verdict: Verdict) -> Verdict:
    """A commit that passed before is never held, whatever else is wrong."""
    return replace(verdict, verdict=PASS, reason_code=ROLLBACK_ALLOWED)


def _budget(asked: DeployRequest, facts: DeployFacts) -> list[Hold]:
    objective = facts.objective
    if objective is None:
        return []

    def held_by(incidents: Sequence[Incident]) -> list[Hold]:
        budget = budget_of(asked.service, incidents, objective, asked.now, asked.requests)
        if budget is None:
            return []
        return budget_holds(asked.service, budget, incidents, objective, facts.policy, asked.now)

    # each one alone first: the sum over all does not say which of them breaks it
    consume(evaluate_each(facts.past, lambda record: held_by([record.incident])))
    return held_by(facts.past_incidents)
