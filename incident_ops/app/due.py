"""What is due at an instant: the records that may be concerned, their obligations and the edits that follow; and which
notices are due, compared with the ledger, and the alerts of pagers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.adapters.notifiers import pagers
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.known import known_live, known_records
from incident_ops.app.workspace import Workspace
from incident_ops.domain.fence import evaluate_each, evaluate_one
from incident_ops.domain.memo import memoised
from incident_ops.domain.notification import (
    INCIDENT_CHANNEL,
    Ledger,
    Message,
    Pair,
    giving_up,
    pair,
    parse_ledger,
    serialise,
)
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import duration, instant, parse_instant, shift, stamp
from incident_ops.edits.escalate import escalate_due
from incident_ops.edits.finish import apply_due_move
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.notifications.alert_state import Alert, alert_messages
from incident_ops.notifications.alerts import alerts
from incident_ops.notifications.plan import HELD, PlannedNotice, plan_deliveries
from incident_ops.notifications.reach import NoticeReach
from incident_ops.notifications.recipients import Notices, merge_notices, notices, without_pagers
from incident_ops.notifications.storm import gather_digests, sum_up
from incident_ops.reconcile.changes import AUTOMATION, EDIT, Kept, KeyDecision, PlannedChange
from incident_ops.reconcile.plan import notice_changes
from incident_ops.records.history import read_record
from incident_ops.sla.obligations import DueObligations, Obligation, SeenOf, obligations

_RECENT = timedelta(days=7)
"""So long after its last instant a settled incident still has pages to end and news to send."""
_LATE = timedelta(days=1)
"""How late a run may find what a person wrote within the window of `auto_reopen`."""


def recent_paths(workspace: Workspace) -> set[str]:
    """Where the records are of which something may be due: not settled, or settled not long ago."""
    live = list(workspace.catalogue.live())
    reopening = _length(workspace.judged_by[0].states.auto_reopen) + _LATE
    since = shift(workspace.now, -max(_RECENT, reopening).total_seconds())
    since = min(since, _patterns_since(workspace, live) or since)
    return {*(record.path for record in live), *workspace.catalogue.settled_after(int(since.timestamp()))}


def live_records(workspace: Workspace) -> list[Record]:
    """The records that are not settled, and those declared near them where the policy looks for a pattern."""
    live = known_live(workspace)
    since = _patterns_since(workspace, live)
    if since is None:
        return live
    near = set(workspace.catalogue.settled_after(int(since.timestamp()))).difference(record.path for record in live)
    return live + known_records(workspace, [read_record(workspace.store, path) for path in sorted(near)])


def due_obligations(
    records: Sequence[Record], policy: Policy, now: datetime, seen: SeenOf, noticed: Mapping[str, str]
) -> DueObligations:
    """Every obligation. `noticed`: key -> the instant that our open proposal gives it, since an earlier run saw it."""
    found = obligations(records, as_active(policy), now, seen)
    return found._replace(obligations=tuple(_first_noticed(one, noticed) for one in found.obligations))


@memoised
def as_active(policy: Policy) -> Policy:
    """The policy as if its mode were active, which decides nothing of what is due, nor of what issues say; the same
    value for the same one, so that what was computed with it is known."""
    return policy if policy.mode == "active" else replace(policy, mode="active")


def due_edits(
    due: DueObligations, records: Mapping[str, Record], policy: Policy, reach: NoticeReach | None
) -> KeyDecision:
    """Escalations and moves of the state as edits of their records (by id); one that is not legal is left, and why.

    An escalation is written once its notices were tried, with those whom they reached; `reach` None = nobody is
    notified of anything, and none is written.
    """
    changes: list[PlannedChange] = []
    kept: list[Kept] = []
    for obligation in sorted(due.obligations, key=lambda one: one.escalation is not None):  # their rows are dated now
        record = records.get(obligation.incident)
        if record is None or record.pending:
            continue
        number = record.incident.links.tracking_issue
        try:
            step = evaluate_one(record, partial(_step, obligation, policy, reach or NoticeReach()))
        except UserError as error:
            kept.append(Kept(obligation.key, obligation.kind, number, f"{obligation.reason}, but {error}"))
            continue
        if step is None or not step.edits:
            continue
        if why := _unwritten(obligation, reach):
            kept.append(Kept(obligation.key, obligation.kind, number, why))
        else:
            reason = "; ".join((*step.messages, *step.warnings))
            changes.append(
                PlannedChange(
                    EDIT,
                    obligation.kind,
                    obligation.key,
                    number,
                    reason,
                    path=record.path,
                    edits=step.edits,
                    topic=AUTOMATION,
                    at=stamp(obligation.due),
                )
            )
    return KeyDecision(tuple(changes), tuple(kept))


NOBODY_NOTIFIED = "not written into the record: with --tracker local nobody is notified"


def _unwritten(obligation: Obligation, reach: NoticeReach | None) -> str:
    """Why an escalation is not written into the record now; "" where it is."""
    if obligation.escalation is None:
        return ""
    if reach is None:
        return NOBODY_NOTIFIED
    why = reach.why_not_tried(obligation.key)
    return "" if why is None else f"not written into the record yet, nobody has been notified: {why}"


def _patterns_since(workspace: Workspace, live: Sequence[Record]) -> datetime | None:
    """Since when incidents may make a pattern with one of these; None where the policy looks for none."""
    pattern = workspace.judged_by[0].escalation.pattern
    declared = [parse_instant(record.incident.times.declared) for record in live if not record.incident.is_closed]
    if not pattern.count or not declared:
        return None
    return shift(min(declared), -_length(pattern.window).total_seconds())


def _first_noticed(obligation: Obligation, noticed: Mapping[str, str]) -> Obligation:
    at = instant(noticed.get(obligation.key))
    if at is None:
        return obligation
    move = obligation.move
    if move is not None and move.due == obligation.noticed_at:  # only our look tells when it was reopened
        return obligation._replace(due=at, noticed_at=at, move=move._replace(due=at))
    return obligation._replace(noticed_at=at)


def _step(obligation: Obligation, policy: Policy, reach: NoticeReach, record: Record) -> Step | None:
    policy = policy.for_incident(record.incident)
    if obligation.escalation is not None:
        reached = reach.reached(obligation.key, obligation.escalation.targets, policy, obligation.due)
        return escalate_due(record.incident, obligation.escalation, policy, obligation.noticed_at, reached)
    return None if obligation.move is None else apply_due_move(record.incident, obligation.move, policy)


def _length(text: str | None) -> timedelta:
    return timedelta(seconds=duration(text)) if text else timedelta()


OBSERVE = "the policy's mode is observe"


class DueNotices(NamedTuple):
    """Every notice that may be sent.

    `messages` are the notices, one for each channel; `reasons` says by obligation why it is due, where somebody is
    still to hear of it; `alerts` are those of the pagers, as they should be.
    """

    notices: Notices
    reasons: Mapping[str, str]
    messages: tuple[Message, ...]
    alerts: tuple[Alert, ...]

    def pairs_in(self, ledger: Ledger) -> set[Pair]:
        """Everything that a ledger is asked about."""
        found = {pair(message.key, message.channel) for message in self.messages}
        return found.union(*(alert.pairs_in(ledger) for alert in self.alerts))


def due_notices(records: Sequence[Record], due: DueObligations, world: World, seen: SeenOf) -> DueNotices:
    """Notices as if the policy's mode were active: in `observe` they are planned, and held back later."""
    world = world._replace(policy=as_active(world.policy))
    by_id = {record.incident.id: record for record in records}
    by_incident: dict[str, list[Obligation]] = {}
    for obligation in due.obligations:
        by_incident.setdefault(obligation.incident, []).append(obligation)

    def notices_of(record: Record) -> tuple[Notices, list[Alert]]:
        incident = record.incident
        obligations = by_incident.get(incident.id, ())
        found = notices(obligations, {incident.id: incident}, world.policy, world.services, world.now)
        return without_pagers(found, pagers()), alerts(incident, *world, pagers(), seen(incident), obligations)

    parts = list(evaluate_each(by_id.values(), notices_of))
    every = merge_notices(found for found, _ in parts)
    return DueNotices(
        notices=every,
        reasons={one.key: one.reason for one in due.obligations},
        messages=every.deliverable,
        alerts=tuple(alert for _, found in parts for alert in found),
    )


