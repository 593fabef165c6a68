"""Sending records: commits on branches of their own, pushed, each with a pull request. The checkout stays as it is.

A record that the default branch lacks goes on `incident-ops/declare/<id>`, an edit on `incident-ops/edit/<id>`. Each
step is kept before the next one begins, so that whatever ends a run, the next `incident-ops send` goes on there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property, partial
from itertools import islice

from msgspec.structs import replace

from incident_ops.adapters import clock
from incident_ops.adapters.files import hold
from incident_ops.adapters.git import Git
from incident_ops.adapters.git_outgoing import OutgoingBranches
from incident_ops.adapters.git_remote import Move, Remote, Stay, compare_and_set
from incident_ops.app.documents_beside import documents_beside, outdated_documents
from incident_ops.app.edit_record import checked, record_of
from incident_ops.app.identity import actor
from incident_ops.app.joined import BranchState, JoinedRecord, RecordJoiner
from incident_ops.app.last_edit import BY_HAND, last_edit_of
from incident_ops.app.merge import joined_texts
from incident_ops.app.pull_request import pull_site, put_pull
from incident_ops.app.sent_state import SentState, digest_of, fetched_versions, keep_state, sent_state
from incident_ops.app.tip import not_committed
from incident_ops.app.workspace import Workspace, demand_work_tree, merged_commit, need_remote
from incident_ops.documents.sent_text import commit_message
from incident_ops.domain.record import Record, is_incident_id
from incident_ops.domain.sending import DECLARE_BRANCHES, EDIT_BRANCHES, PullAddress, SentRecord, WaitingRecord
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.records.store import is_record, record_path

_SECONDS = 30.0
"""How long one question to the remote may take: whoever declares at night does not wait for a server that is gone."""
_VERSIONS = 20
"""How many versions of a record on a branch are looked at for the one that was taken from there."""


def demand_repository(workspace: Workspace) -> Git:
    """UserError where there is no git repository: nothing could be sent."""
    demand_work_tree(workspace)
    if workspace.git is None:
        hint = "git init, and clone or add the remote; or leave out --send"
        raise UserError("--send needs a git repository, and there is none here", hint=hint)
    return workspace.git


class RecordSender:
    """Sends records of a work tree; the remote is asked once for its default branch. `sign` as for the commits."""

    def __init__(self, workspace: Workspace, *, sign: bool = True) -> None:
        self._workspace = workspace
        self._git = demand_repository(workspace)
        self._outgoing = OutgoingBranches(self._git)
        self._sign = sign
        self._failed: IncidentOpsError | None = None

    @cached_property
    def _remote(self) -> Remote:
        return need_remote(self._git, _SECONDS, by_person=True)

    @cached_property
    def _default(self) -> tuple[str, str]:
        """The remote's default branch, and the commit it is at."""
        main = self._remote.default_branch()
        tip = self._remote.tip(main)
        if tip is None:
            hint = f"once: git push -u {self._remote.name} HEAD:{main}"
            raise UserError(f"{self._remote.name} has no commit on {main} yet", hint=hint)
        return main, tip

    def send(self, path: str) -> SentRecord:
        """Sends the record at `path` as it is in the work tree.

        UserError where the record cannot be read. What else goes wrong is in the answer. Whoever sends from the same
        clone at the same time waits.
        """
        with hold(self._workspace.state / "send.lock"):
            return self._send(path)

    def unreached(self) -> str:
        """Why it is not known that the remote has what is committed here, where this clone knows no commit of it."""
        if self._git.head is None or merged_commit(self._git) is not None:
            return ""
        try:
            _ = self._default
        except IncidentOpsError as error:
            return f"what is committed here is not known to be on the remote: {error}"
        return ""

    def _send(self, path: str) -> SentRecord:
        raw = self._workspace.store.read(path)
        if not isinstance(raw, bytes):
            raise UserError("the record is not there any more", where=path, hint="see `git status`")
        sending = _Sending(self._workspace, self._outgoing, record_of(path, raw), raw, self._sign)
        try:
            if self._failed is not None:  # a remote that did not answer is not asked again
                raise self._failed
            main, tip = self._default
        except IncidentOpsError as error:
            self._failed = error
            return sending.keep(merged_commit(self._git), str(error))
        return sending.push(self._remote, main, tip)


