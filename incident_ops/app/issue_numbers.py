"""The number of each issue, kept on the remote from the run that opened it: no record has to be merged for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from incident_ops.app.workspace import Workspace, need_remote, remote_of
from incident_ops.domain.tracker import Snapshot
from incident_ops.errors import IncidentOpsError
from incident_ops.reconcile.desired import Desired, listed_labels
from incident_ops.reconcile.diff import by_repository, kept_issues
from incident_ops.reconcile.references import repository_at
from incident_ops.reconcile.stored_list import list_to_store

if TYPE_CHECKING:
    from incident_ops.adapters.git_numbers import KeptIssues, NamedHome


def read_kept_issues(workspace: Workspace) -> KeptIssues:
    """The numbers of issues by repository and key; none where the clone has no remote. Incomplete as the read."""
    from incident_ops.adapters.git_numbers import KeptIssues, numbers_kept  # only GitHub's issues are numbered there

    remote = remote_of(workspace.git)
    return KeptIssues() if remote is None else numbers_kept(remote)


def keep_repository_name(workspace: Workspace, repository_id: int, name: str) -> None:
    """Keeps that issues are opened in a repository of a team, so that later runs look there whatever becomes of this
    one. Errors as `keep_issue_numbers`."""
    from incident_ops.adapters.git_numbers import keep_issue_numbers

    keep_issue_numbers(need_remote(workspace.git), repository_id, {}, workspace.now, name)


def keep_numbers(
    workspace: Workspace, desired: Desired, observed: Snapshot, opened: Mapping[str, int]
) -> IncidentOpsError | None:
    """Keeps the numbers of all issues of ours that a run saw or `opened`; the first error where that failed.

    With them what a whole list showed, where that takes more requests than one for each label, and what the repository
    with the records is called. Nothing is written where all of it is kept already.
    """
    from incident_ops.adapters.git_numbers import keep_issue_numbers

    failed = None
    policy = workspace.judged_by[0]
    for there, snapshot in by_repository(desired, observed):
        kept = kept_issues(there, snapshot)
        every = {key: issue.number for key, issue in kept.items()} | dict(opened)
        numbers = {key: number for key, number in every.items() if _is_there(key, there, kept)}
        labels = (policy.tracker.labels.action_item,) if there.repository else listed_labels(policy)
        is_long = snapshot.whole is not None and snapshot.whole.is_longer_than(len(labels))
        seen_list = list_to_store(snapshot, labels, policy.tracker.identities) if is_long else None
        is_known = numbers.items() <= snapshot.numbers.items()
        home = None if there.repository else _new_name(snapshot)
        if is_known and seen_list is None and home is None:
            continue
        try:
            remote, number = need_remote(workspace.git), snapshot.repository_id
            keep_issue_numbers(remote, number, numbers, workspace.now, there.repository, seen_list, home)
        except IncidentOpsError as error:  # without the list or the name alone, the next run does it again
            failed = failed or (None if is_known else error)
    return failed


def _new_name(seen: Snapshot) -> NamedHome | None:
    """The repository with the records, where its name is not kept yet."""
    from incident_ops.adapters.git_numbers import NamedHome  # as above

    name = repository_at(seen.records_at)
    is_known = name.casefold() in {one.casefold() for one in seen.records_were}
    return None if not name or not seen.records_id or is_known else NamedHome(seen.records_id, name)


def _is_there(key: str, there: Desired, kept: Collection[str]) -> bool:
    """True where a key has its issue in this repository, or no record asks for it and one is there."""
    wanted = there.issues.get(key)
    return key in kept if wanted is None else wanted.repository == there.repository
