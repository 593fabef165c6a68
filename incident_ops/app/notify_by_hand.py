"""A notice that a person sends: from a laptop, too, on the day GitHub is down."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from incident_ops.adapters import clock
from incident_ops.adapters.notifiers import pagers
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.due import OBSERVE
from incident_ops.app.edit_record import find_record, record_of
from incident_ops.app.notify import notifiers, pager_variables, ready_notifier, shared_ledger
from incident_ops.app.workspace import Workspace
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.notice_kinds import CALLS, PAGE
from incident_ops.domain.notification import INCIDENT_CHANNEL, Ledger, Message
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.ports import Notifier
from incident_ops.domain.record import Record
from incident_ops.domain.time import spell_instant, stamp
from incident_ops.domain.waits import snoozed_until
from incident_ops.edits.communicate import AUDIENCES
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.findings import did_you_mean
from incident_ops.notifications.alert_state import Alert
from incident_ops.notifications.alerts import alerts
from incident_ops.notifications.by_hand import alerts_by_hand, due_with
from incident_ops.notifications.deliver import WOULD_SEND, Delivered, deliver
from incident_ops.notifications.kinds import answer_times, way_now
from incident_ops.notifications.notice_text import subject_line
from incident_ops.notifications.plan import PlannedNotice, plan_deliveries
from incident_ops.notifications.recipients import notices
from incident_ops.notifications.trials import NOT_READY
from incident_ops.render.findings import inert, inert_lines
from incident_ops.sla.obligations import ESCALATION_NOTICE, Case, Obligation, incident_obligations
from incident_ops.sla.targets import level_of, level_periods


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


class _Asked(NamedTuple):
    """What a person asks for of one incident, under its policy; `is_answered`: somebody has it, or it is over."""

    workspace: Workspace
    incident: Incident
    policy: Policy
    level: LevelPolicy
    options: NotifyOptions
    is_answered: bool

    def rings(self, due: Iterable[Obligation]) -> bool:
        """True where the kind of the notice wakes people now, as the policy says."""
        answered, mark = answer_times(self.incident, self.policy, self.workspace.now), self.options.mark
        if any(way_now(one, self.policy, answered) == PAGE for one in due):
            return True
        return self.policy.way(mark, self.level.rank) == PAGE and not (mark in CALLS and self.is_answered)


def notify_people(workspace: Workspace, incident: str | None, options: NotifyOptions) -> NotifyResult:
    """Sends a notice about an incident (None = the only open one), once for each mark and channel.

    Notices that are due with this mark are sent under their own keys, so that the automation does not send them again;
    where there are none, the facts of the record are sent. UserError for a mark that means nothing that is due.
    """
    record = _record(workspace, incident)
    meant = record.incident
    policy = workspace.judged_by[0].for_incident(meant)
    is_answered = bool(answer_times(meant, policy, workspace.now)) or meant.state in OVER
    asked = _Asked(workspace, meant, policy, level_of(meant, policy), options, is_answered)
    _refuse_unknown(policy, asked.level, options.channels)
    access = shared_ledger(workspace)
    by_hand = evaluate_one(record, lambda _: _messages_by_hand(asked, access.content))
    held = OBSERVE if policy.mode == "observe" else ""
    planned = plan_deliveries(
        [_in_own_words(message, options.text, held) for message in by_hand],
        access.content,
        clock.now(),
        may_wait=options.may_wait,
        is_asked_for=True,
    )
    paths = {meant.id: record.path} if meant.links.tracking_issue is not None else {}  # it is merged
    notifier_of = notifiers(workspace, [meant], os.environ, paths=paths)
    errors: tuple[IncidentOpsError, ...] = () if access.error is None else (access.error,)
    if options.dry_run:
        return NotifyResult(meant.id, tuple(_tried_dry(one, asked, notifier_of) for one in planned), errors)
    delivered, error = deliver(
        planned, access.ledger, notifier_of, clock.now, unreadable=access.error, may_wait=options.may_wait
    )
    errors += () if error is None else (error,)
    return NotifyResult(meant.id, delivered, errors)


def page_once(workspace: Workspace, incident: str, mark: str, reason: str) -> NotifyResult:
    """Pages about an incident for a reason that no record holds, once for each mark and cycle: its team and whoever
    has it, and its pagers, which ring anew where somebody has acknowledged. Its issue is left to the caller.

    UserError where there is no such incident, or the policy does not know its level.
    """
    record = _record(workspace, incident)
    meant, now = record.incident, workspace.now
    every, services = workspace.judged_by
    policy, view = every.for_incident(meant), as_of(meant, now)
    access = shared_ledger(workspace)

    def made(_: Record) -> list[Message]:
        case = Case(view, policy, level_periods(view, policy))
        about = case.obligation(ESCALATION_NOTICE, "watch", mark, now, reason)
        found = notices([about], {meant.id: meant}, every, services, now).deliverable
        ringing = dict.fromkeys(one.channel for one in found if one.channel in pagers())
        due = [one for one in incident_obligations(view, policy) if not one.superseded]
        alerting = alerts(meant, every, services, now, pagers(), due=due)
        own = {services[name].pager_key_env or "" for name in meant.services if name in services} or {""}
        quiet = (one for one in found if one.channel not in ringing and one.channel != TICKET)
        return [*alerts_by_hand(alerting, ringing, own, access.content), *quiet]

    planned = plan_deliveries(evaluate_one(record, made), access.content, clock.now())
    paths = {meant.id: record.path} if meant.links.tracking_issue is not None else {}
    notifier_of = notifiers(workspace, [meant], os.environ, paths=paths)
    delivered, error = deliver(planned, access.ledger, notifier_of, clock.now, unreadable=access.error)
    errors = tuple(one for one in (access.error, error) if one is not None)
    return NotifyResult(meant.id, delivered, errors)


def _record(workspace: Workspace, incident: str | None) -> Record:
    path = find_record(workspace, incident)
    raw = workspace.store.read(path)
    if not isinstance(raw, bytes):
        raise UserError("the record cannot be read", where=path, hint="see `incident-ops validate`")
    return record_of(path, raw)


def _refuse_unknown(policy: Policy, level: LevelPolicy, named: Sequence[str]) -> None:
    """UserError for a channel that the policy does not know."""
    known = _known_channels(policy, level)
    for name in named:
        if name not in known:
            hint = did_you_mean(name, known) or "policy notify.channels names those that exist"
            raise UserError(f"the policy has no channel {name!r}", hint=hint)


def _known_channels(policy: Policy, level: LevelPolicy) -> set[str]:
    known = {*policy.notify.channels, *level.channels}
    known |= {name for each_level in policy.levels for name in each_level.channels}
    known |= {name for person in policy.contacts.people.values() for name in person.channels}
    return known | ({INCIDENT_CHANNEL} if policy.notify.incident_channel.create else set())


def _messages_by_hand(asked: _Asked, ledger: Ledger | None) -> list[Message]:
    """What is due with this mark, under the keys of the automation; over the channels without it the record's facts;
    to a pager the incident's alert. UserError where nothing could be sent."""
    incident, policy, options = asked.incident, asked.policy, asked.options
    services, now = asked.workspace.judged_by[1], asked.workspace.now
    every = incident_obligations(as_of(incident, now), policy)
    due = due_with(options.mark, every, incident.id)
    found = notices(due, {incident.id: incident}, policy, services, now).deliverable
    made = [
        one
        for one in found
        if one.audience == options.audience
        and one.channel not in pagers()
        and (not options.channels or one.channel in options.channels)
    ]
    rings, open_now = asked.rings(due), [one for one in every if not one.superseded]
    alerting = alerts(incident, policy, services, now, pagers(), due=open_now)
    own = {services[name].pager_key_env or "" for name in incident.services if name in services} or {""}
    for_pagers = list(alerts_by_hand(alerting, _pagers_meant(asked, alerting, rings=rings), own, ledger))
    _refuse_without_end(asked, for_pagers)
    covered = {one.channel for one in made}
    usual = [name for name in asked.level.channels if rings or not policy.rings(name)]
    plain = options.channels or (() if made else usual)
    made += [_message(asked, name) for name in dict.fromkeys(plain) if name not in covered and name not in pagers()]
    if not made and not for_pagers:
        quiet = "" if rings else " that do not ring"
        example = min(_known_channels(policy, asked.level), default="chat")
        raise UserError(f"level {asked.level.id} has no channels{quiet}", hint=f"--channel NAME, e.g. {example}")
    return [*for_pagers, *made]


