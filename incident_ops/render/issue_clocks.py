"""The clocks of one incident as its issue shows them: targets and instants, no countdown."""

from __future__ import annotations

from datetime import datetime

from incident_ops.lifecycle import FIXED
from incident_ops.model.incident import Incident
from incident_ops.model.policy import NEXT_BUSINESS_DAY, NEXT_RELEASE, Policy
from incident_ops.model.time import duration, spell_duration
from incident_ops.render.dates import spell_clock
from incident_ops.render.safe import inline
from incident_ops.render.sections import table
from incident_ops.sla.clock import (
    ACTION_ITEM,
    DIAGNOSIS,
    POSTMORTEM_FINAL,
    POSTMORTEM_MEETING,
    RESOLUTION,
    RESPONSE,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
    Clock,
    Risk,
    State,
)
from incident_ops.sla.clocks import clocks
from incident_ops.sla.targets import level_of, targets

_NAMES = {
    RESPONSE: "Response",
    DIAGNOSIS: "Diagnosis",
    RESOLUTION: "Resolution",
    UPDATE_INTERNAL: "Internal update",
    UPDATE_PUBLIC: "Public update",
    POSTMORTEM_MEETING: "Postmortem meeting",
    POSTMORTEM_FINAL: "Postmortem final",
}


def clock_table(incident: Incident, policy: Policy, now: datetime) -> str:
    """Name, target, due instant and state of each clock; "" where none runs. UserError as `sla.clocks.clocks`.

    Action items have a list of their own.
    """
    level = level_of(incident, policy)
    response, resolution = targets(incident, policy, level)
    wanted = {
        RESPONSE: _spell(response),
        RESOLUTION: _spell(resolution),
        DIAGNOSIS: _spell(level.diagnosis),
        UPDATE_INTERNAL: f"every {_spell(level.update.internal)}",
        UPDATE_PUBLIC: f"every {_spell(level.update.public)}{_most(level.update.public_max)}",
        POSTMORTEM_MEETING: _spell(level.postmortem.within),
        POSTMORTEM_FINAL: _spell(level.postmortem.final_within),
    }
    rows = [
        (_NAMES[one.clock], wanted[one.clock], _instant(one.due), _state(one, incident))
        for one in clocks(incident, policy, now)
        if one.clock != ACTION_ITEM
    ]
    return table(("Clock", "Target", "Due", "State"), rows) if rows else ""


def next_update(incident: Incident, policy: Policy, now: datetime) -> str | None:
    """When the next internal update is due, or was; None where no such clock runs. UserError likewise."""
    found = [one for one in clocks(incident, policy, now) if one.clock == UPDATE_INTERNAL and one.due is not None]
    if not found or found[0].state is not State.RUNNING:
        return None
    late = found[0].risk is Risk.BREACHED
    return f"**Next update {'was due' if late else 'due by'} {_instant(found[0].due)}**"


def _most(limit: str | None) -> str:
    """The outer limit of a range of updates, by which they are due (C11)."""
    return f", at most {_spell(limit)}" if limit else ""


def _spell(target: str | None) -> str:
    if target in (None, NEXT_BUSINESS_DAY, NEXT_RELEASE):
        return inline(str(target).replace("_", " "))
    return spell_duration(duration(str(target)))


def _instant(at: datetime | None) -> str:
    return "not known" if at is None else f"{spell_clock(at, dated=True)} UTC"


def _state(clock: Clock, incident: Incident) -> str:
    """met, missed, running, paused, overdue, cancelled, no due; what has ended says when."""
    was_incident = incident.outcome == FIXED and incident.duplicate_of is None
    if clock.state is State.CANCELLED and was_incident:
        return "ended, nobody knows when"
    late = clock.risk is Risk.BREACHED
    if clock.state in (State.MET, State.MISSED):
        word = "met" if clock.state is State.MET else "**missed**"
        return f"{word}, {_instant(clock.stopped_at)}"
    if clock.state is State.RUNNING:
        return "**overdue**" if late else "running"
    word = clock.state.value.replace("_", " ")
    return f"{word}, **overdue**" if late else word
