"""Who stands behind a release: in a workflow the actor, whom nobody can put in for another; else as the options say.

Where `gate check` reads: this repository, a folder, a branch of another repository, or a published gate.json.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click

from incident_ops.adapters.environment import ACTOR, whoever
from incident_ops.app.workspace import Workspace, open_workspace, token_and_server
from incident_ops.deploy_gate.check import IGNORE, Known
from incident_ops.deploy_gate.holds import needed_services
from incident_ops.domain.incident import Incident
from incident_ops.domain.planned_changes import Freeze, Maintenance, planned_freeze
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record, Unread
from incident_ops.domain.services import Objective, Service
from incident_ops.domain.time import SKEW, duration, parse_instant, stamp
from incident_ops.errors import UserError
from incident_ops.records.history import last_readable, read_record
from incident_ops.records.planned_changes import FREEZE, Plans, last_plan, load_plans
from incident_ops.records.store import Store


def actor_of(opened: Workspace, given: str | None) -> str | None:
    """`GITHUB_ACTOR` as a handle, else `--by`, else whoever sits here."""
    actor = os.environ.get(ACTOR)
    if actor:
        return f"@{actor.removesuffix('[bot]')}"
    return given if given is not None else whoever(opened.root)


_BRANCH_OF = re.compile(r"(?P<url>[a-z]+://(?:[^@/]*@)?[^@/]*/[^@]+|[^@/:]+@[^@/:]+:[^@]+)@(?P<branch>[^@:\s]+)")
_ADDRESS = re.compile(r"https?://")


class Published(NamedTuple):
    """gate.json as it was read, where it lay, and the commit its repository is at (None: that cannot be read)."""

    raw: bytes
    where: str
    head: str | None


def source(ctx: click.Context, opened: Workspace, records: str | None) -> Workspace | Published:
    """What `--records` names; without it the repository here. UserError where it names nothing that can be read."""
    if records is None:
        return opened
    path = Path(records)
    if path.is_dir():
        return open_workspace({**ctx.find_root().obj, "repo": records, "rev": None, "at": stamp(opened.now)})
    if path.is_file():
        return Published(path.read_bytes(), records, None)
    if found := _BRANCH_OF.fullmatch(records):
        return _branch(ctx, opened, found["url"], found["branch"])
    if _ADDRESS.match(records):
        from incident_ops.adapters.gate_state import fetch

        return Published(fetch(records), records.partition("?")[0].rpartition("@")[2], None)
    hint = "a folder, a gate.json, https://.../gate.json, or the address of a repository with @BRANCH"
    raise UserError(f"--records {records}: there is no such thing", hint=hint)


def _branch(ctx: click.Context, opened: Workspace, url: str, branch: str) -> Workspace | Published:
    from tempfile import TemporaryDirectory

    from incident_ops.adapters.gate_state import BRANCH, read_branch, scratch_clone

    folder = Path(ctx.find_root().with_resource(TemporaryDirectory(prefix="incident-ops-")))
    remote = scratch_clone(folder, url, *token_and_server())
    if branch == BRANCH:
        content, head = read_branch(remote)
        return Published(content, f"branch {BRANCH} of {remote.url}", head)
    tip = remote.tip(branch)
    if tip is None:
        raise UserError(f"{remote.url} has no branch {branch!r}", hint="--records URL@main")
    return replace(opened, root=folder, git=remote.git, store=Store(folder, remote.git, tip))


class Contents(NamedTuple):
    """What does not depend on the service: every record that is not settled, and everything planned."""

    records: list[Record]
    plans: Plans


def contents(opened: Workspace) -> Contents:
    """All of them. UserError for a clock that is behind the records."""
    records = list(opened.catalogue.live())
    _check_clock(opened, [*(one.incident for one in records), *_settled(opened, int(SKEW.total_seconds()))])
    return Contents(records, load_plans(opened.store))


def known_of(opened: Workspace, service: str, held: Contents) -> Known:
    """What the records say about deploys of a service. UserError for one that services.yaml does not name, and for an
    objective that cannot be used."""
    policy, services = opened.judged_by
    names = needed_services(service, services, policy.gate.dependency_depth)
    objective = _objective(opened, policy, services, service)
    past: list[Incident] = []
    if objective is not None:
        live = [one.incident for one in held.records]
        past = [one for one in (*live, *_settled(opened, -objective.window)) if service in one.services]
    unread = _unread(opened, policy, names, held.plans)
    freezes, maintenance, _ = held.plans
    return Known(policy, services, held.records, freezes, maintenance, unread, objective, past)


def _settled(opened: Workspace, seconds: int) -> list[Incident]:
    """The settled records that name an instant later than so many seconds from now."""
    paths = opened.catalogue.settled_after(int(opened.now.timestamp()) + seconds)
    return [read_record(opened.store, path).incident for path in paths]


def _check_clock(opened: Workspace, incidents: Sequence[Incident]) -> None:
    """A clock behind the records cannot tell what holds now."""
    latest = max(incidents, key=lambda one: parse_instant(one.times.declared), default=None)
    if latest is None:
        return
    ahead = parse_instant(latest.times.declared) - opened.now
    if ahead > SKEW:
        told = f"the clock says {stamp(opened.now)}, and {latest.id} was declared at {latest.times.declared}"
        raise UserError(told, hint="set the clock right, or leave out --at")


def _objective(opened: Workspace, policy: Policy, services: Mapping[str, Service], service: str) -> Objective | None:
    """The objective whose budget counts: of services.yaml, of an OpenSLO file, else of the policy; None without one."""
    if policy.gate.budget == IGNORE:
        return None
    own = services[service].slo
    if isinstance(own, str):
        from incident_ops.records.openslo import load_objective

        return load_objective(opened.store, own)
    target = policy.slo.target_pct if own is None else own
    if target is None:
        return None
    if policy.slo.window is None:
        hint = "slo: {window: 30d}"
        raise UserError(
            "gate.budget asks for the error budget, and slo.window is not set", where="policy.yaml", hint=hint
        )
    return Objective(target, duration(policy.slo.window), policy.slo.mode)


def _unread(opened: Workspace, policy: Policy, names: Sequence[str], plans: Plans) -> list[Unread]:
    """The files that cannot be read and may hold deploys of the first of `names`."""
    found = [one for one in opened.unread if policy.gate.block_on_open_rank is not None]
    kept = [one for one in found if _record_may_hold(opened, one, names)]
    return kept + [one for one, kind in plans.unread if _plan_may_hold(opened, one, kind, names)]


def _record_may_hold(opened: Workspace, unread: Unread, names: Sequence[str]) -> bool:
    """False only where the last version that can be read was closed or on other services."""
    before = last_readable(opened.git, unread.path)
    return before is None or (not before.is_closed and not set(names).isdisjoint(before.services))


def _plan_may_hold(opened: Workspace, unread: Unread, kind: str, names: Sequence[str]) -> bool:
    """The same for a freeze and for a maintenance window; an override holds nothing."""
    if kind != FREEZE:
        change = last_plan(opened.git, unread.path, Maintenance)
        is_over = change is not None and (
            change.status in ("completed", "cancelled") or change.execution.closed is not None
        )
        return change is None or not (is_over or set(names).isdisjoint(change.services))
    freeze = last_plan(opened.git, unread.path, Freeze)
    if freeze is None:
        return True
    if freeze.is_override or (freeze.services and names[0] not in freeze.services):
        return False
    try:
        end = planned_freeze(freeze).span.end
    except ValueError:
        return True
    return end is None or end > opened.now
