"""A report that is owed to others is written down once, and made after its time began.

A second entry of the same deadline leaves open which one counts, and a report before the time that it counts from is a
wrong date: both would move what is due next. A deadline that the policy does not have is a warning: a typing error, or
one that has been switched off since.

    before: deadlines:
            - {id: nis2-early-warning, done_at: 2025-01-25T12:00:00Z}   # detected on the 26th
    after:  deadlines:
            - {id: nis2-early-warning, done_at: 2025-01-27T12:00:00Z}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.deadlines import start_of
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import LATEST, parse_instant, stamp
from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.rules._support import effective_instants, rule_finding

ID = "deadline"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """Each report against the policy and those above it."""
    incident = record.incident
    if not incident.deadlines:
        return
    known = {one.id: one for one in world.policy.deadlines}
    seen: set[str] = set()
    for index, report in enumerate(incident.deadlines):
        route = ("deadlines", index)
        if report.id in seen:
            message = f"{report.id} is reported twice"
            yield rule_finding(ID, Level.ERROR, (*route, "id"), message, "keep the first; say the rest in the timeline")
        elif report.id not in known:
            message = f"the policy has no deadline {report.id!r}"
            hint = did_you_mean(report.id, known) if known else "switch it on in policy.yaml, e.g. `deadlines: [nis2]`"
            yield rule_finding(ID, Level.WARNING, (*route, "id"), message, hint)
        else:
            start = start_of(known[report.id], incident, effective_instants(incident), LATEST)
            if start is not None and parse_instant(report.done_at) < start:
                message = f"{report.id} is reported at {report.done_at}, before its time began at {stamp(start)}"
                yield rule_finding(ID, Level.ERROR, (*route, "done_at"), message, "one of the two times is wrong")
        seen.add(report.id)
