"""What records say of whom an escalation reached: planned as if all notices arrive, settled by what became of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from incident_ops.app.due import due_edits, kept_ledger
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Escalation
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import parse_instant
from incident_ops.edits.escalate import reach_later
from incident_ops.notifications.deliver import Delivered
from incident_ops.notifications.reach import NoticeReach, outcomes_of, reach_of
from incident_ops.reconcile.changes import AUTOMATION, EDIT, KeyDecision, PlannedChange, join_decisions
from incident_ops.reconcile.limits import WithinLimits
from incident_ops.sla.obligations import ESCALATION_NOTICE, DueObligations

if TYPE_CHECKING:
    from incident_ops.app.plan import PlannedRun


def record_edits(
    due: DueObligations, records: Mapping[str, Record], policy: Policy, reach: NoticeReach | None
) -> KeyDecision:
    """What is due as edits of records (by id), and those whom an escalation of the record has reached since.

    `reach` None = nobody is notified of anything.
    """
    edits = due_edits(due, records, policy, reach)
    if reach is None:
        return edits
    later = [
        change
        for record in records.values()
        if not record.pending
        for entry in record.incident.escalations
        if entry.failed and (change := _reached(record, entry, policy, reach)) is not None
    ]
    return join_decisions([edits, KeyDecision(tuple(later))])


def settle_escalations(
    run: PlannedRun, allowed: WithinLimits, delivered: Iterable[Delivered], *, is_recorded: bool
) -> tuple[PlannedRun, WithinLimits]:
    """A plan whose escalations say whom their notices reached; one of which none was tried is left for another run.

    `is_recorded`: the ledger knows of all that was sent.
    """
    if run.github is None:
        return run, allowed
    outcomes = outcomes_of(delivered, is_recorded=is_recorded)
    reach = reach_of(run.notices, kept_ledger(run.observed.ledger), run.observed.noticed, outcomes)
    made = {change.key: change for change in record_edits(run.due, run.records, run.policy, reach).changes}

    def settled(changes: Iterable[PlannedChange]) -> tuple[PlannedChange, ...]:
        found = (made.get(one.key) if _is_escalation(one) else one for one in changes)
        return tuple(one for one in found if one is not None)

    return dataclasses.replace(run, proposed=settled(run.proposed)), allowed._replace(now=settled(allowed.now))


def _is_escalation(change: PlannedChange) -> bool:
    return change.action == EDIT and change.topic == AUTOMATION and change.kind == ESCALATION_NOTICE


def _reached(record: Record, entry: Escalation, policy: Policy, reach: NoticeReach) -> PlannedChange | None:
    """The edit that moves those who were reached since; None where nobody was."""
    reached = reach.reached(entry.key, entry.failed, policy, parse_instant(entry.at))
    step = evaluate_one(record, lambda found: reach_later(found.incident, entry.key, reached)) if reached else None
    if step is None or not step.edits:
        return None
    return PlannedChange(
        EDIT,
        ESCALATION_NOTICE,
        f"{entry.key}#reached.{len(entry.notified)}",
        record.incident.links.tracking_issue,
        "; ".join(step.messages),
        path=record.path,
        edits=step.edits,
        topic=AUTOMATION,
        at=entry.at,
    )