class _Sending:
    """One record on its way."""

    def __init__(
        self,
        workspace: Workspace,
        outgoing: OutgoingBranches,
        record: Record,
        raw: bytes,
        sign: bool,
    ) -> None:
        self._workspace, self._outgoing, self._git = workspace, outgoing, outgoing.git
        self._record, self._raw, self._sign = record, raw, sign
        self._id, self._path = record.incident.id, record.path
        self._joiner = RecordJoiner(outgoing, record.path)
        self._state = sent_state(workspace, self._id)
        self._has_others = self._is_new = self._is_over = False

    def keep(self, tip: str | None, problem: str) -> SentRecord:
        """Commits on the branch of this clone alone."""
        commit = ""
        try:
            if tip is None:
                raise UserError("this clone does not know the remote's default branch, so nothing is committed")
            self._begin(tip)
            pushed = self._state.pushed
            commit = self._commit(tip, pushed if pushed and self._git.knows(pushed) else None) or ""
        except IncidentOpsError as error:
            problem = f"{problem}; {error}"
        return self._answer(commit, "", problem=problem, is_merged=not commit and self._is_over)

    def push(self, remote: Remote, main: str, tip: str) -> SentRecord:
        """Commits on top of what the remote has, pushes, and puts up the pull request."""
        self._begin(tip)
        commit = ""

        def decide(seen: str | None) -> Move[str] | Stay[str]:
            nonlocal commit
            commit = self._commit(tip, seen) or ""
            self._is_new = commit != seen
            return Stay(commit) if commit in ("", seen) else Move(commit, commit)

        try:
            if self._state.branch == main:
                raise UserError(f"branch {main} is the remote's default branch", hint="give that another name")
            commit = compare_and_set(remote, self._state.branch, decide, f"branch {self._state.branch} was not pushed")
        except IncidentOpsError as error:
            return self._answer(commit, main, problem=str(error))
        if not commit:
            return self._answer("", main, is_merged=True)
        self._keep(replace(self._state, pushed=commit))
        return self._with_pull(remote, main, tip, commit)

    def _with_pull(self, remote: Remote, main: str, tip: str, commit: str) -> SentRecord:
        site = pull_site(remote.url)
        if site is None:
            is_ahead = self._outgoing.objects.descends(commit, tip)
            return dataclasses.replace(self._answer(commit, main, is_sent=True), is_ahead=is_ahead)
        open_at = site.compare(main, self._state.branch)
        if not site.has_token:
            return self._answer(commit, main, is_sent=True, open_at=open_at)
        try:
            edits = self._outgoing.edits(tip, commit)
            if not edits:  # all its commits are merged: there is nothing to ask for
                return self._answer(commit, main, is_sent=True, is_merged=True)
            state, pull = put_pull(self._workspace, site, self._state, self._record, (main, tip), edits)
        except IncidentOpsError as error:
            return self._answer(commit, main, is_sent=True, open_at=open_at, problem=str(error))
        self._is_new = self._is_new or state != self._state
        self._keep(state)
        return self._answer(commit, main, is_sent=True, pull=pull)

    def _answer(
        self,
        commit: str,
        onto: str,
        *,
        is_sent: bool = False,
        pull: PullAddress | None = None,
        open_at: str = "",
        problem: str = "",
        is_merged: bool = False,
    ) -> SentRecord:
        branch = self._state.branch if commit else ""
        kept = (self._id, self._path, branch, commit, onto, is_sent, self._is_new, pull, open_at, problem)
        head = self._git.head
        is_here = head is not None and self._git.read_path(head, self._path) == self._raw
        return SentRecord(*kept, has_others=self._has_others, is_merged=is_merged, is_here=is_here)

    def _begin(self, tip: str) -> None:
        is_merged = self._git.read_path(tip, self._path) is not None
        self._state = self._state.on(f"{EDIT_BRANCHES if is_merged else DECLARE_BRANCHES}{self._id}")

    def _commit(self, tip: str, theirs: str | None) -> str | None:
        """The commit that the branch should be at, kept in this clone; None where the default branch says it all."""
        branch = self._state.branch
        mine = self._outgoing.tip(branch)
        unsent = mine if mine != self._state.pushed else None
        joined = self._joiner.join(BranchState(branch, tip, theirs, unsent), self._raw, lambda on: self._base(mine, on))
        if self._is_nothing_left(joined, theirs, mine):
            self._is_over = True
            return None
        self._has_others = joined.text != self._raw
        if self._has_others:
            checked(self._workspace, self._path, joined.text, self._record)
        commit = joined.parents[0]
        if joined.text != joined.before or len(joined.parents) > 1:
            commit = self._new_commit(joined)
        if commit != mine:
            self._outgoing.demand_free(branch)
            self._keep(self._noted(commit, mine))
            self._outgoing.move(branch, commit, mine)
        else:
            self._keep(self._noted(commit, mine))
        return commit

    def _is_nothing_left(self, joined: JoinedRecord, theirs: str | None, mine: str | None) -> bool:
        if joined.text != joined.merged:
            return False
        there = self._git.read_path(theirs, self._path) if theirs else None
        text = self._state.text_at(mine)
        return there in (None, joined.merged) or (text is not None and text.encode() == self._raw)

    def _base(self, mine: str | None, on: str) -> bytes | None:
        """What the record of the work tree began from, when it is joined with that of the commit `on`."""
        head, text = self._at_head(), self._state.text_at(mine)
        sent = text.encode() if text is not None else None
        sent = sent if digest_of(head) == self._state.head or head == sent else None
        edit = last_edit_of(self._workspace, self._path)
        for known in (sent, *self._versions(on)):
            if known is not None and edit is not None and edit.leads(known, self._raw):
                return known  # sent from here, or taken from the branch, and edited since
        if sent is not None and not self._began_anew(head, sent):
            return sent
        shared = self._outgoing.objects.merge_base(self._git.head, on) if self._git.head else ""
        return self._git.read_path(shared, self._path) if shared else head

    def _versions(self, commit: str) -> Iterator[bytes | None]:
        """What the record has been up to a commit, newest first."""
        commits = islice(self._git.history(self._path, commit), _VERSIONS)
        return (self._git.read_path(one, self._path) for one in commits)

    def _at_head(self) -> bytes | None:
        return self._git.read_path(self._git.head, self._path) if self._git.head else None

    def _began_anew(self, head: bytes | None, sent: bytes) -> bool:
        """True where the record was put back to that of HEAD (stashed, say) since it was sent, and edited again.

        What was sent is not taken back by that; `undo` does so.
        """
        if head is None or head == sent:
            return False
        try:
            return joined_texts(self._path, head, self._raw, sent, "") != self._raw
        except UserError:  # the same field was changed again: that goes on from what was sent
            return False

    def _new_commit(self, joined: JoinedRecord) -> str:
        objects = self._outgoing.objects
        tree = objects.changed_tree(joined.base, {self._path: joined.text, **self._documents(joined)})
        is_new = joined.before is None
        message = commit_message(self._id, self._record.incident, self._said(joined), is_new=is_new)
        name = actor(self._workspace).name
        return self._outgoing.commit(tree, joined.parents, message, clock.now(), name, sign=self._sign)

    def _documents(self, joined: JoinedRecord) -> dict[str, bytes]:
        """The documents that stand beside the record below the commit, as they are to be; what hinders is said."""
        if not self._workspace.renders:
            return {}
        commits = (joined.base,) if joined.merged is not None else (joined.base, *joined.parents)
        there: dict[str, bytes] = {}
        for commit in commits:
            there = documents_beside(partial(self._git.read_path, commit), self._path) | there
        try:
            record = record_of(self._path, joined.text)
            return dict(outdated_documents(self._workspace, record, there).texts)
        except IncidentOpsError as error:
            self._workspace.notes.append(f"the documents beside the record were not rendered: {error}")
            return {}

    def _said(self, joined: JoinedRecord) -> tuple[str, ...]:
        """What was done, newest first: as the commands of this clone said, else as the timeline does."""
        edit = last_edit_of(self._workspace, self._path)
        done, is_known = edit.done_since(joined.began, self._raw) if edit is not None else ((), False)
        if joined.before is None or (is_known and BY_HAND not in done):
            return done
        known = {*self._events(joined.began)}
        named = "\n".join(done).casefold()
        by_hand = [one for one in self._events(self._raw) if one not in known and one.casefold() not in named]
        if by_hand:
            done = tuple(line for line in done if line != BY_HAND)
        return (*done, *reversed(by_hand)) or ("edited",)

    def _events(self, raw: bytes | None) -> list[str]:
        """What the timeline of a version says; nothing of one that cannot be read."""
        try:
            return [entry.event for entry in record_of(self._path, raw).incident.timeline] if raw else []
        except UserError:
            return []

    def _noted(self, commit: str, mine: str | None) -> SentState:
        head = self._at_head()
        before = self._state.text_at(mine)
        kept = {"text": self._raw.decode(), "commit": commit, "head": digest_of(head)}
        return replace(self._state, text_before=before, commit_before=mine or "", **kept)

    def _keep(self, state: SentState) -> None:
        if state != self._state:
            keep_state(self._workspace, state)
            self._state = state


