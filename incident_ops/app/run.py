"""`run`: one whole pass over the records at the tip of the default branch, as every scheduled job makes it.

Urgent pages go first, then issues, the other notices and the records' pull requests; gate.json and the mark of the run
come last, so that what stands there is true of everything before it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.adapters import clock
from incident_ops.adapters.environment import in_actions
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.alarm_clock import ACTIVE, settle_clocks
from incident_ops.app.apply import AlsoDone, AppliedRun, NotApplied, Report, apply_allowed, ended, must_be_reviewed
from incident_ops.app.observed_tracker import connect_github
from incident_ops.app.plan import PlannedRun, PlanOptions, plan_changes
from incident_ops.app.proposal_checks import check_proposals
from incident_ops.app.proposals import BRANCHES_OF_EDITS, seen_branches
from incident_ops.app.run_mark import mark_run
from incident_ops.app.run_parts import PartDone, RunParts
from incident_ops.app.tip import at_tip, must_be_on_time, must_be_tip, not_committed, not_merged
from incident_ops.app.workspace import Workspace, at_present, need_remote, source_of
from incident_ops.domain.tracker import GITHUB
from incident_ops.errors import IncidentOpsError, Incomplete, PlanChanged, Stopped, UserError
from incident_ops.notifications.plan import is_urgent
from incident_ops.reconcile.apply import APPLIED
from incident_ops.reconcile.changes import NOTIFY
from incident_ops.reconcile.limits import WITHOUT_LIMITS, WithinLimits, allow
from incident_ops.reconcile.proposals import branch_of_documents, branches_of_postmortems

if TYPE_CHECKING:
    from incident_ops.domain.ports import WorkflowControl

TRIES = 3
"""So many plans are made where the default branch moves while one is made."""
_Part = Callable[[AppliedRun], PartDone]
"""Something that a run does beside its plan."""
RECONCILE = "reconcile.yml"
"""The workflow that goes on where a run reached one of its limits."""


def plan_run(workspace: Workspace, options: PlanOptions, *, with_issues: bool = True) -> PlannedRun:
    """The plan of a run at the tip; without issues less every change of one.

    Raises as `plan_changes`; Incomplete where the tip cannot be read, UserError on a pull request.
    """
    must_be_reviewed(os.environ)
    if source_of(options.tracker) == GITHUB:
        workspace = at_tip(workspace)
    run = plan_changes(workspace, options)
    if with_issues:
        return run
    changes = tuple(one for one in run.plan.changes if not one.is_on_tracker)
    return dataclasses.replace(run, plan=run.plan._replace(changes=changes))


class PreviewedRun(NamedTuple):
    """What a run would do; whether GitHub was asked, as it is not without a token; and what is not in it."""

    planned: PlannedRun
    was_asked: bool
    left_out: NotApplied


def preview_run(workspace: Workspace, options: PlanOptions, *, with_issues: bool = True) -> PreviewedRun:
    """What a run would do. Raises as `plan_run`."""
    from incident_ops.adapters.github.connect import token_in

    asks = source_of(options.tracker) != GITHUB or bool(token_in(os.environ))
    planned = plan_run(workspace, dataclasses.replace(options, asks_github=asks), with_issues=with_issues)
    return PreviewedRun(planned, asks, _left_out(workspace, planned))


def _left_out(workspace: Workspace, planned: PlannedRun) -> NotApplied:
    """What stands in a person's clone alone; a job has the tip checked out."""
    if in_actions() or planned.observed.source != GITHUB:
        return NotApplied()
    return NotApplied(not_committed(workspace), not_merged(workspace, planned.workspace.store.commit or ""))


