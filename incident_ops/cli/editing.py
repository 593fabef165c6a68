"""How every command that writes does it: read, edit, check, and write only what nobody else has changed."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from incident_ops import rules
from incident_ops.adapters import clock
from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.adapters.person import whoever
from incident_ops.cli.finding import find
from incident_ops.cli.opening import Opened
from incident_ops.doors.following import following
from incident_ops.doors.step import Step
from incident_ops.errors import UserError, WriteFailed
from incident_ops.findings import Finding, Level
from incident_ops.model.incident import Incident
from incident_ops.model.record import Record, World
from incident_ops.model.time import SKEW, stamp
from incident_ops.records.catalogue import to_record
from incident_ops.records.check import check, schema
from incident_ops.records.edit import edit, key_order
from incident_ops.records.read import read_bytes
from incident_ops.render.findings import dump, inert

Door = Callable[[Incident], Step]
ATTEMPTS = 20
"""How often an edit begins again because somebody else wrote in between."""

by_option: Callable[[Any], Any] = click.option(
    "--by", metavar="WHO", help="Who does it: @handle or a name. Default: INCIDENT_OPS_BY, else git's user.name."
)


@dataclass(frozen=True)
class Reading:
    """A record as one command found it: its bytes and what they say."""

    raw: bytes
    record: Record


def read_for_edit(opened: Opened, path: str) -> Reading:
    """A record that can be edited. UserError with file:line:column where it cannot be read."""
    must_have_happened(opened)
    if opened.store.revision:
        raise UserError("an old revision cannot be changed", hint="leave out --rev")
    raw = opened.store.read(path)
    if raw is None:
        raise UserError("the record is not there any more", where=path, hint="was it moved? see `git status`")
    return Reading(_bytes(raw), judged(path, _bytes(raw)))


def must_have_happened(opened: Opened) -> None:
    """UserError where --at is ahead of the clock: what is written would be an error until then."""
    if opened.now > clock.now() + SKEW:
        raise UserError(f"--at {stamp(opened.now)} has not come yet", hint="only what has happened is written down")


def judged(path: str, raw: bytes) -> Record:
    """The record that these bytes are. UserError naming the first fault where they are none."""
    document = read_bytes(raw, path)
    found = document if isinstance(document, list) else check(document, "incident")
    if isinstance(document, list) or found:
        raise _told(found[0])
    return to_record(path, document.data)


def perform(opened: Opened, asked: str | None, form: str, door: Door) -> None:
    """Lets a door edit the record that is meant, and tells what was done."""
    path = find(opened, asked)
    for _ in range(ATTEMPTS):
        before = read_for_edit(opened, path)
        step = door(before.record.incident)
        if not step.edits:
            report(opened, before.record, step.told, step.warnings, form, undo="", changed=False)
            return
        text = edit(before.raw.decode(), step.edits, order=key_order(schema("incident")), file=path)
        after = checked(opened, path, text.encode(), before.record)
        if replace_if_unchanged(opened.root / path, before.raw, text.encode(), opened.state / "records.lock"):
            undo = _undo(opened, path, before.raw)
            report(opened, after, step.told, step.warnings, form, undo=undo)
            return
    raise WriteFailed("the record changes faster than it can be edited", where=path, hint="run the command again")


def checked(opened: Opened, path: str, raw: bytes, before: Record | None) -> Record:
    """The record these bytes will be. UserError where they hold an error that was not there before."""
    document = read_bytes(raw, path)
    found = document if isinstance(document, list) else check(document, "incident")
    if isinstance(document, list) or found:
        raise _refused(found[0], path)
    record = to_record(path, document.data)
    world = World(*opened.judged_by, opened.now)
    known = Counter(map(_key, _errors(before, world))) if before else Counter()
    for one in _errors(record, world):
        if not known[_key(one)]:
            raise _refused(one, path)
        known[_key(one)] -= 1
    return record


def report(
    opened: Opened,
    record: Record,
    told: Sequence[str],
    warnings: Sequence[str],
    form: str,
    *,
    undo: str,
    changed: bool = True,
) -> None:
    """A line a change, what should give pause, what comes next, and how to take it back."""
    incident = record.incident
    asks = following(incident, opened.judged_by[0])
    if form == "json":
        data: dict[str, Any] = {"schema": 1, "incident": incident.id, "path": record.path, "state": incident.state}
        told_of = {"changed": changed, "told": [*told], "warnings": [*warnings], "next": [*asks]}
        click.echo(dump({**data, **told_of, "undo": undo or None}), nl=False)
        return
    for line in told:
        click.echo(f"{click.style(incident.id, bold=True)}: {inert(line)}")
    warn(warnings)
    for line in asks if changed else ():
        click.echo(f"  next: {inert(line)}")
    if undo:
        click.echo(f"  undo: {inert(undo)}")


def warn(warnings: Sequence[str]) -> None:
    """What should give pause, on the error stream."""
    for line in warnings:
        click.echo(f"{click.style('warning', fg='yellow')}: {inert(line)}", err=True)


def who(opened: Opened, given: str | None) -> str | None:
    """Who does it: as given, else as the surroundings say."""
    return given if given is not None else whoever(opened.root)


def at_terminal() -> bool:
    """True where somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def shown_path(opened: Opened, path: str) -> str:
    """A path below the records' folder as it is typed in the current folder."""
    return shlex.quote(os.path.relpath(opened.root / path, Path.cwd()))


def clean(text: str | None) -> str | None:
    """A text of the command line with line ends as records have them."""
    return None if text is None else text.replace("\r\n", "\n")


def _undo(opened: Opened, path: str, before: bytes) -> str:
    """How to take back this edit alone; "" where git holds another text than the one before."""
    git = opened.git
    if git is None or git.head is None or git.read_path(git.head, path) != before:
        return ""
    return f"git checkout -- {shown_path(opened, path)}"


def _errors(record: Record, world: World) -> list[Finding]:
    found = [one for timed in (False, True) for one in rules.run(record, world, timed=timed)]
    return [one for one in found if one.level is Level.ERROR]


def _key(one: Finding) -> tuple[str, str]:
    return one.rule, one.message


def _refused(one: Finding, path: str) -> UserError:
    place = ".".join(map(str, one.where.route))
    return UserError(f"nothing was changed: {place}{': ' if place else ''}{one.message}", hint=one.hint, where=path)


def _told(one: Finding) -> UserError:
    return UserError(one.message, hint=one.hint, where=str(one.where))


def _bytes(raw: bytes | Finding) -> bytes:
    if isinstance(raw, Finding):
        raise _told(raw)
    return raw
