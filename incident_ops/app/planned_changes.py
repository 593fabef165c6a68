"""Holding deploys for a time, letting go again, and letting one commit through: freezes and overrides, written down."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from incident_ops.adapters.environment import ACTOR
from incident_ops.adapters.files import replace_if_unchanged, write_bytes
from incident_ops.app.commit_ids import whole_commit_id
from incident_ops.app.edit_record import EditedRecord, check_services, clean, edit_record, find_record, shown_path
from incident_ops.app.workspace import Workspace, demand_work_tree, typed_time
from incident_ops.deploy_gate.check import demand_environment
from incident_ops.deploy_gate.holds import needed_services
from incident_ops.domain.fence import Unusable, evaluate_plan
from incident_ops.domain.incident import Incident
from incident_ops.domain.planned_changes import Freeze, conflicts, planned_change, planned_freeze
from incident_ops.domain.record import Unread
from incident_ops.domain.time import stamp
from incident_ops.edits.freeze import (
    FreezeRequest,
    OverrideRequest,
    lift_freeze,
    new_freeze,
    override_file,
    override_incident,
)
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.editor import edit, key_order
from incident_ops.records.planned_changes import FREEZE, freeze_path, load_plans, read_document
from incident_ops.records.schema import schema
from incident_ops.records.yaml_reader import Document
from incident_ops.records.yaml_writer import LayoutStyle, yaml_block

FREEZE_HEADER = "# yaml-language-server: $schema=../schemas/freeze.schema.json"


@dataclass(frozen=True)
class WrittenFile:
    """A file of a freeze or an override after a command: a line for each change made, what should give pause, and what
    makes it count where git has to hear of it; `is_changed` is false where it said all of it already."""

    path: str
    done: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    is_changed: bool = True


def hold_deploys(workspace: Workspace, wanted: FreezeRequest) -> WrittenFile:
    """Writes a freeze. UserError where it cannot be one."""
    check_names(workspace, wanted.services, wanted.environments)
    data = new_freeze(workspace.now, wanted)
    path = write_freeze(workspace, data)
    return WrittenFile(path, (held_line(data),), meets(workspace, data), (committing(workspace, path),))


def asked_freeze(
    workspace: Workspace,
    name: str,
    *,
    reason: str,
    services: Sequence[str],
    environments: Sequence[str],
    since: str,
    until: str | None,
    by: str | None,
) -> FreezeRequest:
    """A freeze as the options of `freeze` ask for it. UserError where a time cannot be read."""
    begin = typed_time(since, workspace.now, "--from", ahead=True).at
    end = None if until is None else typed_time(until, workspace.now, "--until", ahead=True).at
    return FreezeRequest(name, clean(reason) or "", begin, end, services, environments, by)


def held_line(data: dict[str, Any]) -> str:
    """What the file of a freeze holds, from when to when."""
    what = " ".join(data.get("services", ["every service"]))
    where = " and ".join(data.get("environments", ["every environment"]))
    ends = data.get("until", "it is lifted")
    return f"{data['name']}: deploys of {what} to {where} are held from {data['from']} until {ends}"


def lift_hold(workspace: Workspace, name: str) -> WrittenFile:
    """Ends a freeze or an override now; one that has not begun is removed.

    UserError where there is none, Unusable where its times break a calculation.
    """
    check_names(workspace, (), ())
    found = read_freeze(workspace, name)
    if found is None:
        names = [one.name for one in load_plans(workspace.store).freezes.values()]
        known = did_you_mean(name, names) or "see the folder freezes"
        raise UserError(
            f"there is no freeze {name!r}", hint=f"if it is not merged yet, close its pull request; {known}"
        )
    path, raw, freeze = found
    step = evaluate_plan(path, name, partial(lift_freeze, freeze, workspace.now))
    if isinstance(step, Unread):
        raise Unusable([step])
    if step is None:
        return _removed(workspace, path, freeze)
    if not step.edits:
        return WrittenFile(path, step.messages, step.warnings, is_changed=False)
    text = edit(raw.decode(), step.edits, order=key_order(schema("freeze")), file=path)
    if not replace_if_unchanged(workspace.root / path, raw, text.encode(), workspace.state / "records.lock"):
        raise UserError("it was changed meanwhile", where=shown_path(workspace, path), hint="run the command again")
    return WrittenFile(path, step.messages, step.warnings, (committing(workspace, path),))


def let_through(
    workspace: Workspace,
    asked: str | None,
    *,
    service: str,
    environment: str | None,
    sha: str,
    reason: str,
    expires: str,
    approved_by: str | None,
    by: str | None,
) -> EditedRecord | WrittenFile:
    """Lets one commit through what holds deploys: written into the record `asked`, else into a file of its own."""
    environment = environment or workspace.judged_by[0].gate.environment
    check_names(workspace, [service], [environment])
    if by is None:
        raise UserError("who takes it on?", hint=f"--by @handle (in a workflow {ACTOR} says it)")
    until = typed_time(expires, workspace.now, "--expires", ahead=True).at
    commit = whole_commit_id(workspace, sha)
    wanted = OverrideRequest(by, service, environment, commit, clean(reason) or "", until)
    if asked is not None:
        if approved_by is not None:
            raise UserError("a record's override has no --approved-by", hint="the review of its pull request is that")
        return override_record(workspace, asked, workspace.now, wanted)
    path = write_freeze(workspace, override_file(workspace.now, wanted, approved_by))
    done = f"override: {service} {wanted.sha[:12]} may be deployed to {environment} until {stamp(until)}"
    return WrittenFile(path, (done,), next_steps=(committing(workspace, path),))


def check_names(workspace: Workspace, services: Iterable[str], environments: Iterable[str]) -> None:
    """UserError for a service or an environment that nobody knows, and for an old revision."""
    demand_work_tree(workspace)
    check_known(workspace, services, environments)


def check_known(workspace: Workspace, services: Iterable[str], environments: Iterable[str]) -> None:
    """The same of records at any revision."""
    check_services(workspace, services)
    for name in environments:
        demand_environment(name, workspace.judged_by[0])


def read_freeze(workspace: Workspace, name: str) -> tuple[str, bytes, Freeze] | None:
    """(path, bytes, value) of the freeze of a name, wherever it lies below freezes/; None where there is none.

    UserError where it cannot be read.
    """
    path = freeze_path(name)
    raw = workspace.store.read(path)
    if raw is None:
        freezes = load_plans(workspace.store).freezes
        path = next((there for there, freeze in freezes.items() if freeze.name == name), path)
        raw = workspace.store.read(path)
    if raw is None:
        return None
    document = read_document(raw, path, FREEZE)
    if not isinstance(raw, bytes) or not isinstance(document, Document):
        reason = document.reason if isinstance(document, Unread) else "it is not a regular file"
        raise UserError(reason, where=path, hint="fix the file, or remove it")
    return path, raw, msgspec.convert(document.data, Freeze)


def is_over(workspace: Workspace, there: Freeze) -> bool:
    """True for a freeze or an override that has ended."""
    planned = evaluate_plan(freeze_path(there.name), there.name, partial(planned_freeze, there))
    end = None if isinstance(planned, Unread) else planned.span.end
    return end is not None and end <= workspace.now


def write_freeze(workspace: Workspace, data: dict[str, Any]) -> str:
    """Writes freezes/<name>.yaml -> its path. UserError where it does not fit the schema, or another one is there that
    is not over."""
    path, target = freeze_path(data["name"]), workspace.root / freeze_path(data["name"])
    content, before = freeze_content(workspace, data), read_freeze(workspace, data["name"])
    if before is None or before[0] != path:
        if os.path.lexists(target):
            raise UserError("something is there already", where=path, hint="take another name")
        write_bytes(target, content)
    elif not replace_if_unchanged(target, before[1], content, workspace.state / "records.lock"):
        raise UserError("it was changed meanwhile", where=path, hint="run the command again")
    return path


def freeze_content(workspace: Workspace, data: dict[str, Any]) -> bytes:
    """The bytes of freezes/<name>.yaml. UserError as `write_freeze`."""
    path = freeze_path(data["name"])
    content = "\n".join([FREEZE_HEADER, *yaml_block(data, 0, LayoutStyle()), ""]).encode("utf-8", "surrogatepass")
    document = read_document(content, path, FREEZE)
    if isinstance(document, Unread):
        raise UserError(f"nothing was written: {document.reason}", where=path)
    before = read_freeze(workspace, data["name"])
    if before is not None and not is_over(workspace, before[2]):
        ends = f"`incident-ops unfreeze {data['name']}` ends it"
        other = "write who approved it into that file (approved_by: ...)" if data.get("sha") else "take another name"
        hint = f"{ends}; or {other}"
        raise UserError("it is there already, and it is not over", where=before[0], hint=hint)
    return content


def in_git(workspace: Workspace, path: str) -> bool:
    """True where the last commit has the file, or the next one would."""
    git = workspace.git
    if git is None or git.head is None:
        return False
    return git.read_path(git.head, path) is not None or path in git.edited(git.head, [path])()


def committing(workspace: Workspace, path: str) -> str:
    """What makes a changed file count."""
    return f"git add {shown_path(workspace, path)}, commit and push it: it counts once it is merged"


def override_record(workspace: Workspace, asked: str, at: datetime, wanted: OverrideRequest) -> EditedRecord:
    """Writes an override into the record that is meant; what makes it count is said with what was done.

    UserError as `override_incident`.
    """
    policy, services = workspace.judged_by
    names = needed_services(wanted.service, services, policy.gate.dependency_depth)
    path = find_record(workspace, asked)

    def overridden(incident: Incident) -> Step:
        step = override_incident(incident, at, wanted, names)
        has_remote = workspace.git is not None and workspace.git.config("remote.origin.url") is not None
        ask = "it counts once it is merged" if has_remote else committing(workspace, path)
        return replace(step, messages=(*step.messages, ask)) if step.edits else step

    return edit_record(workspace, asked, overridden)


def _removed(workspace: Workspace, path: str, freeze: Freeze) -> WrittenFile:
    planned = evaluate_plan(path, freeze.name, partial(planned_freeze, freeze))
    begin = None if isinstance(planned, Unread) else planned.span.begin
    why = "it had only just begun" if begin is not None and begin <= workspace.now else "it had not begun"
    is_known = in_git(workspace, path)
    (workspace.root / path).unlink()
    never = "" if is_known else "; git never had it, so there is nothing to commit"
    asks = (committing(workspace, path),) if is_known else ()
    return WrittenFile(path, (f"{freeze.name}: removed, {why}{never}",), next_steps=asks)


def meets(workspace: Workspace, data: dict[str, Any]) -> tuple[str, ...]:
    """Maintenance windows that lie in the new freeze: both were planned, and only one can be right."""
    plans = load_plans(workspace.store)
    freeze, buffer = msgspec.convert(data, Freeze), workspace.judged_by[0].maintenance.buffer
    made = [evaluate_plan(freeze_path(freeze.name), freeze.name, partial(planned_freeze, freeze))]
    for place, change in plans.maintenance.items():
        if change.is_agreed:
            made.append(evaluate_plan(place, change.id, partial(planned_change, change, buffer)))
    planned = [one for one in made if not isinstance(one, Unread)]
    return tuple(f"it meets {one.other}, a maintenance window" for one in conflicts(planned) if one.one == freeze.name)
