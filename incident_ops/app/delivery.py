"""What of the notices that are due has been delivered, by the ledger as far as it is known here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.adapters.git_branches import KnownLedger, LedgerRef, fetched_ledger
from incident_ops.app.due import due_notices, kept_ledger
from incident_ops.app.notify import LEDGER_SECONDS, local_ledger
from incident_ops.app.workspace import Workspace, need_remote
from incident_ops.domain.notification import Ledger, Message, giving_up, pair
from incident_ops.domain.record import Record, World
from incident_ops.domain.run_reports import RunReports
from incident_ops.domain.time import SKEW, instant, parse_instant
from incident_ops.domain.tracker import GITHUB, Snapshot
from incident_ops.errors import IncidentOpsError
from incident_ops.notifications.notice_text import spell_instants
from incident_ops.notifications.recipients import TEAM, notices
from incident_ops.sla.delivery import Delivery, WhomDue
from incident_ops.sla.obligations import DueObligations, Obligation, SeenOf, blind_seconds


class LedgerView(NamedTuple):
    """What is known of the ledgers: the remote's (None: nothing), what this clone recorded and did not send, and why
    the remote's could not be read."""

    shared: KnownLedger | None
    recorded: Ledger
    error: IncidentOpsError | None = None


def look_at_ledger(workspace: Workspace, source: str, snapshot: Snapshot | None) -> LedgerView:
    """The ledger of a saved snapshot; else on GitHub the remote's, asked now; else as the clone last fetched it, with
    what it recorded itself. What was written after `now` is not known yet."""
    if snapshot is not None:
        lines = snapshot.ledger
        return LedgerView(None if lines is None else KnownLedger(kept_ledger(lines), RunReports()), {})
    if workspace.git is None:
        return LedgerView(None, {})
    try:
        if source == GITHUB:
            return _until(LedgerView(LedgerRef(need_remote(workspace.git, LEDGER_SECONDS)).known(), {}), workspace.now)
        return _until(LedgerView(fetched_ledger(workspace.git), local_ledger(workspace).read()), workspace.now)
    except IncidentOpsError as error:
        return LedgerView(None, {}, error)


def delivery_of(
    workspace: Workspace, records: Sequence[Record], due: DueObligations, seen: SeenOf, view: LedgerView
) -> Delivery:
    """What is due, less what the ledger confirms to have been sent and what this clone recorded instead of sending."""
    shared = view.shared
    complete = instant(shared.reports.complete) if shared else None
    blind = blind_seconds(complete, workspace.now)
    made = Delivery(due.obligations, due.lag_seconds, ledger_at=shared.at if shared else None, blind_seconds=blind)
    made = made._replace(problem=str(view.error) if view.error else "")
    known: Ledger = {**view.recorded, **(shared.ledger if shared else {})}
    if not known:
        return made
    messages: dict[str, list[Message]] = {}
    for message in due_notices(records, due, World(*workspace.judged_by, workspace.now), seen).messages:
        if message.channel:
            messages.setdefault(message.obligation, []).append(message)
    sent = {one.key for one in due.obligations if _is_sent(messages.get(one.key, ()), known)}
    only_here = view.recorded.keys() - (shared.ledger.keys() if shared else set())
    by_us = {key for key in sent if all(pair(one.key, one.channel) in only_here for one in messages[key])}
    left = tuple(one for one in due.obligations if one.key not in sent)
    late = [one for one in left if not messages.get(one.key) or any(not found.held for found in messages[one.key])]
    asked = [pair(one.key, one.channel) for found in messages.values() for one in found]
    return made._replace(
        obligations=left,
        lag_seconds=due._replace(obligations=tuple(late)).lag_seconds,
        delivered=len(sent - by_us),
        recorded=len(sent & by_us),
        unconfirmed=tuple(_unconfirmed(messages, known)),
        without_report=len(shared.reports.without_report(shared.ledger, asked)) if shared else 0,
    )


def whom_due(records: Sequence[Record], due: Sequence[Obligation], world: World) -> dict[str, WhomDue]:
    """For whom what is due is, by key, as the policy says now."""
    by_id = {record.incident.id: record.incident for record in records}
    found = notices(due, by_id, world.policy, world.services, world.now)
    made: dict[str, list[Message]] = {one.key: [] for one in due}
    for message in found.deliverable:
        made[message.obligation].append(message)
    return {key: _whom(messages, world.now) for key, messages in made.items()}


def _whom(messages: Sequence[Message], now: datetime) -> WhomDue:
    names = dict.fromkeys("the team" if one.recipient == TEAM else one.recipient for one in messages)
    reasons = {one.held for one in messages}
    held = spell_instants(reasons.pop(), now) if len(reasons) == 1 else ""
    return WhomDue(tuple(names), held)


def _is_sent(messages: Sequence[Message], known: Ledger) -> bool:
    """True where each notice of an obligation is confirmed; without any, nobody was notified."""
    found = [known.get(pair(one.key, one.channel)) for one in messages]
    return bool(found) and all(one is not None and one.confirmed is not None for one in found)


def _unconfirmed(messages: Mapping[str, Sequence[Message]], known: Ledger) -> Iterator[str]:
    for one in (message for found in messages.values() for message in found):
        if giving_up(pair(one.key, one.channel)) in known:
            yield f"{one.incident} to {one.recipient} by {one.channel}"


def _until(view: LedgerView, now: datetime) -> LedgerView:
    shared = view.shared
    if shared is not None:
        complete = shared.reports.complete
        is_later = complete is not None and parse_instant(complete) > now + SKEW
        reports = shared.reports._replace(complete=None) if is_later else shared.reports
        shared = shared._replace(ledger=_confirmed(shared.ledger, now), reports=reports)
    return view._replace(shared=shared, recorded=_confirmed(view.recorded, now))


def _confirmed(ledger: Ledger, now: datetime) -> Ledger:
    last = now + SKEW
    return {one: was for one, was in ledger.items() if was.confirmed and parse_instant(was.confirmed) <= last}
