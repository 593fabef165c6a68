"""A night: a record that grows, runs of the automation over it, and what reached whom.

All that decides and sends is the product's own, from obligations to deliveries; only the ledger is in memory and the
channels without state write into a list. Pagers are the real notifier in front of a server of this machine, or the
same state in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from incident_ops.adapters.notifiers import pagers
from incident_ops.app.due import due_notices, due_obligations, ledger_lines, plan_notices
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import Ledger, Message, Pair, claim, confirm
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.ports import Notifier, SharedLedger
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import stamp
from incident_ops.notifications.deliver import Delivered, deliver
from incident_ops.notifications.plan import PlannedNotice
from incident_ops.sla.activity import NOTHING_SEEN
from incident_ops.sla.obligations import Obligation


class Told(NamedTuple):
    """A message that a channel took."""

    at: datetime
    message: Message


class _List:
    def __init__(self, night: Night) -> None:
        self.night = night

    def send(self, message: Message) -> None:
        self.night.told.append(Told(self.night.now, message))


class _Ledger:
    def __init__(self) -> None:
        self.lines: Ledger = {}

    def read(self) -> Ledger:
        return self.lines

    def claim(self, pairs: Collection[Pair], now: datetime, after: Any = None) -> frozenset[Pair]:
        self.lines, ours = claim(self.lines, pairs, now, after)
        return ours

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        self.lines = confirm(self.lines, pairs, now)


@dataclass
class Night:
    """`data` is the record as it is written now; `told` everything that was taken; `unreachable` who could not be;
    `also_fine` outcomes of a run beside "sent now"."""

    policy: Policy
    services: Mapping[str, Service]
    data: dict[str, Any]
    pager_of: Callable[[str], Notifier] | None = None
    told: list[Told] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    unreachable: set[tuple[str, str]] = field(default_factory=set)
    planned: tuple[PlannedNotice, ...] = ()
    delivered: tuple[Delivered, ...] = ()
    now: datetime = datetime.min
    also_fine: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.ledger: SharedLedger = _Ledger()
        self.lists = _List(self)

    def write(self, at: datetime, *, state: str | None = None, **fields: Any) -> None:
        """Somebody writes into the record: a state with its change, instants of `times`, entries added to lists, or
        fields replaced."""
        if state is not None:
            entry = {"at": stamp(at), "field": "state", "from": self.data["state"], "to": state, "by": "@ann"}
            self.data.setdefault("changes", []).append(entry)
            self.data["state"] = state
        for name, value in fields.items():
            if name == "times":
                self.data["times"] |= value
            elif isinstance(value, list):
                self.data.setdefault(name, []).extend(value)
            else:
                self.data[name] = value

    def acknowledge(self, at: datetime, who: str = "@ann") -> None:
        self.write(
            at, state="in_progress", times={"acknowledged": stamp(at)}, assignments=[{"at": stamp(at), "to": who}]
        )

    def resolve(self, at: datetime) -> None:
        self.write(at, state="resolved", times={"restored": stamp(at), "resolved": stamp(at)})

    def update(self, at: datetime, audience: str = "internal") -> None:
        entry = {"at": stamp(at), "audience": audience, "status": "investigating", "text": "we look into it"}
        self.write(at, updates=[entry])

    @property
    def incident(self) -> Incident:
        return msgspec.convert(self.data, Incident)

    def run(self, now: datetime) -> list[Message]:
        """One run of the automation -> what was sent."""
        self.now = now
        record = self.record
        world = World(self.policy, self.services, now)
        due = due_obligations([record], self.policy, now, lambda _: NOTHING_SEEN, {})
        wanted = due_notices([record], due, world, lambda _: NOTHING_SEEN)
        known = self.ledger.read()
        planned, _ = plan_notices(wanted, ledger_lines(known, wanted.pairs_in(known)), world)
        self.held = {one.message.key: one.why for one in planned if one.action == "held"}
        self.unreachable |= {(one.whom, one.why) for one in wanted.notices.unreachable}
        before, self.planned = len(self.told), planned
        sent, error = deliver(planned, self.ledger, self._notifier, lambda: now)
        assert error is None
        assert {one.outcome for one in sent if one.planned.goes_out} <= {"sent now", *self.also_fine}, sent
        self.delivered = sent
        return [one.message for one in self.told[before:]]

    @property
    def record(self) -> Record:
        return Record("incidents/INC-1/incident.yaml", self.incident, self.data)

    def standing(self, now: datetime) -> tuple[Obligation, ...]:
        """What is due now."""
        record = self.record
        return due_obligations([record], self.policy, now, lambda _: NOTHING_SEEN, {}).obligations

    def runs(self, times: Iterable[datetime]) -> None:
        for at in times:
            self.run(at)

    def _notifier(self, channel: str) -> Notifier:
        if channel in pagers() and self.pager_of is not None:
            return _Both(self.pager_of(channel), self.lists)
        return self.lists


class _Both:
    """The pager, and the list of all that was sent."""

    def __init__(self, pager: Notifier, lists: Notifier) -> None:
        self.pager, self.lists = pager, lists

    def send(self, message: Message) -> None:
        self.pager.send(message)
        self.lists.send(message)
