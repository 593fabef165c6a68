"""Sending a file that is not a record: one commit on a branch of its own, on top of the default branch.

Its pull request is opened; the checkout stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

from incident_ops.adapters import clock
from incident_ops.adapters.git import Git
from incident_ops.adapters.git_outgoing import OutgoingBranches
from incident_ops.adapters.git_remote import Move, Remote, Stay, compare_and_set
from incident_ops.app.identity import actor
from incident_ops.app.pull_request import pull_site, pulls_of
from incident_ops.app.send import demand_repository
from incident_ops.app.workspace import Workspace, at_commit, need_remote
from incident_ops.domain.sending import PullAddress, SentRecord
from incident_ops.errors import IncidentOpsError, UserError, WriteFailed

_SECONDS = 30.0


class FileToSend(NamedTuple):
    """A file as it is to be, the folder of its branch, and the words of its commit and its pull request.

    `key` says what is the same request, typed once more: that goes on with its branch.
    """

    path: str
    content: bytes
    branches: str
    key: bytes
    message: str
    title: str
    body: str


def send_file(workspace: Workspace, make: Callable[[Workspace], FileToSend]) -> SentRecord:
    """Sends what `make` makes of the tip of the remote's default branch.

    What hinders the pull request is in the answer. Errors as `make`; Incomplete or WriteFailed where the remote does
    not answer or does not take it: then nothing is written.
    """
    git = demand_repository(workspace)
    remote = need_remote(git, _SECONDS, by_person=True)
    main = remote.default_branch()
    tip = remote.tip(main)
    if tip is None:
        hint = f"once: git push -u {remote.name} HEAD:{main}"
        raise UserError(f"{remote.name} has no commit on {main} yet", hint=hint)
    file = make(at_commit(workspace, tip))
    stem = file.path.rpartition("/")[2].partition(".")[0]
    branch = f"{file.branches}{stem}-{sha256(file.key).hexdigest()[:8]}"
    commit, is_new = _pushed(workspace, git, remote, (branch, tip), file)
    sent = SentRecord("", file.path, branch, commit, main, is_sent=True, is_new=is_new)
    return _with_pull(workspace, remote, sent, file)


def _pushed(
    workspace: Workspace, git: Git, remote: Remote, onto: tuple[str, str], file: FileToSend
) -> tuple[str, bool]:
    """The commit that the branch is at, and whether it is new there; `onto` are the branch and the commit below it."""
    outgoing, (branch, tip) = OutgoingBranches(git), onto

    def decide(seen: str | None) -> Move[tuple[str, bool]] | Stay[tuple[str, bool]]:
        if seen is not None and git.read_path(seen, file.path) == file.content:
            return Stay((seen, False))
        below = tip if seen is None or outgoing.objects.descends(tip, seen) else seen  # it may hold a colleague's work
        tree = outgoing.objects.changed_tree(below, {file.path: file.content})
        name = actor(workspace).name
        try:
            commit = outgoing.commit(tree, (below,), file.message, clock.now(), name, sign=True)
        except WriteFailed as error:
            raise WriteFailed(error.message, hint="fix that and run it again, or leave out --send") from error
        return Move(commit, (commit, True))

    return compare_and_set(remote, branch, decide, f"nothing was sent: branch {branch} was not pushed")


def _with_pull(workspace: Workspace, remote: Remote, sent: SentRecord, file: FileToSend) -> SentRecord:
    site = pull_site(remote.url)
    if site is None:
        return replace(sent, is_ahead=True)
    open_at = site.compare(sent.onto, sent.branch)
    if not site.has_token:
        return replace(sent, open_at=open_at)
    try:
        pulls = pulls_of(workspace, site)
        known = pulls.find(sent.branch)
        pull = known or pulls.create(sent.branch, sent.onto, file.title, file.body)
    except IncidentOpsError as error:
        return replace(sent, open_at=open_at, problem=str(error))
    return replace(sent, pull=PullAddress(pull.number, pull.url, known is None))
