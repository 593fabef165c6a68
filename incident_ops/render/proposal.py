"""The text of the pull request that writes back to records."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.render.safe import inline

MOST = 200  # lines; the pull request shows the edits themselves


def proposal_body(reasons: Sequence[str]) -> str:
    """Reasons, a line each -> Markdown that pings and links nothing."""
    rows = [f"- {inline(reason)}" for reason in reasons[:MOST]]
    more = [f"- and {len(reasons) - MOST} more"] if len(reasons) > MOST else []
    head = "What people did on the tracker, and the numbers of new issues, brought into the records."
    foot = "Merge it, or close it to say no. The branch belongs to incident-ops: it is written anew by each run."
    return "\n".join([head, "", *rows, *more, "", foot])
