"""Sends the notices of one run in two parts: calls that cannot wait before everything else, the rest at the end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from incident_ops.adapters import clock
from incident_ops.app.channels import TICKET, local_ledger, shared_ledger, sinks
from incident_ops.app.edit_record import record_of
from incident_ops.app.plan import Look, tracking
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


class Delivering:
    """The notices that a run may send. `done` is what became of them, `unnoted` why the ledger does not know it all."""

    def __init__(self, seen: Look, changes: Sequence[PlannedChange]) -> None:
        allowed = {change.key for change in changes if change.action == NOTIFY}
        self._seen = seen
        self._todo = [one for one in seen.planned if one.message.key in allowed]
        self.numbers = {name: issue.number for name, issue in tracking(seen.wanted, seen.snapshot).items()}
        self.done: list[Delivered] = []
        self.unnoted: IncidentOpsError | None = None

    def urgent(self) -> list[Delivered]:
        """Ranks 1 and 2, but for comments on issues, which may not be there yet; none where nothing is really sent."""
        if self._seen.github is None:
            return []
        return self._send([one for one in self._todo if is_urgent(one.message) and one.message.channel != TICKET])

    def rest(self, opened: Mapping[str, int]) -> list[Delivered]:
        """All that is left; `opened` are the issues that this run made, by key. A comment without an issue waits."""
        self.numbers |= {key: number for key, number in opened.items() if "/" not in key}
        dealt_with = {one.planned.pair for one in self.done}
        left = [one for one in self._todo if one.pair not in dealt_with]
        waits = [one for one in left if self._has_no_issue(one)]
        told = [Delivered(one, NOT_TRIED, WriteFailed(f"{one.message.incident} has no issue yet")) for one in waits]
        self.done += told
        return told + self._send([one for one in left if one not in waits])

    def _has_no_issue(self, one: PlannedNotice) -> bool:
        is_comment = one.message.channel == TICKET and self._seen.github is not None
        return is_comment and one.message.incident not in self.numbers

    def _send(self, todo: Sequence[PlannedNotice]) -> list[Delivered]:
        if not todo:
            return []
        made = self._recorded(todo) if self._seen.github is None else self._delivered(todo)
        self.done += made
        return made

    def _recorded(self, todo: Sequence[PlannedNotice]) -> list[Delivered]:
        """With the embedded tracker nothing is sent: what would be is noted, so that the next plan is empty."""
        try:
            local_ledger(self._seen.opened).confirm([one.pair for one in todo], self._seen.opened.now)
        except IncidentOpsError as error:
            return [Delivered(one, NOT_SENT, error) for one in todo]
        return [Delivered(one, RECORDED) for one in todo]

    def _delivered(self, todo: Sequence[PlannedNotice]) -> list[Delivered]:
        seen = self._seen
        names = {one.message.incident for one in todo}
        incidents = [record.incident for name, record in seen.records.items() if name in names]
        way = sinks(seen.opened, incidents, os.environ, self.numbers)
        ledger, _, unread = shared_ledger(seen.opened)
        made, unnoted = deliver(todo, ledger, way, clock.now, Meanwhile(seen).still_due, unread)
        self.unnoted = self.unnoted or unread or unnoted
        return list(made)


class Meanwhile:
    """What became of incidents since the plan was made, by the default branch of the remote; asked at most twice a
    minute."""

    def __init__(self, seen: Look) -> None:
        self._seen = seen
        self._asked: datetime | None = None
        self._tip: str | None = None

    def still_due(self, message: Message) -> bool:
        """False for a call about an incident that somebody took, ended or snoozed meanwhile. Raises as the remote."""
        record = self._seen.records.get(message.incident)
        if record is None or message.mark in (ACKNOWLEDGED, RESOLVED_EVENT) or record.incident.is_closed:
            return True
        now = self._now(record.path)
        return now is None or not has_been_handled(record.incident, now)

    def _now(self, path: str) -> Incident | None:
        opened = self._seen.opened
        if self._asked is None or clock.now() - self._asked > _FRESH:
            self._asked = clock.now()
            remote = remote_of(opened.git)
            self._tip = remote.tip(remote.default_branch()) if remote else None
        if self._tip is None or opened.git is None or self._tip == opened.store.commit:
            return None
        raw = opened.git.read_path(self._tip, path)
        try:
            return record_of(path, raw).incident if raw is not None else None
        except UserError:
            return None
