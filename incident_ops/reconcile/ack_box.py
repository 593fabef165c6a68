"""The box "I have it" in the text of an incident's issue: who ticks it acknowledges. Pure.

It is read like any other box: the history of the text tells who ticked it, and when. Each cycle has a box of its own,
so that an old tick answers for nothing that came later.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.issue_places import spell_issue
from incident_ops.domain.lifecycle import UNTAKEN
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import parse_instant, spell_instant
from incident_ops.domain.tracker import Act
from incident_ops.edits.respond import acknowledge
from incident_ops.errors import UserError
from incident_ops.reconcile.changes import EDIT, PEOPLE, Kept, KeyDecision, PlannedChange

BOX = "the box `I have it`"
"""The kind of what follows from it, and what it is called."""
_KIND = "incident"


class Ticked(NamedTuple):
    """A ticked box: on which issue, by what act (None = nothing tells), why that counts for nothing, "" where it does,
    and what a record calls whoever ticked it, None where it takes no such name."""

    issue: int
    act: Act | None
    why_not: str = ""
    handle: str | None = None


def ack_box(incident: Incident) -> str:
    """The key of the box in the present cycle."""
    return f"ack.{len(incident.cycles) + 1}"


def asked_ack_box(incident: Incident) -> frozenset[str]:
    """The key of the box, where ticking it would acknowledge the incident."""
    return frozenset({ack_box(incident)} if incident.state in UNTAKEN else ())


def ticked_edits(record: Record, box: Ticked, policy: Policy, now: datetime) -> KeyDecision:
    """The edit that acknowledges the incident, or why there is none."""
    incident, act = record.incident, box.act
    way = f"`incident-ops ack {incident.id}` acknowledges it."
    if act is None or act.at is None:
        reason = f"{BOX} is ticked, and nothing tells by whom"
        return _kept(incident, box, reason, f"{reason[0].upper()}{reason[1:]}. Untick it and tick it anew, or {way}")
    who = f"@{act.by}" if act.by else "a person"
    if box.why_not:
        reason = f"{who} ticked {BOX}, {box.why_not}"
        return _kept(incident, box, reason, f"{reason}. {way}")
    if not as_of(incident, now).cycle_start <= parse_instant(act.at) <= now:
        return KeyDecision()
    reason = f"{who} ticked {BOX} at {spell_instant(act.at)}"
    said = f"Acknowledged on the issue ({spell_issue(box.issue)})"
    said += f" by {act.by}" if act.by and box.handle is None else ""
    try:
        step = evaluate_one(
            record, lambda one: acknowledge(one.incident, policy, parse_instant(str(act.at)), box.handle, said)
        )
    except UserError as error:
        return _kept(incident, box, f"{reason}, but {error}", "")
    change = PlannedChange(EDIT, _KIND, incident.id, box.issue, reason, path=record.path, edits=step.edits)
    return KeyDecision((change._replace(topic=PEOPLE, at=act.at),) if step.edits else ())


def _kept(incident: Incident, box: Ticked, reason: str, said: str) -> KeyDecision:
    return KeyDecision(kept=(Kept(incident.id, _KIND, box.issue, reason, said),))
