"""A record names people, never a schedule.

Who was on call is asked long afterwards, when the schedule may say something else: commands write whom `oncall:primary`
meant at that time.

    before: roles: {commander: "oncall:primary"}
    after:  roles: {commander: "@alice"}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.oncall import REFERENCE, schedule_named
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import packed, rule_finding, text_values

ID = "oncall-reference"
LEVEL = Level.ERROR
TIMED = False


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Every text that is a reference and nothing else."""
    if REFERENCE.encode() not in packed(record.data):
        return
    for route, text, is_key in text_values(record.data):
        name = schedule_named(text)
        if name is not None and not is_key:
            message = f"{text!r} is a schedule, and a record says who it was"
            hint = f"incident-ops oncall who {name} --at WHEN tells it"
            yield rule_finding(ID, LEVEL, route, message, hint)
