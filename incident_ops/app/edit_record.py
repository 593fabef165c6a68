"""Which incident is meant: an id, a short form of one, or the only one that is open.

How every edit of a record is made: read, edit, check, and write only what nobody else has changed.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters import clock
from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.app.documents_beside import refresh_documents
from incident_ops.app.identity import actor
from incident_ops.app.last_edit import keep_edit
from incident_ops.app.unmerged import incidents_elsewhere
from incident_ops.app.which_incident import candidates, only_candidate
from incident_ops.app.workspace import Workspace, clone_notes, demand_work_tree, settled_commit
from incident_ops.domain.as_of import declared_at
from incident_ops.domain.fence import Unusable, evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Edit, Record, World, is_incident_id
from incident_ops.domain.time import SKEW, parse_instant, spell_minute, stamp
from incident_ops.domain.time_words import is_time_of_day
from incident_ops.edits.step import Step, in_order
from incident_ops.errors import UserError, WriteFailed
from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.records.history import merged_rows
from incident_ops.records.index import to_record
from incident_ops.records.schema import check_document, schema
from incident_ops.records.store import record_path
from incident_ops.records.yaml_reader import read_bytes

_SHORT = re.compile(r"(?:INC-)?[0-9]+(?:-[0-9]+)?", re.ASCII | re.IGNORECASE)
MOST_NAMED = 6


def find_record(workspace: Workspace, asked: str | None) -> str:
    """The path of the record that is meant. UserError where none is, or more than one could be."""
    if asked is None:
        return only_candidate(workspace, candidates(workspace)).path
    wanted = asked.strip().upper()
    if is_incident_id(wanted) and workspace.store.read(record_path(wanted)) is not None:
        return record_path(wanted)
    ids = sorted(set(workspace.catalogue.ids()))
    near = _named(wanted, ids)
    is_enough = len(wanted) >= SHORTEST_END or _number(near[:1]) == wanted.lstrip("0")
    if len(near) == 1 and is_enough:
        path = workspace.catalogue.path_of(near[0])
        return path or record_path(near[0])
    if near:
        raise UserError(f"{asked} could be {_listed(near)}", hint="write more of it")
    for away in incidents_elsewhere(workspace):
        if named := _named(wanted, away.ids):
            raise UserError(away.where(named[0]), hint=f"to work on it here: {away.taking_over(named[0])}")
    if not ids:
        raise UserError("there is no incident here yet", hint='incident-ops declare "..." -s SERVICE')
    raise UserError(f"there is no incident {asked}", hint=did_you_mean(wanted, ids[-200:]) or "see `incident-ops list`")


def original_of(workspace: Workspace, asked: str) -> str:
    """The id of the incident that is repeated; one that is a duplicate itself is not taken."""
    path = find_record(workspace, asked)
    raw = workspace.store.read(path)
    incident = record_of(path, raw).incident if isinstance(raw, bytes) else None
    if incident is None:
        raise UserError(f"{asked} cannot be read", where=path, hint="fix it first")
    if incident.duplicate_of is not None:
        hint = f"--of {incident.duplicate_of}"
        raise UserError(f"{incident.id} is a duplicate itself, of {incident.duplicate_of}", hint=hint)
    return incident.id


def split_words(words: Sequence[str], at_least: int = 0) -> tuple[str | None, tuple[str, ...]]:
    """(the word that names an incident, or None; the other words). It may come first or last.

    `at_least` other words are left: a text that looks like a number stays a text where nothing else is there.
    """
    if len(words) > at_least:
        for place in (len(words) - 1, 0):
            if _SHORT.fullmatch(words[place]):
                return words[place], (*words[:place], *words[place + 1 :])
    return None, tuple(words)


def _named(wanted: str, ids: Sequence[str]) -> list[str]:
    """The ids a short form can mean: that very id or number, else every id that ends so.

    Text that starts with INC- is taken for a whole id, or for its number: it never matches the end of another id.
    """
    tail = wanted.removeprefix("INC-")
    if not tail:
        return []
    exact = [one for one in ids if one == f"INC-{tail}"]
    if exact:
        return exact
    number = [one for one in ids if tail.isdecimal() and int(one.rpartition("-")[2]) == int(tail)]
    return number if len(number) == 1 or tail != wanted else [one for one in ids if one.endswith(tail)]


def _number(ids: Sequence[str]) -> str:
    return ids[0].rpartition("-")[2].lstrip("0") if ids else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown


RecordEdit = Callable[[Incident], Step]
"""What is to become of an incident, from `incident_ops.edits`."""
RecordChange = tuple[str | None, RecordEdit]
"""The incident that is meant (see `find_record`), and what is to become of it."""

SHORTEST_END = 3
"""So many digits of the end of an id name an incident; fewer only where they are its number."""
RECENT = 86_400
"""Seconds: what --at puts further back than that is being written up."""
EDIT_ATTEMPTS = 20
"""How often an edit begins again because somebody else wrote in between."""


@dataclass(frozen=True)
class EditedRecord:
    """The record after an edit: a line for each change made, what should give pause, what comes next.

    `documents` are the names of those beside it that were written anew with it.
    `undo` is the command that takes back this edit alone, "" where there is none; `is_changed` is false where the
    record said all of it already. `notes` are about the clone it was written in. `is_written_up`: it was made with
    --at, more than a day back, and what comes next is dated now unless --at is given again.
    """

    record: Record
    done: tuple[str, ...]
    warnings: tuple[str, ...]
    next_steps: tuple[str, ...]
    undo: str
    is_changed: bool
    notes: tuple[str, ...] = ()
    is_written_up: bool = False
    documents: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordAsRead:
    """A record as one command found it: its bytes and what they say."""

    raw: bytes
    record: Record


def read_for_edit(workspace: Workspace, path: str) -> RecordAsRead:
    """A record that can be edited. UserError with file:line:column where it cannot be read."""
    must_have_happened(workspace)
    demand_work_tree(workspace)
    raw = workspace.store.read(path)
    if raw is None:
        raise UserError("the record is not there any more", where=path, hint="was it moved? see `git status`")
    return RecordAsRead(_bytes(raw), record_of(path, _bytes(raw)))


def must_have_happened(workspace: Workspace) -> None:
    """UserError where --at is ahead of the clock: what is written would be an error until then."""
    if workspace.is_at_given and workspace.now > clock.now() + SKEW:
        raise UserError(f"--at {stamp(workspace.now)} has not come yet", hint="only what has happened is written down")


def must_name_the_day(workspace: Workspace, incident: Incident, typed: str) -> None:
    """UserError for `02:56` where nothing happened to the incident for a day: another day than today may be meant."""
    if not is_time_of_day(typed):
        return
    past = [at for event in incident.timeline if (at := parse_instant(event.at)) <= workspace.now]
    last = max(past, default=declared_at(incident))
    if (workspace.now - last).total_seconds() > RECENT:
        message = f"{typed} of which day? The last entry of {incident.id} is of {spell_minute(last)}"
        raise UserError(message, hint=f'--at "{last:%Y-%m-%d} {typed}", or with the day that is meant')


def record_of(path: str, raw: bytes) -> Record:
    """The record that these bytes are. UserError naming the first fault where they are none."""
    found = _read(path, raw)
    if isinstance(found, Finding):
        raise _to_error(found)
    return found


def _read(path: str, raw: bytes) -> Record | Finding:
    document = read_bytes(raw, path)
    found = document if isinstance(document, list) else check_document(document, "incident")
    return found[0] if isinstance(document, list) or found else to_record(path, document.data)


def edit_record(workspace: Workspace, asked: str | None, make_step: RecordEdit) -> EditedRecord:
    """Edits the record that is meant (see `find_record`), and writes it if nobody else has written meanwhile.

    UserError where the edit is refused or would make the record invalid, WriteFailed where it cannot be written,
    Unusable where its values break a calculation.
    """
    path = find_record(workspace, asked)
    for _ in range(EDIT_ATTEMPTS):
        before = read_for_edit(workspace, path)
        must_name_the_day(workspace, before.record.incident, workspace.at_typed)
        step = evaluate_one(before.record, lambda record: make_step(record.incident))
        if not step.edits:
            return _edited(workspace, before.record, step, undo="")
        content, after, warnings = edited_content(workspace, before, step.edits)
        incident_id = after.incident.id
        warned = replace(step, warnings=(*step.warnings, *warnings))
        edited = _edited(workspace, after, warned, undo=undo_command(incident_id))
        keep = partial(keep_edit, workspace, incident_id, path, before.raw, content, step.messages)
        if replace_if_unchanged(workspace.root / path, before.raw, content, workspace.state / "records.lock", keep):
            return _with_documents(workspace, edited)
    raise WriteFailed("the record changes faster than it can be edited", where=path, hint="run the command again")


def _edited(workspace: Workspace, record: Record, step: Step, undo: str) -> EditedRecord:
    from incident_ops.edits.declare import next_steps  # as in `_errors`

    asks = step.then or evaluate_one(record, lambda one: next_steps(one.incident, workspace.judged_by[0]))
    notes = clone_notes(workspace) if step.edits else ()
    is_written_up = workspace.is_at_given and (clock.now() - workspace.now).total_seconds() > RECENT
    return EditedRecord(record, step.messages, step.warnings, asks, undo, bool(step.edits), notes, is_written_up)


def _with_documents(workspace: Workspace, edited: EditedRecord) -> EditedRecord:
    """The same once the documents beside the record say what it does now."""
    refreshed = refresh_documents(workspace, edited.record.path)
    warnings = (*edited.warnings, *refreshed.problems)
    return replace(edited, documents=refreshed.names, warnings=warnings)


def _merged_entries(workspace: Workspace, path: str) -> int:
    """How many entries of a record's timeline are merged, as this clone knows it."""
    return merged_rows(workspace.git, settled_commit(workspace.git), path, "timeline")