def ledger_lines(ledger: Ledger, pairs: set[Pair]) -> tuple[str, ...]:
    """The lines of a ledger that this run may need, as a snapshot keeps them."""
    asked = {*pairs, *(giving_up(one) for one in pairs if one in ledger)}
    found = {one: sending for one, sending in ledger.items() if one in asked}
    return tuple(serialise(found).decode("ascii").splitlines())


def kept_ledger(lines: Sequence[str] | None) -> Ledger:
    """The ledger in lines that a snapshot kept; empty where it could not be read."""
    return parse_ledger("".join(f"{line}\n" for line in lines or ()).encode())


def plan_notices(
    due: DueNotices, lines: Sequence[str] | None, world: World, lost: Collection[str] = ()
) -> tuple[tuple[PlannedNotice, ...], KeyDecision]:
    """What this run does about each notice, and the same as changes of a plan.

    `lines` are those of the ledger; None = it could not be read. `lost` as of `alert_messages`.
    """
    ledger = None if lines is None else kept_ledger(lines)
    every = [*due.messages, *alert_messages(due.alerts, ledger, lost, world.now)]
    held = OBSERVE if world.policy.mode == "observe" else ""
    own_place = (INCIDENT_CHANNEL, TICKET, *pagers())
    planned = sum_up(gather_digests(plan_deliveries(every, ledger, world.now), own_place), own_place)
    decision = notice_changes(due.notices, planned, due.reasons, held)
    if held:
        planned = tuple(one._replace(action=HELD, why=held) if one.goes_out else one for one in planned)
    return planned, decision