def run_at_tip(
    workspace: Workspace, options: PlanOptions, report: Report = lambda _: None, *, with_issues: bool = True
) -> AppliedRun:
    """One pass; `with_issues` False: only what is due, and no issue is opened or changed.

    `report` is called with each part as it happens; what fails is in the result.

    Raises as `plan_run`; PlanChanged where the tip moved TRIES times before the first write; UserError for a token that
    may only read.
    """
    must_be_on_time(workspace, options.tracker)
    try:
        planned = _settled_plan(workspace, options, with_issues=with_issues)
    except PlanChanged:
        raise
    except IncidentOpsError as error:
        return _only_pages(workspace, options, error, report)
    except Exception:  # a bug in what GitHub says, say: whoever is on call hears of it by what is left
        with suppress(Exception):
            _only_pages(workspace, options, IncidentOpsError("the plan crashed"), report)
        raise
    if planned.github is not None and not in_actions():
        _must_write(workspace)
    parts = RunParts()
    report = parts.reporting(report)
    report(planned)
    applied = parts.take(lambda: _applied(planned, report, with_issues=with_issues), AppliedRun(planned))
    if planned.github is not None:
        report(parts.take(lambda: _left_out(workspace, planned), NotApplied()))
        # whoever has to be awake comes first, and gate.json after what may move the tip once more
        inside = (_settle_clocks, _keep_documents, _publish, _publish_page, _remind, _judge_proposals)
        applied = _beside(applied, inside if in_actions() else (_publish, _publish_page), report)
    applied = _with_rest(applied, parts, report)
    if planned.github is None:
        return applied
    return mark_run(_gone_on(applied, report) if in_actions() else applied)


def _must_write(workspace: Workspace) -> None:
    """UserError for a person's token that may only read, before anybody is notified. One question, and none that is
    repeated: what GitHub does not say is seen when it is written to."""
    from incident_ops.adapters.github.settings import GitHubSettings, RepositorySettings

    try:
        settings = GitHubSettings.of(os.environ, need_remote(workspace.git).url, sleep=lambda _: None)
        seen = settings.repository()
    except IncidentOpsError:
        return
    if isinstance(seen, RepositorySettings) and seen.permissions.get("push") is False:
        hint = "use the token of somebody who may push there: gh auth login; --dry-run only reads"
        raise UserError(f"the token may read {settings.asked} and not write to it: nothing was done", hint=hint)


def _applied(planned: PlannedRun, report: Report, *, with_issues: bool) -> AppliedRun:
    limits = planned.policy.tracker.limits if planned.github and with_issues else WITHOUT_LIMITS
    changes = allow(planned.plan, limits) if with_issues else WithinLimits(planned.plan.changes, ())
    return apply_allowed(planned, changes, report)


def _with_rest(applied: AppliedRun, parts: RunParts, report: Report) -> AppliedRun:
    """A run with what went wrong beside its parts; raises the crash of one of them."""
    crash = applied.crash or parts.crash
    return ended(applied._replace(errors=(*applied.errors, *parts.errors), crash=crash), report)


def _only_pages(workspace: Workspace, options: PlanOptions, error: IncidentOpsError, report: Report) -> AppliedRun:
    """Where GitHub does not say what its issues hold, pages of ranks 1 and 2 go by records and ledger alone, and
    gate.json is published. The run has failed with `error`, which is raised where not even that can be done."""
    try:
        blind = plan_run(workspace, dataclasses.replace(options, asks_github=False), with_issues=False)
        github = connect_github(blind.workspace, options.max_requests, options.log)
    except IncidentOpsError:
        raise error from None
    notices = tuple(one for one in blind.notices if is_urgent(one.message) and one.message.channel != TICKET)
    keys = {one.message.key for one in notices}
    changes = tuple(one for one in blind.plan.changes if one.action == NOTIFY and one.key in keys)
    plan = blind.plan._replace(changes=changes)
    planned = dataclasses.replace(blind, github=github, notices=notices, plan=plan)
    parts = RunParts()
    report = parts.reporting(report)
    report(planned)
    applied = parts.take(lambda: apply_allowed(planned, WithinLimits(changes, ()), report), AppliedRun(planned))
    applied = applied._replace(errors=(_as_failure(error), *applied.errors))
    clocks = (_settle_clocks,) if in_actions() else ()
    applied = _beside(applied, (*clocks, _publish, _publish_page), report)
    return _with_rest(applied, parts, report)


def _as_failure(error: IncidentOpsError) -> IncidentOpsError:
    """A limit that ends a list is a failure, not a safe stop: the next run begins it anew, and ends alike."""
    if not isinstance(error, Stopped):
        return error
    hint = "it has to be higher: policy tracker.limits.requests, or once --max-requests"
    return Incomplete(f"what GitHub holds was not read to its end: {error.message}", hint=hint)


