"""Reminders on the open pull requests of postmortems: who has to act, once for each mark of the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_ops.adapters.git_proposals import SeenBranch
from incident_ops.app.edit_record import record_of
from incident_ops.app.proposals import seen_branches
from incident_ops.app.run_parts import PartDone
from incident_ops.app.workspace import Workspace
from incident_ops.documents.postmortem_pull import Reminder, reminders
from incident_ops.domain.incident import Incident
from incident_ops.errors import IncidentOpsError, Stopped, UserError
from incident_ops.reconcile.observe import turn
from incident_ops.reconcile.proposals import branches_of_postmortems
from incident_ops.records.store import is_record

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker


def record_on(seen: SeenBranch) -> Incident | None:
    """The record that a branch of one incident changes; None where it is not there or broken."""
    for name, (_, content) in seen.files.items():
        if content is not None and is_record(name):
            try:
                return record_of(name, content).incident
            except UserError:
                return None
    return None


def remind_of_postmortems(workspace: Workspace, github: GitHubTracker) -> PartDone:
    """Says on each open pull request what is due, once for each mark; nothing where the policy only observes."""
    policy = workspace.judged_by[0]
    found = [] if policy.mode == "observe" else seen_branches(workspace, (branches_of_postmortems(),))
    records = ((one, record_on(one)) for one in found)
    due = [(one.branch, said) for one, seen in records if seen for said in reminders(seen, policy, workspace.now)]
    lines: list[str] = []
    errors: list[IncidentOpsError] = []
    pulls = github.pulls.open_ones() if due else {}
    for branch, reminder in turn(due, workspace.now):
        pull = pulls.get(branch)
        try:
            if pull is not None and _remind(github, pull.number, reminder):
                lines.append(f"pull request #{pull.number}: {', '.join(reminder.people) or 'nobody'} reminded")
        except IncidentOpsError as error:
            errors.append(error)
            if isinstance(error, Stopped):
                break
    return PartDone(tuple(lines), tuple(errors))


def _remind(github: GitHubTracker, number: int, reminder: Reminder) -> bool:
    logins = {one[1:] for one in reminder.people if one.startswith("@")}
    return github.tell(number, reminder.topic, reminder.text(github.assignable(logins)))
