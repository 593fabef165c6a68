"""What people did in the pager: the edits of their records that follow, and what is said of it. Pure.

An acknowledgement there is one of the record, and so is a resolution: an incident ends in its record alone. Only what a
person did counts, since the incident was declared or last reopened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.notification import RESOLVED_EVENT
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import parse_instant, spell_instant, stamp
from incident_ops.domain.tracker import PagerAct, SeenAlert
from incident_ops.edits.respond import acknowledge
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.notifications.opened import Opened
from incident_ops.reconcile.changes import EDIT, PEOPLE, Kept, KeyDecision, PlannedChange

PAGER = "pager"
"""The kind of what follows from the pager."""


class PagerSide(NamedTuple):
    """What the ledger and the pager say of an incident's alert; `seen` None = it was not asked about."""

    opened: Opened
    seen: SeenAlert | None


def paged_edits(record: Record, side: PagerSide, policy: Policy, now: datetime) -> KeyDecision:
    """What follows for one record: the edit of an acknowledgement, or why there is none; and what the pager lost."""
    incident = record.incident
    if record.pending or incident.state in OVER:
        return KeyDecision()
    if side.opened.is_lost(side.seen, now):
        return KeyDecision(kept=(_kept(incident, _lost(incident.id, side.opened)),))
    acts = [*evaluate_one(record, lambda found: _acts_of(found.incident, side.seen, now))]
    if not acts:
        return KeyDecision()
    is_over = side.seen is not None and side.seen.status == RESOLVED_EVENT
    last = acts[-1] if is_over and acts[-1].event == RESOLVED_EVENT else None
    said = _still_open(incident, last, policy) if last else ""
    first, reason = acts[0], _reason(acts[0], policy)
    if not side.opened.is_unanswered:
        return KeyDecision(kept=(_kept(incident, _reason(last, policy), said),) if last else ())
    try:
        step = evaluate_one(record, lambda found: _acknowledged(found.incident, policy, first))
    except UserError as error:
        return KeyDecision(kept=(_kept(incident, f"{reason}, but {error}", said),))
    if not step.edits:
        return KeyDecision(kept=(_kept(incident, _reason(last, policy), said),) if last else ())
    number = incident.links.tracking_issue
    change = PlannedChange(EDIT, PAGER, incident.id, number, reason, path=record.path, edits=step.edits)
    return KeyDecision((change._replace(topic=PEOPLE, at=first.at, said=said),))


def pager_sentences(decision: KeyDecision) -> Iterator[str]:
    """The same for people, a sentence each."""
    for change in decision.changes:
        yield f"{change.key}: {change.reason}; the record does not say so yet (`incident-ops plan --tracker github`)"
    yield from (f"{kept.key}: {kept.reason}" for kept in decision.kept)


def lost_alerts(sides: Mapping[str, PagerSide], now: datetime) -> frozenset[str]:
    """The incidents whose alert the pager lost."""
    return frozenset(name for name, side in sides.items() if side.opened.is_lost(side.seen, now))


def _acts_of(incident: Incident, seen: SeenAlert | None, now: datetime) -> tuple[PagerAct, ...]:
    since = as_of(incident, now).cycle_start
    return tuple(act for act in seen.acts if since <= parse_instant(act.at) <= now) if seen else ()


def _acknowledged(incident: Incident, policy: Policy, act: PagerAct) -> Step:
    handle = policy.contacts.known_by_pager(act.user)
    what = "Acknowledged: resolved in PagerDuty" if act.event == RESOLVED_EVENT else "Acknowledged in PagerDuty"
    said = what if handle else f"{what} by {_user(act)}"
    return acknowledge(incident, policy, parse_instant(act.at), handle, said)


def _reason(act: PagerAct, policy: Policy) -> str:
    still = "; the record is still open" if act.event == RESOLVED_EVENT else ""
    return f"{_who(act, policy)} {act.event} its alert in PagerDuty at {act.at}{still}"


def _still_open(incident: Incident, act: PagerAct, policy: Policy) -> str:
    way = f"An incident ends in its record: `incident-ops resolve {incident.id}`."
    done = f"{_who(act, policy)} resolved the alert in PagerDuty ({spell_instant(act.at)})"
    return f"{done}, the record is still open. {way}"


def _lost(name: str, opened: Opened) -> str:
    sent = f"PagerDuty does not know the alert of {name}, sent at {stamp(opened.confirmed)}"
    if opened.again is None:
        return f"{sent}; it is sent again"
    return f"{sent} and again at {stamp(opened.again)}: check its routing key, and what PAGERDUTY_API_TOKEN may see"


def _who(act: PagerAct, policy: Policy) -> str:
    return policy.contacts.known_by_pager(act.user) or _user(act)


def _user(act: PagerAct) -> str:
    return f"{act.name} ({act.user})" if act.name else f"user {act.user}"


def _kept(incident: Incident, reason: str, said: str = "") -> Kept:
    return Kept(incident.id, PAGER, incident.links.tracking_issue, reason, said)