class EditedContent(NamedTuple):
    """The bytes of a record with its edits made, what they say, and what should give pause about their places."""

    content: bytes
    record: Record
    warnings: tuple[str, ...]


def edited_content(workspace: Workspace, before: RecordAsRead, edits: Sequence[Edit]) -> EditedContent:
    """A record with its edits made, late entries of the timeline at their places.

    UserError where it holds a new error.
    """
    from incident_ops.records.editor import edit, key_order  # the YAML writer, which no list or picture needs

    path = before.record.path
    placed = in_order(before.record.incident, edits, partial(_merged_entries, workspace, path))
    content = edit(before.raw.decode(), placed.edits, order=key_order(schema("incident")), file=path).encode()
    return EditedContent(content, checked(workspace, path, content, before.record), placed.warnings)


def checked(workspace: Workspace, path: str, raw: bytes, before: Record | None) -> Record:
    """The record these bytes will be. UserError where they hold an error that was not there before, Unusable where
    their values break a rule."""
    record = _read(path, raw)
    if isinstance(record, Finding):
        raise _refused(record, path, before)
    world = World(*workspace.judged_by, workspace.now)
    known = Counter(map(_key, _known_errors(before, world)))
    for one in _errors(record, world):
        if not known[_key(one)]:
            raise _refused(one, path, before)
        known[_key(one)] -= 1
    return record


