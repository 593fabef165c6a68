"""Who is to be told at this run: notices against the ledger, and the pages that are to be taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.errors import UserError
from incident_ops.model.fence import each
from incident_ops.model.incident import Incident
from incident_ops.model.ledger import Ledger, Pair, pair, parse, serialise
from incident_ops.model.message import Message
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.service import Service
from incident_ops.notices import LATE_AFTER, Told, joined, notices, possible
from incident_ops.reconcile.changes import Verdict
from incident_ops.reconcile.delivery import HELD, PAGER_CHANNELS, Planned, follow_ups, messages, plan
from incident_ops.reconcile.telling import telling
from incident_ops.sla.called import taken
from incident_ops.sla.obligations import Obligation, Owed, SeenOf

OBSERVE = "the policy's mode is observe"


class Setting(NamedTuple):
    """What notices are made by: policy, services, and the instant (aware UTC) of the run."""

    policy: Policy
    services: Mapping[str, Service]
    now: datetime


class Wanted(NamedTuple):
    """Everything that may be sent: notices as messages, who cannot be reached, and the calls that stand no more."""

    told: Told
    why: Mapping[str, str]
    messages: tuple[Message, ...]
    over: tuple[tuple[str, tuple[Message, ...]], ...]

    def pairs(self) -> set[Pair]:
        """All that the ledger is asked about."""
        every = (*self.messages, *(one for _, of in self.over for one in of))
        found = {pair(one.key, one.channel) for one in every}
        return found | {pair(f"{one.key}#{mark}", one.channel) for mark, of in self.over for one in of}


def wanted(records: Sequence[Record], owed: Owed, setting: Setting, seen: SeenOf) -> Wanted:
    """Notices as if the mode were active: what `observe` holds is what would be sent otherwise."""
    policy = replace(setting.policy, mode="active")
    by_id = {record.incident.id: record for record in records}
    private = {name for name, one in by_id.items() if one.incident.visibility == "restricted"}
    of: dict[str, list[Obligation]] = {}
    for obligation in owed.obligations:
        of.setdefault(obligation.incident, []).append(obligation)

    def told_of(record: Record) -> tuple[Told, list[tuple[str, Message]]]:
        incident = record.incident
        due = of.get(incident.id, ())
        told = notices(due, {incident.id: incident}, policy, setting.services, setting.now)
        return told, list(_over(incident, setting._replace(policy=policy), seen, private))

    made = list(each(by_id.values(), told_of))
    told = joined(one for one, _ in made)
    create = policy.notify.incident_channel.create
    found = tuple(messages(told.notices, private, incident_channel=create))
    over: dict[str, list[Message]] = {}
    for _, calls in made:
        for mark, one in calls:
            over.setdefault(mark, []).append(one._replace(held=""))
    why = {one.key: one.reason for one in owed.obligations if setting.now - one.due <= LATE_AFTER}
    return Wanted(told, why, found, tuple((mark, tuple(stale)) for mark, stale in sorted(over.items())))


def lines_of(ledger: Ledger, pairs: set[Pair]) -> tuple[str, ...]:
    """The lines of a ledger that this run may need, as a snapshot keeps them."""
    found = {one: sending for one, sending in ledger.items() if one in pairs}
    return tuple(serialise(found).decode("ascii").splitlines())


def told_now(asked: Wanted, lines: Sequence[str] | None, setting: Setting) -> tuple[tuple[Planned, ...], Verdict]:
    """What is sent now, and the same as changes of a plan. `lines` None = the ledger could not be read."""
    ledger = None if lines is None else parse("".join(f"{line}\n" for line in lines).encode())
    every = list(asked.messages)
    if ledger is not None:
        every += [one for mark, of in asked.over for one in follow_ups(of, ledger, mark)]
    held = OBSERVE if setting.policy.mode == "observe" else ""
    planned = plan(every, ledger, setting.now)
    verdict = telling(asked.told, planned, asked.why, held)
    if held:
        planned = tuple(one._replace(action=HELD, why=held) if one.goes_out else one for one in planned)
    return planned, verdict


def _over(incident: Incident, setting: Setting, seen: SeenOf, private: set[str]) -> Iterator[tuple[str, Message]]:
    policy, services, now = setting
    try:
        for one, mark in taken(incident, policy, now, seen(incident)):
            for message in messages(possible(one, incident, policy, services, now), private):
                if message.channel in PAGER_CHANNELS:
                    yield mark, message
    except UserError:
        if policy.duties(incident.severity, incident.priority) is not None:
            raise
