"""The tracker that the records are kept in step with: which one it is, how it is reached, and what it holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from msgspec.structs import replace

from incident_ops.adapters.files import write_text
from incident_ops.app.edit_record import record_of
from incident_ops.app.proposals import as_proposal, seen_branches
from incident_ops.app.team_repositories import observe_repositories
from incident_ops.app.workspace import Workspace, at_commit, read_text_file, remote_of
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import CLOSED
from incident_ops.domain.memo import memoised
from incident_ops.domain.policy import Policy
from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.record import Record
from incident_ops.domain.time import instant
from incident_ops.domain.tracker import GITHUB, LOCAL, Issue, Snapshot
from incident_ops.errors import UserError
from incident_ops.reconcile.desired import Desired, listed_labels
from incident_ops.reconcile.diff import is_hands_off, kept_issues, key_of
from incident_ops.reconcile.generated_block import owner
from incident_ops.reconcile.observe import DesiredOf, load_snapshot, observe, save_snapshot
from incident_ops.reconcile.pager_acts import alert_read_before
from incident_ops.reconcile.people import Acts, is_brought_back, labelled_back
from incident_ops.reconcile.places import settle_places
from incident_ops.records.store import is_record
from incident_ops.sla.activity import NOTHING_SEEN, Seen, seen_of, watched_since
from incident_ops.sla.obligations import SeenOf

if TYPE_CHECKING:
    from incident_ops.adapters.git_proposals import SeenBranch
    from incident_ops.adapters.github.client import Request
    from incident_ops.adapters.github.issues import GitHubTracker

    RequestLog = Callable[[Request], None]
    """Is called with every request to GitHub, once it is answered."""


def workspace_for(workspace: Workspace, source: str) -> Workspace:
    """The records that a tracker is kept in step with: those of HEAD on GitHub, else those of the work tree."""
    git = workspace.git
    if source == LOCAL or workspace.store.revision:
        return workspace
    if git is None or git.head is None:
        hint = "commit the records, or use --tracker local"
        raise UserError("there is no commit, and GitHub follows committed records", hint=hint)
    return at_commit(workspace, git.head)


def connect_github(
    workspace: Workspace, max_requests: int | None = None, log: RequestLog | None = None, repository: str = ""
) -> GitHubTracker:
    """The issues of a repository, "" = the one that the environment or the clone names; `max_requests` None = as the
    policy."""
    from incident_ops.adapters.github.connect import connect

    tracker_policy = workspace.judged_by[0].tracker
    remote = remote_of(workspace.git)
    return connect(
        {**os.environ, **({"GITHUB_REPOSITORY": repository} if repository else {})},
        remote.url if remote else None,
        listed_labels(workspace.judged_by[0]),
        tuple(tracker_policy.identities),
        requests=max_requests or tracker_policy.limits.requests,
        owner_of=owner,
        log=log,
    )


def observe_tracker(
    workspace: Workspace,
    tracker: IssueTracker,
    asked_for: DesiredOf,
    records: Sequence[Record],
    file: str | None = None,
    *,
    may_be_incremental: bool = False,
) -> Snapshot:
    """What a tracker holds, or held when `file` was written; of `records` also what people wrote, where it matters.

    The pull requests of the proposals are not asked for yet: only a plan tells which matter. Raises Incomplete where
    the tracker, or a proposal on the remote, cannot be read whole. `may_be_incremental` as of `observe_repositories`.
    """
    if file is not None:
        snapshot = load_observed(file)
        must_be_from(tracker.source, snapshot, file)
        return snapshot
    watched = _watched(records, workspace.judged_by[0], workspace.now)
    if tracker.source != GITHUB:

        def settled(seen: Snapshot) -> Desired:
            return settle_places(asked_for(seen), seen)

        return observe(tracker, settled(Snapshot()), watched, now=workspace.now, asked_for=settled)
    branches = seen_branches(workspace)
    github, address = cast("GitHubTracker", tracker), records_address(workspace)
    snapshot = observe_repositories(
        workspace, github, asked_for, watched, address, may_be_incremental=may_be_incremental
    )
    return _with_branches(snapshot, branches, workspace.judged_by[0])


def _with_branches(snapshot: Snapshot, branches: Sequence[SeenBranch], policy: Policy) -> Snapshot:
    """A snapshot with what our branches with edits hold."""
    proposed = [*_proposed_incidents(branches)]
    pager = ((one.id, alert_read_before(one, policy)) for one in proposed)
    return replace(
        snapshot,
        proposals=tuple(as_proposal(branch) for branch in branches),
        noticed=dict(_recorded_instants(proposed)),
        pager={name: alert for name, alert in pager if alert is not None},
    )


def unasked_github(workspace: Workspace) -> Snapshot:
    """GitHub where nobody may ask it: what our branches on the remote hold, and nothing else. Incomplete where these
    cannot be read."""
    made = Snapshot(source=GITHUB, records_at=records_address(workspace))
    return _with_branches(made, seen_branches(workspace), workspace.judged_by[0])


def records_address(workspace: Workspace) -> str:
    """Where people read the files of the records' folder, on the default branch."""
    from incident_ops.adapters.github.connect import repository_address

    remote = remote_of(workspace.git)
    address = repository_address(os.environ, remote.url if remote else None)
    return f"{address}/blob/HEAD/{quote(workspace.git.prefix)}" if workspace.git is not None and address else ""


