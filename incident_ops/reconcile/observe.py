"""One complete look at a tracker."""

from __future__ import annotations

from incident_ops.errors import Incomplete
from incident_ops.model.observed import Snapshot
from incident_ops.ports import IssueTracker


def observe(tracker: IssueTracker) -> Snapshot:
    """Everything the tracker holds, by number, or `Incomplete`: a partial list must never look like the whole."""
    issues = tuple(sorted(tracker.owned(), key=lambda issue: issue.number))
    if len({issue.number for issue in issues}) != len(issues):
        raise Incomplete("the tracker listed one issue twice", hint="it changed while it was read; run again")
    return Snapshot(issues=issues)
