"""`notify`: a notice sent by hand, from a laptop too, on the day GitHub is down."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from incident_ops.adapters import clock
from incident_ops.app.channels import notifiers, shared_ledger
from incident_ops.app.due import OBSERVE
from incident_ops.app.edit_record import find_record, record_of
from incident_ops.app.workspace import Workspace
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import INCIDENT_CHANNEL, Message
from incident_ops.domain.policy import LevelPolicy
from incident_ops.domain.record import Record
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.findings import did_you_mean
from incident_ops.notifications.deliver import Delivered, deliver
from incident_ops.notifications.plan import plan_deliveries
from incident_ops.notifications.recipients import notices
from incident_ops.render.findings import inert, inert_lines
from incident_ops.sla.obligations import incident_obligations
from incident_ops.sla.targets import level_of

AUDIENCES = ("internal", "executive", "public")

_MARK = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NotifyOptions:
    """What a person sends.

    `channels` () = those of the level; `text` stands before the facts; `may_wait` False = ranks 3 and 4 go out too
    where the ledger cannot be reached; `dry_run` sends nothing.
    """

    mark: str
    channels: tuple[str, ...] = ()
    audience: str = AUDIENCES[0]
    text: str | None = None
    may_wait: bool = True
    dry_run: bool = False


class NotifyResult(NamedTuple):
    """What became of the notices; `ledger_errors` say why the ledger could not be read, or does not know of all."""

    incident: str
    delivered: tuple[Delivered, ...]
    ledger_errors: tuple[IncidentOpsError, ...]


def notify_people(workspace: Workspace, incident: str | None, options: NotifyOptions) -> NotifyResult:
    """Sends a notice about an incident (None = the only open one), once for each mark and channel.

    Notices that are due with this mark are sent under their own keys, so that the automation does not send them again;
    where there are none, the facts of the record are sent.
    """
    record = _record(workspace, incident)
    policy, _ = workspace.judged_by
    level = level_of(record.incident, policy)
    channels = _channels(workspace, level, options.channels)
    due = evaluate_one(record, lambda found: _due_messages(workspace, found.incident, options))
    by_hand = due or [_message(record.incident, level, options, channel) for channel in channels]
    held = "--dry-run: nothing is sent" if options.dry_run else OBSERVE if policy.mode == "observe" else ""
    access = shared_ledger(workspace)
    planned = plan_deliveries(
        [_in_own_words(message, options.text, held) for message in by_hand],
        access.content,
        clock.now(),
        may_wait=options.may_wait,
    )
    delivered, error = deliver(
        planned,
        access.ledger,
        notifiers(workspace, [record.incident], os.environ),
        clock.now,
        unreadable=access.error,
        may_wait=options.may_wait,
    )
    errors = tuple(one for one in (access.error, error) if one is not None)
    return NotifyResult(record.incident.id, delivered, errors)


def _record(workspace: Workspace, incident: str | None) -> Record:
    path = find_record(workspace, incident)
    raw = workspace.store.read(path)
    if not isinstance(raw, bytes):
        raise UserError("the record cannot be read", where=path, hint="see `incident-ops validate`")
    return record_of(path, raw)


def _due_messages(workspace: Workspace, incident: Incident, options: NotifyOptions) -> list[Message]:
    """The notices that are due with this mark, under the keys of the automation."""
    if not _MARK.fullmatch(options.mark):
        hint = "a word of small letters, e.g. declared, breach, test"
        raise UserError(f"--mark {options.mark!r} is not a mark", hint=hint)
    policy, services = workspace.judged_by
    due = [
        one
        for one in incident_obligations(as_of(incident, workspace.now), policy)
        if options.mark in (one.mark, one.kind) and not one.superseded
    ]
    found = notices(due, {incident.id: incident}, policy, services, workspace.now)
    return [
        message
        for message in found.deliverable
        if message.audience == options.audience and (not options.channels or message.channel in options.channels)
    ]


def _channels(workspace: Workspace, level: LevelPolicy, asked: Sequence[str]) -> list[str]:
    """The channels that are meant; UserError where there is none, or one that the policy does not know."""
    policy = workspace.judged_by[0]
    known = {*policy.notify.channels, *level.channels}
    known |= {name for each_level in policy.levels for name in each_level.channels}
    known |= {name for person in policy.contacts.people.values() for name in person.channels}
    known |= {INCIDENT_CHANNEL} if policy.notify.incident_channel.create else set()
    for name in asked:
        if name not in known:
            hint = did_you_mean(name, known) or "policy notify.channels names those that exist"
            raise UserError(f"the policy has no channel {name!r}", hint=hint)
    channels = [*dict.fromkeys(asked or level.channels)]
    if not channels:
        raise UserError(f"level {level.id} has no channels", hint=f"--channel NAME, e.g. {min(known, default='chat')}")
    return channels


def _message(incident: Incident, level: LevelPolicy, options: NotifyOptions, channel: str) -> Message:
    restricted = incident.visibility == "restricted"
    title = "restricted incident" if restricted else incident.title
    drill = "[DRILL] " if incident.drill else ""
    return Message(
        key=f"{incident.id}/notify/{len(incident.cycles) + 1}/{options.mark}/{channel}/{options.audience}",
        incident=incident.id,
        rank=level.rank,
        mark=options.mark,
        audience=options.audience,
        recipient=channel,
        channel=channel,
        subject=inert(f"{drill}[{level.id}] {incident.id}: {title} ({options.mark})"),
        text="" if restricted else _facts(incident),
        drill=incident.drill,
        restricted=restricted,
    )


def _facts(incident: Incident) -> str:
    """What the record says that a person needs at once."""
    facts = [
        ("State", incident.state),
        ("Services", ", ".join(incident.services)),
        ("Commander", incident.roles.commander or "nobody yet"),
        ("Declared", incident.times.declared),
        ("Channel", incident.links.channel),
        ("Bridge", incident.links.bridge),
        ("Runbook", incident.links.runbook),
    ]
    return inert_lines("\n".join(f"{name}: {value}" for name, value in facts if value))


def _in_own_words(message: Message, text: str | None, held: str) -> Message:
    """What a person sends: quiet hours and snoozes hold nothing back, their own words come first."""
    parts = (inert_lines(text), "", message.text) if text else (message.text,)
    return message._replace(held=held, text="\n".join(parts).rstrip())
