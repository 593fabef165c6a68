"""A plan as it is shown to whoever decides: what each field was before, what is due next; and with a base, only what
the change adds to what would be done anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from incident_ops.app.plan import PlannedRun, PlanOptions, plan_of_base
from incident_ops.domain.record import title_of
from incident_ops.domain.tracker import Snapshot
from incident_ops.reconcile.changes import EDIT
from incident_ops.reconcile.desired import incident_of
from incident_ops.reconcile.plan import Plan
from incident_ops.reconcile.plan_difference import NextDue, PlanBasis, compare_plans
from incident_ops.records.history import read_record
from incident_ops.sla.clocks import Clock, ClockState, Risk
from incident_ops.sla.status import clock_report


class PlanView(NamedTuple):
    """A plan that is shown, what it is shown beside, and what was seen for both."""

    plan: Plan
    basis: PlanBasis
    observed: Snapshot


def view_plan(options: PlanOptions, run: PlannedRun, base: str | None = None) -> PlanView:
    """A planned run as it is shown; with `base`, a revision, without what the plan of that would do as well.

    UserError as `plan_of_base`.
    """
    if base is None:
        basis = PlanBasis(records=_edited_records(run), due=_next_due(run, run.plan), unsent=run.unsent)
        return PlanView(run.plan, basis, run.observed)
    before = plan_of_base(run, base, options)
    basis = PlanBasis(revision=base, commit=before.workspace.store.commit or "", records=_edited_records(run))
    basis = basis._replace(unsent=run.unsent)
    plan, basis = compare_plans(run.plan, before.plan, basis)
    known = set(_next_due(before, run.plan))
    due = tuple(clock for clock in _next_due(run, plan) if clock not in known)
    return PlanView(plan, basis._replace(due=due), _seen_for_both(run.observed, before.observed))


def _seen_for_both(seen: Snapshot, for_base: Snapshot) -> Snapshot:
    """One snapshot, with the lines of the ledger that either plan asks for."""
    if seen.ledger is None or for_base.ledger is None:
        return seen
    return replace(seen, ledger=tuple(sorted({*seen.ledger, *for_base.ledger})))


def _edited_records(run: PlannedRun) -> Mapping[str, Mapping[str, Any]]:
    """The data of the records that a plan edits, by path; none of what is restricted in a repository that is not
    private."""
    paths = {change.path for change in run.plan.changes if change.action == EDIT and change.path is not None}
    records = [read_record(run.workspace.store, path) for path in sorted(paths)]
    return {record.path: record.data for record in records if title_of(record.incident, run.policy) is not None}


def _next_due(run: PlannedRun, plan: Plan) -> tuple[NextDue, ...]:
    """The clocks that run of the incidents that a plan changes something about, what is due first first."""
    concerned = {incident_of(change.key) for change in plan.changes}
    records = [record for name, record in run.records.items() if name in concerned]
    report = clock_report(records, run.policy, run.workspace.now)
    return tuple(sorted(_running(report.clocks), key=lambda one: (one.due, one.incident, one.clock)))


def _running(clocks: Iterable[Clock]) -> Iterator[NextDue]:
    for clock in clocks:
        if clock.due is not None and clock.state is ClockState.RUNNING:
            name = f"{clock.name} {clock.item}" if clock.item else clock.name
            yield NextDue(clock.incident, name, clock.due, clock.risk is Risk.BREACHED)
