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
from incident_ops.domain.policy import Policy, Service
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
        self._held, self._now, self._pagers = held, clock.now(), _pager_keys(*workspace.judged_by)
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
        from incident_ops.adapters.notifiers import connect

        if channel == TICKET:
            return UNTRIED, _COMMENT, ""
        if env and not os.environ.get(env, "").strip():
            return NOT_READY, f"set {env} (the routing key of {whose})", env
        incident = _incident(f"test-{channel}", stamp(self._now))
        try:
            notifier = connect(replace(self._settings, channel=channel, incidents=[incident]))
        except NotSetUp as error:
            return NOT_READY, f"set {error.variable} ({error.hint})", error.variable
        except UserError as error:
            return NOT_READY, _reason(channel, error), ""
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

    def _message(self, channel: str, incident: str) -> Message:
        text = f"Sent {spell_instant(stamp(self._now))}, to see whether channel {channel} works."
        key = f"test/{channel}/{incident}/{uuid4()}"
        return Message(key, incident, 1, "test", "internal", channel, channel, _SUBJECT, text)


def _pager_keys(policy: Policy, services: Mapping[str, Service]) -> dict[str, str]:
    """The variables with routing keys, and whose they are: services and tiers."""
    named = [(f"service {name}", service.pager_key_env) for name, service in sorted(services.items())]
    parts = (policy, *policy.teams.values())
    named += [(f"tier {tier.id}", tier.pager_key_env) for part in parts for tier in part.escalation.tiers]
    found: dict[str, list[str]] = {}
    for whose, env in named:
        found.setdefault(env or "", []).append(whose)
    return {env: ", ".join(dict.fromkeys(names)) for env, names in found.items() if env}


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
