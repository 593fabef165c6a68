"""What every command that sends needs: the ways to people as the environment sets them up, and the shared ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from incident_ops.cli.opening import Opened
from incident_ops.cli.remotes import need_remote
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.model.incident import Incident
from incident_ops.model.ledger import Ledger
from incident_ops.model.message import INCIDENT_CHANNEL
from incident_ops.model.service import Service
from incident_ops.ports import Notifier, SharedLedger
from incident_ops.reconcile.delivery import PAGER_CHANNELS

if TYPE_CHECKING:
    from incident_ops.adapters.ledger_file import LedgerFile

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
        from incident_ops.doors.declare import channel as channel_of

        return Chat.of(environment, {one.id: channel_of(one, policy) for one in incidents}, topics(incidents))
    if channel == TICKET:
        return _comments(opened, incidents, numbers)
    raise unset(channel)


def _comments(opened: Opened, incidents: Sequence[Incident], known: Mapping[str, int] | None) -> Notifier:
    from incident_ops.adapters.issue_comment import IssueComment
    from incident_ops.cli.tracking import connect
    from incident_ops.render.safe import markdown

    numbers = {one.id: one.links.tracking_issue for one in incidents if one.links.tracking_issue is not None}
    numbers |= known or {}
    return IssueComment(connect(opened, None, False), numbers, markdown)


def _topic(one: Incident) -> str:
    title = one.title if one.visibility != "restricted" else "restricted"
    commander = f"commander {one.roles.commander}" if one.roles.commander else "no commander yet"
    parts = ("DRILL" if one.drill else "", one.severity or one.priority or "", one.id, title, commander)
    return " · ".join(part for part in parts if part)
