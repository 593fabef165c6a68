"""What is due at an instant: the records that may be concerned, their obligations, and the edits that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from incident_ops.app.workspace import Workspace
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import duration, instant, parse_instant, shift
from incident_ops.edits.escalate import escalate_due
from incident_ops.edits.finish import apply_due_move
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.reconcile.changes import EDIT, Kept, KeyDecision, PlannedChange
from incident_ops.records.history import read_record
from incident_ops.sla.obligations import DueObligations, Obligation, SeenOf, obligations

_RECENT = timedelta(days=7)
"""So long after its last instant a settled incident still has pages to end and news to send."""
_LATE = timedelta(days=1)
"""How late a run may find what a person wrote within the window of `auto_reopen`."""


def recent_records(workspace: Workspace, records: Iterable[Record]) -> list[Record]:
    """Of all records those of which something may be due: not settled, or settled not long ago."""
    every, live = list(records), set(workspace.catalogue.live_paths())
    reopening = _length(workspace.judged_by[0].states.auto_reopen) + _LATE
    since = shift(workspace.now, -max(_RECENT, reopening).total_seconds())
    since = min(since, _patterns_since(workspace, [record for record in every if record.path in live]) or since)
    paths = live.union(workspace.catalogue.settled_after(int(since.timestamp())))
    return [record for record in every if record.path in paths]


def live_records(workspace: Workspace) -> list[Record]:
    """The records that are not settled, and those declared near them where the policy looks for a pattern."""
    live = list(workspace.catalogue.live())
    since = _patterns_since(workspace, live)
    if since is None:
        return live
    near = workspace.catalogue.settled_after(int(since.timestamp()))
    return live + [read_record(workspace.store, path) for path in near]


def due_obligations(
    records: Sequence[Record], policy: Policy, now: datetime, seen: SeenOf, noticed: Mapping[str, str]
) -> DueObligations:
    """Every obligation. `noticed`: key -> the instant that our open proposal gives it, since an earlier run saw it."""
    found = obligations(records, policy, now, seen)
    return found._replace(obligations=tuple(_first_noticed(one, noticed) for one in found.obligations))


def due_edits(due: DueObligations, records: Mapping[str, Record], policy: Policy) -> KeyDecision:
    """Escalations and moves of the state as edits of their records (by id); one that is not legal is left, and why."""
    changes: list[PlannedChange] = []
    kept: list[Kept] = []
    for obligation in due.obligations:
        record = records.get(obligation.incident)
        if record is None or record.pending:
            continue
        number = record.incident.links.tracking_issue
        try:
            step = evaluate_one(record, partial(_step, obligation, policy))
        except UserError as error:
            kept.append(Kept(obligation.key, obligation.kind, number, f"{obligation.reason}, but {error}"))
            continue
        if step is not None and step.edits:
            reason = "; ".join((*step.messages, *step.warnings))
            changes.append(
                PlannedChange(EDIT, obligation.kind, obligation.key, number, reason, path=record.path, edits=step.edits)
            )
    return KeyDecision(tuple(changes), tuple(kept))


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


def _step(obligation: Obligation, policy: Policy, record: Record) -> Step | None:
    if obligation.escalation is not None:
        return escalate_due(record.incident, obligation.escalation, policy, obligation.noticed_at)
    return None if obligation.move is None else apply_due_move(record.incident, obligation.move, policy)


def _length(text: str | None) -> timedelta:
    return timedelta(seconds=duration(text)) if text else timedelta()
