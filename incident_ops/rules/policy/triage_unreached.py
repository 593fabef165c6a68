"""Some answers to the triage questions lead to no level.

The first triage rule that matches decides. If none does, nobody can say how bad the incident is when it matters most.
Every combination of answers is tried, with shares of users at and between all limits of the rules.

Before (20 % of users matches neither rule):

    triage:
      rules:
      - when: {users_pct: "> 50"}
        level: SEV1
      - when: {users_pct: "< 10"}
        level: SEV2

After: a last rule that matches everything.

      - when: {}
        level: SEV2
        assumed: true
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.triage import describe, unreached
from incident_ops.findings import Finding, Level
from incident_ops.rules.policy import PolicyFile

ID = "triage-unreached"
LEVEL = Level.ERROR


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for all combinations that no rule matches, with an example."""
    missing = unreached(policy_file.policy)
    if missing:
        message = f"{len(missing)} combinations of answers reach no level, e.g. {describe(missing[0])}"
        hint = f"add a last rule `when: {{}}` with level {policy_file.policy.labels[-1]} or worse"
        yield policy_file.error(ID, ("triage", "rules"), message, hint)
