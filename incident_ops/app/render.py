"""The documents beside the records: written where they differ, or only compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache, cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.files import demand_no_link, write_text
from incident_ops.app.known import known_record, not_declared
from incident_ops.app.workspace import Workspace, leads_somewhere
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.fence import Unusable, evaluate_each
from incident_ops.domain.record import Record, Unread
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.history import every_record, read_record


class Rendered(NamedTuple):
    """The paths of the documents that differed, how many documents there are, and the records that have none.

    `kept` are documents that differ and were left alone: somebody wrote in them what nothing else holds.
    """

    differing: list[Path]
    total: int
    unread: list[Unread]
    kept: list[Path]


def render_documents(workspace: Workspace, incidents: Sequence[str] = (), *, write: bool = True) -> Rendered:
    """Writes what differs, each file whole or not at all; of every record, or of `incidents`.

    Where a time is asked about, the documents say what was known then; an incident that was declared later has none.
    UserError for one of `incidents` that is not there, was declared later, or cannot be read.
    """
    policy, _ = workspace.judged_by
    rendered = Rendered([], 0, [], [])
    broken, count, last = tuple[Unread, ...](), 0, _LastRendered(workspace)
    there = cache(partial(leads_somewhere, workspace))
    records = _records(workspace, incidents)

    def documents_of(record: Record) -> tuple[Record, dict[str, str]]:
        known = known_record(workspace, record)
        if known is None and incidents:
            raise not_declared(workspace, record)
        if known is None:
            return record, {}
        return record, incident_documents(known.incident, policy, workspace.now, known.undated, there)

    try:
        for record, documents in evaluate_each(records, documents_of):
            for name, text in documents.items():
                count += 1
                _render_one(
                    workspace.root, str(Path(record.path).with_name(name)), text, last if write else None, rendered
                )
    except Unusable as error:
        broken = error.unread
    finally:
        last.keep()
    unread = sorted([*(() if incidents else workspace.catalogue.unreadable()), *broken])
    return rendered._replace(total=count, unread=unread)


def _render_one(root: Path, path: str, text: str, last: _LastRendered | None, rendered: Rendered) -> None:
    """Compares one document, and writes it where there is `last`: what it was rendered as last time."""
    there = (root / path).read_bytes() if (root / path).is_file() else None
    if there == text.encode():
        return
    if last is not None and there is not None and not last.made(path, there):
        rendered.kept.append(root / path)
        return
    rendered.differing.append(root / path)
    if last is not None:
        demand_no_link(root, path)
        write_text(root / path, text)
        last.note(path, text.encode())


class _LastRendered:
    """What each document was when it was last written here, as a checksum; kept with the state of this clone."""

    def __init__(self, workspace: Workspace) -> None:
        self._git = workspace.git
        self._file = workspace.state / "rendered.json"
        self._noted: dict[str, str] = {}

    @cached_property
    def _known(self) -> dict[str, str]:
        try:
            known = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def made(self, path: str, content: bytes) -> bool:
        """True where nothing is lost with this content: it was rendered, or git has it."""
        if self._known.get(path) == _checksum(content):
            return True
        git = self._git
        return git is not None and git.head is not None and git.read_path(git.head, path) == content

    def note(self, path: str, content: bytes) -> None:
        self._noted[path] = _checksum(content)

    def keep(self) -> None:
        """Writes down what was rendered in this run."""
        if self._noted:
            write_text(self._file, json.dumps({**self._known, **self._noted}, indent=0, sort_keys=True))


def _checksum(content: bytes) -> str:
    return sha256(content).hexdigest()


def _records(workspace: Workspace, incidents: Sequence[str]) -> Iterable[Record]:
    if not incidents:
        return every_record(workspace.store, workspace.catalogue)
    return [_record(workspace, incident) for incident in dict.fromkeys(incidents)]


def _record(workspace: Workspace, incident: str) -> Record:
    path = workspace.catalogue.path_of(incident)
    if path is None:
        raise UserError(f"there is no incident {incident}", hint=did_you_mean(incident, workspace.catalogue.ids()))
    broken = next((unread for unread in workspace.catalogue.unreadable() if unread.path == path), None)
    if broken is not None:
        raise UserError(f"cannot be rendered: {broken.reason}", where=path, hint=f"see `incident-ops validate {path}`")
    return read_record(workspace.store, path)
