"""The ways to people as the environment sets them up, and the ledger of what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.app.observed_tracker import connect_github
from incident_ops.app.workspace import Workspace, need_remote
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import Ledger
from incident_ops.domain.ports import Notifier, SharedLedger
from incident_ops.errors import IncidentOpsError, UserError

if TYPE_CHECKING:
    from incident_ops.adapters.files import LedgerFile
    from incident_ops.adapters.notifiers import NotifierSettings


_SECONDS = 15.0  # a page must not wait longer for a remote that hangs


class LedgerAccess(NamedTuple):
    """The ledger on the remote (None = there is none), what it says now, and why that could not be read."""

    ledger: SharedLedger | None
    content: Ledger | None
    error: IncidentOpsError | None


def notifiers(
    workspace: Workspace,
    incidents: Sequence[Incident],
    environment: Mapping[str, str],
    issue_numbers: Mapping[str, int] | None = None,
) -> Callable[[str], Notifier]:
    """A function from a channel's name to its notifier, made once; UserError where nothing is set up for it.

    Which notifier that is, the modules of `adapters/notifiers` declare. `issue_numbers` are the tracking issues by
    incident, where the records do not name them yet.
    """
    from incident_ops.adapters.notifiers import connect

    settings = _settings(workspace, incidents, environment, issue_numbers or {})
    made: dict[str, Notifier | UserError] = {}

    def notifier(channel: str) -> Notifier:
        if channel not in made:
            try:
                made[channel] = connect(replace(settings, channel=channel))
            except UserError as error:
                made[channel] = error
        found = made[channel]
        if isinstance(found, UserError):
            raise found
        return found

    return notifier


def _settings(
    workspace: Workspace,
    incidents: Sequence[Incident],
    environment: Mapping[str, str],
    issue_numbers: Mapping[str, int],
) -> NotifierSettings:
    """What a notifier may need, for any channel yet."""
    from incident_ops.adapters.notifiers import NotifierSettings
    from incident_ops.documents.markdown import markdown
    from incident_ops.edits.declare import channel_name

    policy, services = workspace.judged_by
    recorded = {one.id: one.links.tracking_issue for one in incidents if one.links.tracking_issue is not None}
    return NotifierSettings(
        channel="",
        environment=environment,
        incidents=incidents,
        services=services,
        room=lambda incident: channel_name(incident, policy),
        tracker=lambda: connect_github(workspace),
        issues={**recorded, **issue_numbers},
        inert=markdown,
    )


def shared_ledger(workspace: Workspace) -> LedgerAccess:
    """The ledger on the remote `origin`, read once."""
    from incident_ops.adapters.git_branches import LedgerRef

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


def local_ledger(workspace: Workspace) -> LedgerFile:
    """The ledger of this clone: the notices that were recorded and not sent."""
    from incident_ops.adapters.files import LedgerFile

    return LedgerFile(workspace.state / "ledger")
