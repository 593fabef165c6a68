"""The ways to people as the environment sets them up, and the ledger of what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.app.observed_tracker import connect_github
from incident_ops.app.workspace import Opened, need_remote
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import INCIDENT_CHANNEL, Ledger
from incident_ops.domain.ports import Notifier, SharedLedger
from incident_ops.domain.services import Service
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.notifications.plan import PAGER_CHANNELS

if TYPE_CHECKING:
    from incident_ops.adapters.ledger_file import LedgerFile


TICKET = "ticket"
"""The channel whose notices are comments on the tracking issue."""

_SECONDS = 15.0  # a page must not wait longer for a remote that hangs


class LedgerAccess(NamedTuple):
    """The ledger on the remote (None = there is none), what it says now, and why that could not be read."""

    ledger: SharedLedger | None
    content: Ledger | None
    error: IncidentOpsError | None


def notifiers(
    workspace: Opened,
    incidents: Sequence[Incident],
    environment: Mapping[str, str],
    issue_numbers: Mapping[str, int] | None = None,
) -> Callable[[str], Notifier]:
    """A function from a channel's name to its notifier, made once; UserError where nothing is set up for it.

    An address in the environment comes first. Without one `pager` and `pagerduty` go to the services' own pagers,
    `incident_channel` to the incident's chat channel, `ticket` to the tracking issue: that of `issue_numbers` (by
    incident), else the one the record names.
    """
    made: dict[str, Notifier | UserError] = {}

    def notifier(channel: str) -> Notifier:
        if channel not in made:
            try:
                made[channel] = _notifier(workspace, incidents, environment, channel, issue_numbers)
            except UserError as error:
                made[channel] = error
        found = made[channel]
        if isinstance(found, UserError):
            raise found
        return found

    return notifier


def shared_ledger(workspace: Opened) -> LedgerAccess:
    """The ledger on the remote `origin`, read once."""
    from incident_ops.adapters.ledger_ref import LedgerRef

    if workspace.git is None:
        return LedgerAccess(None, None, UserError("there is no git repository, so there is no ledger"))
    try:
        ledger = LedgerRef(need_remote(workspace.git, _SECONDS))
    except UserError as error:
        return LedgerAccess(None, None, error)
    try:
        return LedgerAccess(ledger, ledger.read(), None)
    except IncidentOpsError as error:
        return LedgerAccess(ledger, None, error)


def local_ledger(workspace: Opened) -> LedgerFile:
    """The ledger of this clone: the notices that were recorded and not sent."""
    from incident_ops.adapters.ledger_file import LedgerFile

    return LedgerFile(workspace.state / "ledger")


def topics(incidents: Sequence[Incident]) -> dict[str, str]:
    """The topic of each incident's chat channel: level, id, title (not of a restricted one), who commands."""
    return {incident.id: _topic(incident) for incident in incidents}


def pager_keys(
    incidents: Sequence[Incident], services: Mapping[str, Service], environment: Mapping[str, str]
) -> dict[str, list[str]]:
    """The routing keys of an incident's services, by incident. UserError names a variable that is not set."""
    keys: dict[str, list[str]] = {}
    for incident in incidents:
        for name in incident.services:
            service = services.get(name)
            if service is None or service.pager_key_env is None:
                continue
            key = environment.get(service.pager_key_env, "").strip()
            if not key:
                message = f"the pager of service {name} needs {service.pager_key_env}, which is not set"
                raise UserError(message, hint="it holds the routing key; services.yaml pager_key_env names it")
            keys.setdefault(incident.id, []).append(key)
    return keys


def _notifier(
    workspace: Opened,
    incidents: Sequence[Incident],
    environment: Mapping[str, str],
    channel: str,
    issue_numbers: Mapping[str, int] | None,
) -> Notifier:
    from incident_ops.adapters.notify import Channel, unset, variable

    policy, services = workspace.judged_by
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
        return _comments(workspace, incidents, issue_numbers)
    raise unset(channel)


def _comments(workspace: Opened, incidents: Sequence[Incident], known: Mapping[str, int] | None) -> Notifier:
    from incident_ops.adapters.issue_comment import IssueComment
    from incident_ops.documents.markdown import markdown

    numbers = {one.id: one.links.tracking_issue for one in incidents if one.links.tracking_issue is not None}
    numbers |= known or {}
    return IssueComment(connect_github(workspace), numbers, markdown)


def _topic(incident: Incident) -> str:
    title = incident.title if incident.visibility != "restricted" else "restricted"
    commander = f"commander {incident.roles.commander}" if incident.roles.commander else "no commander yet"
    parts = ("DRILL" if incident.drill else "", incident.severity or incident.priority, incident.id, title, commander)
    return " · ".join(part for part in parts if part)
