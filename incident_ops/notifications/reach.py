"""Whom the notices of escalations reached: by the ledger, and by what a run did about its notices. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.incident import Escalation
from incident_ops.domain.notification import INTERNAL, Ledger, Pair, pair
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import Contacts
from incident_ops.notifications.deliver import GIVEN_UP, MAY_HAVE_ARRIVED, NOT_SENT, SENT_NOW, Delivered
from incident_ops.notifications.plan import RESEND, SEND, SENT, SUMMED, UNCONFIRMED, PlannedNotice
from incident_ops.sla.escalation_ladder import people_of_tier

_ARRIVED = frozenset({SENT, SENT_NOW})
_TRIED = _ARRIVED | {NOT_SENT, MAY_HAVE_ARRIVED, GIVEN_UP, RESEND, UNCONFIRMED}


class NoticeReach(NamedTuple):
    """What became of notices. `confirmed` are the digests of those that arrived, `tried` the keys of the obligations
    of which one was tried, `waiting` why none was, by the key of the obligation; `paged` are the channel and the route
    of each alert that an obligation opened, by its key."""

    confirmed: frozenset[str] = frozenset()
    tried: frozenset[str] = frozenset()
    waiting: Mapping[str, str] = {}
    paged: Mapping[str, frozenset[tuple[str, str]]] = {}

    def reached(self, key: str, people: Iterable[str], policy: Policy, at: datetime) -> frozenset[str]:
        """Those whom a notice of the escalation with this key reached, or the alert that it opened at their pager; `at`
        is when it was due."""
        return frozenset(
            one for one in people if self._is_notified(key, one, policy) or self._is_paged(key, one, policy, at)
        )

    def _is_notified(self, key: str, whom: str, policy: Policy) -> bool:
        return any(found.digest in self.confirmed for found in _pairs_of(key, whom, policy.contacts))

    def _is_paged(self, key: str, whom: str, policy: Policy, at: datetime) -> bool:
        """A key of a step's own rings its people alone."""
        handles = policy.contacts.handles(whom, at)
        for channel, route in self.paged.get(key, ()):
            own = [one.tier for one in policy.escalation.tiers if one.pager_key_env == route]
            of_step = {one for tier in own for one in people_of_tier(tier, policy, at)[0]}
            for handle in handles if not own else of_step.intersection(handles):
                person = policy.contacts.people.get(handle)
                if person is not None and channel in person.channels:
                    return True
        return False

    def why_not_tried(self, key: str) -> str | None:
        """Why no notice of this obligation was tried; None where one was, or where nobody can be sent one."""
        return None if key in self.tried else self.waiting.get(key)


def reach_of(
    planned: Iterable[PlannedNotice],
    ledger: Ledger,
    tried: Collection[str] = (),
    outcomes: Mapping[Pair, str] | None = None,
) -> NoticeReach:
    """What became of planned notices; `tried` are obligations that an earlier run is known to have tried.

    `outcomes` are those of this run, by pair: what it did not try waits. None = it has not sent them yet, and each is
    taken to arrive.
    """
    confirmed = {one.digest for one, sending in ledger.items() if sending.confirmed is not None}
    known, waiting, paged = set(tried), dict[str, str](), dict[str, frozenset[tuple[str, str]]]()
    for one in planned:
        key, outcome = one.message.obligation, _outcome(one, outcomes)
        if outcome in _ARRIVED:
            confirmed.add(one.pair.digest)
            if one.message.is_alert and key:
                paged[key] = paged.get(key, frozenset()) | {(one.message.channel, one.message.route)}
        if outcome in _TRIED:
            known.add(key)
        elif key:
            waiting.setdefault(key, one.why or outcome or "its notices were not sent in this run")
    return NoticeReach(frozenset(confirmed), frozenset(known), waiting, paged)


def outcomes_of(delivered: Iterable[Delivered], *, is_recorded: bool) -> dict[Pair, str]:
    """Pair -> outcome, a summary's for each notice that it stands for.

    Where the ledger does not know of all that was sent (`is_recorded` False), nothing is known to have arrived.
    """
    found: dict[Pair, str] = {}
    for one in delivered:
        outcome = MAY_HAVE_ARRIVED if one.outcome == SENT_NOW and not is_recorded else one.outcome
        found |= dict.fromkeys(one.planned.recorded_as, outcome)
    return found


def pairs_not_reached(escalations: Iterable[Escalation], contacts: Contacts) -> Iterator[Pair]:
    """What the ledger is asked about those who stand under `failed`."""
    for entry in escalations:
        for person in entry.failed:
            yield from _pairs_of(entry.key, person, contacts)


def _outcome(one: PlannedNotice, outcomes: Mapping[Pair, str] | None) -> str:
    if outcomes is not None:
        before = "" if one.action == SEND else one.action
        return outcomes.get(one.pair, before)
    return SENT_NOW if one.goes_out or one.action == SUMMED else one.action


def _pairs_of(key: str, whom: str, contacts: Contacts) -> Iterator[Pair]:
    for handle in contacts.names_behind(whom):
        person = contacts.people.get(handle)
        for channel in person.channels if person else ():
            yield pair(f"{key}/{handle}/{INTERNAL}", channel)
