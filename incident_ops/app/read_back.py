"""What the pager shows of open alerts: asked where PAGERDUTY_API_TOKEN is set, and brought into records."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.adapters.notifiers import pagers
from incident_ops.adapters.notifiers.pagerduty import alert_key
from incident_ops.adapters.pager_reads import pager_reads
from incident_ops.app.edit_record import record_of
from incident_ops.app.notify import name_of_records
from incident_ops.app.observed_tracker import tracking_issues
from incident_ops.app.proposals import PullLookups, with_pulls
from incident_ops.app.workspace import Workspace
from incident_ops.app.write_back import edited_texts
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.notification import Ledger
from incident_ops.domain.record import Record, World
from incident_ops.domain.tracker import Snapshot
from incident_ops.errors import Incomplete, UserError
from incident_ops.notifications.alerts import alerts
from incident_ops.notifications.opened import Opened, opened_alert
from incident_ops.reconcile.ack_box import ticked_edits
from incident_ops.reconcile.changes import Kept, KeyDecision, join_decisions
from incident_ops.reconcile.desired import Desired
from incident_ops.reconcile.diff import edits_by_path, is_hands_off
from incident_ops.reconcile.pager_acts import PagerSide, joined_alert, lost_alerts, paged_edits
from incident_ops.reconcile.people import Acts, ticked_ack
from incident_ops.reconcile.proposals import fingerprint, refused_by_people
from incident_ops.sla.activity import NOTHING_SEEN


class PagerNews(NamedTuple):
    """The records as what people did in the pager and on the issue leaves them, and the edits that follow.

    `lost` are the incidents whose alert the pager lost; `answered` (by id) the records that an edit acknowledges, and
    `ticked` those among them of which the box on the issue did.
    """

    records: Sequence[Record]
    decision: KeyDecision = KeyDecision()
    lost: frozenset[str] = frozenset()
    answered: Mapping[str, Record] = MappingProxyType({})
    ticked: frozenset[str] = frozenset()


def with_pager(workspace: Workspace, records: Sequence[Record], snapshot: Snapshot, ledger: Ledger | None) -> Snapshot:
    """A snapshot with what the pager shows of the open alerts of records; as it is where no token is set.

    `ledger` None = it could not be read: then nobody knows what was opened, and the pager is not asked.
    """
    reads = pager_reads(os.environ)
    if reads is None or ledger is None:
        return snapshot
    opened = _opened(workspace, records, ledger)
    if not opened or reads.problem:
        return replace(snapshot, pager_problem=reads.problem)
    repository, policy = name_of_records(workspace, os.environ), workspace.judged_by[0]
    ranks = {one.incident.id: level.rank for one in records if (level := policy.level_of(one.incident)) is not None}
    first = sorted(opened, key=lambda name: (not opened[name].is_unanswered, ranks.get(name, 0), name))
    seen = reads.alerts({name: alert_key(repository, name) for name in first})
    joined = {name: joined_alert(alert, snapshot.pager.get(name)) for name, alert in seen.items()}
    return replace(snapshot, pager={**snapshot.pager, **joined}, pager_problem=reads.problem)


def answers_elsewhere(
    workspace: Workspace,
    records: Sequence[Record],
    wanted: Desired,
    snapshot: Snapshot,
    ledger: Ledger,
    pulls: PullLookups | None = None,
) -> PagerNews:
    """What follows from what a snapshot shows of boxes that acknowledge, and of the pager.

    What people refused, by closing its proposal without merging it, is said and answers nothing: others are called
    again. `pulls` are asked for these proposals; None = the snapshot shows them.
    """
    news = _answers(workspace, records, wanted, snapshot, ledger)
    changes = news.decision.changes
    if not changes or workspace.judged_by[0].write_back.automation == "push":
        return news
    proposals = snapshot.proposals if pulls is None else with_pulls(pulls, snapshot.proposals, changes, workspace.now)
    refused = refused_by_people(changes, proposals)
    return _answers(workspace, records, wanted, snapshot, ledger, refused) if refused else news


def _answers(
    workspace: Workspace,
    records: Sequence[Record],
    wanted: Desired,
    snapshot: Snapshot,
    ledger: Ledger,
    refused: Collection[str] = (),
) -> PagerNews:
    """`refused` are the fingerprints of edits that leave their record as it is."""
    policy, now = workspace.judged_by[0], workspace.now
    issues, acts = tracking_issues(wanted, snapshot), Acts(snapshot, wanted.identities, named=wanted.named)
    opened = _opened(workspace, [one for one in records if one.incident.id in snapshot.pager], ledger)
    sides = {name: PagerSide(seen, opened.get(name)) for name, seen in snapshot.pager.items()}
    changed, decisions, answered, ticked = [], [], dict[str, Record](), set[str]()
    for record in records:
        name = record.incident.id
        issue, side = issues.get(name), sides.get(name)
        box = ticked_ack(record, issue, acts) if issue and not is_hands_off(issue) else None
        own = policy.for_incident(record.incident)
        ticking = ticked_edits(record, box, own, now) if box else KeyDecision()
        after, by_box = _edited_record(workspace, record, ticking, refused)
        made = paged_edits(after, side, policy, now) if side else KeyDecision()
        after, by_pager = _edited_record(workspace, after, made, refused)
        changed.append(after)
        decisions += [by_box, by_pager]
        ticked |= {name} if by_box.changes and after is not record else set()
        answered |= {name: after} if after is not record else {}
    return PagerNews(changed, join_decisions(decisions), lost_alerts(sides, now), answered, frozenset(ticked))


def pager_failure(snapshot: Snapshot) -> Incomplete | None:
    """Why the pager was not read back; None where it was, or nobody asked."""
    return Incomplete(f"PagerDuty was not read back: {snapshot.pager_problem}") if snapshot.pager_problem else None


def _opened(workspace: Workspace, records: Sequence[Record], ledger: Ledger) -> Mapping[str, Opened]:
    """What the ledger knows of the alerts of incidents that are not over, by id."""
    world = World(*workspace.judged_by, workspace.now)

    def of_record(record: Record) -> tuple[str, Opened | None]:
        return record.incident.id, opened_alert(alerts(record.incident, *world, pagers(), NOTHING_SEEN), ledger)

    found = evaluate_each((one for one in records if one.incident.state not in OVER), of_record)
    return {name: opened for name, opened in found if opened is not None}


def _edited_record(
    workspace: Workspace, record: Record, made: KeyDecision, refused: Collection[str]
) -> tuple[Record, KeyDecision]:
    """The record with its edits made, but for refused ones; an edit that cannot be made is left, and why."""
    if all(fingerprint(change) in refused for change in made.changes):
        return record, made
    try:
        (text,) = edited_texts(workspace, edits_by_path(made.changes)).values()
        return record._replace(incident=record_of(record.path, text).incident), made
    except UserError as error:
        left = (Kept(one.key, one.kind, one.number, f"{one.reason}, but {error}", one.said) for one in made.changes)
        return record, KeyDecision(kept=(*made.kept, *left))
