"""`sla check`: the clocks of incidents, and what is due, by the records alone or with what a tracker shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from incident_ops.app.concerned import ConcernedRecords
from incident_ops.app.due import due_obligations, live_records
from incident_ops.app.known import every_known, known_live, known_records
from incident_ops.app.observed_tracker import (
    connect_github,
    load_observed,
    must_be_from,
    observe_tracker,
    save_observed,
    seen_on_tracker,
    source_of,
    workspace_for,
)
from incident_ops.app.workspace import Workspace, local_tracker, served
from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.tracker import GITHUB, Snapshot
from incident_ops.errors import UserError
from incident_ops.sla.obligations import DueObligations, obligations
from incident_ops.sla.status import ClockReport, clock_report


@dataclass(frozen=True, slots=True)
class SlaOptions:
    """`everything` = what is over, too. Without `tracker`, `observed` and `save_observed` (files) the records of the
    work tree decide alone."""

    everything: bool = False
    tracker: str | None = None
    observed: str | None = None
    save_observed: str | None = None

    @property
    def asks_tracker(self) -> bool:
        """True where a tracker, or what it held, is looked at."""
        return any(one is not None for one in (self.tracker, self.observed, self.save_observed))


class SlaStatus(NamedTuple):
    """The records that were looked at, their clocks, and what is due."""

    workspace: Workspace
    clocks: ClockReport
    due: DueObligations


def check_clocks(workspace: Workspace, options: SlaOptions = SlaOptions()) -> SlaStatus:
    """The clocks at `now`, and what is due. Raises as `plan_changes`."""
    workspace, due = _due(workspace, options)
    return SlaStatus(workspace, served(workspace, lambda: _clocks(workspace, options.everything)), due)


def _clocks(workspace: Workspace, everything: bool) -> ClockReport:
    records = every_known(workspace) if everything else known_live(workspace)
    return clock_report(records, workspace.judged_by[0], workspace.now, workspace.unread, everything)


def _due(workspace: Workspace, options: SlaOptions) -> tuple[Workspace, DueObligations]:
    """(the records that were looked at, what is due)."""
    policy, file = workspace.judged_by[0], options.observed
    if not options.asks_tracker:
        return workspace, served(workspace, lambda: obligations(live_records(workspace), policy, workspace.now))
    if file is not None and options.save_observed is not None:
        raise UserError("--observed and --save-observed exclude each other", hint="leave one of them out")
    snapshot = load_observed(file) if file is not None else None
    source = options.tracker or (snapshot.source if snapshot else source_of(None))
    if snapshot is not None and file is not None:
        must_be_from(source, snapshot, file)
    of_tracker = workspace_for(workspace, source)
    return of_tracker, served(
        of_tracker, lambda: _due_with_tracker(of_tracker, source, snapshot, options.save_observed)
    )


def _due_with_tracker(
    workspace: Workspace, source: str, snapshot: Snapshot | None, save_to: str | None
) -> DueObligations:
    policy = workspace.judged_by[0]
    concerned = ConcernedRecords(workspace)
    recent = concerned.recent()
    if snapshot is None:
        tracker: IssueTracker = connect_github(workspace) if source == GITHUB else local_tracker(workspace)
        snapshot = observe_tracker(workspace, tracker, concerned.asked_for, recent)
    wanted = concerned.asked_for(snapshot)
    if save_to is not None:
        save_observed(snapshot, save_to)
    return due_obligations(
        known_records(workspace, recent), policy, workspace.now, seen_on_tracker(wanted, snapshot), snapshot.noticed
    )
