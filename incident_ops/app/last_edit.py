"""The last edit of each record that this clone made, kept so that it can be undone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from incident_ops.adapters.files import write_bytes
from incident_ops.app.workspace import Workspace
from incident_ops.records.store import is_record


class LastEdit(msgspec.Struct, frozen=True):
    """An edit of the record of `incident`, at `path`: the text before it, None where it was declared; the digest of the
    text after it; what was said to be done; whether it was undone already."""

    incident: str
    path: str
    before: str | None
    after: str
    done: tuple[str, ...]
    is_spent: bool = False

    def is_of(self, raw: bytes) -> bool:
        """Whether these bytes are what the edit wrote."""
        return _digest(raw) == self.after

    def is_from(self, raw: bytes) -> bool:
        """Whether these bytes are what the edit began from, and it was not undone."""
        return not self.is_spent and self.before is not None and self.before.encode() == raw


def keep_edit(
    workspace: Workspace, incident: str, path: str, before: bytes | None, after: bytes, done: Iterable[str]
) -> None:
    """Keeps an edit in place of the one before it. WriteFailed where the system refuses."""
    text = None if before is None else before.decode()
    _keep(workspace, LastEdit(incident, path, text, _digest(after), tuple(done)))


def keep_spent(workspace: Workspace, edit: LastEdit) -> None:
    """Keeps that an edit was undone."""
    _keep(workspace, msgspec.structs.replace(edit, is_spent=True))


def last_edits(workspace: Workspace) -> Sequence[LastEdit]:
    """The last edit of each record, the newest first; what cannot be read is left out."""
    folder = workspace.state / _FOLDER
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return [edit for file in files if (edit := _read(file)) is not None]


def last_edit_of(workspace: Workspace, path: str) -> LastEdit | None:
    """The last edit of the record at a path; None where none is kept."""
    own = _read(workspace.state / _FOLDER / f"{path.split('/')[-2]}.json")
    if own is not None and own.path == path:
        return own
    return next((edit for edit in last_edits(workspace) if edit.path == path), None)


def _read(file: Path) -> LastEdit | None:
    try:
        edit = msgspec.json.decode(file.read_bytes(), type=LastEdit)
    except (OSError, msgspec.DecodeError):
        return None
    return edit if is_record(edit.path) else None


_FOLDER = "undo"


def _keep(workspace: Workspace, edit: LastEdit) -> None:
    write_bytes(workspace.state / _FOLDER / f"{edit.incident}.json", msgspec.json.encode(edit))


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
