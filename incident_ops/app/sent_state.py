"""What this clone has sent of each incident, kept so that the next edit is joined with the right version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from incident_ops.adapters.files import write_bytes
from incident_ops.app.workspace import Workspace, merged_commit
from incident_ops.domain.ports import Repository
from incident_ops.domain.record import Record, is_incident_id
from incident_ops.domain.sending import DECLARE_BRANCHES, EDIT_BRANCHES
from incident_ops.errors import UserError
from incident_ops.records.store import record_path

_FOLDER = "sent"


class SentState(msgspec.Struct, frozen=True):
    """What was sent of `incident` on `branch`: the record of the work tree (`text`) that is in its last `commit`, and
    the two as they were before; the digest of the record at HEAD then; the commit that the remote has (`pushed`); of
    the pull request its number (0: none is known), address and title."""

    incident: str
    branch: str = ""
    text: str = ""
    commit: str = ""
    text_before: str | None = None
    commit_before: str = ""
    head: str = ""
    pushed: str = ""
    number: int = 0
    address: str = ""
    title: str = ""

    def text_at(self, commit: str | None) -> str | None:
        """The record of the work tree that went into a commit of this clone; None where that is not known."""
        if (commit or "") == self.commit:
            return self.text or None
        return self.text_before if (commit or "") == self.commit_before else None

    def on(self, branch: str) -> SentState:
        """The same for another branch of the incident: what was sent on the first is known, the rest begins anew."""
        if branch == self.branch:
            return self
        return SentState(self.incident, branch, text=self.text, head=self.head)


def sent_state(workspace: Workspace, incident: str) -> SentState:
    """What is kept of an incident; an empty one where nothing is, or it cannot be read."""
    try:
        found = msgspec.json.decode(_file(workspace, incident).read_bytes(), type=SentState)
    except (OSError, msgspec.DecodeError):
        return SentState(incident)
    return found if found.incident == incident else SentState(incident)


def keep_state(workspace: Workspace, state: SentState) -> None:
    """Keeps it in place of what was kept. WriteFailed where the system refuses."""
    write_bytes(_file(workspace, state.incident), msgspec.json.encode(state))


def is_unsent(workspace: Workspace, record: Record) -> bool:
    """True where nobody else has a record as it is here, as this clone knows it: it is neither sent nor committed, or
    its commit waits on the branch on which it is sent. False in a clone that has no remote."""
    return _has_remote(workspace) and _is_unsent(workspace, record.incident.id, record.path)


def unsent_incidents(workspace: Workspace) -> list[str]:
    """The ids of all records of which that is true, in order."""
    if not _has_remote(workspace):
        return []
    edited = {path.split("/")[1] for path in workspace.catalogue.uncommitted()}
    kept = {file.stem for file in (workspace.state / _FOLDER).glob("*.json")}
    waits = {name for name in kept if (state := sent_state(workspace, name)).commit != state.pushed}
    known = sorted(filter(is_incident_id, edited | waits))
    return [name for name in known if _is_unsent(workspace, name, record_path(name))]


def _has_remote(workspace: Workspace) -> bool:
    git = workspace.git
    return git is not None and not workspace.store.revision and git.config("remote.origin.url") is not None


def _is_unsent(workspace: Workspace, incident: str, path: str) -> bool:
    state, raw, git = sent_state(workspace, incident), workspace.store.read(path), workspace.git
    if raw is None or git is None:
        return False
    head = git.read_path(git.head, path) if git.head else None
    merged = merged_commit(git)
    is_merged = merged is not None and raw == git.read_path(merged, path)
    if not state.commit or digest_of(head) != state.head:
        return raw != head and not is_merged
    if raw != state.text.encode():
        return True
    return state.commit != state.pushed and not is_merged and raw not in fetched_versions(git, incident, path)


def fetched_versions(git: Repository, incident: str, path: str) -> Iterator[bytes | None]:
    """The record as it was last fetched on the branches on which it is sent."""
    for folder in (EDIT_BRANCHES, DECLARE_BRANCHES):
        with suppress(UserError):
            yield git.read_path(git.resolve(f"refs/remotes/origin/{folder}{incident}"), path)


def digest_of(content: bytes | None) -> str:
    """A word for bytes: equal ones have the same; "" for none."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _file(workspace: Workspace, incident: str) -> Path:
    return workspace.state / _FOLDER / f"{incident}.json"