def check_services(workspace: Workspace, names: Iterable[str]) -> None:
    """UserError for a service that nobody knows."""
    services = workspace.judged_by[1]
    for name in names:
        if name not in services:
            raise UserError(f"service {name!r} is not in services.yaml", hint=did_you_mean(name, services))


def who(workspace: Workspace, given: str | None) -> str:
    """Who does it: as given, else as the surroundings say."""
    return given if given is not None else actor(workspace).name


def shown_path(workspace: Workspace, path: str) -> str:
    """A path below the records' folder as it is typed in the current folder."""
    return shlex.quote(os.path.relpath(workspace.root / path, Path.cwd()))


def clean(text: str | None) -> str | None:
    """A text of the command line with line ends as records have them."""
    return None if text is None else text.replace("\r\n", "\n")


def undo_command(incident_id: str) -> str:
    """The command that takes back the last edit of an incident alone."""
    return f"incident-ops undo {incident_id}"


def _errors(record: Record, world: World) -> list[Finding]:
    from incident_ops import rules  # some thirty modules, which nobody needs who only looks for a record

    found = evaluate_one(record, lambda one: [*rules.run(one, world, timed=False), *rules.run(one, world, timed=True)])
    return [one for one in found if one.level is Level.ERROR]


def _known_errors(before: Record | None, world: World) -> list[Finding]:
    """The errors of a record before its edit; none where its values break a rule, for the edit may mend that."""
    try:
        return _errors(before, world) if before else []
    except Unusable:
        return []


def _key(one: Finding) -> tuple[str, str]:
    return one.rule, one.message


def _refused(one: Finding, path: str, before: Record | None) -> UserError:
    """The error for an edit. It names no file where the record would be new (no `before`)."""
    place = ".".join(map(str, one.where.route))
    is_named = one.message.startswith((place, re.sub(r"\.([0-9]+)", r"[\1]", place)))
    named = "" if is_named else f"{place}: "
    message = f"nothing was {'changed' if before else 'written'}: {named}{one.message}"
    return UserError(message, hint=one.hint, where=path if before else "")


def _to_error(one: Finding) -> UserError:
    return UserError(one.message, hint=one.hint, where=str(one.where))


def _bytes(raw: bytes | Finding) -> bytes:
    if isinstance(raw, Finding):
        raise _to_error(raw)
    return raw
