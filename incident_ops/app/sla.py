"""`sla check`: the clocks of incidents, and what is due, by the records alone or with what a tracker shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from incident_ops.app.concerned import ConcernedRecords
from incident_ops.app.delivery import delivery_of, look_at_ledger, whom_due
from incident_ops.app.due import due_obligations, live_records
from incident_ops.app.edit_record import find_record
from incident_ops.app.known import every_known, known_live, known_records
from incident_ops.app.observed_tracker import (
    connect_github,
    load_observed,
    must_be_from,
    observe_tracker,
    save_observed,
    seen_on_tracker,
    workspace_for,
)
from incident_ops.app.proposals import PullLookups
from incident_ops.app.read_back import answers_elsewhere, pager_failure, with_pager
from incident_ops.app.views import Selection, selected_records
from incident_ops.app.workspace import Workspace, local_tracker, served, source_of
from incident_ops.domain.as_of import as_of
from incident_ops.domain.lifecycle import STATES
from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.record import Record, World
from incident_ops.domain.tracker import GITHUB, Snapshot
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.reconcile.pager_acts import pager_sentences
from incident_ops.sla.activity import NOTHING_SEEN
from incident_ops.sla.delivery import Delivery
from incident_ops.sla.obligations import DueObligations, obligations
from incident_ops.sla.status import ClockReport, clock_report


@dataclass(frozen=True, slots=True)
class SlaOptions:
    """`everything` = what is over, too. Without `tracker`, `observed` and `save_observed` (files) the records of the
    work tree decide alone. `incident`, `level`, `service`, `state` and `assignee` show some incidents alone.
    `with_people`: for whom what is due is, unless there is more of it than anybody reads."""

    everything: bool = False
    tracker: str | None = None
    observed: str | None = None
    save_observed: str | None = None
    incident: str | None = None
    level: str | None = None
    service: str | None = None
    state: str | None = None
    assignee: str | None = None
    with_people: bool = False

    @property
    def asks_tracker(self) -> bool:
        """True where a tracker, or what it held, is looked at."""
        return any(one is not None for one in (self.tracker, self.observed, self.save_observed))


_MOST_WITH_PEOPLE = 300


class SlaStatus(NamedTuple):
    """The records that were looked at, their clocks, what is due, and what of that is not delivered."""

    workspace: Workspace
    clocks: ClockReport
    due: DueObligations
    delivery: Delivery


def check_clocks(workspace: Workspace, options: SlaOptions = SlaOptions()) -> SlaStatus:
    """The clocks at `now`, and what is due. Raises as `plan_changes`."""
    chosen = _chosen(workspace, options)
    workspace, (due, delivery) = _due(workspace, options, chosen)
    return SlaStatus(workspace, served(workspace, lambda: _clocks(workspace, options, chosen)), due, delivery)


_Chosen = frozenset[str] | None
"""The ids of the incidents that are asked about; None = all."""


def _chosen(workspace: Workspace, options: SlaOptions) -> _Chosen:
    """UserError for an incident, a level, a service or a state that nobody knows."""
    asked = options.incident, options.level, options.service, options.state, options.assignee
    if not any(asked):
        return None
    if options.state and options.state not in STATES:
        raise UserError(f"there is no state {options.state!r}", hint=did_you_mean(options.state, STATES))
    path = find_record(workspace, options.incident) if options.incident else None
    wanted = Selection(level=options.level, service=options.service, path=path)
    owners = {options.assignee, f"@{options.assignee}"}

    def chosen() -> _Chosen:
        records = selected_records(workspace, wanted, only_open=not options.everything)
        views = [as_of(record.incident, workspace.now) for record in records]
        return frozenset(
            view.incident.id
            for view in views
            if options.state in (None, view.state) and (options.assignee is None or view.assignee in owners)
        )

    return served(workspace, chosen)


def _clocks(workspace: Workspace, options: SlaOptions, chosen: _Chosen) -> ClockReport:
    everything = options.everything or options.incident is not None
    records = every_known(workspace) if everything else known_live(workspace)
    if chosen is not None:
        records = [record for record in records if record.incident.id in chosen]
    return clock_report(records, workspace.judged_by[0], workspace.now, workspace.unread, everything)


def _some(due: DueObligations, chosen: _Chosen) -> DueObligations:
    if chosen is None:
        return due
    return due._replace(obligations=tuple(one for one in due.obligations if one.incident in chosen))


_Due = tuple[DueObligations, Delivery]


def _due(workspace: Workspace, options: SlaOptions, chosen: _Chosen) -> tuple[Workspace, _Due]:
    """(the records that were looked at, (what is due, what of it is not delivered))."""
    file = options.observed
    if not options.asks_tracker:
        return workspace, served(workspace, lambda: _due_by_records(workspace, options, chosen))
    if file is not None and options.save_observed is not None:
        raise UserError("--observed and --save-observed exclude each other", hint="leave one of them out")
    snapshot = load_observed(file) if file is not None else None
    source = options.tracker or (snapshot.source if snapshot else source_of(None))
    if snapshot is not None and file is not None:
        must_be_from(source, snapshot, file)
    of_tracker = workspace_for(workspace, source)
    return of_tracker, served(of_tracker, lambda: _due_with_tracker(of_tracker, source, snapshot, options, chosen))


def _due_by_records(workspace: Workspace, options: SlaOptions, chosen: _Chosen) -> _Due:
    records, policy = live_records(workspace), workspace.judged_by[0]
    due = _some(obligations(records, policy, workspace.now), chosen)
    view = look_at_ledger(workspace, source_of(None), None)
    delivery = delivery_of(workspace, records, due, lambda _: NOTHING_SEEN, view)
    return due, _with_people(workspace, records, delivery, options)


def _with_people(workspace: Workspace, records: Sequence[Record], delivery: Delivery, options: SlaOptions) -> Delivery:
    if not options.with_people or len(delivery.obligations) > _MOST_WITH_PEOPLE:
        return delivery
    world = World(*workspace.judged_by, workspace.now)
    return delivery._replace(whom=whom_due(records, delivery.obligations, world))


def _due_with_tracker(
    workspace: Workspace, source: str, snapshot: Snapshot | None, options: SlaOptions, chosen: _Chosen
) -> _Due:
    policy = workspace.judged_by[0]
    concerned = ConcernedRecords(workspace)
    recent = concerned.recent()
    view = look_at_ledger(workspace, source, snapshot)
    github = connect_github(workspace) if snapshot is None and source == GITHUB else None
    if snapshot is None:
        tracker: IssueTracker = github or local_tracker(workspace)
        snapshot = observe_tracker(workspace, tracker, concerned.asked_for, recent)
        if source == GITHUB:
            snapshot = with_pager(workspace, recent, snapshot, view.shared.ledger if view.shared else None)
    wanted = concerned.asked_for(snapshot)
    if options.save_observed is not None:
        save_observed(snapshot, options.save_observed)
    ledger = view.shared.ledger if view.shared else {}
    pulls = PullLookups(github.pulls) if github else None
    news = answers_elsewhere(workspace, recent, wanted, snapshot, ledger, pulls)
    records, seen = known_records(workspace, news.records), seen_on_tracker(wanted, snapshot)
    due = _some(due_obligations(records, policy, workspace.now, seen, snapshot.noticed), chosen)
    failure, delivery = pager_failure(snapshot), delivery_of(workspace, records, due, seen, view)
    delivery = _with_people(workspace, records, delivery, options)
    sentences = tuple(pager_sentences(news.decision))
    return due, delivery._replace(pager=sentences, pager_problem=str(failure) if failure else "")
