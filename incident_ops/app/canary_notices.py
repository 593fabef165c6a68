"""Telling people of a canary: over the channels that are set up, at once, and never more than the verdict is worth.

A channel that fails changes nothing; one that is not set up is only said in a dry run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from incident_ops.adapters import clock
from incident_ops.adapters.notifiers import pagers
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.due import OBSERVE
from incident_ops.app.notify import notifiers
from incident_ops.app.workspace import Workspace
from incident_ops.domain.notice_kinds import CANARY_FAILED, CANARY_STARTED
from incident_ops.domain.notification import Message, pair
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.triage import worst_tier
from incident_ops.errors import IncidentOpsError, NotSetUp
from incident_ops.notifications.canary_ways import canary_channels, canary_level
from incident_ops.notifications.deliver import deliver
from incident_ops.notifications.plan import SEND, PlannedNotice
from incident_ops.render.findings import inert

_SHORT_COMMIT = 12
_SAYS = {CANARY_STARTED: "began", CANARY_FAILED: "failed"}


@dataclass(frozen=True)
class CanaryNotices:
    """The notices of one run: whose canary it is, the label its incident would have (None = by the share), and `note`,
    which is called with lines for people. `is_dry`: nothing is sent, and it is said what would be."""

    workspace: Workspace
    gate: str
    service: str
    environment: str
    sha: str
    severity: str | None
    is_dry: bool
    note: Callable[[str], None]

    def send(self, kind: str, weight: int, text: str) -> None:
        """Sends a notice of this kind; `weight` is the canary's share of the traffic in percent, 0 = unknown."""
        policy = self.workspace.judged_by[0].for_services((self.service,) if self.service else ())
        tier = worst_tier((self.service,), self.workspace.judged_by[1]) if self.service else None
        level = canary_level(policy, self.severity, weight, tier)
        channels = canary_channels(policy, level, kind, {TICKET, *pagers()}) if level else ()
        if level is None or not channels:
            return
        notifier_of = notifiers(self.workspace, [], os.environ)
        ready, missing = [], []
        for name in channels:
            try:
                notifier_of(name)
                ready.append(name)
            except NotSetUp as error:
                missing.append(f"{name} ({error.variable})")
            except IncidentOpsError as error:
                self.note(f"{kind} did not go out: {error}")
        if self.is_dry:
            self._show(kind, ready, missing)
        elif ready and policy.mode == "observe":
            self.note(f"{kind} is not sent: {OBSERVE}")
        else:
            planned = [_planned(self._message(policy, level, kind, name, text)) for name in ready]
            for one in deliver(planned, None, notifier_of, clock.now, may_wait=False)[0]:
                if one.error is not None:
                    self.note(f"{kind} did not go out: {one.error.message}")

    def _show(self, kind: str, ready: list[str], missing: list[str]) -> None:
        where = f"would go to {', '.join(ready)}" if ready else "would go to nobody"
        unset = f"; not set up: {', '.join(missing)}" if missing else ""
        self.note(f"dry run: {kind} {where}{unset}")

    def _message(self, policy: Policy, level: LevelPolicy, kind: str, channel: str, text: str) -> Message:
        whose = f" of {self.service} to {self.environment}" if self.service else ""
        commit = f", commit {self.sha[:_SHORT_COMMIT]}" if self.sha else ""
        subject = inert(f"Canary{whose} {_SAYS.get(kind, 'waits for a person')}: {self.gate}{commit}")
        key = f"canary/{self.gate}/{self.service}/{self.environment}/{self.sha}/{kind}"
        way = policy.way(kind, level.rank)
        return Message(key, "", level.rank, kind, "internal", channel, channel, subject, text, kind=kind, way=way)


def _planned(message: Message) -> PlannedNotice:
    return PlannedNotice(message, pair(message.key, message.channel), SEND)