def _pagers_meant(asked: _Asked, alerting: Sequence[Alert], *, rings: bool) -> Collection[str]:
    """The pagers that a person named, else those that ring by themselves and only for what pages."""
    if asked.options.channels:
        return [name for name in dict.fromkeys(asked.options.channels) if name in pagers()]
    if not rings or asked.options.audience != AUDIENCES[0]:
        return ()
    return sorted({one.channel for alert in alerting for one in alert.reaches})


def _refuse_without_end(asked: _Asked, for_pagers: Sequence[Message]) -> None:
    """UserError for a pager that was named where nothing would ever end its alert."""
    named = [name for name in asked.options.channels if name in pagers()]
    missing = [name for name in named if name not in {one.channel for one in for_pagers}]
    if not missing:
        return
    incident = asked.incident
    if incident.state in OVER:
        why = f"{incident.id} is over, and nothing would end an alert that is opened now"
        hint = f'`incident-ops reopen {incident.id} --reason "..."` rings it; or use another channel, e.g. sms or chat'
    else:
        snoozed = snoozed_until(incident, asked.workspace.now)
        cause = f"it is snoozed until {stamp(snoozed)}" if snoozed else f"{asked.level.id} opens none"
        why = f"{incident.id} has no alert ({cause}), and nothing would end one that is opened now"
        hint = "raise it to a level that pages, or use another channel, e.g. sms or chat"
    raise UserError(f"channel {missing[0]} is a pager: {why}", hint=hint)


