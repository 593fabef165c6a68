"""Sends the notices of one run in two parts: pages that cannot wait before everything else, the rest at the end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from incident_ops.adapters import clock
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.channels import local_ledger, notifiers, shared_ledger
from incident_ops.app.edit_record import record_of
from incident_ops.app.observed_tracker import tracking_issues
from incident_ops.app.plan import PlannedRun
from incident_ops.app.workspace import remote_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Message
from incident_ops.errors import IncidentOpsError, UserError, WriteFailed
from incident_ops.notifications.deliver import NOT_SENT, NOT_TRIED, Delivered, deliver
from incident_ops.notifications.plan import PlannedNotice, is_urgent
from incident_ops.notifications.recipients import has_been_handled
from incident_ops.reconcile.changes import NOTIFY, PlannedChange

RECORDED = "recorded, not sent"
_FRESH = timedelta(seconds=30)


class NoticeSender:
    """Sends the notices that a run may send.

    `delivered` is what became of them, `ledger_error` why the ledger does not know of all that was sent.
    """

    def __init__(self, run: PlannedRun, changes: Sequence[PlannedChange]) -> None:
        allowed = {change.key for change in changes if change.action == NOTIFY}
        self._run = run
        self._notices = [notice for notice in run.notices if notice.message.key in allowed]
        self._numbers = {name: issue.number for name, issue in tracking_issues(run.desired, run.observed).items()}
        self.delivered: list[Delivered] = []
        self.ledger_error: IncidentOpsError | None = None

    def send_urgent(self) -> list[Delivered]:
        """Ranks 1 and 2, but for comments on issues, which may not be there yet; none where nothing is really sent."""
        if self._run.github is None:
            return []
        urgent = [one for one in self._notices if is_urgent(one.message) and one.message.channel != TICKET]
        return self._send(urgent)

    def send_rest(self, new_issues: Mapping[str, int]) -> list[Delivered]:
        """All that is left; `new_issues` are those that this run opened, by key. A comment without an issue waits."""
        self._numbers |= {key: number for key, number in new_issues.items() if "/" not in key}
        done = {one.planned.pair for one in self.delivered}
        left = [notice for notice in self._notices if notice.pair not in done]
        waiting = [notice for notice in left if self._lacks_issue(notice)]
        not_tried = [
            Delivered(notice, NOT_TRIED, WriteFailed(f"{notice.message.incident} has no issue yet"))
            for notice in waiting
        ]
        self.delivered += not_tried
        return not_tried + self._send([notice for notice in left if notice not in waiting])

    def _lacks_issue(self, notice: PlannedNotice) -> bool:
        is_comment = notice.message.channel == TICKET and self._run.github is not None
        return is_comment and notice.message.incident not in self._numbers

    def _send(self, notices: Sequence[PlannedNotice]) -> list[Delivered]:
        if not notices:
            return []
        delivered = self._record(notices) if self._run.github is None else self._deliver(notices)
        self.delivered += delivered
        return delivered

    def _record(self, notices: Sequence[PlannedNotice]) -> list[Delivered]:
        """With the embedded tracker nothing is sent: what would be is noted, so that the next plan is empty."""
        workspace = self._run.workspace
        try:
            local_ledger(workspace).confirm([notice.pair for notice in notices], workspace.now)
        except IncidentOpsError as error:
            return [Delivered(notice, NOT_SENT, error) for notice in notices]
        return [Delivered(notice, RECORDED) for notice in notices]

    def _deliver(self, notices: Sequence[PlannedNotice]) -> list[Delivered]:
        run = self._run
        ids = {notice.message.incident for notice in notices}
        incidents = [record.incident for name, record in run.records.items() if name in ids]
        notifier_of = notifiers(run.workspace, incidents, os.environ, self._numbers)
        access = shared_ledger(run.workspace)
        delivered, error = deliver(
            notices, access.ledger, notifier_of, clock.now, LatestRecords(run).still_due, access.error
        )
        self.ledger_error = self.ledger_error or access.error or error
        return list(delivered)


class LatestRecords:
    """What became of incidents since the plan was made, by the default branch of the remote; asked at most twice a
    minute."""

    def __init__(self, run: PlannedRun) -> None:
        self._run = run
        self._asked: datetime | None = None
        self._tip: str | None = None

    def still_due(self, message: Message) -> bool:
        """False for a page about an incident that somebody took, ended or snoozed meanwhile. Raises as the remote."""
        record = self._run.records.get(message.incident)
        if record is None or message.mark in (ACKNOWLEDGED, RESOLVED_EVENT) or record.incident.is_closed:
            return True
        latest = self._latest(record.path)
        return latest is None or not has_been_handled(record.incident, latest)

    def _latest(self, path: str) -> Incident | None:
        workspace = self._run.workspace
        if self._asked is None or clock.now() - self._asked > _FRESH:
            self._asked = clock.now()
            remote = remote_of(workspace.git)
            self._tip = remote.tip(remote.default_branch()) if remote else None
        if self._tip is None or workspace.git is None or self._tip == workspace.store.commit:
            return None
        raw = workspace.git.read_path(self._tip, path)
        try:
            return record_of(path, raw).incident if raw is not None else None
        except UserError:
            return None
