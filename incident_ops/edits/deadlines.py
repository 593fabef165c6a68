"""A report that is owed to others is made: who made it, when, and where it can be found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.deadlines import Duty, deadlines_of, duties_at, reports_due, start_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append
from incident_ops.domain.time import LATEST, spell_instant, spell_minute, stamp
from incident_ops.edits.step import Step, given_fields, quote, timeline_row
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean


def report_made(
    incident: Incident, policy: Policy, now: datetime, by: str | None, name: str, ref: str | None = None
) -> Step:
    """Writes down that the report of a deadline was made at `now`.

    UserError for a deadline that the policy does not have, one that is reported already, and a time before its start.
    """
    deadline = next((one for one in policy.deadlines if one.id == name), None)
    if deadline is None:
        raise UserError(f"the policy has no deadline {name!r}", hint=_hint(name, policy))
    made = next((one for one in incident.deadlines if one.id == name), None)
    if made is not None:
        message = f"{name} was reported at {spell_instant(made.done_at)} already"
        raise UserError(message, hint=f'incident-ops timeline "..." {incident.id} for what was sent since')
    start = start_of(deadline, incident, corrected_instants(incident), LATEST)
    if start is not None and now < start:
        message = f"{stamp(now)} is before {stamp(start)}, when the time of {name} began"
        raise UserError(message, hint="--at WHEN, or put the time right: `incident-ops correct`")
    entry = given_fields(id=name, done_at=stamp(now), by=by, ref=ref)
    to = f" to {deadline.to}" if deadline.to else ""
    event = timeline_row(now, "communication", f"Reported{to}: {name}", by, ref=ref)
    is_asked = any(one.id == name for one in deadlines_of(incident, policy))
    doubt = (
        () if is_asked else (f"by what the record says {incident.id} does not owe {name}; it is written all the same",)
    )
    said = f"{name} reported at {spell_minute(now)}{to}" + (f", {quote(ref)}" if ref else "")
    return Step((Append(("deadlines",), entry), event), (said,), doubt)


def reports_given_up(before: Incident, after: Incident, policy: Policy, now: datetime) -> list[Duty]:
    """The reports that an incident owes before an edit and no more after it."""
    policy = policy.for_incident(before)
    kept = {one.id for one in reports_due(after, policy)}
    dropped = {one.id for one in reports_due(before, policy)} - kept
    every = duties_at(before, policy, corrected_instants(before), now)
    return [one for one in every if one.deadline.id in dropped]


def give_up_reports(dropped: Sequence[Duty], now: datetime, by: str | None) -> Step:
    """Writes into the timeline that somebody decided that these reports are not owed."""
    names = ", ".join(one.deadline.id for one in dropped)
    return Step((timeline_row(now, "decision", f"Not owed: {names}", by),), (f"no longer owed: {names}",))


def _hint(name: str, policy: Policy) -> str:
    if policy.deadlines:
        return did_you_mean(name, [one.id for one in policy.deadlines])
    return "switch on what you owe in policy.yaml, e.g. `deadlines: [nis2]` (nis2, cra, gdpr, or your own)"