def _settled_plan(workspace: Workspace, options: PlanOptions, *, with_issues: bool) -> PlannedRun:
    """The plan of a tip that has not moved while it was made."""
    for left in reversed(range(TRIES)):
        planned = plan_run(workspace, options, with_issues=with_issues)
        try:
            if planned.github is not None:
                must_be_tip(planned.workspace)
        except PlanChanged:
            if not left:
                raise
            workspace = workspace if workspace.is_at_given else at_present(workspace, clock.now())
        else:
            return planned
    raise AssertionError("unreachable")


def _beside(applied: AppliedRun, parts: Sequence[_Part], report: Report) -> AppliedRun:
    """A run with more parts done; what fails of one is among its errors, and keeps no other from its turn."""
    turns = RunParts(applied.crash)
    for part in parts:
        done = turns.take(lambda part=part: part(applied), PartDone())  # type: ignore[misc]
        for line in done.lines:
            report(AlsoDone(line))
        turns.errors += done.errors
        turns.crash = turns.crash or done.crash
    return applied._replace(errors=(*applied.errors, *turns.errors), crash=turns.crash)


def _publish_page(applied: AppliedRun) -> PartDone:
    """What customers read on the existing status page, of the tip as it is by now."""
    from incident_ops.app.status_page import publish_page

    return publish_page(_tip_by_now(applied), applied.planned.github)


def _keep_documents(applied: AppliedRun) -> PartDone:
    """The documents beside records, of the tip as it is by now."""
    from incident_ops.app.document_proposal import keep_documents
    from incident_ops.app.gate_publish import published_revision

    github = applied.planned.github
    if github is None:
        return PartDone()
    workspace = _tip_by_now(applied)
    return PartDone(keep_documents(workspace, github, published_revision(workspace)))


def _remind(applied: AppliedRun) -> PartDone:
    """The pull requests of postmortems ride on these runs, so that they need no schedule of their own."""
    from incident_ops.app.postmortem_reminder import remind_of_postmortems

    github = applied.planned.github
    return PartDone() if github is None else remind_of_postmortems(applied.planned.workspace, github)


def _tip_by_now(applied: AppliedRun) -> Workspace:
    """This run may have moved the tip."""
    before = applied.planned.workspace
    return at_tip(before if before.is_at_given else at_present(before, clock.now()))


def _judge_proposals(applied: AppliedRun) -> PartDone:
    """What the automation proposes waits for a person before its checks run, so the run that wrote it judges it."""
    from incident_ops.adapters.github.statuses import GitHubStatuses

    workspace = applied.planned.workspace
    statuses = GitHubStatuses.of(os.environ, need_remote(workspace.git).url)
    names = (*BRANCHES_OF_EDITS, branch_of_documents(), branches_of_postmortems())
    return check_proposals(workspace, statuses, seen_branches(workspace, names))


def _settle_clocks(applied: AppliedRun) -> PartDone:
    """The tick and the alarm clock; a scheduler of somebody's own needs neither."""
    return settle_clocks(applied, _workflows(applied.planned.workspace))


def _publish(applied: AppliedRun) -> PartDone:
    """gate.json, of the tip as it is by now."""
    from incident_ops.app.gate_publish import current_state, publish, why_outdated

    workspace = _tip_by_now(applied)
    state = current_state(workspace)
    why = state and why_outdated(workspace, state)
    if state and why and publish(workspace, state):
        return PartDone((f"gate.json is published: {why}",))
    return PartDone()


def _gone_on(applied: AppliedRun, report: Report) -> AppliedRun:
    """Starts the next run of Actions where a limit ended this one; after one that got nowhere it would end alike."""
    is_moving = any(one.outcome == APPLIED for one in applied.outcomes)
    if applied.exit_code != Stopped.exit_code or not is_moving or not all(one.continues for one in applied.held):
        return applied
    workspace = applied.planned.workspace
    try:
        control = _workflows(workspace)
        if control.state(RECONCILE) != ACTIVE:
            return applied
        control.dispatch(RECONCILE, need_remote(workspace.git).default_branch(), {})
    except IncidentOpsError as error:
        return applied._replace(errors=(*applied.errors, error))
    report(AlsoDone(f"another run of {RECONCILE} continues with what is left"))
    return applied._replace(goes_on=True)


def _workflows(workspace: Workspace) -> WorkflowControl:
    from incident_ops.adapters.github.workflows import GitHubWorkflows

    return GitHubWorkflows.of(os.environ, need_remote(workspace.git).url)
