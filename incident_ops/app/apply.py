"""`apply`: carries out a plan: urgent pages, then the tracker, then the other notices, then the records."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from incident_ops.adapters import clock
from incident_ops.adapters.git_branches import RefLock
from incident_ops.app.identity import actor
from incident_ops.app.issue_numbers import keep_numbers, keep_repository_name
from incident_ops.app.notify import NoticeSender
from incident_ops.app.observed_tracker import tracking_issues, workspace_for
from incident_ops.app.plan import PlannedRun, PlanOptions, plan_changes
from incident_ops.app.proposals import propose
from incident_ops.app.reached import settle_escalations
from incident_ops.app.run_mark import mark_run
from incident_ops.app.run_parts import RunParts
from incident_ops.app.team_repositories import UNREVIEWED_EVENTS
from incident_ops.app.tip import must_be_on_time, must_be_tip, not_committed
from incident_ops.app.workspace import Workspace, need_remote, source_of
from incident_ops.app.write_back import WriteBack, push_edits, write_locally
from incident_ops.domain.ports import Lease, LockHolder
from incident_ops.domain.time import spell_instant, stamp
from incident_ops.domain.tracker import GITHUB, Unreached
from incident_ops.errors import IncidentOpsError, Incomplete, PlanChanged, Stopped, UserError, WriteFailed
from incident_ops.notifications.deliver import Delivered, delivery_exit_code
from incident_ops.notifications.unset_channels import UnsetChannels, named_channels, unset_channels
from incident_ops.reconcile.apply import (
    APPLIED,
    EXISTS,
    LEFT_OVER,
    NOT_APPLIED,
    Applied,
    Summary,
    apply_changes,
    outcome_summary,
)
from incident_ops.reconcile.changes import EDIT, PlannedChange
from incident_ops.reconcile.diff import edits_by_path, new_numbers, tracking_names
from incident_ops.reconcile.limits import NO_OVERRIDES, WITHOUT_LIMITS, HeldChanges, LimitOverrides, WithinLimits, allow
from incident_ops.reconcile.plan import NOBODY_REACHED

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker

_WORST_FIRST = (4, 2, 5, 3)
_RESERVE = timedelta(seconds=60)  # one request, with all its waits, must end before the lock does


class SentNotices(NamedTuple):
    """What became of some of the notices of a run."""

    delivered: tuple[Delivered, ...]


class NotApplied(NamedTuple):
    """Files that GitHub gets nothing of: those of the work tree that no commit has, and those of commits that the
    default branch has not."""

    uncommitted: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()


class AlsoDone(NamedTuple):
    """What a run did beside its plan, one sentence for people."""

    line: str


Progress = PlannedRun | NotApplied | SentNotices | Applied | WriteBack | AlsoDone
"""What a run reports, in this order: its plan, what is not committed, urgent notices, each change of the tracker, the
other notices, the records, and what it did beside them."""
Report = Callable[[Progress], None]


class AppliedRun(NamedTuple):
    """What became of a plan.

    `outcomes` are those of the changes on the tracker; `held` what was not done because of a limit or the lock;
    `records` what became of the edits of records; `errors` what else failed; `ledger_error` why the ledger does not
    know of all that was sent; `unset` are channels that only the preset names. `goes_on`: another run was started for
    what a limit left. `crash` is a bug that showed, for the caller to raise at the end: see `ended`.
    """

    planned: PlannedRun
    outcomes: tuple[Applied, ...] = ()
    summary: Summary = outcome_summary(())
    held: tuple[HeldChanges, ...] = ()
    records: WriteBack = WriteBack()
    notices: tuple[Delivered, ...] = ()
    errors: tuple[IncidentOpsError, ...] = ()
    ledger_error: IncidentOpsError | None = None
    unset: UnsetChannels = UnsetChannels()
    goes_on: bool = False
    crash: Exception | None = None

    @property
    def exit_code(self) -> int:
        """The worst of the run; 0 where everything was done."""
        unread = {4} if self.planned.pager_error is not None else set()  # what is due was tried all the same
        return worst_exit_code(self._codes | unread)

    @property
    def is_complete(self) -> bool:
        """True where it tried all that is due: no limit ended it, nothing that it needs of others failed."""
        return self._codes.isdisjoint((4, 5))

    @property
    def _codes(self) -> set[int]:
        not_sent = delivery_exit_code(self.notices, self.unset.excused)
        codes = {self.summary.exit_code, not_sent, *(error.exit_code for error in self.errors)}
        codes |= {3} if self.planned.plan.unread else set()
        return codes | ({4} if self.ledger_error is not None else set())


def ended(run: AppliedRun, report: Report) -> AppliedRun:
    """The run, once all its parts had their turn; raises the crash of one, after what else went wrong is reported."""
    if run.crash is None:
        return run
    for error in run.errors:
        report(AlsoDone(f"error: {error}"))
    raise run.crash


def worst_exit_code(codes: Collection[int]) -> int:
    """Of several things that went wrong, the one that the exit code says."""
    return next((code for code in _WORST_FIRST if code in codes), 0)


def apply_plan(
    workspace: Workspace,
    plan_options: PlanOptions = PlanOptions(),  # noqa: B008 - a frozen value
    report: Report = lambda _: None,
    *,
    checksum: str | None = None,
    overrides: LimitOverrides = NO_OVERRIDES,
) -> AppliedRun:
    """Plans and carries out what the limits allow; `report` is called with each part as it happens.

    `checksum` is that of the plan that was reviewed, None = any; `overrides` are limits set instead of the policy's.
    Raises PlanChanged where the plan is not the one that was reviewed, or, on GitHub, the commit not the tip of the
    default branch; UserError on a pull request, or by another clock.
    """
    must_be_reviewed(os.environ)
    must_be_on_time(workspace, plan_options.tracker)
    uncommitted: tuple[str, ...] = ()
    if source_of(plan_options.tracker) == GITHUB:
        must_be_tip(workspace_for(workspace, GITHUB))
        uncommitted = not_committed(workspace)
    run = plan_changes(workspace, plan_options)
    if checksum is not None and checksum != run.plan.checksum:
        raise PlanChanged(
            "the plan is not the one that was reviewed",
            hint=f"plan again with `incident-ops plan`: its checksum is now {run.plan.checksum}",
        )
    report(run)
    if uncommitted:
        report(NotApplied(uncommitted))
    limits = run.policy.tracker.limits if run.github else WITHOUT_LIMITS
    applied = ended(apply_allowed(run, allow(run.plan, limits, overrides), report), report)
    return mark_run(applied) if plan_options.with_notices else applied


def must_be_reviewed(environment: Mapping[str, str]) -> None:
    """UserError where the environment is that of a pull request, whose records nobody has reviewed yet."""
    if environment.get("GITHUB_EVENT_NAME") in UNREVIEWED_EVENTS:
        hint = "plan there (`incident-ops plan --format markdown`), apply after the merge"
        raise UserError("apply does not run on a pull request: its records are not reviewed yet", hint=hint)


def apply_allowed(run: PlannedRun, allowed: WithinLimits, report: Report = lambda _: None) -> AppliedRun:
    """Carries out the allowed changes of a plan; what fails or crashes is in the result, and stops nothing else."""
    parts, sender, lock = RunParts(), NoticeSender(run, allowed.now), IssueLock(run.workspace, run.github)
    report = parts.reporting(report)
    outcomes: list[Applied] = []

    def change_issues() -> None:
        with lock:
            for outcome in _carried_out(run, allowed.now, lock):
                outcomes.append(outcome)
                report(outcome)

    def write_back() -> tuple[WriteBack, list[IncidentOpsError]]:
        settled = settle_escalations(run, allowed, sender.delivered, is_recorded=sender.ledger_error is None)
        return _write_back(*settled, outcomes)

    report(SentNotices(tuple(parts.take(sender.send_urgent, []))))
    parts.take(change_issues, None)
    opened, number_error = _new_issues(outcomes), None
    if run.github is not None:
        number_error = parts.take(lambda: keep_numbers(run.workspace, run.desired, run.observed, opened), None)
    report(SentNotices(tuple(parts.take(lambda: sender.send_rest(opened), []))))
    nothing: tuple[WriteBack, list[IncidentOpsError]] = (WriteBack(), [])
    records, write_errors = parts.take(write_back, nothing)
    report(records)
    locked_out = [one for one in outcomes if one.change.opens_issue and one.outcome == LEFT_OVER and one.error is None]
    errors = (lock.error, number_error, *write_errors, *parts.errors, *_unanswered(run))
    return AppliedRun(
        planned=run,
        outcomes=tuple(outcomes),
        summary=outcome_summary(outcomes, sum(group.count for group in allowed.held)),
        held=(*allowed.held, *lock.held_changes(len(locked_out))),
        records=records,
        notices=tuple(sender.delivered),
        errors=tuple(error for error in errors if error is not None),
        ledger_error=sender.ledger_error,
        unset=_unset(run, sender.delivered),
        crash=parts.crash,
    )


def _unset(run: PlannedRun, delivered: Sequence[Delivered]) -> UnsetChannels:
    files = run.workspace.in_force
    named = named_channels(files.policy.own, files.services.teams)
    return unset_channels(delivered, run.notices, named, run.policy)


def _unanswered(run: PlannedRun) -> list[UserError]:
    """An error for each incident that nobody answers and for which nobody can be reached: such a run has failed."""
    if run.github is None or run.policy.mode == "observe":
        return []
    found = {one.key.partition("/")[0]: one for one in run.plan.kept if one.kind == NOBODY_REACHED}
    return [UserError(f"{incident}: nobody answers, and {one.reason}") for incident, one in found.items()]


def _carried_out(run: PlannedRun, changes: Sequence[PlannedChange], lock: IssueLock) -> Iterator[Applied]:
    """The changes of the tracker with their outcomes: those beside the tracking issues first, then team by team."""
    opened, ours = [], _in(changes, "")
    for outcome in _each(
        ours, apply_changes(ours, run.tracker, run.desired, lock.may_create, run.observed), _NO_ANSWER
    ):
        opened.append(outcome)
        yield outcome
    known = {key: issue.number for key, issue in tracking_issues(run.desired, run.observed).items()}
    parents = known | {key: number for key, number in _new_issues(opened).items() if "/" not in key}
    names, seen = tracking_names(run.observed, parents), {team.repository: team for team in run.observed.elsewhere}

    def beside(repository: str, todo: Sequence[PlannedChange]) -> Iterator[Applied]:
        team, there = _team(run, repository), run.desired._replace(repository=repository)
        if any(change.opens_issue for change in todo):
            keep_repository_name(run.workspace, team.repository_id, repository)
        yield from apply_changes(todo, team, there, lock.may_create, seen.get(repository), parents, names)

    for repository in sorted({change.repository for change in changes if change.is_on_tracker} - {""}):
        todo = _in(changes, repository)
        yield from _each(todo, beside(repository, todo), (*_NO_ANSWER, UserError))


_NO_ANSWER = (Stopped, Incomplete, WriteFailed)


def _each(
    todo: Sequence[PlannedChange], outcomes: Iterator[Applied], ends: tuple[type[IncidentOpsError], ...]
) -> Iterator[Applied]:
    """The outcomes as they come; an error that ends them before their end hides no other work of the run."""
    reported = 0
    try:
        for outcome in outcomes:
            reported += 1
            yield outcome
    except ends as error:
        word = LEFT_OVER if isinstance(error, Stopped) else NOT_APPLIED
        yield from (Applied(change, change.number, word, error) for change in todo[reported:])


def _in(changes: Sequence[PlannedChange], repository: str) -> list[PlannedChange]:
    return [change for change in changes if change.is_on_tracker and change.repository == repository]


def _team(run: PlannedRun, repository: str) -> GitHubTracker:
    """The issues of a team's repository. WriteFailed where it takes none by now."""
    if run.github is None:
        raise WriteFailed(f"{repository} is on GitHub", hint="use --tracker github")
    found = run.github.beside(repository, run.policy.tracker.labels.action_item)
    if isinstance(found, Unreached):
        raise WriteFailed(f"{repository} {found.reason}", hint=found.hint)
    return found


