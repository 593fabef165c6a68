"""Undoing the last edit of a record that this clone made: one step, and only as long as nothing has come after it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from incident_ops.adapters.files import demand_no_link, remove_if_unchanged, replace_if_unchanged
from incident_ops.app.documents_beside import Refreshed, refresh_documents
from incident_ops.app.edit_record import find_record, record_of, shown_path
from incident_ops.app.last_edit import LastEdit, keep_spent, last_edit_of, last_edits
from incident_ops.app.sent_state import sent_state
from incident_ops.app.workspace import Workspace, demand_work_tree, merged_commit
from incident_ops.domain.incident import Incident
from incident_ops.edits.opposite import opposite_of
from incident_ops.errors import UserError
from incident_ops.records.history import merged_incident

ONE_STEP = "undo takes back one step: the last edit of a record that was made in this clone"
SHORT = 7
"""Characters of a commit's id, as git shows it."""


@dataclass(frozen=True)
class Undone:
    """An edit that was taken back, and the incident as it is now; None where the edit had declared it.

    `documents` are the names of those beside the record that were written anew with it, `problems` what hindered one.
    `stays` says what of it was sent and stays so, and how that is taken back; "" where nothing was.
    """

    edit: LastEdit
    incident: Incident | None
    stays: str = ""
    documents: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The folder of the record, below the folder of the repository."""
        return self.edit.path.rpartition("/")[0]


def undo_last(workspace: Workspace, asked: str | None) -> Undone:
    """Takes back the last edit of the incident that is meant, else the last one of all.

    UserError where there is none, where the record has changed since, or where the edit is committed; then the hint
    names what does it instead.
    """
    demand_work_tree(workspace)
    edit = _meant(workspace, asked)
    demand_no_link(workspace.root, edit.path)
    file = workspace.root / edit.path
    raw = file.read_bytes() if file.is_file() else None
    if raw is None:
        raise UserError(f"{_cannot(edit)}: the record is not there any more", where=edit.path, hint="see `git status`")
    if edit.before is not None and raw == edit.before.encode():
        raise UserError(f"there is nothing more to undo on {edit.incident}", hint=ONE_STEP)
    if not edit.is_of(raw):
        shown = shown_path(workspace, edit.path)
        hint = f"`git diff -- {shown}` shows what is not committed; then edit it, by a command or by hand"
        raise UserError(f"{_cannot(edit)}: the record has changed since", hint=hint)
    _must_not_be_committed(workspace, edit, raw)
    if edit.before is None:
        _must_be_alone(workspace, edit)
    lock, spent = workspace.state / "records.lock", partial(keep_spent, workspace, edit)
    if edit.before is None:
        is_done = remove_if_unchanged(file, raw, lock, then=spent)
    else:
        is_done = replace_if_unchanged(file, raw, edit.before.encode(), lock, then=spent)
    if not is_done:
        raise UserError(f"{_cannot(edit)}: the record has changed since", hint="run it again to see")
    now = None if edit.before is None else record_of(edit.path, edit.before.encode()).incident
    refreshed = refresh_documents(workspace, edit.path) if now else Refreshed()
    return Undone(edit, now, _what_stays(workspace, edit), refreshed.names, refreshed.problems)


def _what_stays(workspace: Workspace, edit: LastEdit) -> str:
    state = sent_state(workspace, edit.incident)
    if not state.commit or not edit.is_of(state.text.encode()):
        return ""
    is_pushed = state.pushed == state.commit
    if edit.before is not None:
        where = "is still" if is_pushed else "waits"
        return f"it {where} on branch {state.branch}; take it back there, too: incident-ops send {edit.incident}"
    if not is_pushed:
        return f"its commit waits on branch {state.branch} of this clone; drop it: git branch -D {state.branch}"
    close = f"close {state.address}, and " if state.address else ""
    return f"branch {state.branch} still declares it: {close}git push origin --delete {state.branch}"


def _meant(workspace: Workspace, asked: str | None) -> LastEdit:
    path = None if asked is None else find_record(workspace, asked)
    found = None if path is None else last_edit_of(workspace, path)
    if found is not None and not found.is_spent:
        return found
    edits = last_edits(workspace)
    if not edits:
        raise UserError("there is nothing to undo: no edit was made in this clone", hint=ONE_STEP)
    if path is not None:
        raise UserError(f"there is nothing more to undo on {path.split('/')[-2]}", hint=ONE_STEP)
    if edits[0].is_spent:
        older = next(
            (f"; an older edit by name: incident-ops undo {one.incident}" for one in edits if not one.is_spent), ""
        )
        raise UserError("there is nothing more to undo", hint=ONE_STEP + older)
    return edits[0]


def _cannot(edit: LastEdit) -> str:
    said = "the declaration" if edit.before is None else repr("; ".join(edit.done))
    return f"{edit.incident}: cannot undo {said}"


def _must_not_be_committed(workspace: Workspace, edit: LastEdit, raw: bytes) -> None:
    git = workspace.git
    if git is None:
        return
    merged = merged_commit(git)
    if not any(git.read_path(commit, edit.path) == raw for commit in (git.head, merged) if commit):
        return
    before = None if edit.before is None else record_of(edit.path, edit.before.encode()).incident
    after = record_of(edit.path, raw).incident
    way = opposite_of(before, after)
    if merged_incident(git, merged, edit.path) == after:
        raise UserError(f"{_cannot(edit)}: merged entries cannot be changed", hint=f"instead: {way}")
    commit = next(git.history(edit.path))[:SHORT]
    hint = f"`git revert {commit}` takes back that whole commit; or: {way}"
    raise UserError(f"{_cannot(edit)}: it is committed ({commit})", hint=hint)


def _must_be_alone(workspace: Workspace, edit: LastEdit) -> None:
    """UserError where the folder of a declaration holds more than its record."""
    file = workspace.root / edit.path
    others = sorted(one.name for one in file.parent.iterdir() if one.name != file.name)
    if others:
        folder = shown_path(workspace, edit.path.rpartition("/")[0])
        hint = f"move it away and undo again, or remove all of it: rm -r {folder}"
        raise UserError(f"{_cannot(edit)}: {folder} holds more ({', '.join(others)})", hint=hint)