def _message(asked: _Asked, channel: str) -> Message:
    incident, options = asked.incident, asked.options
    restricted = incident.visibility == "restricted"
    policy = asked.workspace.judged_by[0]
    return Message(
        key=f"{incident.id}/notify/{len(incident.cycles) + 1}/{options.mark}/{channel}/{options.audience}",
        incident=incident.id,
        rank=asked.level.rank,
        mark=options.mark,
        audience=options.audience,
        recipient=channel,
        channel=channel,
        subject=inert(subject_line(incident, policy, asked.workspace.now, options.mark)),
        text="" if restricted else _facts(incident),
        drill=incident.drill,
        restricted=restricted,
    )


def _facts(incident: Incident) -> str:
    """Where it stands; what every notice says comes after it."""
    return f"State: {incident.state}\nDeclared: {spell_instant(incident.times.declared)}"


def _in_own_words(message: Message, text: str | None, held: str) -> Message:
    """What a person sends: quiet hours and snoozes hold nothing back, their own words come first."""
    parts = (inert_lines(text), "", message.text) if text else (message.text,)
    return message._replace(held=held, held_until=None, text="\n".join(parts).rstrip())


def _tried_dry(one: PlannedNotice, asked: _Asked, notifier_of: Callable[[str], Notifier]) -> Delivered:
    """What would become of a notice: whether its channel is set up is asked, nothing is sent."""
    if not one.goes_out:
        return Delivered(one, one.action)
    services = asked.workspace.judged_by[1]
    named = (services[name].pager_key_env for name in asked.incident.services if name in services)
    meant = (one.message.route,) if one.message.route else tuple(named)
    keys = {env: whose for env, whose in pager_variables(*asked.workspace.judged_by).items() if env in meant}
    ready = ready_notifier(one.message.channel, keys, notifier_of)
    return Delivered(one, NOT_READY, ready) if isinstance(ready, UserError) else Delivered(one, WOULD_SEND)
