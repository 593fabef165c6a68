"""Declaring an incident: its record, written under the first id that nobody has."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from functools import partial
from typing import Any, NamedTuple

from incident_ops.adapters.files import demand_no_link, write_in_new_folder
from incident_ops.adapters.notifiers import variable
from incident_ops.app.edit_record import (
    RecordAsRead,
    RecordEdit,
    check_services,
    checked,
    edited_content,
    must_have_happened,
    record_of,
)
from incident_ops.app.last_edit import keep_edit
from incident_ops.app.workspace import Workspace, clone_notes, demand_work_tree, leads_somewhere, need_remote
from incident_ops.domain.as_of import declared_at
from incident_ops.domain.commander import commander_due
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.record import HIDDEN, Record, title_of
from incident_ops.domain.ticket import is_ticket
from incident_ops.domain.time import parse_instant, spell_ago, spell_clock, spell_duration
from incident_ops.domain.triage import Decision
from incident_ops.edits.declare import (
    PROGRAM,
    Declaration,
    Declared,
    channel_name,
    declare_incident,
    highest_number,
    id_series,
    ids_by_time,
    numbered_id,
    runbook,
    steps_of_write_up,
)
from incident_ops.errors import Ambiguous, Incomplete, UserError, WriteFailed
from incident_ops.records.policy import policy_digest
from incident_ops.records.store import INCIDENTS, record_path
from incident_ops.records.yaml_writer import to_yaml

RECORD_HEADER = "# yaml-language-server: $schema=../../schemas/incident.schema.json"
ID_ATTEMPTS = 1000
SIMILAR = 0.75
"""So alike are two titles of one outage, of 1."""
ANSWER_SECONDS = 10.0
"""How long one question to the remote may take before an id goes by time."""


@dataclass(frozen=True)
class DeclaredRecord:
    """The record of a new incident, the triage decision that counted, what should give pause, and what comes next.

    `notice` says who knows of it so far; the first of the next steps changes that. `notes` are about the clone.
    `is_known`: it was declared before, under the same key, and nothing was written.
    """

    record: Record
    decision: Decision | None
    warnings: tuple[str, ...]
    notice: str
    next_steps: tuple[str, ...]
    notes: tuple[str, ...]
    is_known: bool = False

    @property
    def folder(self) -> str:
        """The folder of the record, below the folder of the repository."""
        return self.record.path.rpartition("/")[0]


class FirstEdit(NamedTuple):
    """What is written together with a declaration: what becomes of the new incident, and when that is known."""

    at: datetime
    change: RecordEdit


def declare_record(
    workspace: Workspace,
    declaration: Declaration,
    by: str | None,
    *,
    is_sent: bool = False,
    first: FirstEdit | None = None,
) -> DeclaredRecord:
    """Writes the record of a declaration, all of it at once; `is_sent`: the caller sends it, so no step says how.

    UserError where it names an unknown service or would not be valid.
    """
    demand_work_tree(workspace)
    check_services(workspace, declaration.services)
    must_have_happened(workspace)
    open_ones = similar_open(workspace, declaration)
    unnumbered: list[str] = []
    for incident_id in itertools.islice(_new_ids(workspace, declaration, by, unnumbered), ID_ATTEMPTS):
        path = record_path(incident_id)
        demand_no_link(workspace.root, path)
        if os.path.lexists((workspace.root / path).parent):
            continue
        draft = _with_first(workspace, _drafted(workspace, incident_id, declaration, by), first)
        if write_in_new_folder(workspace.root / path, draft.raw):
            declared, record = draft.declared, draft.record
            unkept = _kept(workspace, declaration, path, draft)
            follows = _what_follows(workspace, record, declaration, is_sent)
            steps = (*follows.steps, *_withdrawals(open_ones, incident_id))
            warned = (*declared.warnings, *follows.warnings, *similar_lines(workspace, open_ones))
            warnings = (*warned, *unnumbered, *unkept)
            return DeclaredRecord(record, declared.decision, warnings, follows.notice, steps, clone_notes(workspace))
    raise UserError(f"no id is free after {ID_ATTEMPTS} tries", where=INCIDENTS, hint="look at what fills this folder")


def declare_once(workspace: Workspace, declaration: Declaration, by: str | None, *, is_sent: bool) -> DeclaredRecord:
    """The same for a program, which may say the same thing again: an incident that is open under the same key, here or
    where records are sent to, is the one. Errors as `declare_record`.
    """
    if not declaration.key:
        return declare_record(workspace, declaration, by, is_sent=is_sent)
    from incident_ops.app.open_incident import find_open  # people declare without a key

    demand_work_tree(workspace)
    check_services(workspace, declaration.services)
    found = find_open(workspace, partial(_has_key, declaration.key), asks_remote=is_sent)
    raw = workspace.store.read(found.path) if found.path else None
    if isinstance(raw, bytes):
        return DeclaredRecord(record_of(found.path, raw), None, (), "", (), clone_notes(workspace), is_known=True)
    declared = declare_record(workspace, declaration, by, is_sent=is_sent)
    unknown = (f"unknown whether this is declared already: {found.problem}",) if found.problem else ()
    return replace(declared, warnings=(*declared.warnings, *unknown))


def _has_key(key: str, incident: Incident) -> bool:
    source = incident.source
    return incident.state not in OVER and source is not None and (source.system, source.dedup_key) == (PROGRAM, key)


def _kept(workspace: Workspace, declaration: Declaration, path: str, draft: _Draft) -> tuple[str, ...]:
    """Keeps a declaration for `undo`. Where that is refused it says so: the record is there already."""
    try:
        keep_edit(workspace, draft.record.incident.id, path, None, draft.raw, (f"declared: {declaration.title}",))
    except WriteFailed as error:
        return (f"this declaration cannot be undone: {error.message}",)
    return ()


def similar_open(workspace: Workspace, declaration: Declaration) -> list[Record]:
    """What is worked on already, on one of the same services and under nearly the same title.

    Nothing for an incident that is written up later.
    """
    title = " ".join(declaration.title.casefold().split())

    def is_similar(incident: Incident) -> bool:
        if declaration.declared is not None or incident.state in OVER or incident.drill != declaration.drill:
            return False
        if set(incident.services).isdisjoint(declaration.services):
            return False
        return SequenceMatcher(None, title, " ".join(incident.title.casefold().split())).ratio() >= SIMILAR

    return [record for record in workspace.catalogue.live() if is_similar(record.incident)]


def similar_lines(workspace: Workspace, found: Sequence[Record]) -> list[str]:
    """`INC-1 on auth is open: Login fails (declared 5m ago)`, a line for each."""
    lines = []
    for incident in (record.incident for record in found):
        ago = spell_ago(int((workspace.now - declared_at(incident)).total_seconds()))
        title = title_of(incident, workspace.judged_by[0]) or HIDDEN
        lines.append(f"{incident.id} on {', '.join(incident.services)} is open: {title} (declared {ago})")
    return lines


class _Following(NamedTuple):
    """Who knows of it, or how much later it is written up; the next steps; what is wanted of somebody."""

    notice: str
    steps: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def _what_follows(workspace: Workspace, record: Record, declaration: Declaration, is_sent: bool) -> _Following:
    incident = record.incident
    if declaration.declared is not None:
        later = spell_duration(int((workspace.now - _declared_at(workspace, declaration)).total_seconds()))
        notice = f"written up {later} after the fact; until it is resolved here, it counts as open"
        return _Following(notice, steps_of_write_up(incident))
    notice, step = _unnotified(workspace, record) if not is_sent else ("", "")
    warning, commander = _commander(workspace, incident)
    steps = (step, *_first_steps(workspace, incident, commander))
    return _Following(notice, (*filter(None, steps),), (*filter(None, (warning,)),))


def _declared_at(workspace: Workspace, declaration: Declaration) -> datetime:
    return workspace.now if declaration.declared is None else parse_instant(declaration.declared)


def _withdrawals(found: Sequence[Record], new: str) -> list[str]:
    """The command that takes back the new incident where it is the same as one of those."""
    names = (record.incident.id for record in found)
    return [f'incident-ops withdraw {new} --as duplicate --of {name} --reason "..."' for name in names]


class _Draft(NamedTuple):
    """A record that is not written yet, and its bytes."""

    declared: Declared
    raw: bytes
    record: Record


def _drafted(workspace: Workspace, incident_id: str, declaration: Declaration, by: str | None) -> _Draft:
    """UserError where the record would not be valid."""
    in_force = policy_digest(workspace.in_force.policy.resolved)
    at = _declared_at(workspace, declaration)
    policy = workspace.judged_by[0].for_services(declaration.services)
    declared = declare_incident(incident_id, declaration, policy, in_force, at, by)
    raw = _spelled(declared.data)
    return _Draft(declared, raw, checked(workspace, record_path(incident_id), raw, None))


def _with_first(workspace: Workspace, draft: _Draft, first: FirstEdit | None) -> _Draft:
    """UserError where the record would not be valid then."""
    if first is None:
        return draft
    step, later = first.change(draft.record.incident), replace(workspace, now=first.at)
    content, record, _ = edited_content(later, RecordAsRead(draft.raw, draft.record), step.edits)
    return _Draft(draft.declared, content, record)


def _new_ids(workspace: Workspace, declaration: Declaration, by: str | None, unnumbered: list[str]) -> Iterator[str]:
    """Ids to try in turn, in the form that the policy asks for.

    A number is only ever one that was taken on the remote. Where none can be taken the id is by time, and `unnumbered`
    says why: whoever declares at night does not wait for a server.
    """
    at = _declared_at(workspace, declaration)
    series = id_series(workspace.judged_by[0], at)
    by_time = ids_by_time(at)
    if series is not None:
        first = next(by_time)
        _drafted(workspace, first, declaration, by)  # what is refused takes no number
        by_time = itertools.chain((first,), by_time)
        try:
            while True:
                yield numbered_id(series, _take_number(workspace, series))
        except (UserError, Incomplete, WriteFailed, Ambiguous) as error:
            hint = f" ({error.hint})" if error.hint else ""
            unnumbered.append(f"the id is a timestamp, because no number could be taken: {error.message}{hint}")
    yield from by_time


def _take_number(workspace: Workspace, series: str) -> int:
    """The next number of a series. Errors as `need_remote` and `take_number`."""
    from incident_ops.adapters.git_numbers import take_number  # ids by time ask no remote

    remote = need_remote(workspace.git, ANSWER_SECONDS)
    here = highest_number(_ids_here(workspace), series)

    def highest(tip: str | None) -> int:
        paths = (blob.path.split("/") for blob in remote.git.tree(tip, (INCIDENTS,))) if tip else ()
        return max(here, highest_number((parts[1] for parts in paths if len(parts) > 1), series))

    return take_number(remote, series, highest, workspace.now)


def _ids_here(workspace: Workspace) -> list[str]:
    folder = workspace.root / INCIDENTS
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    return [*workspace.catalogue.ids(), *names]


def _spelled(data: dict[str, Any]) -> bytes:
    try:
        return f"{RECORD_HEADER}\n{to_yaml(data)}".encode()
    except UnicodeEncodeError:
        raise UserError("a text contains an incomplete character", hint="type it again") from None


def _unnotified(workspace: Workspace, record: Record) -> tuple[str, str]:
    """That nobody has been notified yet, and the command that changes it; "" where none would."""
    git = workspace.git
    if git is not None and git.config("remote.origin.url") is not None:
        return (
            "nobody has been notified yet: that follows once the record is merged",
            f"incident-ops send {record.incident.id}",
        )
    if any(name.startswith(variable("")) for name in os.environ):
        return "nobody has been notified yet", f"incident-ops notify {record.incident.id} --mark declared"
    return "nobody has been notified: no remote and no notification channel is set up here", ""


def _commander(workspace: Workspace, incident: Incident) -> tuple[str, str]:
    """That somebody must take command, and the command for it; "" where that is not asked."""
    policy, _ = workspace.judged_by
    level = policy.level_of(incident)
    if level is None or level.ic_after is None or incident.roles.commander:
        return "", ""
    step = f"incident-ops assign commander @who {incident.id}"
    if not level.needs_commander:
        return "", step
    due = commander_due(incident, policy, workspace.now)
    by_when = f"by {spell_clock(due)} UTC" if due is not None and due > workspace.now else ""
    warning = f"{incident.severity or level.id} needs a commander {by_when or 'now'}"
    return warning, f"{by_when}: {step}" if by_when else step


def _first_steps(workspace: Workspace, incident: Incident, commander: str) -> tuple[str, ...]:
    policy, services = workspace.judged_by
    books = {name: runbook(name, services, policy) for name in incident.services}
    runbooks = [f"runbook of {name}: {book}" for name, book in books.items() if leads_somewhere(workspace, book)]
    if is_ticket(incident, policy):
        return (*runbooks, f"incident-ops ack {incident.id}")
    channel = () if incident.links.channel else (f"create the chat channel {channel_name(incident, policy)}",)
    return (
        f"incident-ops ack {incident.id}",
        commander,
        *channel,
        *runbooks,
        f'incident-ops update {incident.id} --internal "..."',
    )
