"""Which channels work: a test message by each of a person, of a level, or of the whole policy. Nothing is recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from incident_ops.adapters import clock
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.due import OBSERVE
from incident_ops.app.notify import notifier_settings, pager_variables, ready_notifier
from incident_ops.app.workspace import Workspace
from incident_ops.domain.incident import Incident, Times
from incident_ops.domain.notification import RESOLVED_EVENT, Message, follow_up, pair
from incident_ops.domain.time import spell_instant, stamp
from incident_ops.errors import Ambiguous, IncidentOpsError, NotSetUp, UserError
from incident_ops.notifications.deliver import deliver
from incident_ops.notifications.plan import SEND, PlannedNotice
from incident_ops.notifications.trials import (
    ACCEPTED,
    NOT_READY,
    REFUSED,
    UNSENT,
    UNSURE,
    UNTRIED,
    TrialOptions,
    TriedChannel,
    channels_meant,
)

if TYPE_CHECKING:
    from incident_ops.domain.ports import Notifier


_ROOM = "incident-ops-test"
_SUBJECT = "Test of incident-ops: nothing is wrong, no reply is needed"
_COMMENT = "a comment on the tracking issue of each incident; see `incident-ops plan --tracker github`"


def try_channels(workspace: Workspace, options: TrialOptions) -> list[TriedChannel]:
    """Sends a test by each channel, a pager's alert opened and ended -> what became of each, by name."""
    policy = workspace.judged_by[0]
    users, without = channels_meant(policy, options, workspace.now)
    held = "--dry-run" if options.dry_run else OBSERVE if policy.mode == "observe" else ""
    trial = _Trial(workspace, held)
    tried = [one for channel in sorted(users) for one in trial.of(channel, tuple(sorted(users[channel])))]
    return tried + [TriedChannel(who, "", (), NOT_READY, why) for who, why in without.items()]


class _Trial:
    """The tests of one command."""

    def __init__(self, workspace: Workspace, held: str) -> None:
        self._held, self._now, self._pagers = held, clock.now(), pager_variables(*workspace.judged_by)
        settings = notifier_settings(workspace, [], os.environ, {}, {})
        self._settings = replace(settings, room=lambda _: _ROOM)

    def of(self, channel: str, uses: tuple[str, ...]) -> Iterator[TriedChannel]:
        """The tests of one channel: of one that leads to pagers, one for each of these."""
        from incident_ops.adapters.notifiers import has_address, pagers

        leads_to_pagers = channel in pagers() and not has_address(channel, os.environ)
        for env, whose in ((leads_to_pagers and self._pagers) or {"": ""}).items():
            outcome, reason, variable = self._tried(channel, env, whose)
            yield TriedChannel(channel, whose, uses, outcome, reason, variable)

    def _tried(self, channel: str, env: str, whose: str) -> tuple[str, str, str]:
        if channel == TICKET:
            return UNTRIED, _COMMENT, ""
        incident = _incident(f"test-{channel}", stamp(self._now))
        notifier = ready_notifier(channel, {env: whose} if env else {}, partial(self._connected, incident))
        if isinstance(notifier, NotSetUp):
            return NOT_READY, f"set {notifier.variable} ({notifier.hint})", notifier.variable
        if isinstance(notifier, UserError):
            return NOT_READY, _reason(channel, notifier), ""
        if self._held:
            return UNSENT, self._held, ""
        message = self._message(channel, incident.id)._replace(route=env)
        failed = _sent_once(notifier, message)
        if failed is None and env:
            left = _sent_once(notifier, follow_up(message, RESOLVED_EVENT))
            if left is not None:
                why = f"the test alert is open and could not be ended: {_reason(channel, left)}: resolve it by hand"
                return REFUSED, why, ""
        if failed is None:
            return ACCEPTED, "", ""
        return UNSURE if isinstance(failed, Ambiguous) else REFUSED, _reason(channel, failed), ""

    def _connected(self, incident: Incident, channel: str) -> Notifier:
        from incident_ops.adapters.notifiers import connect

        return connect(replace(self._settings, channel=channel, incidents=[incident]))

    def _message(self, channel: str, incident: str) -> Message:
        text = f"Sent {spell_instant(stamp(self._now))}, to see whether channel {channel} works."
        key = f"test/{channel}/{incident}/{uuid4()}"
        return Message(key, incident, 1, "test", "internal", channel, channel, _SUBJECT, text)


def _incident(name: str, now: str) -> Incident:
    """What notifiers take for an incident, for there may be none."""
    return Incident(id=name, title="Test", services=[], state="new", times=Times(declared=now))


def _sent_once(notifier: Notifier, message: Message) -> IncidentOpsError | None:
    """Why it was not taken; None where it was."""
    planned = PlannedNotice(message, pair(message.key, message.channel), SEND)
    delivered, _ = deliver([planned], None, lambda _: notifier, clock.now, may_wait=False)
    return delivered[0].error


def _reason(channel: str, error: IncidentOpsError) -> str:
    """What went wrong, without the name that stands beside it and without what only holds for notices."""
    return error.message.removeprefix(f"channel {channel}: ")
