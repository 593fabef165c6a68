"""How notices go out: the channels that the environment sets up, the ledger of what was sent, and the sending.

Of a run, pages that cannot wait go before everything else, the rest at the end.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.adapters import clock
from incident_ops.adapters.notifiers.issue_comment import TICKET
from incident_ops.app.edit_record import record_of
from incident_ops.app.notice_places import places_of
from incident_ops.app.observed_tracker import connect_github, tracking_issues
from incident_ops.app.workspace import Workspace, need_remote, remote_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Ledger, Message
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.ports import Notifier, SharedLedger
from incident_ops.errors import IncidentOpsError, NoIssueYet, NotSetUp, UserError
from incident_ops.notifications.deliver import NOT_SENT, NOT_TRIED, Delivered, deliver
from incident_ops.notifications.notice_text import notice_facts
from incident_ops.notifications.plan import SUMMED, PlannedNotice, is_urgent
from incident_ops.notifications.recipients import has_been_handled
from incident_ops.reconcile.changes import NOTIFY, PlannedChange

if TYPE_CHECKING:
    from incident_ops.adapters.files import LedgerFile
    from incident_ops.adapters.notifiers import NotifierSettings
    from incident_ops.app.plan import PlannedRun


LEDGER_SECONDS = 15.0
"""A page must not wait longer for a remote that hangs."""


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
    paths: Mapping[str, str] | None = None,
) -> Callable[[str], Notifier]:
    """A function from a channel's name to its notifier, made once; UserError where nothing is set up for it.

    Which notifier that is, the modules of `adapters/notifiers` declare. `issue_numbers` are the tracking issues by
    incident, where the records do not name them yet; `paths` those of the records that the default branch has.
    """
    from incident_ops.adapters.notifiers import connect

    settings = notifier_settings(workspace, incidents, environment, issue_numbers or {}, paths or {})
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


def notifier_settings(
    workspace: Workspace,
    incidents: Sequence[Incident],
    environment: Mapping[str, str],
    issue_numbers: Mapping[str, int],
    paths: Mapping[str, str],
) -> NotifierSettings:
    """What a notifier may need, for any channel yet."""
    from incident_ops.adapters.notifiers import NotifierSettings
    from incident_ops.documents.markdown import markdown
    from incident_ops.edits.declare import channel_name

    policy, services = workspace.judged_by
    every = (policy, *policy.teams.values())
    recorded = {one.id: one.links.tracking_issue for one in incidents if one.links.tracking_issue is not None}
    issues = {**recorded, **issue_numbers}
    places = places_of(workspace, environment, issues, paths)
    return NotifierSettings(
        channel="",
        environment=environment,
        incidents=incidents,
        services=services,
        room=lambda incident: channel_name(incident, policy),
        tracker=lambda: connect_github(workspace),
        issues=issues,
        inert=markdown,
        facts={one.id: notice_facts(one, policy, services, places(one), workspace.now) for one in incidents},
        addresses=lambda incident: _addresses(incident, policy),
        repository=name_of_records(workspace, environment),
        has_tier_pagers=any(tier.pager_key_env for one in every for tier in one.escalation.tiers),
    )


def ready_notifier(
    channel: str, keys: Mapping[str, str], notifier_of: Callable[[str], Notifier]
) -> Notifier | UserError:
    """The notifier of a channel, or why nothing can be sent by it now; nothing is sent. `keys` are the variables with
    the routing keys of the pagers that are meant, and whose they are."""
    from incident_ops.adapters.notifiers import has_address, pagers

    try:
        notifier = notifier_of(channel)
    except UserError as error:
        return error
    if channel in pagers() and not has_address(channel, os.environ):
        for variable, whose in keys.items():
            if not os.environ.get(variable, "").strip():
                return NotSetUp(channel, variable, f"the routing key of {whose}")
    return notifier


def pager_variables(policy: Policy, services: Mapping[str, Service]) -> dict[str, str]:
    """The variables with routing keys, and whose they are: services and tiers."""
    named = [(f"service {name}", service.pager_key_env) for name, service in sorted(services.items())]
    parts = (policy, *policy.teams.values())
    named += [(f"tier {tier.id}", tier.pager_key_env) for part in parts for tier in part.escalation.tiers]
    found: dict[str, list[str]] = {}
    for whose, env in named:
        found.setdefault(env or "", []).append(whose)
    return {env: ", ".join(dict.fromkeys(names)) for env, names in found.items() if env}


def name_of_records(workspace: Workspace, environment: Mapping[str, str]) -> str:
    """The repository's name on GitHub, else the end of its remote's address: the same at home and in a workflow."""
    from incident_ops.adapters.github.connect import repository_address

    remote = remote_of(workspace.git)
    address = repository_address(environment, remote.url if remote else None) or (remote.url if remote else "")
    return "/".join(re.split("[/:]", address.rstrip("/").removesuffix(".git"))[-2:]).casefold()


def _addresses(incident: Incident, policy: Policy) -> list[str]:
    """The addresses by which git knows those who have a role of an incident, or the incident."""
    roles = incident.roles
    held = (roles.commander, roles.technical_lead, roles.communications_lead, roles.scribe, *roles.others.values())
    named = dict.fromkeys((*held, *(entry.to for entry in incident.assignments[-1:])))
    known = (policy.contacts.people.get(name) for name in named if name)
    return [one for person in known if person for one in person.git if "@" in one]


def shared_ledger(workspace: Workspace) -> LedgerAccess:
    """The ledger on the remote `origin`, read once."""
    from incident_ops.adapters.git_branches import LedgerRef

    if workspace.git is None:
        return LedgerAccess(None, None, UserError("there is no git repository, so there is no ledger"))
    try:
        ledger = LedgerRef(need_remote(workspace.git, LEDGER_SECONDS))
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


RECORDED = "recorded, not sent"
_FRESH = timedelta(seconds=30)


class NoticeSender:
    """Sends the notices that a run may send.

    `delivered` is what became of them, `ledger_error` why the ledger does not know of all that was sent.
    """

    def __init__(self, run: PlannedRun, changes: Sequence[PlannedChange]) -> None:
        allowed = {change.key for change in changes if change.action == NOTIFY}
        self._run = run
        self._notices = [notice for notice in run.notices if notice.message.key in allowed and notice.action != SUMMED]
        self._numbers = {name: issue.number for name, issue in tracking_issues(run.desired, run.observed).items()}
        self._due = {one.key: one.due.timestamp() for one in run.due.obligations}
        self.delivered: list[Delivered] = []
        self.ledger_error: IncidentOpsError | None = None

    def send_urgent(self) -> list[Delivered]:
        """Ranks 1 and 2, but for comments on issues, which may not be there yet; none where nothing is really sent."""
        if self._run.github is None:
            return []
        urgent = [one for one in self._notices if is_urgent(one.message) and one.message.channel != TICKET]
        return self._send(urgent)

    def send_rest(self, new_issues: Mapping[str, int]) -> list[Delivered]:
        """All that is left, comments on issues last and in order of time; `new_issues` are those that this run opened,
        by key. A comment without an issue waits."""
        self._numbers |= {key: number for key, number in new_issues.items() if "/" not in key}
        done = {one.planned.pair for one in self.delivered}
        left = [notice for notice in self._notices if notice.pair not in done]
        left.sort(key=lambda notice: self._due.get(notice.message.obligation, 0.0) * (notice.message.channel == TICKET))
        waiting = [notice for notice in left if self._lacks_issue(notice)]
        not_tried = [Delivered(notice, NOT_TRIED, NoIssueYet(notice.message.incident)) for notice in waiting]
        self.delivered += not_tried
        return not_tried + self._send([notice for notice in left if notice not in waiting])

    def _lacks_issue(self, notice: PlannedNotice) -> bool:
        is_comment = notice.message.channel == TICKET and self._run.github is not None
        return is_comment and notice.message.incident not in self._numbers

    def _send(self, notices: Sequence[PlannedNotice]) -> list[Delivered]:
        if not notices:
            return []
        delivered = self._record(notices) if self._run.github is None else self._deliver(notices)
        self.delivered += delivered
        return delivered

    def _record(self, notices: Sequence[PlannedNotice]) -> list[Delivered]:
        """With the embedded tracker nothing is sent: what would be is noted, so that the next plan is empty."""
        workspace = self._run.workspace
        try:
            local_ledger(workspace).confirm([pair for notice in notices for pair in notice.recorded_as], workspace.now)
        except IncidentOpsError as error:
            return [Delivered(notice, NOT_SENT, error) for notice in notices]
        return [Delivered(notice, RECORDED) for notice in notices]

    def _deliver(self, notices: Sequence[PlannedNotice]) -> list[Delivered]:
        run = self._run
        ids = {notice.message.incident for notice in notices}
        records = [record for name, record in run.records.items() if name in ids]
        paths = {record.incident.id: record.path for record in records if not record.pending}
        incidents = [record.incident for record in records]
        notifier_of = notifiers(run.workspace, incidents, os.environ, self._numbers, paths)
        access = shared_ledger(run.workspace)
        delivered, error = deliver(
            notices, access.ledger, notifier_of, clock.now, LatestRecords(run).still_due, access.error
        )
        self.ledger_error = self.ledger_error or access.error or error
        return list(delivered)


class LatestRecords:
    """What became of incidents since the plan was made, by the default branch of the remote; asked at most twice a
    minute."""

    def __init__(self, run: PlannedRun) -> None:
        self._run = run
        self._asked: datetime | None = None
        self._tip: str | None = None

    def still_due(self, message: Message) -> bool:
        """False for a page about an incident that somebody took, ended or snoozed meanwhile. Raises as the remote."""
        record = self._run.records.get(message.incident)
        if record is None or message.mark in (ACKNOWLEDGED, RESOLVED_EVENT) or record.incident.is_closed:
            return True
        latest = self._latest(record.path)
        return latest is None or not has_been_handled(record.incident, latest)

    def _latest(self, path: str) -> Incident | None:
        workspace = self._run.workspace
        if self._asked is None or clock.now() - self._asked > _FRESH:
            self._asked = clock.now()
            remote = remote_of(workspace.git)
            self._tip = remote.tip(remote.default_branch()) if remote else None
        if self._tip is None or workspace.git is None or self._tip == workspace.store.commit:
            return None
        raw = workspace.git.read_path(self._tip, path)
        try:
            return record_of(path, raw).incident if raw is not None else None
        except UserError:
            return None
