"""May this service be deployed now? Asked of the records, wherever they are, or of a published gate.json.

The records are those of this repository, of a folder, or of a branch of another repository.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.adapters.environment import ACTOR
from incident_ops.app.gate_ended import ended_here
from incident_ops.app.gate_source import LookedAt, PublishedGate, gate_source
from incident_ops.app.identity import actor
from incident_ops.app.known import count_later, known_live, known_records
from incident_ops.app.workspace import Workspace, judge_no_records, read_text_file, served
from incident_ops.deploy_gate.check import (
    IGNORE,
    DeployFacts,
    DeployRequest,
    all_holds,
    check_deploy,
    find_overrides,
    released,
    rolled_back,
)
from incident_ops.deploy_gate.holds import is_on, needed_services, open_drills
from incident_ops.deploy_gate.names import KNOWN_NAMES, check_plan_names
from incident_ops.deploy_gate.plan_check import check_plan
from incident_ops.deploy_gate.release import FIX_LASTS, WHOLE_IDS, blaming, fix_refused, is_listed, of_incident
from incident_ops.deploy_gate.verdict import (
    DEPLOY_FREEZE,
    INCIDENT_REPO_UNREACHABLE,
    INCONCLUSIVE,
    MAINTENANCE_WINDOW,
    OPEN_INCIDENT,
    PASS,
    UNREADABLE_RECORD,
    Hold,
    Verdict,
)
from incident_ops.domain.fence import evaluate_each, evaluate_plan
from incident_ops.domain.incident import Incident
from incident_ops.domain.planned_changes import Freeze, Maintenance, planned_freeze
from incident_ops.domain.policy import Objective, Policy, Service
from incident_ops.domain.record import Record, Unread
from incident_ops.domain.time import SKEW, duration, parse_instant, shift, stamp
from incident_ops.errors import IncidentOpsError, Incomplete, UserError
from incident_ops.records.history import last_readable, read_record
from incident_ops.records.planned_changes import FREEZE, MAINTENANCE, Plans, last_plan, load_plans, read_document
from incident_ops.records.yaml_reader import Document
from incident_ops.sla.error_budget import counted_spans

if TYPE_CHECKING:
    from incident_ops.edits.freeze import OverrideRequest


ShowSource = Callable[[Workspace], None]
"""Shown the records that are asked, once the verdict is known."""
RecordFix = Callable[[Workspace, str, "OverrideRequest"], None]
"""Writes an override into the record of an incident, which is named by its id."""


@dataclass(frozen=True)
class GateRequest:
    """What is to be deployed, as the options of `gate check` say it; see its help.

    `fixes` is the incident that the commit fixes, `by` who says so; `passed` is a file. `lead` is for how long a run
    that begins now takes, None = as the policy says. `trusted` are those for whom GitHub may have signed a published
    gate.json.
    """

    service: str
    environment: str | None = None
    sha: str | None = None
    fixes: str | None = None
    by: str | None = None
    records: str | None = None
    passed: str | None = None
    requests: int | None = None
    lead: timedelta | None = None
    trusted: tuple[str, ...] = ()


def check_gate(
    workspace: Workspace,
    request: GateRequest,
    record_fix: RecordFix | None = None,
    show_source: ShowSource | None = None,
) -> Verdict:
    """The verdict on a deploy; a read that does not finish is inconclusive.

    A fix that counts is written down with `record_fix`. UserError where the question cannot be asked.
    """
    if request.fixes is not None and request.sha is None:
        raise UserError("--fixes lets one commit through", hint="--sha SHA")
    if request.trusted and request.records is None:
        raise UserError("--trusted is about a gate.json that is published", hint="--records URL@incident-ops/public")
    sha = None if request.sha is None else _commit_id(workspace, request)
    what = (request.service, request.environment or "", workspace.now, sha, request.requests)
    asked = DeployRequest(*what, lead=request.lead)
    try:
        with ExitStack() as scratch:
            source = gate_source(workspace, request.records, scratch, request.trusted)
            if isinstance(source, PublishedGate):
                verdict = _verdict_of_published(source, asked, request.fixes)
            else:
                verdict = _verdict_of_records(source, asked, request, record_fix)
                verdict = verdict if request.records else _beside_policy_above(workspace, verdict)
                if show_source is not None:
                    show_source(source.records)
    except UserError:
        raise
    except IncidentOpsError as error:
        verdict = _unreachable(asked, str(error))
    return replace(_allow_rollback(workspace, asked, verdict, request.passed), at=workspace.now)


def _beside_policy_above(workspace: Workspace, verdict: Verdict) -> Verdict:
    """No yes from the records of a folder below others, where nobody said which are meant."""
    above = workspace.policy_above
    if above is None or verdict.verdict != PASS:
        return verdict
    path = os.path.relpath(above)
    here, there = os.path.relpath(workspace.root), os.path.relpath(above.parent)
    why = f"its incidents and freezes were not asked: say which records count, --repo {there} or --repo {here}"
    return replace(verdict, verdict=INCONCLUSIVE, reason_code=UNREADABLE_RECORD, unread=(Unread(path, why),))


def actor_of(workspace: Workspace, by: str | None) -> str | None:
    """Who asks: in a workflow `GITHUB_ACTOR` as a handle, whatever `by` says; else `by`, else whoever is known here."""
    of_workflow = os.environ.get(ACTOR)
    if of_workflow:
        return f"@{of_workflow.removesuffix('[bot]')}"
    if by is not None:
        return by
    found = actor(workspace)
    return None if found.warning else found.name


def _verdict_of_published(published: PublishedGate, asked: DeployRequest, fixes: str | None) -> Verdict:
    from incident_ops.deploy_gate.public_state import parse_state, verdict_of_state, why_not_current

    state = parse_state(published.raw, published.where)
    if (why := why_not_current(state, published.head, asked.now)) is not None:
        return _unreachable(asked, why)
    verdict = verdict_of_state(state, replace(asked, environment=asked.environment or state.environments[0]))
    verdict = replace(verdict, notes=(*verdict.notes, *filter(None, [published.unproven])))
    if fixes is not None and verdict.exit_code:
        note = f"gate.json does not say who commands {fixes}: ask the records, --records URL@BRANCH"
        return replace(verdict, notes=(*verdict.notes, note))
    return verdict


def _verdict_of_records(
    source: LookedAt, asked: DeployRequest, request: GateRequest, record_fix: RecordFix | None
) -> Verdict:
    records = source.records
    policy, _ = records.judged_by
    asked = replace(asked, environment=asked.environment or policy.gate.environment)

    def judged() -> tuple[DeployFacts, Verdict]:
        known = deploy_facts(records, asked.service, read_contents(records))
        return known, check_deploy(asked, known)

    known, verdict = served(records, judged)
    verdict = replace(verdict, unread=tuple(_with_line(records, known, unread) for unread in verdict.unread))
    notes = [*verdict.notes]
    if later := count_later(records):
        notes.append(_not_declared(later, records.now))
    needed = needed_services(asked.service, known.services, policy.gate.dependency_depth)
    notes += [f"{name} is a drill and holds nothing" for name in open_drills(needed, known.records, policy)]
    if not records.catalogue.count() and judge_no_records(records).exit_code:
        return _unreachable(asked, "records that HEAD or the tracker has are not here")
    blamed = blaming(asked.sha, known.records)
    verdict = _with_what_is_here(source, asked, replace(verdict, notes=tuple(notes), blamed=blamed), known)
    if request.fixes is None or not verdict.exit_code:
        return verdict
    return _allow_fix(source, asked, verdict, known, request.fixes, actor_of(records, request.by), record_fix)


_IN_FILES = (OPEN_INCIDENT, MAINTENANCE_WINDOW, DEPLOY_FREEZE)


def _with_what_is_here(source: LookedAt, asked: DeployRequest, verdict: Verdict, merged: DeployFacts) -> Verdict:
    """The verdict with where it comes from, and with what in this clone would change it once it is merged."""
    notes = [f"{name} is declared on a branch and not merged: it does not hold yet" for name in source.declared]
    verdict = replace(verdict, looked_at=source.place)
    if source.here is None:
        return replace(verdict, notes=(*verdict.notes, *notes))
    only_here: tuple[Hold, ...] = ()
    try:
        here = source.here
        known = served(here, lambda: deploy_facts(here, asked.service, read_contents(here)))
        of_tip = {(hold.reason_code, hold.id) for hold in all_holds(asked, merged)[0]}
        holds = [one for one in all_holds(asked, known)[0] if one.reason_code in _IN_FILES and is_on(one, asked.now)]
        only_here = tuple(one for one in holds if (one.reason_code, one.id) not in of_tip)
        on_here = {(hold.reason_code, hold.id) for hold in holds}
        ended = [hold for hold in verdict.holds if (hold.reason_code, hold.id) not in on_here]
        notes += ended_here(here, source.records.store.revision or "", merged, ended) if verdict.exit_code else ()
        merged_ones = find_overrides(asked, merged)
        waiting = [one.source for one in find_overrides(asked, known) if one not in merged_ones]
    except IncidentOpsError as error:
        notes.append(f"the files here were not compared with what is merged: {error.message}")
        waiting = []
    if waiting and verdict.exit_code:
        notes.append(f"an override of this commit is written in {waiting[0]}, and releases nothing until it is merged")
    return replace(verdict, not_merged=only_here, notes=(*verdict.notes, *notes))


def _not_declared(later: int, now: datetime) -> str:
    incidents = "1 incident is" if later == 1 else f"{later} incidents are"
    return f"{incidents} left out: not declared yet at {stamp(now)}"


def _with_line(records: Workspace, known: DeployFacts, unread: Unread) -> Unread:
    """The same with the line of a plan whose times cannot be used; what could not be read at all has its own."""
    plan = known.freezes.get(unread.path) or known.maintenance.get(unread.path)
    if plan is None:
        return unread
    kind = FREEZE if unread.path in known.freezes else MAINTENANCE
    document = read_document(records.store.read(unread.path), unread.path, kind)
    names = check_plan_names(plan, unread.path, known.policy, known.services, records.now)
    faults = chain(check_plan(plan, unread.path, known.policy.maintenance.buffer), names)
    if not isinstance(document, Document) or (fault := next(faults, None)) is None:
        return unread
    hint = f" ({fault.hint})" if fault.rule == KNOWN_NAMES else ""
    return Unread(unread.path, f"line {document.locate(fault.where).line}: {fault.message}{hint}")


def _allow_fix(
    source: LookedAt,
    asked: DeployRequest,
    verdict: Verdict,
    known: DeployFacts,
    fixes: str,
    by: str | None,
    record_fix: RecordFix | None,
) -> Verdict:
    """The verdict where the incident's commander says that this commit fixes it: let through, and written down."""
    from incident_ops.app.edit_record import find_record

    records, here = source.records, source.here or source.records
    path = find_record(records, fixes)
    record = next((live for live in records.catalogue.live() if live.path == path), None)
    why = f"{fixes} is not open" if record is None else fix_refused(record.incident, asked.service, by)
    if why is None and (here.store.revision or record_fix is None):
        why = "a fix is written into the record, and these records cannot be written; use incident-ops override there"
    if why is None and here.store.read(path) is None:
        why = f"a fix is written into {path}, which this checkout does not have: git checkout the commit named above"
    if why is not None or record is None or by is None or asked.sha is None or record_fix is None:
        return replace(verdict, notes=(*verdict.notes, f"--fixes {fixes} does not count: {why}"))
    from incident_ops.edits.freeze import OverrideRequest

    expires, reason = asked.now + FIX_LASTS, f"It fixes {record.incident.id}"
    override = OverrideRequest(by, asked.service, asked.environment, asked.sha, reason, expires)
    record_fix(here, record.incident.id, override)
    fix = of_incident(record.incident.id, by, reason, expires)
    fixed = released(verdict, [fix, *find_overrides(asked, known)])
    if fixed.exit_code:
        return fixed
    once = f"only this answer lets it through; a pipeline's does once the record of {record.incident.id} is merged"
    return replace(fixed, notes=(*fixed.notes, once))