def waiting_records(workspace: Workspace, only: str | None = None) -> list[WaitingRecord]:
    """What waits to be sent, as this clone knows it; nobody is asked. `only` is the id of one incident."""
    outgoing = OutgoingBranches(demand_repository(workspace))
    branches: dict[str, str] = {}
    for branch in outgoing.tips(DECLARE_BRANCHES, EDIT_BRANCHES):
        name = branch.rpartition("/")[2]
        if is_incident_id(name):
            branches.setdefault(name, branch)
            if sent_state(workspace, name).branch == branch:
                branches[name] = branch
    edited = {path.split("/")[-2] for path in not_committed(workspace) if is_record(path)}
    names = sorted(branches.keys() | edited) if only is None else [only]
    found = [one for name in names for one in _waiting(workspace, outgoing, name, branches.get(name))]
    return found or [WaitingRecord(only, record_path(only), "", "", "as asked")] if only else found


def _waiting(
    workspace: Workspace, outgoing: OutgoingBranches, name: str, branch: str | None
) -> Iterator[WaitingRecord]:
    path, state = record_path(name), sent_state(workspace, name)
    raw = workspace.store.read(path)
    mine = outgoing.tip(branch) if branch else None
    unsent = mine if mine and mine != state.pushed else None
    if raw is None:
        if unsent and not _is_in_merged(outgoing, workspace, unsent):
            yield WaitingRecord(name, path, branch or "", unsent, "its record is not here any more", is_gone=True)
        return
    git, merged = outgoing.git, merged_commit(workspace.git)
    head = git.read_path(git.head, path) if git.head else None
    is_merged = merged is not None and git.read_path(merged, path) == raw
    text = state.text_at(mine) if digest_of(head) == state.head else None
    is_there = is_merged or (raw != head and any(raw == one for one in fetched_versions(git, name, path)))
    edit = last_edit_of(workspace, path)
    is_ours = text is not None and isinstance(raw, bytes) and edit is not None and edit.leads(text.encode(), raw)
    if text is not None and text.encode() != raw and (is_ours or not is_there):
        yield WaitingRecord(name, path, branch or "", "", "changed here since it was sent")
    elif text is None and raw != head and not is_there:
        yield WaitingRecord(name, path, branch or "", "", "changed here and never committed")
    elif unsent and not (
        is_merged and (raw == git.read_path(unsent, path) or _is_in_merged(outgoing, workspace, unsent))
    ):
        yield WaitingRecord(name, path, branch or "", unsent, "committed here and not pushed")
    elif mine and not is_merged and not state.number and _has_pull_requests(workspace):
        yield WaitingRecord(name, path, branch or "", mine, "pushed, and no pull request is known")


def _is_in_merged(outgoing: OutgoingBranches, workspace: Workspace, commit: str) -> bool:
    merged = merged_commit(workspace.git)
    return merged is not None and outgoing.objects.descends(merged, commit)


def _has_pull_requests(workspace: Workspace) -> bool:
    """True where a pull request could be opened: the remote is on GitHub, and there is a token."""
    try:
        site = pull_site(need_remote(workspace.git).url)
    except UserError:
        return False
    return site is not None and site.has_token
