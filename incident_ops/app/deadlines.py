"""What is owed to others: by one incident, or by all that are not over and those that still owe something."""

from __future__ import annotations

from incident_ops.app.known import known_live
from incident_ops.app.views import record_at
from incident_ops.app.workspace import Workspace, served
from incident_ops.sla.clocks import DEADLINE
from incident_ops.sla.status import ClockReport, clock_report


def due_reports(workspace: Workspace, path: str | None = None) -> ClockReport:
    """The clocks of deadlines at `now`, of the record at `path` alone where one is given. UserError as `record_at`."""

    def report() -> ClockReport:
        records = known_live(workspace) if path is None else [record_at(workspace, path)]
        unread = workspace.unread if path is None else ()
        found = clock_report(records, workspace.judged_by[0], workspace.now, unread, everything=path is not None)
        return found._replace(clocks=tuple(clock for clock in found.clocks if clock.clock == DEADLINE))

    return served(workspace, report)
