"""The documents beside records, kept in step by a run: one pull request, at most once a day, or a push at once.

A document that nobody rendered is not made, and one that people wrote in is left to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.adapters.git_proposals import PUSHED, Files, Proposals, Read, SeenBranch
from incident_ops.app.documents_beside import Outdated, edited_lines, outdated_documents
from incident_ops.app.edit_record import record_of
from incident_ops.app.proposals import (
    PullLookups,
    as_proposal,
    desired_proposal,
    seen_branches,
    settle_proposal,
    with_pulls,
)
from incident_ops.app.workspace import Workspace, leads_somewhere, need_remote
from incident_ops.documents.document_mark import DOCUMENT_NAMES
from incident_ops.domain.fence import Unusable
from incident_ops.domain.record import Record, Unread
from incident_ops.errors import UserError
from incident_ops.reconcile.changes import PlannedChange
from incident_ops.reconcile.observe import turn
from incident_ops.reconcile.outdated_documents import document_change
from incident_ops.reconcile.proposals import DesiredProposal, branch_of_documents, fingerprint, refusals
from incident_ops.records.store import INCIDENTS

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker

MOST_COMPARED = 100
"""Records of which one run renders the documents to compare them: those that are open, and of the others so many that
each has its turn."""
_APART = timedelta(days=1)
_MESSAGE = "incident-ops: render the documents of the records again"
_RECORD = "incident.yaml"


class _Folder(NamedTuple):
    """A record that has documents, by the paths and blobs of the tip."""

    path: str
    blob: str
    documents: Mapping[str, str]


class _Compared(NamedTuple):
    """A record with the documents beside it, by path as they are, and those of them that should be others."""

    record: Record
    raw: bytes
    there: Mapping[str, bytes]
    outdated: Outdated

    @property
    def folder(self) -> str:
        return self.record.path.rpartition("/")[0]


def keep_documents(workspace: Workspace, github: GitHubTracker, before: str = "") -> tuple[str, ...]:
    """Proposes or pushes the documents of the tip (`workspace`) that their records have left behind -> a sentence for
    each thing that was done, and for what is left to people: once, where it or its record changed since the run at
    commit `before` ("" = not known). Raises what fails.
    """
    folders = {one.path: one for one in _folders(workspace)}
    seen = next(iter(seen_branches(workspace, (branch_of_documents(),))), None)
    if not folders and seen is None:
        return ()
    is_pushed = workspace.judged_by[0].write_back.automation == "push"
    is_early = not is_pushed and _was_proposed(workspace, seen)
    if is_early and seen is None:
        return ()
    of_branch = _records_of(seen, folders)
    chosen = of_branch if is_early else _chosen(workspace, folders, of_branch)
    compared, broken = _compare(workspace, [folders[path] for path in chosen])
    problems = [f"{one.path}: its documents are not rendered: {one.reason}" for one in broken]
    problems += edited_lines(_newly_edited(workspace, compared, before))
    todo = [one for one in compared if one.outdated.texts]
    lines = [*_push(workspace, github, todo)] if is_pushed else []
    changes = [] if is_pushed else [document_change(one.record.incident.id, one.outdated.texts) for one in todo]
    settled = _settle(workspace, github, seen, changes, todo, is_early=is_early)
    return (*lines, *settled, *problems)


def _newly_edited(workspace: Workspace, compared: Iterable[_Compared], before: str) -> tuple[str, ...]:
    git, commit = workspace.git, workspace.store.commit
    found = [(one.record.path, path) for one in compared for path in one.outdated.edited]
    if found and before and git is not None and commit is not None and git.knows(before):
        changed = {blob.path for blob in git.changed(before, commit, (INCIDENTS,))}
        found = [pair for pair in found if not changed.isdisjoint(pair)]
    return tuple(path for _, path in found)


def _folders(workspace: Workspace) -> Iterator[_Folder]:
    git, commit = workspace.git, workspace.store.commit
    if git is None or commit is None:
        return
    found: dict[str, dict[str, str]] = {}
    for blob in git.tree(commit, (INCIDENTS,)):
        folder, _, name = blob.path.rpartition("/")
        if blob.regular and name in (_RECORD, *DOCUMENT_NAMES):
            found.setdefault(folder, {})[blob.path] = blob.id
    for folder, blobs in found.items():
        record = blobs.pop(f"{folder}/{_RECORD}", None)
        if record and blobs:
            yield _Folder(f"{folder}/{_RECORD}", record, blobs)


def _was_proposed(workspace: Workspace, seen: SeenBranch | None) -> bool:
    """True where documents were proposed less than a day ago, on the branch that is there or on one that is merged."""
    git, commit, since = workspace.git, workspace.store.commit, workspace.now - _APART
    if git is None or commit is None:
        return False
    if seen is not None:
        return git.committed_at(seen.commit) > since
    merged = Proposals(need_remote(git)).merged_since(since, INCIDENTS, commit)
    return any(path.rpartition("/")[2] in DOCUMENT_NAMES for path in merged)


def _records_of(seen: SeenBranch | None, folders: Mapping[str, _Folder]) -> list[str]:
    """The records whose documents a branch holds."""
    held = {f"{path.rpartition('/')[0]}/{_RECORD}" for path in seen.files} if seen else set()
    return sorted(held & folders.keys())


def _chosen(workspace: Workspace, folders: Mapping[str, _Folder], of_branch: list[str]) -> list[str]:
    live = [path for record in workspace.catalogue.live() if (path := record.path) in folders]
    first = dict.fromkeys([*of_branch, *live])
    rest = turn(sorted(folders.keys() - first.keys()), workspace.now)
    return [*first, *rest][:MOST_COMPARED]


def _compare(workspace: Workspace, folders: Iterable[_Folder]) -> tuple[list[_Compared], list[Unread]]:
    """The records with their documents, and those that break a calculation. Of one that cannot be read
    the run says so elsewhere."""
    git, chosen = workspace.git, list(folders)
    ids = sorted({blob for one in chosen for blob in (one.blob, *one.documents.values())})
    content = dict(zip(ids, git.read(ids), strict=True)) if git and ids else {}
    leads = cache(partial(leads_somewhere, workspace))
    compared: list[_Compared] = []
    broken: list[Unread] = []
    for one in chosen:
        there = {path: content[blob] for path, blob in one.documents.items()}
        try:
            record = record_of(one.path, content[one.blob])
            outdated = outdated_documents(workspace, record, there, leads)
        except Unusable as error:
            broken.extend(error.unread)
        except UserError:
            continue
        else:
            compared.append(_Compared(record, content[one.blob], there, outdated))
    return compared, broken


def _settle(
    workspace: Workspace,
    github: GitHubTracker,
    seen: SeenBranch | None,
    changes: list[PlannedChange],
    todo: list[_Compared],
    *,
    is_early: bool,
) -> tuple[str, ...]:
    """The branch and its pull request -> what became of them. Where it `is_early` nothing else is proposed than what
    the branch holds."""
    if seen is None and not changes:
        return ()
    known = [as_proposal(seen)] if seen else []
    observed = with_pulls(PullLookups(github.pulls), known, changes, workspace.now)[0]
    left = refusals(changes, {observed.branch: observed})
    kept = [change for change in changes if fingerprint(change) not in left]
    wanted = _desired(kept, todo) if kept else None
    if is_early and wanted and dict(wanted.files) != dict(observed.files):
        return ()
    return settle_proposal(workspace, github, wanted, observed, workspace.now).lines


def _desired(changes: list[PlannedChange], todo: list[_Compared]) -> DesiredProposal:
    by_folder = {one.folder: one.outdated.texts for one in todo}
    there = {path: content for one in todo for path, content in one.there.items()}
    return desired_proposal(
        branch_of_documents(),
        changes,
        lambda stated: {path: text for one in stated for path, text in by_folder[one.path or ""].items()},
        there.get,
    )


def _push(workspace: Workspace, github: GitHubTracker, todo: list[_Compared]) -> Iterator[str]:
    """On top of the default branch; what is something else there by now is left for the next run."""
    if not todo:
        return
    remote = need_remote(workspace.git)

    def texts(read: Read) -> Files:
        same = [one for one in todo if read(one.record.path) == one.raw]
        made = {path: text for one in same for path, text in one.outdated.texts.items()}
        before = {path: content for one in same for path, content in one.there.items()}
        return {path: text for path, text in made.items() if read(path) == before[path]}

    main = remote.default_branch()
    pushed = Proposals(remote, github.commits).land(main, texts, _MESSAGE, workspace.now)
    if pushed.outcome == PUSHED:
        names = ", ".join(one.record.incident.id for one in todo)
        yield f"documents of {names} rendered again: commit {pushed.commit[:12]} on {main}"
