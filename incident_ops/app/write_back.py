"""How the automation edits records: one pull request on a fixed branch, a push, or, without GitHub, the work tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.adapters.git_branches import NOTHING, PEOPLES, PUSHED, SAME, Files, Proposals, Proposed, Read
from incident_ops.adapters.git_remote import Remote
from incident_ops.app.edit_record import RecordAsRead, edited_content, read_for_edit, record_of
from incident_ops.app.workspace import Workspace, need_remote
from incident_ops.documents.issue_bodies import proposal_body
from incident_ops.domain.record import Edit
from incident_ops.errors import UserError

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker


PROPOSAL_BRANCH = "incident-ops/write-back/records"
TITLE = "incident-ops: write back what the issues tell"

EditsByPath = Mapping[str, tuple[Edit, ...]]
"""Path of a record -> its edits."""


class WriteBack(NamedTuple):
    """What became of the edits of records, in a sentence and as values.

    `paths` are the records that were written, pushed or proposed; `pull_request` and `url` are those of the proposal
    that is open for them, `commit` the one that was pushed.
    """

    message: str
    paths: tuple[str, ...] = ()
    pull_request: int | None = None
    url: str = ""
    commit: str = ""


def proposals(remote: Remote) -> Proposals:
    """Edits as commits on a remote."""
    return Proposals(remote)


def edited_texts(workspace: Workspace, wanted: EditsByPath) -> dict[str, bytes]:
    """Path -> the record with its edits made. UserError where the result would be an error."""
    return {path: _edited(workspace, path, _bytes(workspace, path), edits) for path, edits in sorted(wanted.items())}


def write_locally(workspace: Workspace, wanted: EditsByPath) -> WriteBack:
    """Edits the work tree; a record that changed meanwhile is left for the next run."""
    written: list[str] = []
    for path, edits in sorted(wanted.items()):
        before = read_for_edit(workspace, path)
        after, _ = edited_content(workspace, before, edits)
        if replace_if_unchanged(workspace.root / path, before.raw, after, workspace.state / "records.lock"):
            written.append(path)
    return WriteBack(f"{len(written)} of {len(wanted)} records changed in the work tree", tuple(written))


def propose(
    workspace: Workspace, tracker: GitHubTracker, wanted: EditsByPath, reasons: Sequence[str], now: datetime
) -> WriteBack:
    """Brings edits to the default branch as the policy says: by the pull request of our branch, or by a push."""
    remote = need_remote(workspace.git)
    if workspace.judged_by[0].write_back.automation == "push":
        return _push(workspace, remote, wanted, now)
    files: Files = edited_texts(workspace, wanted)
    base, main = workspace.store.commit or "", remote.default_branch()
    proposed = proposals(remote).propose(base, main, files, TITLE, PROPOSAL_BRANCH, now)
    if proposed.outcome == NOTHING:
        return WriteBack("no record is to be changed")
    if proposed.outcome == PEOPLES:
        return WriteBack(f"branch {PROPOSAL_BRANCH} has commits of people, so it is left alone: merge or delete it")
    if not files or proposed.outcome not in (PUSHED, SAME):
        return _end_proposal(tracker)
    return _ask_for_review(tracker, proposed, main, proposal_body(reasons), tuple(files))


def _end_proposal(tracker: GitHubTracker) -> WriteBack:
    pull = tracker.pulls.find(PROPOSAL_BRANCH)
    if pull is not None and pull.state == "open":
        tracker.pulls.close(pull.number)
        return WriteBack(f"nothing is left to write back: pull request #{pull.number} is closed")
    return WriteBack("nothing is left to write back")


def _ask_for_review(
    tracker: GitHubTracker, proposed: Proposed, main: str, body: str, paths: tuple[str, ...]
) -> WriteBack:
    pull = tracker.pulls.find(PROPOSAL_BRANCH)
    if pull is None or pull.state != "open":
        if pull is not None and pull.state == "closed" and pull.head == proposed.commit:
            return WriteBack(
                f"pull request #{pull.number} with just these edits was closed by people, so none is opened"
            )
        pull = tracker.pulls.create(PROPOSAL_BRANCH, main, TITLE, body)
    elif pull.body != body or pull.title != TITLE:
        tracker.pulls.update(pull.number, TITLE, body)
    message = f"pull request #{pull.number} proposes the edits: {pull.url}"
    return WriteBack(message, paths, pull.number, pull.url)


def _push(workspace: Workspace, remote: Remote, wanted: EditsByPath, now: datetime) -> WriteBack:
    """Edits on top of the default branch; a record that is another one there is left for the next run."""
    planned = {path: _bytes(workspace, path) for path in wanted}
    unchanged: list[str] = []

    def edit_again(read: Read) -> Files:
        unchanged[:] = [path for path, raw in planned.items() if read(path) == raw]
        return {path: _edited(workspace, path, planned[path], wanted[path]) for path in unchanged}

    main = remote.default_branch()
    pushed = proposals(remote).land(main, edit_again, TITLE, now)
    commit = pushed.commit if pushed.outcome == PUSHED else ""
    what = f"commit {commit[:12]} on {main}" if commit else f"nothing new for {main}"
    message = f"{len(unchanged)} of {len(wanted)} records written back: {what}"
    return WriteBack(message, tuple(unchanged) if commit else (), commit=commit)


def _edited(workspace: Workspace, path: str, raw: bytes, edits: tuple[Edit, ...]) -> bytes:
    return edited_content(workspace, RecordAsRead(raw, record_of(path, raw)), edits)[0]


def _bytes(workspace: Workspace, path: str) -> bytes:
    raw = workspace.store.read(path)
    if not isinstance(raw, bytes):
        raise UserError("the record is not there any more", where=path, hint="run the command again")
    return raw
