"""What people did in the pager: the edits of their records that follow, and what is said of it. Pure.

An acknowledgement there is one of the record, and so is a resolution: an incident ends in its record alone. Only what a
person did counts, since the incident was declared or last reopened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Event, Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT
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

_SAID = {ACKNOWLEDGED: "Acknowledged in PagerDuty", RESOLVED_EVENT: "Acknowledged: resolved in PagerDuty"}
_BY = re.compile(r" by (?:(?P<name>.+) \((?P<user>\S+)\)|user (?P<only>\S+))")


class PagerSide(NamedTuple):
    """What the pager and the ledger say of an incident's alert; `opened` None = the ledger knows of none."""

    seen: SeenAlert
    opened: Opened | None = None

    def is_lost(self, now: datetime) -> bool:
        """True where the pager does not know what was sent to it, and nobody acknowledged it before."""
        return self.opened is not None and not self.seen.acts and self.opened.is_lost(self.seen, now)


def paged_edits(record: Record, side: PagerSide, policy: Policy, now: datetime) -> KeyDecision:
    """What follows for one record: the edit of an acknowledgement, or why there is none; and what the pager lost."""
    incident, policy = record.incident, policy.for_incident(record.incident)
    if record.pending or incident.state in OVER:
        return KeyDecision()
    if side.opened is not None and side.is_lost(now):
        return KeyDecision(kept=(_kept(incident, _lost(incident.id, side.opened)),))
    acts = [*evaluate_one(record, lambda found: _acts_of(found.incident, side.seen, now))]
    if not acts:
        return KeyDecision()
    is_over = side.seen.status == RESOLVED_EVENT and acts[-1].event == RESOLVED_EVENT
    said, reason = _still_open(incident, acts[-1], policy) if is_over else "", _reason(acts[0], policy)
    try:
        step = evaluate_one(record, lambda found: _acknowledged(found.incident, policy, acts[0]))
    except UserError as error:
        return KeyDecision(kept=(_kept(incident, f"{reason}, but {error}", said),))
    if not step.edits:
        return KeyDecision(kept=(_kept(incident, _reason(acts[-1], policy), said),) if is_over else ())
    number = incident.links.tracking_issue
    change = PlannedChange(EDIT, PAGER, incident.id, number, reason, path=record.path, edits=step.edits)
    return KeyDecision((change._replace(topic=PEOPLE, at=acts[0].at, said=said),))


def pager_sentences(decision: KeyDecision) -> Iterator[str]:
    """The same for people, a sentence each."""
    for change in decision.changes:
        way = "`incident-ops apply --tracker github` proposes it"
        yield f"{change.key}: {change.reason}; not in the record yet ({way})"
    yield from (f"{kept.key}: {kept.reason}" for kept in decision.kept)


def lost_alerts(sides: Mapping[str, PagerSide], now: datetime) -> frozenset[str]:
    """The incidents whose alert the pager lost."""
    return frozenset(name for name, side in sides.items() if side.is_lost(now))


def alert_read_before(incident: Incident, policy: Policy) -> SeenAlert | None:
    """What an earlier run read of the pager, by the timeline of the record that it proposed; None where it did not.

    So what was seen once stays, while the pager is down, or nobody has it there any more.
    """
    own = policy.for_incident(incident)
    acts = [act for entry in incident.timeline if (act := _act_of(entry, own)) is not None]
    return SeenAlert(acts[-1].event, acts[-1].at, tuple(acts)) if acts else None


def _act_of(entry: Event, policy: Policy) -> PagerAct | None:
    for event, said in _SAID.items():
        by = _BY.fullmatch(entry.event.removeprefix(said))
        contact = policy.contacts.people.get(entry.by or "")
        if entry.event == said and contact is not None and contact.pagerduty:
            return PagerAct(event, contact.pagerduty, "", entry.at)
        if entry.event.startswith(said) and by is not None and entry.by is None:
            return PagerAct(event, by["user"] or by["only"], by["name"] or "", entry.at)
    return None


def joined_alert(seen: SeenAlert, before: SeenAlert | None) -> SeenAlert:
    """What the pager shows now, with what an earlier run read of it."""
    known = {(act.event, act.user, act.at): act for act in (*(before.acts if before else ()), *seen.acts)}
    return replace(seen, acts=tuple(sorted(known.values(), key=lambda act: (act.at, act.event, act.user))))


def _acts_of(incident: Incident, seen: SeenAlert, now: datetime) -> tuple[PagerAct, ...]:
    since = as_of(incident, now).cycle_start
    return tuple(act for act in seen.acts if since <= parse_instant(act.at) <= now)


def _acknowledged(incident: Incident, policy: Policy, act: PagerAct) -> Step:
    handle = policy.contacts.known_by_pager(act.user)
    what = _SAID[act.event]
    said = what if handle else f"{what} by {_user(act)}"
    return acknowledge(incident, policy, parse_instant(act.at), handle, said)


def _reason(act: PagerAct, policy: Policy) -> str:
    still = "; the record is still open" if act.event == RESOLVED_EVENT else ""
    return f"{_who(act, policy)} {act.event} its alert in PagerDuty at {spell_instant(act.at)}{still}"


def _still_open(incident: Incident, act: PagerAct, policy: Policy) -> str:
    way = f"An incident ends in its record: `incident-ops resolve {incident.id}`."
    done = f"{_who(act, policy)} resolved the alert in PagerDuty ({spell_instant(act.at)})"
    return f"{done}, but the record is still open. {way}"


def _lost(name: str, opened: Opened) -> str:
    sent = f"PagerDuty does not know the alert of {name}, sent at {spell_instant(stamp(opened.confirmed))}"
    if opened.again is None:
        return f"{sent}; it is sent again"
    again = f"{sent} and again at {spell_instant(stamp(opened.again))}"
    return f"{again}: check its routing key, and what PAGERDUTY_API_TOKEN may see"


def _who(act: PagerAct, policy: Policy) -> str:
    return policy.contacts.known_by_pager(act.user) or _user(act)


def _user(act: PagerAct) -> str:
    return f"{act.name} ({act.user})" if act.name else f"user {act.user}"


def _kept(incident: Incident, reason: str, said: str = "") -> Kept:
    return Kept(incident.id, PAGER, incident.links.tracking_issue, reason, said)
