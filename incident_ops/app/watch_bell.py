"""What the alarm clock does in the world: git for the tip, a run for what is due, GitHub for its own minutes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from incident_ops.adapters import clock
from incident_ops.adapters.environment import in_actions
from incident_ops.app.alarm_clock import outlook_after, runs_known, say_no_alarm, start_alarm
from incident_ops.app.apply import AppliedRun, Report
from incident_ops.app.plan import PlanOptions
from incident_ops.app.run import run_at_tip
from incident_ops.app.workspace import Workspace, at_present, need_remote
from incident_ops.domain.ports import WorkflowControl, WorkflowRun
from incident_ops.notifications.alarm import Outlook, Watched


class WatchBell:
    """The bell of the repository that `workspace` is a clone of; `code` is the exit code of its last run. `report` is
    called with each part of a run, `ran` with each run."""

    def __init__(
        self, workspace: Workspace, options: PlanOptions, report: Report, ran: Callable[[AppliedRun], None]
    ) -> None:
        self._workspace, self._options, self._report, self._ran = workspace, options, report, ran
        self._last: AppliedRun | None = None
        self.code = 0

    def tip(self) -> str | None:
        """The commit of the remote's default branch, by one question to git."""
        return need_remote(self._workspace.git).head()

    def run(self) -> Outlook:
        """A run of what is due, without issues, at the tip as it is now."""
        workspace = at_present(self._workspace, clock.now())
        self._last = applied = run_at_tip(workspace, self._options, self._report, with_issues=False)
        self.code = applied.exit_code
        self._ran(applied)
        return outlook_after(applied)

    def runs(self, outlook: Outlook) -> Sequence[WorkflowRun]:
        """The runs of `watch.yml`; none outside of GitHub Actions, where nothing has a limit."""
        return runs_known(self._control(), outlook, clock.now()) if in_actions() else ()

    def say_no_alarm(self, one: Watched, limit: str) -> None:
        """By a comment on the issue and one page."""
        for _ in say_no_alarm(self._last, one, limit) if self._last else ():
            pass

    def hand_on(self) -> bool:
        """Starts `watch.yml` again, from within a run of it."""
        if not in_actions():
            return False
        start_alarm(self._workspace, self._control())
        return True

    def _control(self) -> WorkflowControl:
        """Made anew each time: one has a budget of requests that a day of watching would use up."""
        from incident_ops.adapters.github.workflows import GitHubWorkflows

        return GitHubWorkflows.of(os.environ, need_remote(self._workspace.git).url)
