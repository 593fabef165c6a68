"""The documents that stand beside one record: which of them no longer say what it does, and what they should say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from incident_ops.adapters.files import hold, write_bytes
from incident_ops.app.workspace import Workspace, leads_somewhere
from incident_ops.documents.document_mark import DOCUMENT_NAMES, is_as_rendered
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.record import Record
from incident_ops.errors import IncidentOpsError
from incident_ops.records.history import read_record


class Outdated(NamedTuple):
    """The documents that differ from their record, by path as they should be; `edited` are the paths of those that
    differ and that people wrote in, which are nobody's to overwrite."""

    texts: Mapping[str, bytes] = {}
    edited: tuple[str, ...] = ()


class Refreshed(NamedTuple):
    """The names of the documents that were written anew, and a sentence for each thing that hindered one."""

    names: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def documents_beside(read: Callable[[str], object], record_path: str) -> dict[str, bytes]:
    """By path the documents that stand beside a record; `read` gives the bytes of a path, something else for none."""
    folder = record_path.rpartition("/")[0]
    found = ((path, read(path)) for path in (f"{folder}/{name}" for name in DOCUMENT_NAMES))
    return {path: content for path, content in found if isinstance(content, bytes)}


def outdated_documents(
    workspace: Workspace, record: Record, there: Mapping[str, bytes], leads: Callable[[str], bool] | None = None
) -> Outdated:
    """Compares the documents that are `there`, by path, with their record as it is. Unusable where that breaks one.

    `leads` says of a place whether there is something to read, None = it is looked up.
    """
    from incident_ops.documents.incident_documents import incident_documents  # templates, needed where there are some

    if not there:
        return Outdated()
    policy, is_there = workspace.judged_by[0], leads or partial(leads_somewhere, workspace)
    made = evaluate_one(record, lambda one: incident_documents(one.incident, policy, workspace.now, (), is_there))
    should = {path: made[path.rpartition("/")[2]].encode() for path in there}
    differing = [path for path in there if there[path] != should[path]]
    ours = {path: should[path] for path in differing if is_as_rendered(there[path])}
    return Outdated(ours, tuple(path for path in differing if path not in ours))


def refresh_documents(workspace: Workspace, path: str) -> Refreshed:
    """Writes those documents anew that stand beside a record of the work tree, whoever else edits it meanwhile; none
    where the workspace renders none.

    What fails is among the problems: the record is written already, and stays so.
    """
    if not workspace.renders:
        return Refreshed()
    try:
        with hold(workspace.state / "records.lock"):
            there = documents_beside(workspace.store.read, path)
            outdated = outdated_documents(workspace, read_record(workspace.store, path), there) if there else Outdated()
            for document, text in outdated.texts.items():
                write_bytes(workspace.root / document, text)
    except (IncidentOpsError, OSError) as error:
        return Refreshed(problems=(f"the documents beside the record were not rendered: {error}",))
    return Refreshed(names_of(outdated.texts), edited_lines(outdated.edited))


def names_of(paths: Mapping[str, bytes]) -> tuple[str, ...]:
    """The file names of documents."""
    return tuple(path.rpartition("/")[2] for path in paths)


def edited_lines(paths: tuple[str, ...]) -> tuple[str, ...]:
    """A sentence for documents that are left as people wrote them; none where there are none."""
    if not paths:
        return ()
    way = "`incident-ops render` writes anew what git has"
    return (f"left as it is, edited by hand or rendered by an earlier version: {', '.join(paths)}; {way}",)
