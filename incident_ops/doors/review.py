"""Somebody judges afterwards whether an escalation was right (R205). Nothing else of it may change."""

from __future__ import annotations

from incident_ops.doors.step import Step, quote
from incident_ops.errors import UserError
from incident_ops.model.edit import Set
from incident_ops.model.incident import Escalation, Incident
from incident_ops.model.time import UNKNOWN

JUDGEMENTS: dict[str, bool | str] = {"yes": True, "no": False, UNKNOWN: UNKNOWN}


def review(incident: Incident, number: int | None, judgement: str) -> Step:
    """Sets `appropriate` of an escalation, counted from 1; without a number, of the only one not judged yet.

    `judgement` is a key of JUDGEMENTS. UserError where it is not clear which escalation is meant.
    """
    index = _meant(incident, number)
    entry, value = incident.escalations[index], JUDGEMENTS[judgement]
    if entry.appropriate == value and type(entry.appropriate) is type(value):
        return Step((), (f"escalation {index + 1} is judged {judgement} already; nothing changed",))
    told = f"escalation {index + 1} ({_spelled(entry)}): appropriate {judgement}"
    return Step((Set(("escalations", index, "appropriate"), value),), (told,))


def _meant(incident: Incident, number: int | None) -> int:
    entries = incident.escalations
    if not entries:
        raise UserError(f"{incident.id} has no escalations", hint="there is nothing to review")
    if number is not None:
        if not 1 <= number <= len(entries):
            hint = f"they are counted from 1; there are {len(entries)}"
            raise UserError(f"{incident.id} has no escalation {number}", hint=hint)
        return number - 1
    waiting = [index for index, one in enumerate(entries) if one.appropriate in (None, UNKNOWN)]
    if len(waiting) != 1:
        listed = "; ".join(f"{index + 1}: {_spelled(one)}" for index, one in enumerate(entries))
        told = "several are not judged yet" if waiting else "every one is judged already"
        raise UserError(f"{incident.id}: {told}", hint=f"--number N: {listed}")
    return waiting[0]


def _spelled(entry: Escalation) -> str:
    return quote(f"{entry.rule} at {entry.at}: {entry.reason}")