def _allow_rollback(workspace: Workspace, asked: DeployRequest, verdict: Verdict, file: str | None) -> Verdict:
    """A pass for a commit that passed before; the verdict where it did not, or where that is unknown."""
    sha, environment = asked.sha, asked.environment or verdict.environment
    listed = file is not None and is_listed(
        read_text_file(file, name="--passed"), asked.service, environment, sha or "", file
    )
    if sha is None or not environment or not verdict.exit_code:
        return verdict
    if verdict.blamed:
        note = f"{verdict.blamed} names this commit as its cause: that it passed before does not count"
        return replace(verdict, notes=(*verdict.notes, note)) if listed else verdict
    if listed:
        return _passed_before(verdict)
    if len(sha) not in WHOLE_IDS:
        note = f"--sha {sha} is not a whole commit id: what passed before, or is let through, is found by the whole one"
        return replace(verdict, notes=(*verdict.notes, note))
    if not (os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")):
        return verdict
    from incident_ops.adapters.github.deployments import Deployments
    from incident_ops.app.workspace import remote_of

    try:
        remote = None if os.environ.get("GITHUB_REPOSITORY") else remote_of(workspace.git)
        there = Deployments.of(os.environ, remote.url if remote else None)
        passed = there.deployment_passed(sha, environment, asked.service)
    except IncidentOpsError as error:
        note = f"unknown whether {sha[:12]} passed before: {error}"
        return replace(verdict, notes=(*verdict.notes, note))
    return _passed_before(verdict) if passed else verdict


def _passed_before(verdict: Verdict) -> Verdict:
    """The pass of a commit that passed before; a gate.json cannot tell whether an incident blames it."""
    is_blind = not verdict.looked_at and any(hold.reason_code == OPEN_INCIDENT for hold in verdict.holds)
    caution = f"{', '.join(verdict.incident_ids) or 'an incident'} is open, and {_NO_CAUSE}"
    return replace(rolled_back(verdict), notes=(*verdict.notes, *([caution] if is_blind else [])))


_NO_CAUSE = "gate.json does not say which commit caused it: see that it was not this one"


def _commit_id(workspace: Workspace, request: GateRequest) -> str:
    """The commit that is asked about; whole where it will be written down."""
    from incident_ops.app.commit_ids import whole_commit_id
    from incident_ops.edits.freeze import commit_id

    return commit_id(request.sha or "") if request.fixes is None else whole_commit_id(workspace, request.sha or "")


def _unreachable(asked: DeployRequest, why: str) -> Verdict:
    return Verdict(asked.service, INCONCLUSIVE, INCIDENT_REPO_UNREACHABLE, environment=asked.environment, notes=(why,))


class GateContents(NamedTuple):
    """What does not depend on the service: every record that is not settled, and everything planned."""

    records: list[Record]
    plans: Plans


def read_contents(workspace: Workspace) -> GateContents:
    """All of them, as they were known where a time is asked about. UserError for a clock that is behind the records."""
    if not workspace.is_at_given:
        future = _settled(workspace, int(SKEW.total_seconds()))
        _check_clock(workspace, [*workspace.catalogue.live(), *future])
    return GateContents(known_live(workspace), load_plans(workspace.store))


def deploy_facts(workspace: Workspace, service: str, held: GateContents) -> DeployFacts:
    """What the records say about deploys of a service. UserError for one that services.yaml does not name, and for an
    objective that cannot be used."""
    policy, services = workspace.judged_by
    names = needed_services(service, services, policy.gate.dependency_depth)
    objective = _objective(workspace, policy, services, service)
    past: list[Record] = []
    if objective is not None:
        settled = known_records(workspace, _settled(workspace, -objective.window))
        every = {record.path: record for record in (*held.records, *settled)}
        past = [record for record in every.values() if service in record.incident.services]
    unread = _unread(workspace, policy, names, objective, held.plans)
    freezes, maintenance, _ = held.plans
    return DeployFacts(policy, services, held.records, freezes, maintenance, unread, objective, past)


def _settled(workspace: Workspace, seconds: int) -> list[Record]:
    """The settled records that name an instant later than so many seconds from now."""
    paths = workspace.catalogue.settled_after(int(workspace.now.timestamp()) + seconds)
    return [read_record(workspace.store, path) for path in paths]


def _check_clock(workspace: Workspace, records: Sequence[Record]) -> None:
    """UserError for a clock behind the records: it cannot say what holds now. Unusable as `evaluate_each`."""
    declared = evaluate_each(records, lambda record: (parse_instant(record.incident.times.declared), record.incident))
    found = max(declared, key=lambda pair: pair[0], default=None)
    if found is None:
        return
    at, latest = found
    if at - workspace.now > SKEW:
        message = f"the clock says {stamp(workspace.now)}, and {latest.id} was declared at {latest.times.declared}"
        raise UserError(message, hint="set the clock right, or leave out --at")


def _objective(workspace: Workspace, policy: Policy, services: Mapping[str, Service], service: str) -> Objective | None:
    """The objective whose budget counts: of services.yaml, of an OpenSLO file, else of the policy; None without one."""
    if policy.gate.budget == IGNORE:
        return None
    own = services[service].slo
    if isinstance(own, str):
        from incident_ops.records.openslo import load_objective

        return load_objective(workspace.store, own)
    target = policy.slo.target_pct if own is None else own
    if target is None:
        return None
    if policy.slo.window is None:
        hint = "slo: {window: 30d}"
        raise UserError(
            "gate.budget asks for the error budget, and slo.window is not set", where="policy.yaml", hint=hint
        )
    return Objective(target, duration(policy.slo.window), policy.slo.mode)


def _unread(
    workspace: Workspace, policy: Policy, names: Sequence[str], objective: Objective | None, plans: Plans
) -> list[Unread]:
    """The files that cannot be read and may hold deploys of the first of `names`."""
    is_asked = policy.gate.block_on_open_rank is not None

    def may_hold(unread: Unread) -> bool:
        """False only where the last version that can be read says that it does not."""
        before = _last_version(workspace, unread.path)
        if before is None:
            return is_asked or objective is not None
        is_open = is_asked and not before.is_closed and not set(names).isdisjoint(before.services)
        return is_open or (objective is not None and _may_use_budget(before, names[0], objective, workspace.now))

    kept = [unread for unread in workspace.unread if may_hold(unread)]
    kept += [Unread(near.where.file, f"{near.message}; {near.hint}") for near in workspace.store.near_names()]
    return kept + [unread for unread, kind in plans.unread if _plan_may_hold(workspace, unread, kind, names)]


def _last_version(workspace: Workspace, path: str) -> Incident | None:
    """The present record where it can be read and a calculation failed, else its last version in git that can."""
    try:
        return read_record(workspace.store, path).incident
    except Incomplete:
        return last_readable(workspace.git, path)


def _may_use_budget(before: Incident, service: str, objective: Objective, now: datetime) -> bool:
    """False only where its impact is known, and none of it lies in the window of this service's error budget."""
    if service not in before.services:
        return False
    try:
        return bool(counted_spans(before, shift(now, -objective.window), now, service))
    except Exception:  # what cannot be calculated may have used all of it
        return True


def _plan_may_hold(workspace: Workspace, unread: Unread, kind: str, names: Sequence[str]) -> bool:
    """The same for a freeze and for a maintenance window; an override holds nothing."""
    if kind != FREEZE:
        change = last_plan(workspace.git, unread.path, Maintenance)
        is_over = change is not None and (
            change.status in ("completed", "cancelled") or change.execution.closed is not None
        )
        return change is None or not (is_over or set(names).isdisjoint(change.services))
    freeze = last_plan(workspace.git, unread.path, Freeze)
    if freeze is None:
        return True
    if freeze.is_override or (freeze.services and names[0] not in freeze.services):
        return False
    planned = evaluate_plan(unread.path, freeze.name, partial(planned_freeze, freeze))
    return isinstance(planned, Unread) or planned.span.end is None or planned.span.end > workspace.now
