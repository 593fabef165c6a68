"""How the automation edits records: one pull request on a fixed branch, a push, or, without GitHub, the work tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.adapters.proposal import NOTHING, PEOPLES, PUSHED, SAME, Files, Proposals, Proposed, Read
from incident_ops.adapters.remote import Remote
from incident_ops.app.edit_record import checked, read_for_edit, record_of
from incident_ops.app.workspace import Workspace, need_remote
from incident_ops.documents.issue_bodies import proposal_body
from incident_ops.domain.record import Edit
from incident_ops.errors import UserError
from incident_ops.records.editor import edit, key_order
from incident_ops.records.schema import schema

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker


PROPOSAL_BRANCH = "incident-ops/write-back/records"
TITLE = "incident-ops: write back what the issues tell"

EditsByPath = Mapping[str, tuple[Edit, ...]]
"""Path of a record -> its edits."""


def proposals(remote: Remote) -> Proposals:
    """Edits as commits on a remote."""
    return Proposals(remote)


def edited_texts(opened: Workspace, wanted: EditsByPath) -> dict[str, bytes]:
    """Path -> the record with its edits made. UserError where the result would be an error."""
    return {path: _edited(opened, path, _bytes(opened, path), edits) for path, edits in sorted(wanted.items())}


def write_locally(opened: Workspace, wanted: EditsByPath) -> str:
    """Edits the work tree; a record that changed meanwhile is left for the next run."""
    written = 0
    for path, edits in sorted(wanted.items()):
        raw = read_for_edit(opened, path).raw
        new = _edited(opened, path, raw, edits)
        written += replace_if_unchanged(opened.root / path, raw, new, opened.state / "records.lock")
    return f"{written} of {len(wanted)} records changed in the work tree"


def propose(
    opened: Workspace, tracker: GitHubTracker, wanted: EditsByPath, reasons: Sequence[str], now: datetime
) -> str:
    """Brings edits to the default branch as the policy says: by the pull request of our branch, or by a push."""
    remote = need_remote(opened.git)
    if opened.judged_by[0].write_back.automation == "push":
        return _push(opened, remote, wanted, now)
    files: Files = edited_texts(opened, wanted)
    base, main = opened.store.commit or "", remote.default_branch()
    done = proposals(remote).propose(base, main, files, TITLE, PROPOSAL_BRANCH, now)
    return _ask_for_review(tracker, done, main, proposal_body(reasons), any_left=bool(files))


def _ask_for_review(tracker: GitHubTracker, done: Proposed, main: str, body: str, *, any_left: bool) -> str:
    if done.outcome == NOTHING:
        return "no record is to be changed"
    if done.outcome == PEOPLES:
        return f"branch {PROPOSAL_BRANCH} has commits of people, so it is left alone: merge or delete it"
    pull = tracker.pulls.find(PROPOSAL_BRANCH)
    if not any_left or done.outcome not in (PUSHED, SAME):
        if pull is not None and pull.state == "open":
            tracker.pulls.close(pull.number)
            return f"nothing is left to write back: pull request #{pull.number} is closed"
        return "nothing is left to write back"
    if pull is None or pull.state != "open":
        if pull is not None and pull.state == "closed" and pull.head == done.commit:
            return f"pull request #{pull.number} with just these edits was closed by people, so none is opened"
        pull = tracker.pulls.create(PROPOSAL_BRANCH, main, TITLE, body)
        return f"pull request #{pull.number} proposes the edits: {pull.url}"
    if pull.body != body or pull.title != TITLE:
        tracker.pulls.update(pull.number, TITLE, body)
    return f"pull request #{pull.number} proposes the edits: {pull.url}"


def _push(opened: Workspace, remote: Remote, wanted: EditsByPath, now: datetime) -> str:
    """Edits on top of the default branch; a record that is another one there is left for the next run."""
    planned = {path: _bytes(opened, path) for path in wanted}
    taken: list[str] = []

    def again(read: Read) -> Files:
        taken[:] = [path for path, raw in planned.items() if read(path) == raw]
        return {path: _edited(opened, path, planned[path], wanted[path]) for path in taken}

    main = remote.default_branch()
    done = proposals(remote).land(main, again, TITLE, now)
    what = f"commit {done.commit[:12]} on {main}" if done.outcome == PUSHED else f"nothing new for {main}"
    return f"{len(taken)} of {len(wanted)} records written back: {what}"


def _edited(opened: Workspace, path: str, raw: bytes, edits: tuple[Edit, ...]) -> bytes:
    before = record_of(path, raw)
    text = edit(raw.decode(), edits, order=key_order(schema("incident")), file=path).encode()
    checked(opened, path, text, before)
    return text


def _bytes(opened: Workspace, path: str) -> bytes:
    raw = opened.store.read(path)
    if not isinstance(raw, bytes):
        raise UserError("the record is not there any more", where=path, hint="run the command again")
    return raw
