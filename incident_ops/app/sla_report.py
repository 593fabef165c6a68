"""`sla report` and `sla backtest`: how often clocks were met, and what another policy would have changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from incident_ops import resources
from incident_ops.adapters.cache import Cache
from incident_ops.app.known import known_records
from incident_ops.app.observed_tracker import load_observed
from incident_ops.app.on_call import with_on_call
from incident_ops.app.workspace import Workspace, read_text_file, served
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import shift
from incident_ops.errors import UserError
from incident_ops.records.history import records_from_cache
from incident_ops.records.policy import load_policy
from incident_ops.sla.activity import seen_of
from incident_ops.sla.backtest import Backtest, compare_policies
from incident_ops.sla.compliance import Compliance, Period, compliance
from incident_ops.sla.targets import seconds_of


def report_compliance(workspace: Workspace, period: Period, axis: str) -> Compliance:
    """How often each clock was met, for incidents declared in a period, split by level, service or month."""
    if period.since and period.until and period.until <= period.since:
        raise UserError("--until is not after --since, so there is nothing between them", hint="exchange the two")
    policy, _ = workspace.judged_by
    return served(
        workspace,
        lambda: compliance(_records(workspace, period.since), policy, workspace.now, period, axis, workspace.unread),
    )


def backtest_policy(
    workspace: Workspace, policy_file: str, since: datetime | None = None, observed: str | None = None
) -> Backtest:
    """The history under another policy; `observed` is a file that holds what the tracker held."""
    policy, _ = workspace.judged_by
    other = _other_policy(workspace, policy_file)
    snapshot = None if observed is None else load_observed(observed)
    earliest = shift(since, -_pattern_seconds(policy, other)) if since is not None else None
    seen = None if snapshot is None else lambda incident: seen_of(incident, snapshot)
    return served(
        workspace,
        lambda: compare_policies(
            _records(workspace, earliest), policy, other, workspace.now, since, workspace.unread, seen
        ),
    )


def _records(workspace: Workspace, since: datetime | None) -> Iterable[Record]:
    """The records, without those in which everything lies before `since`."""
    catalogue = workspace.catalogue
    paths = None
    if since is not None:
        late = catalogue.settled_after(int(since.timestamp()) - 1)
        paths = {*late, *(record.path for record in catalogue.live())}
    cache = Cache(workspace.state / "settled") if workspace.git else None
    records = records_from_cache(workspace.store, catalogue, cache, resources.resource_stamp(), paths)
    return known_records(workspace, records) if workspace.is_at_given else records


def _other_policy(workspace: Workspace, file: str) -> Policy:
    text = read_text_file(file, "name a file of text in UTF-8")
    other = replace(workspace.in_force, policy=load_policy(text, file)).require()[0]
    return with_on_call(other, workspace.store)


def _pattern_seconds(*policies: Policy) -> int:
    """How many seconds before an incident those may lie that make a pattern with it."""
    windows = [policy.escalation.pattern.window for policy in policies if policy.escalation.pattern.count]
    return max((seconds_of(window) for window in windows if window), default=0)
