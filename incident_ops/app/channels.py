"""Who is to be told at this run: notices against the ledger, and the pages that are to be taken back.

What every command that sends needs: the ways to people as the environment sets them up, and the shared ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from incident_ops.app.workspace import Opened, need_remote
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import INCIDENT_CHANNEL, Ledger, Message, Pair, pair, parse_ledger, serialise
from incident_ops.domain.policy import Policy
from incident_ops.domain.ports import Notifier, SharedLedger
from incident_ops.domain.record import Record
from incident_ops.domain.services import Service
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.notifications.plan import HELD, PAGER_CHANNELS, PlannedNotice, follow_ups, plan_deliveries
from incident_ops.notifications.recipients import LATE_AFTER, Notices, merge_notices, notices, possible_notices
from incident_ops.reconcile.changes import KeyDecision
from incident_ops.reconcile.plan import telling
from incident_ops.sla.obligations import DueObligations, Obligation, SeenOf
from incident_ops.sla.pages import ended_pages

if TYPE_CHECKING:
    from incident_ops.adapters.ledger_file import LedgerFile


OBSERVE = "the policy's mode is observe"


class NoticeSetting(NamedTuple):
    """What notices are made by: policy, services, and the instant (aware UTC) of the run."""

    policy: Policy
    services: Mapping[str, Service]
    now: datetime


class WantedNotices(NamedTuple):
    """Everything that may be sent: notices as messages, who cannot be reached, and the calls that stand no more."""

    told: Notices
    why: Mapping[str, str]
    messages: tuple[Message, ...]
    over: tuple[tuple[str, tuple[Message, ...]], ...]

    def pairs(self) -> set[Pair]:
        """All that the ledger is asked about."""
        every = (*self.messages, *(one for _, of in self.over for one in of))
        found = {pair(one.key, one.channel) for one in every}
        return found | {pair(f"{one.key}#{mark}", one.channel) for mark, of in self.over for one in of}


def wanted(records: Sequence[Record], owed: DueObligations, setting: NoticeSetting, seen: SeenOf) -> WantedNotices:
    """Notices as if the mode were active: what `observe` holds is what would be sent otherwise."""
    policy = replace(setting.policy, mode="active")
    by_id = {record.incident.id: record for record in records}
    of: dict[str, list[Obligation]] = {}
    for obligation in owed.obligations:
        of.setdefault(obligation.incident, []).append(obligation)

    def told_of(record: Record) -> tuple[Notices, list[tuple[str, Message]]]:
        incident = record.incident
        due = of.get(incident.id, ())
        told = notices(due, {incident.id: incident}, policy, setting.services, setting.now)
        return told, list(_over(incident, setting._replace(policy=policy), seen))

    made = list(evaluate_each(by_id.values(), told_of))
    told = merge_notices(one for one, _ in made)
    found = told.deliverable
    over: dict[str, list[Message]] = {}
    for _, calls in made:
        for mark, one in calls:
            over.setdefault(mark, []).append(one._replace(held=""))
    why = {one.key: one.reason for one in owed.obligations if setting.now - one.due <= LATE_AFTER}
    return WantedNotices(told, why, found, tuple((mark, tuple(stale)) for mark, stale in sorted(over.items())))


def ledger_lines(ledger: Ledger, pairs: set[Pair]) -> tuple[str, ...]:
    """The lines of a ledger that this run may need, as a snapshot keeps them."""
    found = {one: sending for one, sending in ledger.items() if one in pairs}
    return tuple(serialise(found).decode("ascii").splitlines())


def told_now(
    asked: WantedNotices, lines: Sequence[str] | None, setting: NoticeSetting
) -> tuple[tuple[PlannedNotice, ...], KeyDecision]:
    """What is sent now, and the same as changes of a plan. `lines` None = the ledger could not be read."""
    ledger = None if lines is None else parse_ledger("".join(f"{line}\n" for line in lines).encode())
    every = list(asked.messages)
    if ledger is not None:
        every += [one for mark, of in asked.over for one in follow_ups(of, ledger, mark)]
    held = OBSERVE if setting.policy.mode == "observe" else ""
    planned = plan_deliveries(every, ledger, setting.now)
    verdict = telling(asked.told, planned, asked.why, held)
    if held:
        planned = tuple(one._replace(action=HELD, why=held) if one.goes_out else one for one in planned)
    return planned, verdict


def _over(incident: Incident, setting: NoticeSetting, seen: SeenOf) -> Iterator[tuple[str, Message]]:
    policy, services, now = setting
    try:
        for one, mark in ended_pages(as_of(incident, now), policy, seen(incident)):
            for message in possible_notices(one, incident, policy, services, now):
                if message.channel in PAGER_CHANNELS:
                    yield mark, message
    except UserError:
        if policy.duties(incident.severity, incident.priority) is not None:
            raise


TICKET = "ticket"
"""The channel whose notices are comments on the tracking issue."""

_SECONDS = 15.0  # a page must not wait longer for a remote that hangs


def sinks(
    opened: Opened,
    incidents: Sequence[Incident],
    environment: Mapping[str, str],
    numbers: Mapping[str, int] | None = None,
) -> Callable[[str], Notifier]:
    """A function from a channel's name to the way there, made once; UserError where nothing is set up for it.

    An address in the environment comes first. Without one `pager` and `pagerduty` go to the services' own pagers,
    `incident_channel` to the incident's chat channel, `ticket` to the tracking issue: that of `numbers` (by incident),
    else the one the record names.
    """
    made: dict[str, Notifier | UserError] = {}

    def sink(channel: str) -> Notifier:
        if channel not in made:
            try:
                made[channel] = _sink(opened, incidents, environment, channel, numbers)
            except UserError as error:
                made[channel] = error
        found = made[channel]
        if isinstance(found, UserError):
            raise found
        return found

    return sink


def shared_ledger(opened: Opened) -> tuple[SharedLedger | None, Ledger | None, IncidentOpsError | None]:
    """(the ledger on the remote `origin`, what it says now, why it says nothing). None where there is none."""
    from incident_ops.adapters.ledger_ref import LedgerRef

    if opened.git is None:
        return None, None, UserError("there is no git repository, so there is no ledger")
    try:
        ledger = LedgerRef(need_remote(opened.git, _SECONDS))
    except UserError as error:
        return None, None, error
    try:
        return ledger, ledger.read(), None
    except IncidentOpsError as error:
        return ledger, None, error


def local_ledger(opened: Opened) -> LedgerFile:
    """The ledger of this clone: what was recorded as not sent."""
    from incident_ops.adapters.ledger_file import LedgerFile

    return LedgerFile(opened.state / "ledger")


def topics(incidents: Sequence[Incident]) -> dict[str, str]:
    """The topic of each incident's chat channel: level, id, title (not of a restricted one), who commands."""
    return {one.id: _topic(one) for one in incidents}


