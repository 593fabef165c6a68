"""Postmortems that a level asks for and nobody has begun: a branch and a pull request for each.

A branch on which somebody wrote is left to people, and so is the text of a pull request that is open.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.adapters.environment import in_actions
from incident_ops.adapters.git_proposals import SeenBranch
from incident_ops.app.apply import must_be_reviewed, worst_exit_code
from incident_ops.app.documents_beside import documents_beside, outdated_documents
from incident_ops.app.edit_record import RecordAsRead, edited_content, record_of
from incident_ops.app.observed_tracker import connect_github
from incident_ops.app.postmortem_reminder import record_on, remind_of_postmortems
from incident_ops.app.proposal_checks import check_proposals
from incident_ops.app.proposals import (
    PullLookups,
    as_proposal,
    desired_proposal,
    seen_branches,
    settle_proposal,
    with_pulls,
)
from incident_ops.app.run_parts import PartDone, RunParts
from incident_ops.app.tip import at_tip, must_be_on_time
from incident_ops.app.workspace import Workspace, leads_somewhere, need_remote, remote_of, token_and_server
from incident_ops.app.write_back import record_bytes
from incident_ops.documents.document_mark import POSTMORTEM_NAME
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.documents.postmortem_pull import (
    RelatedItem,
    postmortem_text,
    postmortem_title,
)
from incident_ops.domain.fence import Unusable, evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.record import Record, Unread
from incident_ops.domain.relations import spell_relation
from incident_ops.domain.sending import EDIT_BRANCHES
from incident_ops.domain.time import instant
from incident_ops.domain.tracker import GITHUB, Proposal
from incident_ops.edits.postmortem import NOTHING_WRITTEN, begin_postmortem
from incident_ops.errors import IncidentOpsError, Stopped, UserError, WriteFailed
from incident_ops.reconcile.changes import EDIT, POSTMORTEM, PlannedChange
from incident_ops.reconcile.proposals import (
    DesiredProposal,
    branch_of,
    branches_of_postmortems,
    fingerprint,
    is_current,
    refusals,
)
from incident_ops.records.history import read_record
from incident_ops.render.findings import plural
from incident_ops.render.postmortem_proposals import (
    ENDED,
    LEFT,
    OPEN,
    PROPOSED,
    OpenedPostmortems,
    PostmortemProposal,
)

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker
    from incident_ops.app.observed_tracker import RequestLog

CLOSED_LATELY = timedelta(days=30)
"""What was closed longer ago without a postmortem is left as it was."""
UNREADABLE = "its record cannot be read, so its branch is left as it is"
OBSERVED = "the policy's mode is observe: nothing is written"
OVER_LIMIT = "more than one run opens; the next one goes on"


class _Draft(NamedTuple):
    """A postmortem that is to be begun, as an edit of its record."""

    record: Record
    change: PlannedChange


def open_postmortems(
    workspace: Workspace, max_requests: int | None = None, log: RequestLog | None = None, *, is_dry: bool = False
) -> OpenedPostmortems:
    """Proposes the draft of every postmortem that is asked for and not begun, at the tip of the default branch, and
    reminds of those that are due. In a job it also judges what it proposed, which nothing else would.

    In a dry run without a token GitHub is not asked: what people closed, and what is open, is not known then. Without
    a remote it shows what would be proposed of the records as they are here.
    Raises what keeps it from looking; Incomplete where the tip cannot be read, UserError on a pull request.
    """
    must_be_reviewed(os.environ)
    if not is_dry:
        must_be_on_time(workspace, GITHUB)
    has_remote = remote_of(workspace.git) is not None
    if has_remote or not is_dry:
        workspace = at_tip(workspace)
    asks = not is_dry or (has_remote and bool(token_and_server()[0]))
    github = connect_github(workspace, max_requests, log) if asks else None
    names = (branches_of_postmortems(),)
    observes = workspace.judged_by[0].mode == "observe"
    is_dry = is_dry or observes
    done = _proposed(workspace, github, seen_branches(workspace, names), is_dry=is_dry)
    done = done._replace(was_asked=asks, is_dry=is_dry, lines=(*done.lines, *([OBSERVED] if observes else [])))
    if github is None or is_dry:
        return done
    parts = RunParts()
    beside = [parts.take(lambda: remind_of_postmortems(workspace, github), PartDone())]
    if in_actions():
        beside.append(parts.take(lambda: _judged(workspace, names), PartDone()))
    if parts.crash is not None:
        raise parts.crash
    lines = (*done.lines, *(line for one in beside for line in one.lines))
    return done._replace(lines=lines, errors=(*done.errors, *(e for one in beside for e in one.errors), *parts.errors))


def exit_code_of(done: OpenedPostmortems) -> int:
    """The worst of what went wrong."""
    return worst_exit_code({*(one.exit_code for one in done.errors), *([3] if done.unread else [])})


def _judged(workspace: Workspace, names: tuple[str, ...]) -> PartDone:
    from incident_ops.adapters.github.statuses import GitHubStatuses

    statuses = GitHubStatuses.of(os.environ, need_remote(workspace.git).url)
    return check_proposals(workspace, statuses, seen_branches(workspace, names))


def _proposed(
    workspace: Workspace, github: GitHubTracker | None, found: Sequence[SeenBranch], *, is_dry: bool
) -> OpenedPostmortems:
    drafts, broken, old = _drafts(workspace, {one.branch for one in found})
    changes = [one.change for one in drafts.values()]
    known: Sequence[Proposal] = [as_proposal(one) for one in found]
    if github is not None:
        known = with_pulls(PullLookups(github.pulls), known, changes, workspace.now)
    run = _Run(workspace, None if is_dry else github, {one.branch: one for one in known}, changes)
    run.unread = {PurePosixPath(one.path).parent.name for one in (*workspace.catalogue.unreadable(), *broken)}
    done: list[PostmortemProposal] = []
    errors: list[IncidentOpsError] = []
    for branch in sorted(drafts.keys() | {one.branch for one in found}):
        try:
            done.append(run.settle(branch, drafts.get(branch)))
        except IncidentOpsError as error:
            errors.append(error)
            if isinstance(error, Stopped) or (isinstance(error, WriteFailed) and error.is_final):
                break
    if run.over_limit:
        hint = "policy tracker.limits.creates says how many one run opens; run it again for the rest"
        errors.append(Stopped(f"{plural(run.over_limit, 'postmortem')} left for the next run", hint=hint))
    lines = (f"{plural(old, 'incident')} closed long ago: `incident-ops postmortem new INC` begins one",) if old else ()
    return OpenedPostmortems(tuple(done), lines, (*workspace.catalogue.unreadable(), *broken), tuple(errors))


def _drafts(workspace: Workspace, open_ones: Collection[str]) -> tuple[dict[str, _Draft], list[Unread], int]:
    """By branch what is to be begun; the records that break a calculation; and how many were closed too long ago."""
    found: dict[str, _Draft] = {}
    broken: list[Unread] = []
    old = 0
    for record in workspace.catalogue.live():
        try:
            change = evaluate_one(record, partial(_change, workspace)) if _is_asked(record, workspace) else None
        except Unusable as error:
            broken.extend(error.unread)
            continue
        if change is not None and (_is_recent(record, workspace.now) or branch_of(change) in open_ones):
            found[branch_of(change)] = _Draft(record, change)
        else:
            old += change is not None
    return found, broken, old


def _is_recent(record: Record, now: datetime) -> bool:
    """Not closed long ago: a repository that moves in with years of incidents is not flooded."""
    times = record.incident.times
    at = instant(times.closed) or instant(times.resolved)
    return not record.incident.is_closed or (at is not None and at >= now - CLOSED_LATELY)


def _is_asked(record: Record, workspace: Workspace) -> bool:
    incident = record.incident
    is_over = incident.state in OVER and not record.pending
    return is_over and incident.postmortem is None and workspace.judged_by[0].requires_postmortem(incident)


def _change(workspace: Workspace, record: Record) -> PlannedChange:
    incident = record.incident
    step = begin_postmortem(incident, workspace.judged_by[0], workspace.now, NOTHING_WRITTEN)
    number, at = incident.links.tracking_issue, incident.times.resolved
    reason = "; ".join(step.messages)
    return PlannedChange(
        EDIT, POSTMORTEM, incident.id, number, reason, path=record.path, edits=step.edits, topic=POSTMORTEM, at=at
    )


class _Run:
    """One run over the branches; `github` None = a dry one."""

    def __init__(
        self,
        workspace: Workspace,
        github: GitHubTracker | None,
        observed: Mapping[str, Proposal],
        changes: Sequence[PlannedChange],
    ) -> None:
        self._workspace, self._github, self._observed = workspace, github, observed
        self._refused = refusals(changes, observed)
        self._room = workspace.judged_by[0].tracker.limits.creates
        self._begun = _begun(workspace, [change.key for change in changes])
        self.over_limit = 0
        self.unread: Collection[str] = ()

    def settle(self, branch: str, draft: _Draft | None) -> PostmortemProposal:
        """Brings one branch and its pull request to what is wanted of them -> what became of them."""
        seen = self._observed.get(branch, Proposal(branch))
        incident = branch.rpartition("/")[2]
        said = partial(PostmortemProposal, incident, branch, pull=seen.pull.number if seen.pull else None)
        if not seen.is_ours:
            return said(LEFT, "people have written on its branch, so it is left to them")
        if draft is None and incident in self.unread:
            return said(LEFT, UNREADABLE)
        if draft is None:
            return self._end(seen, said)
        if why := self._why_not(draft, seen):
            return said(LEFT, why)
        wanted = self._wanted(draft, seen)
        if is_current(wanted, seen):
            return said(OPEN, f"pull request #{seen.pull.number} waits" if seen.pull else "")
        if seen.pull is None:
            self._room -= 1
        if self._github is None:
            return said(PROPOSED, draft.change.reason)
        made = settle_proposal(self._workspace, self._github, wanted, seen, self._workspace.now)
        return said(PROPOSED, made.message or draft.change.reason)

    def _end(self, seen: Proposal, said: partial[PostmortemProposal]) -> PostmortemProposal:
        why = "it is begun, or not asked for any more"
        if self._github is not None:
            why = settle_proposal(self._workspace, self._github, None, seen, self._workspace.now).message
        return said(ENDED, why)

    def _why_not(self, draft: _Draft, seen: Proposal) -> str:
        """Why a draft is not proposed in this run; "" where it is."""
        if left := self._refused.get(fingerprint(draft.change)):
            return left.reason
        if seen.pull is not None:
            return ""
        branch = f"{EDIT_BRANCHES}{draft.record.incident.id}"
        if branch in self._begun:
            return f"it is begun on branch {branch}"
        if self._room <= 0:
            self.over_limit += 1
            return OVER_LIMIT
        return ""

    def _wanted(self, draft: _Draft, seen: Proposal) -> DesiredProposal:
        workspace, (record, change) = self._workspace, draft
        made = desired_proposal(
            branch_of(change),
            [change],
            lambda _: _texts(workspace, draft),
            lambda path: content if isinstance(content := workspace.store.read(path), bytes) else None,
        )
        if seen.pull is not None and fingerprint(change) in seen.holds:  # people may have written in its text
            return made._replace(title=seen.pull.title, body=seen.pull.body)
        policy, items = workspace.judged_by[0], [*_related_items(workspace, record.incident)]
        body = postmortem_text(record.incident, policy, workspace.now, items, change)
        return made._replace(title=postmortem_title(record.incident), body=body)


def _begun(workspace: Workspace, incidents: Sequence[str]) -> set[str]:
    """The branches on which somebody has begun the postmortem of one of these and sent it."""
    names = tuple(f"{EDIT_BRANCHES}{one}" for one in incidents)
    sent = ((one.branch, record_on(one)) for one in (seen_branches(workspace, names) if names else ()))
    return {branch for branch, theirs in sent if theirs is not None and theirs.postmortem is not None}


def _texts(workspace: Workspace, draft: _Draft) -> dict[str, bytes]:
    """The record with its postmortem begun, its postmortem as a document, and those beside it that fell behind. A
    document in which somebody wrote stays as it is."""
    path, policy = draft.record.path, workspace.judged_by[0]
    raw = record_bytes(workspace, path)
    after = edited_content(workspace, RecordAsRead(raw, record_of(path, raw)), draft.change.edits).content
    record = record_of(path, after)
    there = documents_beside(workspace.store.read, path)
    texts = {path: after, **outdated_documents(workspace, record, there).texts}
    paper = f"{path.rpartition('/')[0]}/{POSTMORTEM_NAME}"
    if paper not in there:
        leads = partial(leads_somewhere, workspace)
        texts[paper] = incident_documents(record.incident, policy, workspace.now, (), leads)[POSTMORTEM_NAME].encode()
    return texts


def _related_items(workspace: Workspace, incident: Incident) -> Iterator[RelatedItem]:
    for relation in incident.relations:
        path = workspace.catalogue.path_of(relation.id)
        if path is None:
            continue
        try:
            other = read_record(workspace.store, path).incident
        except (UserError, Unusable):  # `validate` says what is wrong with it
            continue
        yield from (RelatedItem(spell_relation(relation), relation.id, item) for item in other.open_items)
