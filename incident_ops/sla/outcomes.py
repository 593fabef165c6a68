"""Which clocks count for compliance, and why the others do not (R204)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from incident_ops.lifecycle import FIXED
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.sla.clock import AFTERWARDS, UPDATE_INTERNAL, UPDATE_PUBLIC, Clock, Risk, State
from incident_ops.sla.clocks import clocks
from incident_ops.sla.facts import declared, facts, is_retroactive
from incident_ops.sla.slots import Slots, slots

DRILL, RETROACTIVE, RETARGET, DROPPED = "drill", "retroactive", "breached_by_retarget", "dropped"
DUPLICATE, UNKNOWN_END, RUNNING, NO_DUE = "duplicate", "unknown_instant", "running", "no_due"
NOTHING = Slots()


class Outcome(NamedTuple):
    """One clock for the statistics: `excluded` says why it does not count, "" where it does; then `late` decides.

    `declared` is aware UTC. `slots` are those of an update clock, whose missed ones make it late.
    """

    clock: Clock
    declared: datetime
    services: tuple[str, ...]
    excluded: str
    late: bool
    slots: Slots = NOTHING


def outcomes(incident: Incident, policy: Policy, now: datetime) -> list[Outcome]:
    """The clocks of an incident that was declared at `now` (aware UTC) or before. UserError as `sla.clocks.clocks`.

    A running clock counts from its due instant on, as missed: what is late will not be in time any more.
    """
    given = facts(incident, now)
    begin, afterwards = declared(given), is_retroactive(given)
    statuses = {item.id: item.status for item in incident.action_items}
    found = []
    for clock in clocks(incident, policy, now):
        excluded = out_of_metrics(incident) or _alone(clock, afterwards, statuses.get(clock.item or ""))
        is_slots = clock.clock in (UPDATE_INTERNAL, UPDATE_PUBLIC) and excluded in ("", RUNNING)
        passed = slots(clock, given, policy) if is_slots else NOTHING
        if passed.missed:
            excluded = ""
        late = is_late(clock) or passed.missed > 0
        found.append(Outcome(clock, begin, tuple(dict.fromkeys(incident.services)), excluded, late, passed))
    return found


def is_late(clock: Clock) -> bool:
    """True from the due instant on, whether it still runs or not."""
    return clock.risk is Risk.BREACHED


def out_of_metrics(incident: Incident) -> str:
    """Why nothing of an incident counts: a drill, a duplicate, its outcome; "" where it does."""
    if incident.drill:
        return DRILL
    if incident.duplicate_of is not None:
        return DUPLICATE
    return "" if incident.outcome == FIXED else incident.outcome


def _alone(clock: Clock, afterwards: bool, status: str | None) -> str:
    """Why one clock of an incident that counts does not."""
    if afterwards and clock.clock not in AFTERWARDS:
        return RETROACTIVE
    if clock.state is State.CANCELLED:
        return DROPPED if status == "wont_do" else UNKNOWN_END
    if clock.breached_by_retarget and is_late(clock):
        return RETARGET
    if clock.state is State.NO_DUE:
        return NO_DUE
    return "" if clock.state in (State.MET, State.MISSED) or is_late(clock) else RUNNING
