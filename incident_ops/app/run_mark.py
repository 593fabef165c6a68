"""What a complete run leaves behind: its instant beside the ledger, and a ping to the monitor that waits for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from incident_ops.adapters import clock
from incident_ops.app.workspace import need_remote
from incident_ops.errors import IncidentOpsError

if TYPE_CHECKING:
    from incident_ops.app.apply import AppliedRun


def mark_run(run: AppliedRun) -> AppliedRun:
    """Notes that a run on GitHub is complete, and pings the monitor where the environment names one.

    What fails of that is among the errors of the run. The monitor is not pinged for a run that could not be noted.
    """
    from incident_ops.adapters.git_branches import LedgerRef
    from incident_ops.adapters.heartbeat import HEARTBEAT, ping

    if run.planned.github is None or not run.is_complete:
        return run
    try:
        LedgerRef(need_remote(run.planned.workspace.git)).mark_complete(clock.now())
        if url := os.environ.get(HEARTBEAT):
            ping(url)
    except IncidentOpsError as error:
        return run._replace(errors=(*run.errors, error))
    return run
