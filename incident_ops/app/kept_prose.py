"""What people typed into rendered documents: kept in a file beside them, or taken over into the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.files import demand_no_link, write_bytes
from incident_ops.app.edit_record import EditedRecord, edit_record, find_record, record_of
from incident_ops.app.workspace import Workspace
from incident_ops.documents.document_mark import POSTMORTEM_NAME, is_as_rendered
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.documents.layouts import asked_for
from incident_ops.documents.typed_prose import FIELDS_OF_PARTS, TypedProse, notes_name, notes_text, typed_prose
from incident_ops.domain.fence import evaluate_one
from incident_ops.edits.postmortem import adopt_texts
from incident_ops.errors import IncidentOpsError, WriteFailed
from incident_ops.records.history import read_record

_VERSIONS = 20
"""How many versions of a document are looked at for the last one that nobody had edited."""


class Kept(NamedTuple):
    """What people typed into a document, and the file beside it where it is now."""

    document: Path
    notes: Path
    prose: list[TypedProse]


def keep_typed(workspace: Workspace, record_path: str, name: str, there: bytes, text: str) -> Iterator[Kept]:
    """Writes what people typed into a document of a record to the file beside it; `text` is its new rendering."""
    prose = typed_prose(there, [text, *_earlier(workspace, record_path, name)])
    if not prose:
        return
    file = workspace.root / Path(record_path).with_name(name)
    notes = str(Path(record_path).with_name(notes_name(name)))
    demand_no_link(workspace.root, notes)
    target = workspace.root / notes
    if target.is_symlink():
        raise WriteFailed("is a symbolic link; nothing is written through it", where=notes, hint="remove the link")
    before = target.read_bytes().decode("utf-8", "surrogateescape") if target.is_file() else ""
    write_bytes(target, notes_text(file.name, before, prose).encode("utf-8", "surrogateescape"))
    yield Kept(file, target, prose)


def adopt_typed(workspace: Workspace, incidents: Sequence[str]) -> list[EditedRecord]:
    """Takes what people typed into the postmortems of `incidents` over into their records, where those have room.

    The documents stay as they are. UserError for an incident that is not there, and for an edit that is refused.
    """
    edited = []
    for incident in incidents:
        texts = _adoptable(workspace, find_record(workspace, incident))
        done = edit_record(workspace, incident, partial(adopt_texts, texts=texts)) if texts else None
        edited += [done] if done and done.is_changed else []
    return edited


def _adoptable(workspace: Workspace, record_path: str) -> dict[str, str]:
    """What somebody typed under the headings that show a field of the postmortem, by the field's name."""
    path = str(Path(record_path).with_name(POSTMORTEM_NAME))
    file = workspace.root / path
    there = file.read_bytes() if file.is_file() else None
    if there is None or is_as_rendered(there):
        return {}
    policy, record = workspace.judged_by[0], read_record(workspace.store, record_path)
    made = evaluate_one(record, lambda one: incident_documents(one.incident, policy, workspace.now))
    prose = typed_prose(there, [made[POSTMORTEM_NAME], *_earlier(workspace, record_path, POSTMORTEM_NAME)])
    fields = {
        section.heading: FIELDS_OF_PARTS[section.part]
        for section in asked_for(policy.documents.layout)
        if section.part in FIELDS_OF_PARTS
    }
    return {fields[one.heading]: one.text for one in prose if one.heading in fields}


def _earlier(workspace: Workspace, record_path: str, name: str) -> Iterator[str]:
    """What nobody typed: the document of the record as git has it, and the last rendering that git has."""
    git = workspace.git
    if git is None or git.head is None:
        return
    raw = git.read_path(git.head, record_path)
    if raw is not None:
        yield _rendering(workspace, record_path, name, raw)
    path = str(Path(record_path).with_name(name))
    for commit in islice(git.history(path), _VERSIONS):
        content = git.read_path(commit, path)
        if content is not None and is_as_rendered(content):
            yield content.decode()
            return


def _rendering(workspace: Workspace, record_path: str, name: str, raw: bytes) -> str:
    """The document of a record in these bytes; "" where it cannot be read."""
    try:
        record = record_of(record_path, raw)
        made = evaluate_one(record, lambda one: incident_documents(one.incident, workspace.judged_by[0], workspace.now))
    except IncidentOpsError:
        return ""
    return made.get(name, "")
