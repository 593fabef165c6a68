"""Which notices this run sends: those that are due, compared with the ledger, and the pages that end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.adapters.notifiers import pagers
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import Ledger, Message, Pair, pair, parse_ledger, serialise
from incident_ops.domain.record import Record, World
from incident_ops.errors import UserError
from incident_ops.notifications.plan import HELD, PlannedNotice, follow_ups, plan_deliveries
from incident_ops.notifications.recipients import LATE_AFTER, Notices, merge_notices, notices, possible_notices
from incident_ops.reconcile.changes import KeyDecision
from incident_ops.reconcile.plan import notice_changes
from incident_ops.sla.obligations import DueObligations, Obligation, SeenOf
from incident_ops.sla.pages import ended_pages

OBSERVE = "the policy's mode is observe"


class DueNotices(NamedTuple):
    """Every notice that may be sent.

    `messages` are the notices, one for each channel; `reasons` says by obligation why it is due, where somebody is
    still to hear of it; `ended_pages` are the pages that a mark (acknowledged, resolved) ends.
    """

    notices: Notices
    reasons: Mapping[str, str]
    messages: tuple[Message, ...]
    ended_pages: tuple[tuple[str, tuple[Message, ...]], ...]

    def pairs(self) -> set[Pair]:
        """Everything that the ledger is asked about."""
        pages = [(mark, page) for mark, ended in self.ended_pages for page in ended]
        found = {pair(message.key, message.channel) for message in (*self.messages, *(page for _, page in pages))}
        return found | {pair(f"{page.key}#{mark}", page.channel) for mark, page in pages}


def due_notices(records: Sequence[Record], due: DueObligations, world: World, seen: SeenOf) -> DueNotices:
    """Notices as if the policy's mode were active: in `observe` they are planned, and held back later."""
    world = world._replace(policy=replace(world.policy, mode="active"))
    by_id = {record.incident.id: record for record in records}
    by_incident: dict[str, list[Obligation]] = {}
    for obligation in due.obligations:
        by_incident.setdefault(obligation.incident, []).append(obligation)

    def notices_of(record: Record) -> tuple[Notices, list[tuple[str, Message]]]:
        incident = record.incident
        obligations = by_incident.get(incident.id, ())
        found = notices(obligations, {incident.id: incident}, world.policy, world.services, world.now)
        return found, list(_ended_pages(incident, world, seen))

    parts = list(evaluate_each(by_id.values(), notices_of))
    every = merge_notices(found for found, _ in parts)
    ended: dict[str, list[Message]] = {}
    for _, pages in parts:
        for mark, page in pages:
            ended.setdefault(mark, []).append(page._replace(held=""))
    return DueNotices(
        notices=every,
        reasons={one.key: one.reason for one in due.obligations if world.now - one.due <= LATE_AFTER},
        messages=every.deliverable,
        ended_pages=tuple((mark, tuple(pages)) for mark, pages in sorted(ended.items())),
    )


def ledger_lines(ledger: Ledger, pairs: set[Pair]) -> tuple[str, ...]:
    """The lines of a ledger that this run may need, as a snapshot keeps them."""
    found = {one: sending for one, sending in ledger.items() if one in pairs}
    return tuple(serialise(found).decode("ascii").splitlines())


def plan_notices(
    due: DueNotices, lines: Sequence[str] | None, world: World
) -> tuple[tuple[PlannedNotice, ...], KeyDecision]:
    """What this run does about each notice, and the same as changes of a plan.

    `lines` are those of the ledger; None = it could not be read.
    """
    ledger = None if lines is None else parse_ledger("".join(f"{line}\n" for line in lines).encode())
    every = list(due.messages)
    if ledger is not None:
        every += [message for mark, pages in due.ended_pages for message in follow_ups(pages, ledger, mark, pagers())]
    held = OBSERVE if world.policy.mode == "observe" else ""
    planned = plan_deliveries(every, ledger, world.now)
    decision = notice_changes(due.notices, planned, due.reasons, held)
    if held:
        planned = tuple(one._replace(action=HELD, why=held) if one.goes_out else one for one in planned)
    return planned, decision


def _ended_pages(incident: Incident, world: World, seen: SeenOf) -> Iterator[tuple[str, Message]]:
    """The pages of an incident that are answered or over, each with the mark that ends it."""
    policy, services, now = world
    try:
        for obligation, mark in ended_pages(as_of(incident, now), policy, seen(incident)):
            for message in possible_notices(obligation, incident, policy, services, now):
                if message.channel in pagers():
                    yield mark, message
    except UserError:
        if policy.duties(incident.severity, incident.priority) is not None:
            raise
