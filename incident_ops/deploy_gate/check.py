"""Is it safe to deploy now? Everything that holds, what releases from it, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_ops.deploy_gate.holds import (
    budget_holds,
    budget_of,
    environments_of,
    freeze_holds,
    incident_holds,
    is_on,
    needed_services,
    off_window,
    window_holds,
)
from incident_ops.deploy_gate.names import unknown_now
from incident_ops.deploy_gate.release import overrides_of
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
    return released(held, find_overrides(asked, facts))


def find_overrides(asked: DeployRequest, facts: DeployFacts) -> list[HeldRelease]:
    """The overrides of the commit that are in force. Unusable as `evaluate_each`."""
    return overrides_of(asked.service, asked.environment, asked.sha, asked.now, facts.records, facts.freezes)


def demand_environment(environment: str, policy: Policy) -> None:
    """UserError for an environment that the policy does not name."""
    environments = environments_of(policy)
    if environment not in environments:
        hint = did_you_mean(environment, environments)
        raise UserError(f"environment {environment!r} is not in policy gate", where="policy.yaml", hint=hint)


def all_holds(asked: DeployRequest, facts: DeployFacts) -> tuple[list[Hold], list[Unread]]:
    """Everything that holds now or later, the gravest kind first, and what cannot be read, judged or assigned.

    UserError for a service that services.yaml does not name. Raises Unusable as `evaluate_each` does.
    """
    policy, now = facts.policy, asked.now
    names = needed_services(asked.service, facts.services, policy.gate.dependency_depth)
    incidents, foreign = incident_holds(names, facts.records, policy)
    lead = asked.lead or timedelta()
    windows, timeless = window_holds(names, facts.maintenance.items(), policy, now, asked.lead)
    freezes, shapeless = freeze_holds(asked.service, asked.environment, facts.freezes.items(), now, lead)
    holds = [*incidents, *windows, *freezes, *off_window(policy, now, lead), *_budget(asked, facts)]
    plans: dict[str, Freeze | Maintenance] = {**facts.freezes, **facts.maintenance}
    nameless = unknown_now(names, facts.records, plans, policy, facts.services, now)
    return holds, [*facts.unread, *foreign, *timeless, *shapeless, *nameless]


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


def released(verdict: Verdict, releases: Sequence[HeldRelease]) -> Verdict:
    """A verdict other than a pass, let through by people where together they release from all of it.

    What they do not release from holds on, and a note says so; the record of it stays in sight.
    """
    if not releases:
        return verdict
    left = [hold for hold in verdict.holds if not any(release.ends(hold) for release in releases)]
    freed = frozenset[str]().union(*(release.frees for release in releases))
    unread = bool(verdict.unread) and UNREADABLE_RECORD not in freed
    unknown = bool(verdict.notes) and verdict.reason_code == NO_DATA and NO_DATA not in freed
    if not (left or unread or unknown):
        return replace(verdict, verdict=OVERRIDDEN, reason_code=OVERRIDE, release=releases[0])
    if left:
        ends, reason = FROZEN, min((hold.reason_code for hold in left), key=HOLDING.index)
    else:
        ends, reason = INCONCLUSIVE, UNREADABLE_RECORD if unread else NO_DATA
    what = "what cannot be used" if not left else ", ".join(hold.id or hold.reason_code for hold in left[:_NAMED])
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    note = f"the override of {releases[0].source} does not release from {what}{more}: {_OWN}"
    holds = (*left, *(hold for hold in verdict.holds if hold not in left))
    return replace(verdict, verdict=ends, reason_code=reason, holds=holds, notes=(*verdict.notes, note))


_NAMED = 5
_OWN = "that needs an override of its own, a file that somebody else reviews (`incident-ops override` without INC)"


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
