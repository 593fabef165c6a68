"""A pause is open exactly while the incident is pending; a wait for the user may be open before.

A pause says what the incident is waiting for, and stops clocks; a forgotten one would stop them forever. A pause still
open after the incident is closed is an error, otherwise a warning. Where the policy has `states.auto_pending`, a wait
for the user becomes pending by itself after that time, and may be open until then.

    before: state: pending
    after:  state: pending
            pauses:
            - {from: 2025-01-26T12:05:00Z, waiting_for: vendor}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.lifecycle import OVER, PENDING
from incident_ops.domain.record import Record, World
from incident_ops.domain.waits import WAITING, user_wait
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "pause"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """Open pauses against the state (R82)."""
    incident = record.incident
    still_open = [index for index, pause in enumerate(incident.pauses) if pause.end is None]
    if incident.state != PENDING and user_wait(incident, world.policy):
        still_open = [index for index in still_open if incident.pauses[index].waiting_for != WAITING]
    if incident.state == PENDING and not still_open:
        message = "state is pending, but no pause is open: what is it waiting for?"
        yield rule_finding(
            ID, Level.WARNING, ("state",), message, "pauses: [{from: ..., waiting_for: user, vendor or approval}]"
        )
    for index in still_open if incident.state != PENDING else still_open[:-1]:
        level = Level.ERROR if incident.state in OVER else Level.WARNING
        message = f"this pause has no end, but the incident is {incident.state}"
        if incident.state == PENDING:
            message = "this pause has no end, but a later one is open too"
        yield rule_finding(ID, level, ("pauses", index), message, "to: when the waiting ended")