def pager_keys(
    incidents: Sequence[Incident], services: Mapping[str, Service], environment: Mapping[str, str]
) -> dict[str, list[str]]:
    """The routing keys of an incident's services, by incident. UserError names a variable that is not set."""
    out: dict[str, list[str]] = {}
    for one in incidents:
        for name in one.services:
            service = services.get(name)
            if service is None or service.pager_key_env is None:
                continue
            key = environment.get(service.pager_key_env, "").strip()
            if not key:
                told = f"the pager of service {name} needs {service.pager_key_env}, which is not set"
                raise UserError(told, hint="it holds the routing key; services.yaml pager_key_env names it")
            out.setdefault(one.id, []).append(key)
    return out


def _sink(
    opened: Opened,
    incidents: Sequence[Incident],
    environment: Mapping[str, str],
    channel: str,
    numbers: Mapping[str, int] | None,
) -> Notifier:
    from incident_ops.adapters.notify import Channel, unset, variable

    policy, services = opened.judged_by
    if environment.get(variable(channel), "").strip():
        return Channel.of(channel, environment)
    if channel in PAGER_CHANNELS and any(service.pager_key_env for service in services.values()):
        from incident_ops.adapters.pager import Pager, pager_url

        return Pager(channel, pager_url(environment), pager_keys(incidents, services, environment))
    if channel == INCIDENT_CHANNEL:
        from incident_ops.adapters.chat import Chat
        from incident_ops.edits.declare import channel_name

        return Chat.of(environment, {one.id: channel_name(one, policy) for one in incidents}, topics(incidents))
    if channel == TICKET:
        return _comments(opened, incidents, numbers)
    raise unset(channel)


def _comments(opened: Opened, incidents: Sequence[Incident], known: Mapping[str, int] | None) -> Notifier:
    from incident_ops.adapters.issue_comment import IssueComment
    from incident_ops.app.plan import connect_github
    from incident_ops.documents.markdown import markdown

    numbers = {one.id: one.links.tracking_issue for one in incidents if one.links.tracking_issue is not None}
    numbers |= known or {}
    return IssueComment(connect_github(opened, None, False), numbers, markdown)


def _topic(one: Incident) -> str:
    title = one.title if one.visibility != "restricted" else "restricted"
    commander = f"commander {one.roles.commander}" if one.roles.commander else "no commander yet"
    parts = ("DRILL" if one.drill else "", one.severity or one.priority or "", one.id, title, commander)
    return " · ".join(part for part in parts if part)
