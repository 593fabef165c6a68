"""What the alarm clock does in the world: git for the tip, a run for what is due, GitHub for its own minutes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime

from incident_ops.adapters import clock
from incident_ops.app.alarm_clock import outlook_after, runs_known, say_no_alarm, start_alarm
from incident_ops.app.apply import AppliedRun, Report
from incident_ops.app.plan import PlanOptions
from incident_ops.app.run import run_at_tip
from incident_ops.app.workspace import Workspace, at_present, need_remote
from incident_ops.domain.ports import WorkflowControl, WorkflowRun
from incident_ops.notifications.alarm import Outlook, Watched

RUN = "GITHUB_RUN_ID"
"""Set in a run of GitHub Actions."""


class WatchBell:
    """The bell of the repository that `workspace` is a clone of; `codes` are the exit codes of its runs."""

    def __init__(self, workspace: Workspace, options: PlanOptions, report: Report) -> None:
        self._workspace, self._options, self._report = workspace, options, report
        self._last: AppliedRun | None = None
        self.codes: set[int] = set()

    def tip(self) -> str | None:
        """The commit of the remote's default branch, by one question to git."""
        return need_remote(self._workspace.git).head()

    def run(self) -> Outlook:
        """A run of what is due, without issues, at the tip as it is now."""
        workspace = at_present(self._workspace, clock.now())
        self._last = applied = run_at_tip(workspace, self._options, self._report, with_issues=False)
        self.codes.add(applied.exit_code)
        return outlook_after(applied)

    def runs(self, outlook: Outlook) -> Sequence[WorkflowRun]:
        """The runs of `watch.yml`; none outside of GitHub Actions, where nothing has a limit."""
        return runs_known(self._control(), outlook, self._now()) if RUN in os.environ else ()

    def say_no_alarm(self, one: Watched, limit: str) -> None:
        """By a comment on the issue and one page."""
        for _ in say_no_alarm(self._last, one, limit) if self._last else ():
            pass

    def hand_on(self) -> bool:
        """Starts `watch.yml` again, from within a run of it."""
        if RUN not in os.environ:
            return False
        start_alarm(self._workspace, self._control())
        return True

    def _control(self) -> WorkflowControl:
        """Made anew each time: one has a budget of requests that a day of watching would use up."""
        from incident_ops.adapters.github.workflows import GitHubWorkflows

        return GitHubWorkflows.of(os.environ, need_remote(self._workspace.git).url)

    @staticmethod
    def _now() -> datetime:
        return clock.now()