def load_observed(file: str) -> Snapshot:
    """A tracker as --save-observed saved it. UserError for any other file."""
    return load_snapshot(read_text_file(file, "write one with --save-observed FILE"), file)


def save_observed(snapshot: Snapshot, file: str) -> None:
    """Saves what a tracker holds for --observed. WriteFailed where the system refuses."""
    write_text(Path(file), save_snapshot(snapshot))


def must_be_from(source: str, snapshot: Snapshot, file: str) -> None:
    """UserError where a saved snapshot is not of the tracker that is meant."""
    if snapshot.source != source:
        hint = f"use --tracker {snapshot.source}"
        raise UserError(f"it was saved from a {snapshot.source} tracker, not a {source} one", where=file, hint=hint)


def tracking_issues(desired: Desired, snapshot: Snapshot) -> Mapping[str, Issue]:
    """Incident -> its tracking issue, as far as the tracker shows one."""
    return {key: issue for key, issue in kept_issues(desired, snapshot).items() if "/" not in key}


def holds_our_issues(desired: Desired, snapshot: Snapshot) -> bool:
    """True where the tracker has an issue of ours."""
    return any(key_of(issue, desired.identities, snapshot.records_id) for issue in snapshot.issues)


def seen_on_tracker(desired: Desired, snapshot: Snapshot) -> SeenOf:
    """What a snapshot shows of an incident: what was written under its issue, and whether a person reopened it."""
    issues, acts = tracking_issues(desired, snapshot), Acts(snapshot, desired.identities, named=desired.named)

    @memoised
    def seen(incident: Incident) -> Seen:
        issue = issues.get(incident.id)
        if issue is None:
            return NOTHING_SEEN
        reopened = incident.state == CLOSED and not is_hands_off(issue) and is_brought_back(issue, acts)
        wanted = desired.issues.get(incident.id)
        label = labelled_back(wanted, issue, acts) if wanted and not is_hands_off(issue) else None
        return seen_of(incident, snapshot, {issue.number} if reopened else (), issue.number)._replace(label=label)

    return seen


def _watched(records: Iterable[Record], policy: Policy, now: datetime) -> Mapping[str, datetime]:
    """The incidents whose comments matter, and since when."""
    found = evaluate_each(
        records, lambda record: (record.incident.id, watched_since(as_of(record.incident, now), policy))
    )
    return {name: at for name, at in found if at is not None}


def _proposed_incidents(branches: Iterable[SeenBranch]) -> Iterator[Incident]:
    """The records on branches of ours; one that people broke there is left out."""
    for branch in branches:
        for path, (_, content) in branch.files.items():
            if content is not None and is_record(path):
                try:
                    yield record_of(path, content).incident
                except UserError:
                    continue


def _recorded_instants(incidents: Iterable[Incident]) -> Mapping[str, str]:
    """Key -> the instant that records give it: when an escalation was noticed, when an incident was reopened."""
    return {key: at for incident in incidents for key, at in _instants_of(incident) if instant(at) is not None}


def _instants_of(incident: Incident) -> Iterator[tuple[str, str]]:
    yield from ((escalation.key, escalation.noticed_at) for escalation in incident.escalations if escalation.noticed_at)
    for number, cycle in enumerate(incident.cycles, 1):
        if cycle.reopened:
            yield f"{incident.id}/state/{number}/reopened", cycle.reopened
