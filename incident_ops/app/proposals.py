"""The proposals as a run sees them and makes them: branches on the remote, and a pull request for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec.structs import replace

from incident_ops.adapters.git_proposals import PEOPLES, Proposals, SeenBranch
from incident_ops.app.workspace import Workspace, need_remote, remote_of
from incident_ops.app.write_back import WriteBack, edited_texts, record_bytes
from incident_ops.documents.proposal_text import proposal_text
from incident_ops.domain.tracker import Proposal, ProposedFile, PullRequest
from incident_ops.errors import IncidentOpsError, Stopped, WriteFailed
from incident_ops.reconcile.changes import AUTOMATION, PEOPLE, PlannedChange
from incident_ops.reconcile.diff import edits_by_path
from incident_ops.reconcile.observe import turn
from incident_ops.reconcile.proposals import (
    BRANCHES,
    OLD_BRANCH,
    DesiredProposal,
    Left,
    branch_of,
    branch_of_numbers,
    fingerprint,
    holding,
    is_current,
    is_proposal_over,
    is_stated,
    text_until_moved,
    unexplained,
)

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker
    from incident_ops.adapters.github.pulls import PullRequests

BRANCHES_OF_EDITS = (branch_of_numbers(), f"{BRANCHES}/{PEOPLE}/", f"{BRANCHES}/{AUTOMATION}/", OLD_BRANCH)
"""The branches on which edits of records are proposed."""
_MOVED = (
    "What the automation proposes has a pull request for each topic now: the numbers of issues, and for each incident"
    " what people did and what came due. Nothing of this one is lost; it is proposed there."
)

_MOST_ASKED = 40  # topics, so that a storm of them leaves requests for issues and pull requests

_Wanted = Mapping[str, DesiredProposal]


def seen_branches(workspace: Workspace, names: tuple[str, ...] = BRANCHES_OF_EDITS) -> list[SeenBranch]:
    """Our branches with edits, as they are; none where the clone has no remote. Incomplete where it cannot be read.

    `names` are those that are looked for; one that ends in `/` is all below it.
    """
    remote = remote_of(workspace.git)
    if remote is None or workspace.store.commit is None:
        return []
    return Proposals(remote).seen(workspace.store.commit, names)


def as_proposal(seen: SeenBranch) -> Proposal:
    """A branch as a snapshot keeps it; its pull request is not known yet."""
    files = {path: ProposedFile(_digest(before), _digest(after)) for path, (before, after) in seen.files.items()}
    return Proposal(seen.branch, seen.commit, files, seen.holds, seen.is_ours)


class PullLookups:
    """What one plan asks about pull requests, each question once."""

    def __init__(self, pulls: PullRequests) -> None:
        self.open_ones = cache(pulls.open_ones)
        self.closed = cache(pulls.closed)
        self.closed_by_person = cache(pulls.closed_by_person)


def with_pulls(
    pulls: PullLookups, proposals: Sequence[Proposal], changes: Sequence[PlannedChange], now: datetime
) -> tuple[Proposal, ...]:
    """The proposals, and those that these edits ask for, each with its pull requests.

    The open ones are listed where there is a branch; of a topic with an edit that none of them holds, also those that
    were closed, and of each that held it who closed it. That is asked of so many topics a run; `now` tells of which.
    Incomplete where GitHub does not tell.
    """
    by_branch = {proposal.branch: proposal for proposal in proposals}
    open_ones = pulls.open_ones() if by_branch else {}
    asked = _by_branch(changes)
    by_branch = {
        branch: replace(by_branch.get(branch, Proposal(branch)), pull=open_ones.get(branch))
        for branch in sorted(by_branch.keys() | asked.keys())
    }
    missing = {branch: unexplained(asked.get(branch, ()), proposal) for branch, proposal in by_branch.items()}
    doubtful = turn([branch for branch in missing if missing[branch]], now)
    known = _with_room(doubtful, {branch for branch in doubtful if by_branch[branch].commit})
    by_branch |= {branch: replace(by_branch[branch], is_known=False) for branch in doubtful if branch not in known}
    by_branch |= {branch: _with_refused(pulls, by_branch[branch], missing[branch]) for branch in known}
    return tuple(by_branch.values())


def _with_room(doubtful: Sequence[str], old: Collection[str]) -> list[str]:
    """So many of the topics as a run asks about: new ones first, but a quarter of the room is for `old` ones."""
    new, theirs = ([branch for branch in doubtful if (branch in old) is is_old] for is_old in (False, True))
    some = theirs[: max(_MOST_ASKED - len(new), _MOST_ASKED // 4)]
    return [*new[: _MOST_ASKED - len(some)], *some]


def _by_branch(changes: Iterable[PlannedChange]) -> Mapping[str, Sequence[PlannedChange]]:
    found: dict[str, list[PlannedChange]] = defaultdict(list)
    for change in changes:
        found[branch_of(change)].append(change)
    return dict(sorted(found.items()))


def _with_refused(pulls: PullLookups, proposal: Proposal, missing: Collection[str]) -> Proposal:
    closed = holding(pulls.closed(proposal.branch), missing)
    known = [replace(pull, closed_by=pulls.closed_by_person(pull.number)) for pull in closed]
    return replace(proposal, refused=tuple(pull for pull in known if pull.closed_by))


def desired_proposals(workspace: Workspace, changes: Sequence[PlannedChange]) -> tuple[_Wanted, dict[str, Left]]:
    """Edits -> what each branch should hold, and the edits for which its text has no room, each with the reason."""
    wanted: dict[str, DesiredProposal] = {}
    left: dict[str, Left] = {}
    for branch, edits in _by_branch(changes).items():
        proposal = _desired(workspace, branch, edits)
        no_room = Left("left for the next proposal: this one is full")
        left |= {fingerprint(change): no_room for change in edits[len(proposal.changes) :]}
        if proposal.files:
            wanted[branch] = proposal
    return wanted, left


def _desired(workspace: Workspace, branch: str, edits: Sequence[PlannedChange]) -> DesiredProposal:
    """What a branch should hold of its edits, as many as fit. UserError where one of them cannot be made."""
    return desired_proposal(
        branch,
        edits,
        lambda stated: edited_texts(workspace, edits_by_path(stated)),
        lambda path: record_bytes(workspace, path),
    )


def desired_proposal(
    branch: str,
    edits: Sequence[PlannedChange],
    texts_of: Callable[[Sequence[PlannedChange]], Mapping[str, bytes]],
    before: Callable[[str], bytes | None],
) -> DesiredProposal:
    """The same; `texts_of` gives the files that edits lead to, `before` the bytes of one as it is."""
    title, body, stated = proposal_text(edits)
    texts = texts_of(stated)
    files = {path: ProposedFile(_digest(before(path)), _digest(text)) for path, text in texts.items()}
    files = {path: change for path, change in files.items() if change.before != change.after}
    return DesiredProposal(branch, title, body, stated, files, texts)


def propose(
    workspace: Workspace,
    github: GitHubTracker,
    changes: Sequence[PlannedChange],
    observed: Sequence[Proposal],
    now: datetime,
) -> tuple[WriteBack, list[IncidentOpsError]]:
    """Brings every proposal to what these edits ask for. One that fails holds back no other; the next run goes on."""
    asked = _by_branch(changes)
    seen = {proposal.branch: proposal for proposal in observed}
    run = _Run(workspace, github, now)
    done: list[WriteBack] = []
    errors: list[IncidentOpsError] = []
    for branch in sorted(asked.keys() | seen.keys()):
        try:
            wanted = _desired(workspace, branch, asked[branch]) if branch in asked else None
            done.append(run.settle(wanted if wanted and wanted.files else None, seen.get(branch, Proposal(branch))))
        except IncidentOpsError as error:
            errors.append(error)
            if isinstance(error, Stopped) or (isinstance(error, WriteFailed) and error.is_final):
                break
    lines = tuple(line for one in done for line in one.lines)
    return WriteBack(lines, tuple(dict.fromkeys(path for one in done for path in one.paths))), errors


def settle_proposal(
    workspace: Workspace, github: GitHubTracker, wanted: DesiredProposal | None, seen: Proposal, now: datetime
) -> WriteBack:
    """Brings one proposal to what is wanted of it, None = nothing. Raises what fails."""
    return _Run(workspace, github, now).settle(wanted if wanted and wanted.files else None, seen)


class _Run:
    """One run over the proposals; `base` is the commit that all of them stand on."""

    def __init__(self, workspace: Workspace, github: GitHubTracker, now: datetime) -> None:
        remote = need_remote(workspace.git)
        self._workspace, self._github, self._now = workspace, github, now
        self._proposals = Proposals(remote, github.commits)
        self._base, self._main = workspace.store.commit or "", remote.default_branch()

    def settle(self, wanted: DesiredProposal | None, seen: Proposal) -> WriteBack:
        """One branch and its pull request -> what became of them; nothing where they are as they should be."""
        if not (seen.is_ours and seen.is_known) or (is_current(wanted, seen) if wanted else not is_proposal_over(seen)):
            return WriteBack()
        return self._put(wanted, seen) if wanted else self._end(seen)

    def _end(self, seen: Proposal) -> WriteBack:
        """First the pull request, so that it is not closed by the deletion of its branch; then the branch."""
        what = f"nothing is left to propose on {seen.branch}"
        if seen.pull is not None:
            if seen.branch == OLD_BRANCH:
                self._github.comment(seen.pull.number, "by-topic", _MOVED)
            self._github.pulls.close(seen.pull.number)
        if seen.commit:
            self._proposals.propose(self._base, self._main, {}, "", seen.branch, self._now)
        done = f"pull request #{seen.pull.number} is closed" if seen.pull else "the branch is removed"
        return WriteBack((f"{what}: {done}",))

    def _put(self, wanted: DesiredProposal, seen: Proposal) -> WriteBack:
        """The branch moves while the text tells what it holds before and after; a new one comes before its text."""
        paths, moves = tuple(wanted.files), dict(wanted.files) != dict(seen.files) or not seen.commit
        pull = seen.pull
        if pull is not None and moves:
            pull = self._tell(pull, wanted.title, text_until_moved(wanted, seen))
        if moves:
            holds = [fingerprint(change) for change in wanted.changes]
            moved = self._proposals.propose(
                self._base, self._main, wanted.texts, wanted.title, wanted.branch, self._now, holds
            )
            if moved.outcome == PEOPLES:
                return WriteBack((f"branch {wanted.branch} has commits of people, so it is left alone",))
        if pull is None:
            pull = self._github.pulls.create(wanted.branch, self._main, wanted.title, wanted.body)
        if not is_stated(wanted, pull):
            self._tell(pull, wanted.title, wanted.body)
        return WriteBack((f"pull request #{pull.number} proposes {_edits(len(wanted.changes))}: {pull.url}",), paths)

    def _tell(self, pull: PullRequest, title: str, body: str) -> PullRequest:
        if (pull.title, pull.body) != (title, body):
            self._github.pulls.update(pull.number, title, body)
        return replace(pull, title=title, body=body)


def _edits(count: int) -> str:
    return "1 edit" if count == 1 else f"{count} edits"


def _digest(content: bytes | None) -> str:
    return "" if content is None else sha256(content).hexdigest()
