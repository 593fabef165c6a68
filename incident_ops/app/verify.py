"""Who answers for the history of the records: every commit that changes times, a level or a state is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.adapters.git_log import Commit, FileChange, Log
from incident_ops.app.workspace import Workspace
from incident_ops.domain.policy import Policy
from incident_ops.domain.ports import Repository
from incident_ops.errors import UserError
from incident_ops.records.store import INCIDENTS, is_record
from incident_ops.records.yaml_reader import Document, read_bytes

GITHUB = "noreply@github.com"
"""The committer of what is merged on GitHub."""
_NOREPLY = "@users.noreply.github.com"
_BOTS = ("github-actions[bot]",)
_LEVEL_AND_STATE = ("severity", "priority", "state")
_DATED = ("times", "cycles", "corrections")


class UnansweredChange(NamedTuple):
    """A commit that nobody answers for, the file it changed, and what it changed there."""

    commit: str
    at: datetime
    author: str
    path: str
    what: tuple[str, ...]


class Verified(NamedTuple):
    """How many commits change times, a level or a state, and which changes nobody answers for, the newest first.

    `is_cut`: the clone is shallow, so what lies before its edge was not looked at.
    """

    commits: int
    unanswered: tuple[UnansweredChange, ...]
    is_cut: bool


def verify_history(workspace: Workspace, since: str | None) -> Verified:
    """Looks at every commit up to the present one, or since a revision. UserError without git or for a bad revision."""
    git, tip = workspace.git, workspace.store.commit
    if git is None or tip is None:
        raise UserError("there is no git history here, so there is nothing to verify", hint="run it in the repository")
    log, policy = Log(git), workspace.judged_by[0]
    merges = log.merges(tip)
    commits = [*log.commits(tip, git.resolve(since) if since is not None else None, INCIDENTS)]
    texts = _texts(git, commits)
    count, unanswered = 0, list[UnansweredChange]()
    for commit in commits:
        changed = [(change.path, what) for change in commit.changes if (what := tuple(_what(texts, change)))]
        count += bool(changed)
        if changed and not _is_answered(log, policy, commit, merges.get(commit.id)):
            author = f"{commit.author} <{commit.author_email}>"
            unanswered += [UnansweredChange(commit.id, commit.at, author, path, what) for path, what in changed]
    return Verified(count, tuple(unanswered), log.is_cut())


def is_known_author(policy: Policy, name: str, email: str) -> bool:
    """True for a contact: by handle, by GitHub's address for it, or by a name or address that the contact lists for
    git; and for the program's own bots."""
    if policy.contacts.known_by_git(name, email):
        return True
    handle = email.removesuffix(_NOREPLY).rpartition("+")[2] if email.endswith(_NOREPLY) else name
    bots = (*_BOTS, *policy.tracker.identities)
    return handle.removeprefix("@") in bots or f"@{handle.removeprefix('@')}" in policy.contacts.people


def _is_answered(log: Log, policy: Policy, commit: Commit, merge: str | None) -> bool:
    if is_known_author(policy, commit.author, commit.author_email) or log.is_signed(commit.id):
        return True
    if merge is None:
        return False
    committer, email, name = log.people(merge)
    return committer == GITHUB or is_known_author(policy, name, email) or log.is_signed(merge)


def _texts(git: Repository, commits: Iterable[Commit]) -> dict[str, bytes]:
    """Every version of a record that one of the commits found or left, by its blob id; through one process."""
    changes = (change for commit in commits for change in commit.changes if is_record(change.path))
    blobs = [*dict.fromkeys(blob for change in changes for blob in (*change.before, change.after) if blob)]
    return dict(zip(blobs, git.read(blobs), strict=True))


def _what(texts: Mapping[str, bytes], change: FileChange) -> Iterator[str]:
    """What a commit changed of a record's times, level and state."""
    if not is_record(change.path):
        return
    after = _facts(texts, change.after)
    if not change.after or not any(change.before):
        yield "deleted" if not change.after else "declared"
        return
    before = [_facts(texts, blob) for blob in change.before if blob]
    if after is None:
        yield "cannot be read any more"
        return
    for name in (*_LEVEL_AND_STATE, *_DATED):
        was = [facts.get(name) for facts in before if facts is not None]
        if after.get(name) not in was:
            is_plain = name in _LEVEL_AND_STATE
            yield f"{name} {was[0] if was else 'unknown'} -> {after.get(name)}" if is_plain else name


def _facts(texts: Mapping[str, bytes], blob: str) -> dict[str, Any] | None:
    """The data of a record as a commit has it; None where it cannot be read."""
    document = read_bytes(texts[blob], blob) if blob else None
    return document.data if isinstance(document, Document) and isinstance(document.data, dict) else None
