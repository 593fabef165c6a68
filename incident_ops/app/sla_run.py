"""`sla run`: one whole check-and-notify for any scheduler, by the plan and the apply that the workflows use."""

from __future__ import annotations

import dataclasses
import os

from incident_ops.app.apply import AppliedRun, NotApplied, Report, apply_allowed, must_be_reviewed
from incident_ops.app.observed_tracker import workspace_for
from incident_ops.app.plan import PlannedRun, PlanOptions, plan_changes
from incident_ops.app.run_mark import mark_run
from incident_ops.app.tip import must_be_tip, not_committed
from incident_ops.app.workspace import Workspace, source_of
from incident_ops.domain.tracker import GITHUB
from incident_ops.reconcile.limits import WithinLimits


def plan_due(workspace: Workspace, options: PlanOptions) -> PlannedRun:
    """The plan less every change of an issue: notices, and all that becomes an edit of a record.

    Raises as `plan_changes`; PlanChanged where HEAD is not the tip of the default branch, UserError on a pull request.
    """
    must_be_reviewed(os.environ)
    if source_of(options.tracker) == GITHUB:
        must_be_tip(workspace_for(workspace, GITHUB))
    run = plan_changes(workspace, options)
    changes = tuple(one for one in run.plan.changes if not one.is_on_tracker)
    return dataclasses.replace(run, plan=run.plan._replace(changes=changes))


def preview_due(workspace: Workspace, options: PlanOptions) -> tuple[PlannedRun, bool]:
    """What a run would do, and whether GitHub was asked: it is not where no token is set. Raises as `plan_due`."""
    from incident_ops.adapters.github.connect import token_in

    asks = source_of(options.tracker) != GITHUB or bool(token_in(os.environ))
    return plan_due(workspace, dataclasses.replace(options, asks_github=asks)), asks


def run_due(run: PlannedRun, report: Report = lambda _: None) -> AppliedRun:
    """Sends the notices, writes what came due into the records, and marks the run where it is complete.

    `report` is called with each part as it happens; what fails is in the result.
    """
    report(run)
    if run.github is not None and (uncommitted := not_committed(run.workspace)):
        report(NotApplied(uncommitted))
    return mark_run(apply_allowed(run, WithinLimits(run.plan.changes, ()), report))
