"""What this clone has sent of each incident, kept so that the next edit is joined with the right version."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from incident_ops.adapters.files import write_bytes
from incident_ops.app.workspace import Workspace, merged_commit
from incident_ops.domain.record import Record

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
    """True where a record says something that is neither sent nor committed, in a clone that has a remote."""
    git = workspace.git
    if git is None or workspace.store.revision or git.config("remote.origin.url") is None:
        return False
    state, raw = sent_state(workspace, record.incident.id), workspace.store.read(record.path)
    head = git.read_path(git.head, record.path) if git.head else None
    if state.commit and digest_of(head) == state.head:
        return raw != state.text.encode()
    merged = merged_commit(git)
    return raw != head and (merged is None or raw != git.read_path(merged, record.path))


def digest_of(content: bytes | None) -> str:
    """A word for bytes: equal ones have the same; "" for none."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _file(workspace: Workspace, incident: str) -> Path:
    return workspace.state / _FOLDER / f"{incident}.json"
