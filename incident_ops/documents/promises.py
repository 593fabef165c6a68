"""When the next update is promised, and how often updates come: what the clock and the policy say, nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident, Update
from incident_ops.domain.policy import Policy
from incident_ops.domain.public_updates import PUBLIC
from incident_ops.domain.time import duration, spell_duration
from incident_ops.sla.clocks import UPDATE_INTERNAL, UPDATE_PUBLIC, ClockState, clocks
from incident_ops.sla.update_slots import cadence_target


class Promise(NamedTuple):
    """`due`: when the next update is due by its clock, aware UTC; `every` the policy's cadence in words
    (`15 to 30 minutes`), "" where the clock does not run around the clock."""

    due: datetime
    every: str


def promise_of(
    incident: Incident, policy: Policy, now: datetime, audience: str, update: Update | None
) -> Promise | None:
    """The promise in a text that is sent now as `update` (None = nothing is sent); None where no update is due.

    UserError as `clocks`.
    """
    policy = policy.for_incident(incident)
    after = incident if update is None else replace(incident, updates=[*incident.updates, update])
    name = UPDATE_PUBLIC if audience == PUBLIC else UPDATE_INTERNAL
    running = (
        one for one in clocks(as_of(after, now), policy) if one.clock == name and one.state is ClockState.RUNNING
    )
    due = next((one.due for one in running), None)
    if due is None or due <= now:
        return None
    return Promise(due, _every(incident, policy, due - now, audience) if update else "")


def _every(incident: Incident, policy: Policy, wait: timedelta, audience: str) -> str:
    level = policy.duties(incident.severity, incident.priority)
    longest = cadence_target(level.update, audience) if level else None
    if level is None or longest is None or wait.total_seconds() != duration(longest):
        return ""
    shortest = (level.update.public if audience == PUBLIC else None) or longest
    last = spell_duration(duration(longest), in_words=True)
    if duration(shortest) == duration(longest):
        return last.removeprefix("1 ") if last.count(" ") == 1 else last
    first = spell_duration(duration(shortest), in_words=True)
    is_same_unit = first.partition(" ")[2] == last.partition(" ")[2]
    return f"{first.partition(' ')[0] if is_same_unit else first} to {last}"
