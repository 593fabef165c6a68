"""A restricted record is only kept in a private repository.

Git shows every file to everybody who can read the repository. If it is private, say `access.private: true` in the
policy.

    before: visibility: restricted      # policy.yaml says nothing
    after:  visibility: restricted      # policy.yaml: access: {private: true}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "restricted"
LEVEL = Level.ERROR
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """`visibility: restricted` against the policy."""
    if record.incident.visibility == "restricted" and not world.policy.access.private:
        message = "visibility is restricted, but the policy does not say that this repository is private"
        hint = "set access.private: true in policy.yaml if it is; otherwise keep the record elsewhere"
        yield rule_finding(ID, LEVEL, ("visibility",), message, hint)
