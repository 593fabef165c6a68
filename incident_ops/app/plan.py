"""`plan`: what the tracker should become, which edits of records are due, and which notices would be sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from incident_ops.app.concerned import ConcernedRecords
from incident_ops.app.due import OBSERVE, due_notices, due_obligations, kept_ledger, ledger_lines, plan_notices
from incident_ops.app.notify import LedgerAccess, local_ledger, shared_ledger
from incident_ops.app.observed_tracker import (
    connect_github,
    holds_our_issues,
    observe_tracker,
    seen_on_tracker,
    unasked_github,
    workspace_for,
)
from incident_ops.app.proposals import PullLookups, desired_proposals, with_pulls
from incident_ops.app.reached import record_edits
from incident_ops.app.read_back import PagerNews, answers_elsewhere, pager_failure, with_pager
from incident_ops.app.workspace import Workspace, at_commit, local_tracker, served, source_of
from incident_ops.app.write_back import edited_texts
from incident_ops.documents.issue_comments import unsettled_comment
from incident_ops.domain.lifecycle import REOPENED
from incident_ops.domain.notification import Ledger
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.record import Record, World
from incident_ops.domain.tracker import GITHUB, Snapshot
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.notifications.plan import PlannedNotice
from incident_ops.notifications.reach import NoticeReach, pairs_not_reached, reach_of
from incident_ops.reconcile.changes import EDIT, NOTIFY, PEOPLE, KeyDecision, PlannedChange, join_decisions
from incident_ops.reconcile.desired import Desired
from incident_ops.reconcile.diff import by_repository, edits_by_path, key_of, unasked_incidents
from incident_ops.reconcile.places import with_unseen_teams
from incident_ops.reconcile.plan import Plan, add_decision, leave_edits, make_plan
from incident_ops.reconcile.proposals import (
    Left,
    branch_of,
    compare_proposals,
    fingerprint,
    leave_unasked,
    refusal,
    refusals,
)
from incident_ops.reconcile.unsettled import say_unsettled
from incident_ops.records.base_revision import base_commit
from incident_ops.records.history import deletions
from incident_ops.sla.obligations import DueObligations, SeenOf

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker
    from incident_ops.app.observed_tracker import RequestLog


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How a plan is made.

    `tracker` None = GitHub's inside Actions, else the embedded one; `observed` is a file that holds what the tracker
    held, so that it is not asked; `recreate` are the keys that get a new issue in place of one that is gone;
    `max_requests` None = as many as the policy allows; `log` is called with every request to GitHub. `is_whole`: the
    tracker is listed whole, for a snapshot that more is to be made of than this plan. `asks_github` False: records,
    remote and ledger alone decide, and of the issues nothing is known.
    """

    tracker: str | None = None
    observed: str | None = None
    recreate: tuple[str, ...] = ()
    max_requests: int | None = None
    with_notices: bool = True
    log: RequestLog | None = None
    is_whole: bool = False
    asks_github: bool = True


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A plan, and what it was made from.

    `workspace` holds the records that the tracker is kept in step with; `records` (by id) are those of which something
    may be due; `github` is the tracker where it is one on GitHub. `desired` and `observed` are the two sides of the
    plan, `due` every obligation, `notices` what is done about each notice. `proposed` are the edits that pull requests
    hold or are to hold; `ledger` is what was read of it, None where it was not asked for.
    """

    workspace: Workspace
    tracker: IssueTracker
    github: GitHubTracker | None
    records: Mapping[str, Record]
    desired: Desired
    observed: Snapshot
    due: DueObligations
    notices: tuple[PlannedNotice, ...]
    plan: Plan
    proposed: tuple[PlannedChange, ...] = ()
    ledger: LedgerAccess | None = None

    @property
    def ledger_error(self) -> IncidentOpsError | None:
        """Why the ledger could not be read."""
        return self.ledger.error if self.ledger else None

    @property
    def pager_error(self) -> IncidentOpsError | None:
        """Why what people did in the pager was not read back."""
        return pager_failure(self.observed)

    @property
    def unsent(self) -> str:
        """Why no notice of this run is sent; "" where they are."""
        if self.observed.source != GITHUB:
            return "the embedded tracker notifies nobody"
        return OBSERVE if self.policy.mode == "observe" else ""

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.workspace.judged_by[0]

    @property
    def has_issues(self) -> bool:
        """True where the tracker has an issue of ours."""
        return holds_our_issues(self.desired, self.observed)


def plan_changes(workspace: Workspace, options: PlanOptions = PlanOptions()) -> PlannedRun:
    """Compares the records with the tracker; changes nothing.

    Raises Incomplete where the tracker, or a proposal on the remote, cannot be read whole.
    """
    source = source_of(options.tracker)
    workspace = workspace_for(workspace, source)
    asks = source == GITHUB and options.asks_github
    github = connect_github(workspace, options.max_requests, options.log) if asks else None
    run = served(workspace, lambda: _plan(workspace, github, options))
    if _is_incremental(run.observed) and any(change.action != NOTIFY for change in run.plan.changes):
        whole = dataclasses.replace(options, is_whole=True)  # nothing is done because of what is only remembered
        run = served(workspace, lambda: _plan(workspace, github, whole, pager_of=run.observed))
    if source != GITHUB:
        workspace.notes.extend(_would_be_elsewhere(run.desired, workspace.judged_by[1]))
    return run


def _is_incremental(observed: Snapshot) -> bool:
    return observed.is_incremental or any(team.is_incremental for team in observed.elsewhere)


def plan_of_base(run: PlannedRun, revision: str, options: PlanOptions) -> PlannedRun:
    """The plan of what a change is based on: of the commit where `revision` and the records of `run` diverged, against
    the same tracker and ledger, as they were seen for `run`, at the same instant.

    UserError for a revision that is not there, or whose policy cannot be used.
    """
    commit = base_commit(run.workspace.store, revision)
    base = dataclasses.replace(at_commit(run.workspace, commit), notes=[])
    try:
        planned = served(base, lambda: _plan(base, run.github, options, run))
    except UserError as error:
        message = f"no plan can be made of the base {commit[:12]}: {error}"
        raise UserError(message, hint="leave out --base to see the whole plan") from error
    run.workspace.notes.extend(f"in the base {commit[:12]}: {note}" for note in base.notes)
    return planned


def _plan(
    workspace: Workspace,
    github: GitHubTracker | None,
    options: PlanOptions,
    seen_before: PlannedRun | None = None,
    pager_of: Snapshot | None = None,
) -> PlannedRun:
    """`seen_before` has looked at tracker and ledger, so that neither is asked again; it may recreate other keys.
    `pager_of` shows the pager, so that it is not asked again."""
    world = World(*workspace.judged_by, workspace.now)
    tracker: IssueTracker = github or local_tracker(workspace)
    concerned = ConcernedRecords(workspace, options.recreate)
    recent = concerned.recent()
    observed = _observed_now(workspace, tracker, concerned, recent, options, seen_before)
    wanted = concerned.placed(observed, options.recreate)
    recreate = [key for key in options.recreate if seen_before is None or key in wanted.issues]
    deleted = _deleted(workspace, observed, wanted, concerned.records)
    seen = seen_on_tracker(wanted, observed)
    by_id = {record.incident.id: record for record in recent}
    ledger = seen_before.ledger if seen_before else _ledger(workspace, options, is_shared=observed.source == GITHUB)
    if seen_before is None:
        observed = _with_pager(workspace, recent, observed, ledger, pager_of)
    pulls = PullLookups(github.pulls) if github and not (options.observed or seen_before) else None
    news = answers_elsewhere(workspace, recent, wanted, observed, _known(ledger, observed), pulls)
    if news.answered:
        wanted = concerned.placed(observed, options.recreate, news.answered, news.ticked)
    due = due_obligations(news.records, world.policy, world.now, seen, observed.noticed)
    to_send = _notices(workspace, news, due, seen, observed, ledger, is_sent=options.with_notices)
    edits = record_edits(due, by_id, world.policy, to_send.reach if observed.source == GITHUB else None)
    plan = make_plan(wanted, observed, workspace.catalogue.unreadable(), deleted, recreate, _returning(due, edits))
    plan = add_decision(plan, join_decisions([edits, news.decision, to_send.decision]))
    by_topic = github is not None and not _is_pushed(workspace)
    plan = leave_edits(plan, _impossible(workspace, plan.changes, by_topic=by_topic))
    is_hosted = github is not None
    plan, seen_now, proposed = _with_proposals(workspace, plan, wanted, to_send.observed, pulls, is_hosted=is_hosted)
    plan = say_unsettled(plan, wanted, observed, unsettled_comment, do_edits_wait=by_topic)
    return PlannedRun(
        workspace=workspace,
        tracker=tracker,
        github=github,
        records=by_id,
        desired=wanted,
        observed=seen_now,
        due=due,
        notices=to_send.planned,
        plan=plan,
        proposed=proposed,
        ledger=ledger,
    )


def _with_pager(
    workspace: Workspace,
    records: Sequence[Record],
    observed: Snapshot,
    ledger: LedgerAccess | None,
    other: Snapshot | None,
) -> Snapshot:
    """With what the pager shows, asked now unless `other` shows it; with the embedded tracker nothing is sent there."""
    if observed.source != GITHUB or ledger is None:
        return observed
    if other is not None:
        return replace(observed, pager=other.pager, pager_problem=other.pager_problem)
    return with_pager(workspace, records, observed, ledger.content)


def _known(ledger: LedgerAccess | None, observed: Snapshot) -> Ledger:
    """What is known of the ledger; nothing where it could not be read."""
    return kept_ledger(observed.ledger) if ledger is None else ledger.content or {}


def _would_be_elsewhere(wanted: Desired, services: Mapping[str, Service]) -> Iterator[str]:
    """Where open items of the embedded tracker have their issues on GitHub, a sentence for each repository."""
    there: dict[str, set[str]] = {}
    for one in wanted.issues.values():
        if one.item is not None and one.closed_as is None and one.team:
            known = (name for name in one.incident.services if name in services)
            there.setdefault(one.team, set()).add(next(name for name in known if services[name].issues == one.team))
    for team, names in sorted(there.items()):
        yield f"on GitHub the issues of action items of {', '.join(sorted(names))} are in {team}"


def _seen_again(concerned: ConcernedRecords, run: PlannedRun) -> Snapshot:
    """What a run saw, for other records: no repository that only these name has an issue of a key that it planned."""
    return with_unseen_teams(run.observed, concerned.asked_for(run.observed), run.desired.issues.keys())


def _observed_now(
    workspace: Workspace,
    tracker: IssueTracker,
    concerned: ConcernedRecords,
    recent: Sequence[Record],
    options: PlanOptions,
    seen_before: PlannedRun | None,
) -> Snapshot:
    if seen_before:
        return _seen_again(concerned, seen_before)
    if not options.asks_github:
        return unasked_github(workspace)
    is_incremental = not (options.is_whole or options.recreate)
    return observe_tracker(
        workspace, tracker, concerned.asked_for, recent, options.observed, may_be_incremental=is_incremental
    )


def _returning(due: DueObligations, edits: KeyDecision) -> frozenset[str]:
    """The incidents whose record these edits reopen."""
    made = {change.key for change in edits.changes}
    moves = [(one.key, one.incident, one.move) for one in due.obligations]
    return frozenset(name for key, name, move in moves if key in made and move and move.state == REOPENED)


class _Notices(NamedTuple):
    """What is done about notices; `observed` is the snapshot with the lines of the ledger that were looked at, `reach`
    whom the notices have reached if all of them arrive."""

    observed: Snapshot
    reach: NoticeReach
    planned: tuple[PlannedNotice, ...] = ()
    decision: KeyDecision = KeyDecision()


def _ledger(workspace: Workspace, options: PlanOptions, *, is_shared: bool) -> LedgerAccess | None:
    """The remote's (`is_shared`), or this clone's; None where a saved look has its lines."""
    if options.observed:
        return None
    return shared_ledger(workspace) if is_shared else LedgerAccess(None, local_ledger(workspace).read(), None)


def _notices(
    workspace: Workspace,
    news: PagerNews,
    due: DueObligations,
    seen: SeenOf,
    observed: Snapshot,
    ledger: LedgerAccess | None,
    *,
    is_sent: bool,
) -> _Notices:
    """`ledger` None = the snapshot has its lines; `is_sent` False = the notices are left to another run."""
    world = World(*workspace.judged_by, workspace.now)
    wanted = due_notices(news.records, due, world, seen)
    if ledger is not None:
        people = world.policy.contacts
        asked = wanted.pairs_in(ledger.content or {})
        asked = asked.union(*(pairs_not_reached(one.incident.escalations, people) for one in news.records))
        lines = None if ledger.content is None else ledger_lines(ledger.content, asked)
        observed = replace(observed, ledger=lines)
    planned, decision = plan_notices(wanted, observed.ledger, world, news.lost)
    reach = reach_of(planned, kept_ledger(observed.ledger), observed.noticed, None if is_sent else {})
    return _Notices(observed, reach, planned, decision) if is_sent else _Notices(observed, reach)


def _deleted(workspace: Workspace, observed: Snapshot, wanted: Desired, records: Sequence[Record]) -> Mapping[str, str]:
    """What git history says of the open issues that no record names: key -> the commit that deleted it."""
    keys = {
        key
        for _, snapshot in by_repository(wanted, observed)
        for issue in snapshot.issues
        if issue.is_open and (key := key_of(issue, wanted.identities, observed.records_id))
    }
    orphans = keys.difference(wanted.issues, wanted.clashes)
    if not orphans or workspace.git is None or workspace.store.commit is None:
        return {}
    return deletions(workspace.git, workspace.store.commit, orphans, records)


def _with_proposals(
    workspace: Workspace,
    plan: Plan,
    wanted: Desired,
    observed: Snapshot,
    pulls: PullLookups | None,
    *,
    is_hosted: bool,
) -> tuple[Plan, Snapshot, tuple[PlannedChange, ...]]:
    """A plan less the edits that wait in pull requests, were refused there, or have no room; what was seen; and the
    edits that are to be proposed, those that wait among them."""
    if not is_hosted:
        return plan, observed, ()
    edits = [] if _is_pushed(workspace) else [change for change in plan.changes if change.action == EDIT]
    if pulls is not None:
        looked_up = with_pulls(pulls, observed.proposals, edits, workspace.now)
        observed = replace(observed, proposals=leave_unasked(looked_up, unasked_incidents(wanted, observed)))
    observed = replace(observed, proposals=leave_unasked(observed.proposals, plan.incomplete, (PEOPLE,)))
    seen = {proposal.branch: proposal for proposal in observed.proposals}
    left = refusals(edits, seen, observed.repository)
    proposals, no_room = desired_proposals(workspace, [change for change in edits if fingerprint(change) not in left])
    waiting, whole = compare_proposals(proposals, seen)
    plan = add_decision(leave_edits(plan, left | no_room | waiting), whole)
    return plan, observed, tuple(change for change in edits if fingerprint(change) not in left)


def _is_pushed(workspace: Workspace) -> bool:
    return workspace.judged_by[0].write_back.automation == "push"


def _impossible(workspace: Workspace, changes: Sequence[PlannedChange], *, by_topic: bool) -> dict[str, Left]:
    """The edits that cannot be made, each with the reason. One that cannot be made does not hold back another.

    Those of a record are made together; `by_topic`: only those of one topic are.
    """
    together: dict[tuple[str, str], list[PlannedChange]] = {}
    for change in changes:
        if change.action == EDIT and change.path is not None:
            together.setdefault((branch_of(change) if by_topic else "", change.path), []).append(change)
    refused: dict[str, Left] = {}
    for edits in together.values():
        if _why_not(workspace, edits) is None:
            continue
        good: list[PlannedChange] = []
        for change in edits:
            why = _why_not(workspace, [*good, change])
            if why is None:
                good.append(change)
            else:
                refused[fingerprint(change)] = refusal(f"{change.reason}, but {why}")
    return refused


def _why_not(workspace: Workspace, changes: Sequence[PlannedChange]) -> str | None:
    try:
        edited_texts(workspace, edits_by_path(changes))
    except UserError as error:
        return str(error)
    return None
