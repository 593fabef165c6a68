"""The number of each issue, kept on the remote from the run that opened it: no record has to be merged for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from incident_ops.app.workspace import Workspace, need_remote, remote_of
from incident_ops.domain.tracker import Snapshot
from incident_ops.errors import IncidentOpsError
from incident_ops.reconcile.desired import Desired
from incident_ops.reconcile.diff import kept_issues

if TYPE_CHECKING:
    from incident_ops.domain.ports import IssueTracker


def kept_numbers(workspace: Workspace, tracker: IssueTracker) -> Mapping[str, int]:
    """Key -> the number of its issue on this tracker; nothing where the clone has no remote. Incomplete as the read."""
    from incident_ops.adapters.git_numbers import issue_numbers  # only GitHub's issues are numbered there

    remote = remote_of(workspace.git)
    return {} if remote is None else issue_numbers(remote, tracker.repository_id)


def keep_numbers(
    workspace: Workspace, desired: Desired, observed: Snapshot, opened: Mapping[str, int]
) -> IncidentOpsError | None:
    """Keeps the numbers of all issues of ours that a run saw or `opened`; the error where that failed.

    Nothing is written where all of them are kept already.
    """
    from incident_ops.adapters.git_numbers import keep_issue_numbers

    numbers = {key: issue.number for key, issue in kept_issues(desired, observed).items()} | dict(opened)
    if numbers.items() <= observed.numbers.items():
        return None
    try:
        keep_issue_numbers(need_remote(workspace.git), observed.repository_id, numbers, workspace.now)
    except IncidentOpsError as error:
        return error
    return None
