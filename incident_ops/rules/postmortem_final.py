"""A final postmortem names its reviewers and who approved it.

Final means reviewed and approved; with the names, readers know whom to ask.

    before: postmortem: {status: final}
    after:  postmortem: {status: final, reviewers: ["@maya"], approved_by: "@dana", final_at: 2025-02-03}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "postmortem-final"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Reviewers, approver and date of a final postmortem (R185)."""
    postmortem = record.incident.postmortem
    if postmortem is None or postmortem.status != "final":
        return
    route = ("postmortem", "status")
    if not postmortem.reviewers:
        yield rule_finding(
            ID, Level.ERROR, route, "the postmortem is final, but names no reviewers", 'reviewers: ["@handle"]'
        )
    if postmortem.approved_by is None:
        yield rule_finding(
            ID, Level.ERROR, route, "the postmortem is final, but nobody approved it", 'approved_by: "@handle"'
        )
    if postmortem.final_at is None:
        yield rule_finding(
            ID, Level.WARNING, route, "the postmortem is final, but final_at is missing", "final_at: the date"
        )
