"""A move of the state that is due by itself, as the edits a person would have made (R79-R81)."""

from __future__ import annotations

from incident_ops.doors.moving import move, spelled
from incident_ops.doors.reopen import reopen
from incident_ops.doors.step import Step, row
from incident_ops.lifecycle import REOPENED
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.sla.activity import AUTOMATION
from incident_ops.sla.states import Move


def automatic(incident: Incident, due: Move, policy: Policy) -> Step:
    """The edits of a due move, all of its due instant: a late run writes the same. UserError where it is not legal."""
    if due.state == REOPENED:
        return reopen(incident, policy, due.due, AUTOMATION, due.reason)
    moved = move(incident, policy, due.state, due.due, AUTOMATION, reason=due.reason)
    event = row(due.due, "status", f"{due.state.capitalize()}: {due.reason}", AUTOMATION)
    return Step((*moved, event), (f"{due.state} ({spelled(incident, policy, due.state)}): {due.reason}",))
