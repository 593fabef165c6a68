"""The issues that the embedded tracker holds, and which of them somebody means."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.app.workspace import Workspace, local_tracker
from incident_ops.domain.tracker import Issue
from incident_ops.errors import UserError
from incident_ops.reconcile.desired import incident_of
from incident_ops.render.issues import ShownIssue

_MOST_NAMED = 5
NO_ISSUES = "`incident-ops apply` opens the issues; `--tracker github` puts them on GitHub instead"


def held_issues(workspace: Workspace, *, is_open: bool | None = None) -> list[Issue]:
    """The issues by number, those that are open first; `is_open` None = all. Incomplete where they cannot be read."""
    found = local_tracker(workspace).owned()
    return sorted(
        (issue for issue in found if is_open is None or issue.is_open is is_open),
        key=lambda issue: (not issue.is_open, issue.number),
    )


def find_issue(workspace: Workspace, asked: str) -> ShownIssue:
    """The issue that is meant: by its number (`4`, `#4`), or by the key of an incident or item, also its last part.

    UserError where none is, or more than one could be.
    """
    tracker = local_tracker(workspace)
    held = tracker.owned()
    wanted = asked.strip().removeprefix("#")
    near = [issue for issue in held if wanted.isdecimal() and issue.number == int(wanted)] or _by_key(held, wanted)
    if len(near) > 1:
        names = ", ".join(str(issue.key) for issue in near[:_MOST_NAMED])
        raise UserError(f"{asked} could be {names}", hint="write more of it")
    if not near:
        hint = "`incident-ops issues` lists what is there" if held else NO_ISSUES
        raise UserError(f"the tracker of this clone has no issue {asked}", hint=hint)
    issue = near[0]
    items = tuple(one for one in held if one is not issue and incident_of(str(one.key)) == issue.key)
    return ShownIssue(issue, tuple(tracker.comments(issue.number)), items)


def _by_key(held: Sequence[Issue], wanted: str) -> list[Issue]:
    key = wanted.upper()
    exact = [issue for issue in held if issue.key == key]
    return exact or [issue for issue in held if key and str(issue.key).endswith((f"-{key}", f"/{key}"))]
