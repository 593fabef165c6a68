"""What GitHub is kept in step with: the commit at the tip of the remote's default branch, and no other, now."""

from __future__ import annotations

from datetime import timedelta

from incident_ops.adapters import clock
from incident_ops.app.workspace import Workspace, at_commit, need_remote, source_of
from incident_ops.domain.time import stamp
from incident_ops.domain.tracker import GITHUB
from incident_ops.errors import Incomplete, PlanChanged, UserError
from incident_ops.records.store import INCIDENTS, SETTINGS_FILES, is_record, records_beside

OFF_THE_CLOCK = timedelta(minutes=5)
"""A clock that differs more from the real one may only show what would be done."""


def must_be_on_time(workspace: Workspace, tracker: str | None) -> None:
    """UserError for a clock that is not the real one where people would be notified by it."""
    if source_of(tracker) == GITHUB and abs(workspace.now - clock.now()) > OFF_THE_CLOCK:
        hint = "see what would be done then with `incident-ops run --dry-run`; leave out --at to do what is due now"
        raise UserError(f"--at {stamp(workspace.now)} is not now: nobody is notified by another clock", hint=hint)


def at_tip(workspace: Workspace) -> Workspace:
    """The same repository with the records of the tip, fetched now, whatever is checked out.

    Incomplete where the tip cannot be read, UserError where the clone has no remote.
    """
    remote = need_remote(workspace.git)
    tip = remote.default_tip()
    if tip is None:
        hint = "push the records once: git push -u origin HEAD"
        raise Incomplete(f"{remote.name} has no commit on its default branch", hint=hint)
    return at_commit(workspace, tip)


def must_be_tip(workspace: Workspace) -> None:
    """PlanChanged where the records are those of another commit: it would undo what was merged, or do what nobody did.

    Incomplete where the tip cannot be read, UserError where the clone has no remote.
    """
    remote = need_remote(workspace.git)
    main, commit = remote.default_branch(), workspace.store.commit or ""
    tip = remote.tip(main)
    if tip is None:
        raise Incomplete(f"{remote.name} has no branch {main}", hint=f"git push {remote.name} {main}")
    if tip == commit:
        return
    place, back = f"the tip of {main} on {remote.name}", f"git switch {main} && git pull"
    if remote.objects.descends(tip, commit):
        problem, hint = f"is behind {place}: it would undo what was merged since", back
    elif remote.objects.descends(commit, tip):
        problem = f"is not merged into {main} on {remote.name}"
        hint = f"merge them by a pull request, or `git push` where you may; then run it on {main}"
    else:
        problem, hint = f"is not {place}, and each has commits that the other lacks", f"{back}; merge your branch first"
    raise PlanChanged(f"nothing was applied: commit {commit[:12]} {problem}", hint=hint)


def not_committed(workspace: Workspace) -> tuple[str, ...]:
    """The records, policy and services of the work tree that no commit has: GitHub gets none of them."""
    git, store = workspace.git, workspace.store
    if git is None or git.head is None:
        return ()
    there = {blob.path for blob in git.tree(git.head, (INCIDENTS,))}
    new = {*records_beside(store.root, {path.split("/")[1] for path in there if is_record(path)})} - there
    edited = git.edited(git.head, (INCIDENTS, *SETTINGS_FILES))()
    return tuple(sorted({*edited, *(path for path in new if store.read(path) is not None)}))


def not_merged(workspace: Workspace, tip: str) -> tuple[str, ...]:
    """The records, policy and services that the commit checked out has otherwise than the default branch at `tip`, and
    has them from commits that are not there. Incomplete where git cannot compare the two."""
    git = workspace.git
    if git is None or git.head is None:
        return ()
    objects, folders = need_remote(git).objects, (INCIDENTS, *SETTINGS_FILES)
    if objects.descends(tip, git.head) or not (base := objects.merge_base(tip, git.head)):
        return ()
    differs = {blob.path for blob in git.changed(tip, git.head, folders)}
    return tuple(sorted(differs & {blob.path for blob in git.changed(base, git.head, folders)}))
