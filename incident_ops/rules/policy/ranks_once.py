"""A rank stands in two ways of one kind of notice.

Each rank of a kind in `notify.kinds` has one way: it rings, or it comes without ringing, or it waits for
the digest of the day, or nobody hears of it.

Before:

    extends: sev0-3
    notify:
      kinds:
        declared: {page: [1, 2], tell: [2, 3, 4]}

After:

    extends: sev0-3
    notify:
      kinds:
        declared: {page: [1], tell: [2, 3, 4]}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.notice_kinds import WAYS
from incident_ops.findings import Finding, Level
from incident_ops.rules.policy import PolicyFile

ID = "ranks-once"
LEVEL = Level.ERROR


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """One finding for each kind with such a rank, at the later of the two ways."""
    for kind, ways in policy_file.policy.notify.kinds.items():
        seen: dict[int, str] = {}
        if isinstance(ways, str):
            continue
        for way in WAYS:
            twice = next((rank for rank in ways.get(way, ()) if rank in seen), None)
            if twice is not None:
                message = f"rank {twice} of {kind} stands in {seen[twice]} and in {way}"
                route = ("notify", "kinds", kind, way)
                yield policy_file.error(ID, route, message, f"take it out of one; {seen[twice]} counts now")
                break
            seen |= dict.fromkeys(ways.get(way, ()), way)
