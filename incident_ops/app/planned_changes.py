"""What the commands that write freezes and overrides have in common: times ahead, checked names, the file itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import click
import msgspec

from incident_ops.adapters.files import replace_if_unchanged, write_bytes
from incident_ops.app.edit_record import find_record, perform_edit, shown_path, warn
from incident_ops.app.workspace import Opened
from incident_ops.deploy_gate.check import known_environment
from incident_ops.deploy_gate.holds import needed_services
from incident_ops.domain.incident import Incident
from incident_ops.domain.planned_changes import Freeze, planned_freeze
from incident_ops.domain.record import Unread
from incident_ops.domain.time import YEARS, OutOfRange, duration, parse_instant, shift
from incident_ops.edits.freeze import OverrideRequest, override_incident
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.planned_changes import FREEZE, freeze_path, read_document
from incident_ops.records.yaml_reader import Document
from incident_ops.records.yaml_writer import LayoutStyle, yaml_block
from incident_ops.render.findings import inert, json_text

FREEZE_HEADER = "# yaml-language-server: $schema=../schemas/freeze.schema.json"


def ahead(text: str, now: datetime, option: str) -> datetime:
    """`now`, `4h` (from now), or an instant -> aware UTC. UserError for anything else."""
    if text == "now":
        return now
    try:
        return parse_instant(text)
    except OutOfRange as error:
        raise UserError(f"{option} {error}", hint="check the year") from error
    except ValueError:
        pass
    try:
        at = shift(now, duration(text))
    except ValueError as error:
        hint = "4h (from now), or with a zone: 2025-12-19T17:00:00Z"
        raise UserError(f"{option} {text!r} is no instant ahead", hint=hint) from error
    if at.year not in YEARS:
        raise UserError(f"{option} {text!r} leads after the year {YEARS[-1]}", hint="a shorter time")
    return at


def check_names(opened: Opened, services: Iterable[str], environments: Iterable[str]) -> None:
    """UserError for a service or an environment that nobody knows, and for an old revision."""
    if opened.store.revision:
        raise UserError("an old revision cannot be changed", hint="leave out --rev")
    policy, known = opened.judged_by
    for name in services:
        if name not in known:
            raise UserError(f"service {name!r} is not in services.yaml", hint=did_you_mean(name, known))
    for name in environments:
        known_environment(name, policy)


def read_freeze(opened: Opened, name: str) -> tuple[str, bytes, Freeze] | None:
    """(path, bytes, value) of freezes/<name>.yaml, None where there is none. UserError where it cannot be read."""
    path = freeze_path(name)
    raw = opened.store.read(path)
    if raw is None:
        return None
    document = read_document(raw, path, FREEZE)
    if not isinstance(raw, bytes) or not isinstance(document, Document):
        reason = document.reason if isinstance(document, Unread) else "it is no plain file"
        raise UserError(reason, where=path, hint="mend the file, or remove it")
    return path, raw, msgspec.convert(document.data, Freeze)


def is_over(opened: Opened, there: Freeze) -> bool:
    """True for a freeze or an override that has ended."""
    try:
        end = planned_freeze(there).span.end
    except ValueError:
        return False
    return end is not None and end <= opened.now


def write_freeze(opened: Opened, data: dict[str, Any], may_replace: Callable[[Freeze], bool]) -> str:
    """Writes freezes/<name>.yaml -> its path. UserError where it does not fit the schema, or another one is there that
    may not be replaced."""
    path = freeze_path(data["name"])
    content = "\n".join([FREEZE_HEADER, *yaml_block(data, 0, LayoutStyle()), ""]).encode("utf-8", "surrogatepass")
    document = read_document(content, path, FREEZE)
    if isinstance(document, Unread):
        raise UserError(f"nothing was written: {document.reason}", where=path)
    before = read_freeze(opened, data["name"])
    target = opened.root / path
    if before is None:
        if os.path.lexists(target):
            raise UserError("something is there already", where=path, hint="take another name")
        write_bytes(target, content)
    elif not may_replace(before[2]):
        hint = f"`incident-ops unfreeze {data['name']}` ends it; or take another name"
        raise UserError("it is there already, and it is not over", where=path, hint=hint)
    elif not replace_if_unchanged(target, before[1], content, opened.state / "records.lock"):
        raise UserError("it was changed meanwhile", where=path, hint="run the command again")
    return path


def in_git(opened: Opened, path: str) -> bool:
    """True where the last commit has the file, or the next one would."""
    git = opened.git
    if git is None or git.head is None:
        return False
    return git.read_path(git.head, path) is not None or path in git.edited(git.head, [path])()


def committing(opened: Opened, path: str) -> str:
    """What makes a changed file count."""
    return f"git add {shown_path(opened, path)}, commit and push it: it counts once it is merged"


def override_record(opened: Opened, asked: str, form: str, at: datetime, wanted: OverrideRequest) -> None:
    """Writes an override into the record that is meant, and tells what makes it count. UserError as
    `override_incident`."""
    policy, services = opened.judged_by
    names = needed_services(wanted.service, services, policy.gate.dependency_depth)
    path = find_record(opened, asked)

    def door(incident: Incident) -> Step:
        step = override_incident(incident, at, wanted, names)
        asks = (committing(opened, path),) if step.edits else ()
        return replace(step, messages=(*step.messages, *asks))

    perform_edit(opened, asked, form, door)


def report_file(
    opened: Opened,
    path: str,
    told: Sequence[str],
    warnings: Sequence[str],
    form: str,
    *,
    changed: bool,
    commits: bool = True,
) -> None:
    """A line for what was done, what should give pause, and what makes it count where git has to hear of it."""
    asks = [committing(opened, path)] if changed and commits else []
    if form == "json":
        data = {"schema": 1, "path": path, "changed": changed, "told": [*told], "warnings": [*warnings], "next": asks}
        click.echo(json_text(data), nl=False)
        return
    for line in told:
        click.echo(inert(line))
    warn(warnings)
    for line in asks:
        click.echo(f"  next: {inert(line)}")