def _write_back(
    run: PlannedRun, allowed: WithinLimits, outcomes: Sequence[Applied]
) -> tuple[WriteBack, list[IncidentOpsError]]:
    """Brings edits into the records; a failure hides nothing of what was done before."""
    planned = [change for change in allowed.now if change.action == EDIT]
    numbers = new_numbers(run.desired, _new_issues(outcomes)) if run.github else ()
    if not planned and not numbers:
        return WriteBack(), []
    workspace = run.workspace
    try:
        if run.github is None:
            return write_locally(workspace, edits_by_path(planned)), []
        pushed = WriteBack()
        if run.policy.write_back.automation == "push":
            edits = edits_by_path([*planned, *numbers])
            pushed, numbers = push_edits(workspace, edits, workspace.now, run.github.commits) if edits else pushed, ()
        wanted = [*run.proposed, *numbers]
        proposed, errors = propose(workspace, run.github, wanted, run.observed.proposals, workspace.now)
        return WriteBack((*pushed.lines, *proposed.lines), (*pushed.paths, *proposed.paths), pushed.commit), errors
    except IncidentOpsError as error:
        return WriteBack(), [error]


def _new_issues(outcomes: Sequence[Applied]) -> dict[str, int]:
    """Key -> number of the issues that a run opened, or found opened meanwhile."""
    opened = (one for one in outcomes if one.change.opens_issue and one.outcome in (APPLIED, EXISTS))
    return {one.change.key: one.number for one in opened if one.number}


