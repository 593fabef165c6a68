"""How the automation edits records: by a push to the default branch or, without GitHub, in the work tree.

By pull request: `app/proposals.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.adapters.git_proposals import PUSHED, CommitMaker, Files, Proposals, Read
from incident_ops.app.edit_record import RecordAsRead, edited_content, read_for_edit, record_of
from incident_ops.app.workspace import Workspace, need_remote
from incident_ops.domain.record import Edit
from incident_ops.errors import UserError

_MESSAGE = "incident-ops: write back what the issues tell"

EditsByPath = Mapping[str, tuple[Edit, ...]]
"""Path of a record -> its edits."""


class WriteBack(NamedTuple):
    """What became of the edits of records: a sentence for each pull request or commit.

    `paths` are the records that were written, pushed or proposed; `commit` is the one that was pushed.
    """

    lines: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    commit: str = ""

    @property
    def message(self) -> str:
        """All of it on one line."""
        return "; ".join(self.lines)


def edited_texts(workspace: Workspace, wanted: EditsByPath) -> dict[str, bytes]:
    """Path -> the record with its edits made. UserError where the result would be an error."""
    return {
        path: _edited(workspace, path, record_bytes(workspace, path), edits) for path, edits in sorted(wanted.items())
    }


def write_locally(workspace: Workspace, wanted: EditsByPath) -> WriteBack:
    """Edits the work tree; a record that changed meanwhile is left for the next run."""
    written: list[str] = []
    for path, edits in sorted(wanted.items()):
        before = read_for_edit(workspace, path)
        after = edited_content(workspace, before, edits).content
        if replace_if_unchanged(workspace.root / path, before.raw, after, workspace.state / "records.lock"):
            written.append(path)
    return WriteBack((f"{len(written)} of {len(wanted)} records changed in the work tree",), tuple(written))


def push_edits(workspace: Workspace, wanted: EditsByPath, now: datetime, maker: CommitMaker | None = None) -> WriteBack:
    """Edits on top of the default branch; a record that is another one there is left for the next run.

    `maker` makes the commit where it can sign it.
    """
    planned = {path: record_bytes(workspace, path) for path in wanted}
    unchanged: list[str] = []

    def edit_again(read: Read) -> Files:
        unchanged[:] = [path for path, raw in planned.items() if read(path) == raw]
        return {path: _edited(workspace, path, planned[path], wanted[path]) for path in unchanged}

    remote = need_remote(workspace.git)
    main = remote.default_branch()
    pushed = Proposals(remote, maker).land(main, edit_again, _MESSAGE, now)
    commit = pushed.commit if pushed.outcome == PUSHED else ""
    what = f"commit {commit[:12]} on {main}" if commit else f"nothing new for {main}"
    line = f"{len(unchanged)} of {len(wanted)} records written back: {what}"
    return WriteBack((line,), tuple(unchanged) if commit else (), commit)


def _edited(workspace: Workspace, path: str, raw: bytes, edits: tuple[Edit, ...]) -> bytes:
    return edited_content(workspace, RecordAsRead(raw, record_of(path, raw)), edits).content


def record_bytes(workspace: Workspace, path: str) -> bytes:
    """The record as the run reads it. UserError where it is gone."""
    raw = workspace.store.read(path)
    if not isinstance(raw, bytes):
        raise UserError("the record is not there any more", where=path, hint="run the command again")
    return raw
