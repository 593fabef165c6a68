"""What GitHub is kept in step with: the commit at the tip of the remote's default branch, and no other."""

from __future__ import annotations

from incident_ops.app.workspace import Workspace, need_remote
from incident_ops.errors import Incomplete, PlanChanged
from incident_ops.records.store import INCIDENTS, SETTINGS_FILES, is_record, records_beside


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