class IssueLock:
    """The lock under which one run at a time opens issues: taken when it is first asked for, released at the end."""

    def __init__(self, workspace: Workspace, github: GitHubTracker | None) -> None:
        self._workspace, self._github = workspace, github
        self._lock: RefLock | None = None
        self._answer: Lease | LockHolder | IncidentOpsError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Releases the lock; where that fails it ends by itself, and what was done is not spoiled."""
        if self._lock is not None and isinstance(self._answer, Lease):
            try:
                self._lock.release(self._answer)
            except IncidentOpsError:
                return

    def may_create(self) -> bool:
        """True while this run has the lock. One that cannot be taken holds back new issues and nothing else."""
        if self._github is None:
            return True
        if self._answer is None:
            try:
                self._answer = self._take(self._github)
            except IncidentOpsError as error:
                self._answer = error
        return isinstance(self._answer, Lease) and clock.now() + _RESERVE < self._answer.until

    def _take(self, github: GitHubTracker) -> Lease | LockHolder:
        """The lock; of a run of Actions that is over, which was killed, it is taken at once."""
        self._lock = RefLock(need_remote(self._workspace.git))
        who, ours = _who_runs(self._workspace), _this_run(os.environ)
        answer = self._lock.take(clock.now(), who, run=ours)
        held = answer.run if isinstance(answer, LockHolder) else ""
        if held and (_is_before(held, ours) or github.runs.is_over(held)):
            return self._lock.take(clock.now(), who, run=ours, over=held)
        return answer

    @property
    def error(self) -> IncidentOpsError | None:
        """Why the lock could not be asked for."""
        return self._answer if isinstance(self._answer, IncidentOpsError) else None

    def held_changes(self, count: int) -> list[HeldChanges]:
        """Why `count` new issues were not opened, for people; nothing where none was left."""
        if not count or self._answer is None:
            return []
        if isinstance(self._answer, LockHolder):
            until = spell_instant(stamp(self._answer.until))
            reason = f"{self._answer.holder} is opening issues and holds the lock until {until} at the latest"
        elif isinstance(self._answer, Lease):
            reason = "the lock was about to end"
        else:
            reason = f"without the lock no issue is opened: {self._answer}"
        return [HeldChanges(f"{count} new issues left: {reason}", count, "", continues=True)]


def _this_run(environment: Mapping[str, str]) -> str:
    """`ID/ATTEMPT` of the run of Actions; "" outside of one."""
    run = environment.get("GITHUB_RUN_ID")
    return f"{run}/{environment.get('GITHUB_RUN_ATTEMPT') or '1'}" if run else ""


def _is_before(run: str, ours: str) -> bool:
    """True for an earlier attempt of our own run."""
    (theirs, _, attempt), (own, _, present) = run.partition("/"), ours.partition("/")
    return theirs == own and attempt.isdecimal() and present.isdecimal() and int(attempt) < int(present)


def _who_runs(workspace: Workspace) -> str:
    """The run of Actions, else the person."""
    run = os.environ.get("GITHUB_RUN_ID")
    if run:
        return f"run {run} of {os.environ.get('GITHUB_WORKFLOW', 'a workflow')}"
    return actor(workspace).name
