"""The last edit of each record that this clone made, kept so that it can be undone, and the steps that led to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from incident_ops.adapters.files import write_bytes
from incident_ops.app.workspace import Workspace
from incident_ops.records.store import is_record

BY_HAND = "edited by hand"


class EditStep(msgspec.Struct, frozen=True):
    """The digest of the text that an edit left, "" for none, and what was said to be done; nothing (a gap) where the
    text was not left by an edit of this clone: it was written by hand, or taken from a commit."""

    after: str
    done: tuple[str, ...] = ()
    is_undo: bool = False


class LastEdit(msgspec.Struct, frozen=True):
    """An edit of the record of `incident`, at `path`: the text before it, None where it was declared; the digest of the
    text after it; what was said to be done; whether it was undone already; the steps up to it, itself the last."""

    incident: str
    path: str
    before: str | None
    after: str
    done: tuple[str, ...]
    is_spent: bool = False
    trail: tuple[EditStep, ...] = ()

    def is_of(self, raw: bytes) -> bool:
        """Whether these bytes are what the edit wrote."""
        return _digest(raw) == self.after

    def leads(self, old: bytes, new: bytes) -> bool:
        """Whether edits of this clone, and nothing else, made `new` of `old`."""
        steps = self.trail[self._gap() :]
        return bool(steps) and steps[-1].after == _digest(new) and any(one.after == _digest(old) for one in steps[:-1])

    def done_since(self, old: bytes | None, new: bytes) -> tuple[tuple[str, ...], bool]:
        """What was done from `old` to `new`, newest first, BY_HAND for what no command did; and whether `old` is known.

        The declaration is not in it, nor what was done and undone in that time. Where `old` is not known it is what was
        done since the last gap.
        """
        known = [at for at, step in enumerate(self.trail) if step.after == _digest(old)]
        is_end = bool(self.trail) and self.trail[-1].after == _digest(new)
        start = known[-1] if known else self._gap() if is_end else len(self.trail)
        steps: list[EditStep] = []
        for before, step in pairwise(self.trail[start:]):
            if step.is_undo and steps and steps[-1].done == step.done and not steps[-1].is_undo:
                steps.pop()
            elif before.after:
                steps.append(step)
        last = () if is_end or not known else (BY_HAND,)
        return (*last, *(line for step in reversed(steps) for line in _said(step))), bool(known)

    def _gap(self) -> int:
        return max((at for at, step in enumerate(self.trail) if not step.done), default=0)


def keep_edit(
    workspace: Workspace, incident: str, path: str, before: bytes | None, after: bytes, done: Iterable[str]
) -> None:
    """Keeps an edit in place of the one before it. WriteFailed where the system refuses."""
    text = None if before is None else before.decode()
    last = _read(_file(workspace, incident))
    trail = last.trail if last is not None and last.path == path else ()
    if not trail or trail[-1].after != _digest(before):
        trail = (*trail, EditStep(_digest(before)))
    step = EditStep(_digest(after), tuple(done))
    _keep(workspace, LastEdit(incident, path, text, step.after, step.done, trail=(*trail, step)[-_MOST_STEPS:]))


def keep_spent(workspace: Workspace, edit: LastEdit) -> None:
    """Keeps that an edit was undone."""
    before = None if edit.before is None else edit.before.encode()
    step = EditStep(_digest(before), edit.done, is_undo=True)
    _keep(workspace, msgspec.structs.replace(edit, is_spent=True, trail=(*edit.trail, step)))


def last_edits(workspace: Workspace) -> Sequence[LastEdit]:
    """The last edit of each record, the newest first; what cannot be read is left out."""
    folder = workspace.state / _FOLDER
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return [edit for file in files if (edit := _read(file)) is not None]


def last_edit_of(workspace: Workspace, path: str) -> LastEdit | None:
    """The last edit of the record at a path; None where none is kept."""
    own = _read(_file(workspace, path.split("/")[-2]))
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
_MOST_STEPS = 200


def _keep(workspace: Workspace, edit: LastEdit) -> None:
    write_bytes(_file(workspace, edit.incident), msgspec.json.encode(edit))


def _file(workspace: Workspace, incident: str) -> Path:
    return workspace.state / _FOLDER / f"{incident}.json"


def _said(step: EditStep) -> tuple[str, ...]:
    return (f"undone: {'; '.join(step.done)}",) if step.is_undo else step.done or (BY_HAND,)


def _digest(raw: bytes | None) -> str:
    return "" if raw is None else f"sha256:{hashlib.sha256(raw).hexdigest()}"
