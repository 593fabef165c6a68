"""How often a file was changed: what the SEQUENCE of a calendar's events is."""

from __future__ import annotations

from incident_ops.app.workspace import Workspace


def times_changed(workspace: Workspace, path: str) -> tuple[int, tuple[str, ...]]:
    """How often a file was changed, as git knows it, and a warning where it does not know all of it."""
    git, commit = workspace.git, workspace.store.commit
    if git is None or commit is None:
        return 0, ("without git nobody knows how often it changed: SEQUENCE is 0 in every event",)
    count = sum(1 for _ in git.history(path, commit))
    if not workspace.store.revision:
        raw = git.read_path(commit, path)
        count += raw != workspace.store.read(path)
    hint = git.shallow_hint()
    warnings = (f"not all of the history is here, so SEQUENCE may be lower than before: {hint}",) if hint else ()
    return count, warnings
