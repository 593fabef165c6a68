"""A level that makes tickets also asks for what no ticket needs.

A level with `declare: false` makes tickets, and of a ticket nobody asks a commander, a team, the status page or a
postmortem. What such a level says of them does nothing.

Before:

    extends: p0-p3
    levels:
    - {id: P2, postmortem: {required: true}}

After:

    extends: p0-p3
    levels:
    - {id: P2, declare: true, postmortem: {required: true}}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.policy import LevelPolicy
from incident_ops.findings import Finding, Level
from incident_ops.rules.policy import PolicyFile

ID = "ticket-duties"
LEVEL = Level.WARNING


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for each level that makes tickets and asks for more, at what the user's file says of it."""
    for level in policy_file.policy.levels:
        keys = () if level.declare else tuple(_asked(level))
        if keys:
            own = [key for key in keys if policy_file.route("levels", level.id, key) is not None]
            message = f"{level.id} makes tickets, so nobody asks for its {', '.join(keys)}"
            hint = "take it out, or set declare: true"
            yield policy_file.warning(ID, ("levels", level.id, *(own[:1] or ["declare"])), message, hint)


def _asked(level: LevelPolicy) -> Iterator[str]:
    if level.ic_after is not None:
        yield "ic"
    if level.team is not None:
        yield "team"
    if level.status_page:
        yield "status_page"
    if level.postmortem.required:
        yield "postmortem"
