"""Which channels work: a test message by each of a person, of a level, or of the whole policy. Nothing is recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from incident_ops.adapters import clock
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.due import OBSERVE
from incident_ops.app.notify import notifier_settings
from incident_ops.app.workspace import Workspace
from incident_ops.domain.incident import Incident, Times
from incident_ops.domain.notification import RESOLVED_EVENT, Message, follow_up, pair
from incident_ops.domain.policy import Service
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
    policy, services = workspace.judged_by
    users, without = channels_meant(policy, options)
    held = "--dry-run" if options.dry_run else OBSERVE if policy.mode == "observe" else ""
    trial = _Trial(workspace, services, held)
    tried = [one for channel in sorted(users) for one in trial.of(channel, tuple(sorted(users[channel])))]
    return tried + [TriedChannel(who, "", (), NOT_READY, "no channel in `contacts`") for who in without]


class _Trial:
    """The tests of one command."""

    def __init__(self, workspace: Workspace, services: Mapping[str, Service], held: str) -> None:
        self._services, self._held, self._now = services, held, clock.now()
        settings = notifier_settings(workspace, [], os.environ, {}, {})
        self._settings = replace(settings, room=lambda _: _ROOM)

    def of(self, channel: str, uses: tuple[str, ...]) -> Iterator[TriedChannel]:
        """The tests of one channel: of a pager that services have, one for each of them."""
        from incident_ops.adapters.notifiers import is_of_services

        by_service = is_of_services(replace(self._settings, channel=channel))
        for service in sorted(self._services) if by_service else [""]:
            if not service or self._services[service].pager_key_env:
                outcome, reason, variable = self._tried(channel, service)
                yield TriedChannel(channel, service, uses, outcome, reason, variable)

    def _tried(self, channel: str, service: str) -> tuple[str, str, str]:
        from incident_ops.adapters.notifiers import connect, pagers

        if channel == TICKET:
            return UNTRIED, _COMMENT, ""
        incident = _incident(f"test-{service or channel}", service, stamp(self._now))
        try:
            notifier = connect(replace(self._settings, channel=channel, incidents=[incident]))
        except NotSetUp as error:
            return NOT_READY, f"set {error.variable} ({error.hint})", error.variable
        except UserError as error:
            return NOT_READY, _reason(channel, error), ""
        if self._held:
            return UNSENT, self._held, ""
        message = self._message(channel, incident.id)
        failed = _sent_once(notifier, message)
        if failed is None and service and channel in pagers():
            left = _sent_once(notifier, follow_up(message, RESOLVED_EVENT))
            if left is not None:
                why = f"the test alert is open and could not be ended: {_reason(channel, left)}: resolve it by hand"
                return REFUSED, why, ""
        if failed is None:
            return ACCEPTED, "", ""
        return UNSURE if isinstance(failed, Ambiguous) else REFUSED, _reason(channel, failed), ""

    def _message(self, channel: str, incident: str) -> Message:
        text = f"Sent {spell_instant(stamp(self._now))}, to see whether channel {channel} works."
        key = f"test/{channel}/{incident}/{uuid4()}"
        return Message(key, incident, 1, "test", "internal", channel, channel, _SUBJECT, text)


def _incident(name: str, service: str, now: str) -> Incident:
    """What notifiers take for an incident, for there may be none."""
    return Incident(id=name, title="Test", services=[service], state="new", times=Times(declared=now))


def _sent_once(notifier: Notifier, message: Message) -> IncidentOpsError | None:
    """Why it was not taken; None where it was."""
    planned = PlannedNotice(message, pair(message.key, message.channel), SEND)
    delivered, _ = deliver([planned], None, lambda _: notifier, clock.now, may_wait=False)
    return delivered[0].error


def _reason(channel: str, error: IncidentOpsError) -> str:
    """What went wrong, without the name that stands beside it and without what only holds for notices."""
    return error.message.removeprefix(f"channel {channel}: ")
