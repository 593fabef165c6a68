"""The proposals: edits of records by topic, each topic on a branch and in a pull request of its own. Pure.

What is due, as the files and the text that each branch should have, is compared with what was seen of it. An edit waits
only while an open pull request holds it; one that a person refused is left until the facts change.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.issue_places import spell_issue
from incident_ops.domain.tracker import Proposal, ProposedFile, PullRequest
from incident_ops.reconcile.changes import (
    AUTOMATION,
    DOCUMENTS,
    EDIT,
    NUMBERS,
    PEOPLE,
    POSTMORTEM,
    PROPOSAL,
    Kept,
    KeyDecision,
    PlannedChange,
)
from incident_ops.reconcile.desired import incident_of
from incident_ops.reconcile.generated_block import normalise

BRANCHES = "incident-ops"
OLD_BRANCH = f"{BRANCHES}/write-back/records"
"""Where an earlier version proposed everything at once."""

WAITING_IN = "waiting in #"
"""With a number: why an edit that an open pull request holds is left."""


class Left(NamedTuple):
    """Why an edit is left; `said` is what its issue says of that, None = the same as if it were not left."""

    reason: str
    said: str | None = None


_LONGEST_TEXT = 65_000  # characters; GitHub takes 65,536
_MARK = re.compile(r"\n<!-- incident-ops v1 proposal edits=([0-9a-f,]*) -->\s*\Z")


class DesiredProposal(NamedTuple):
    """What the branch of a topic should hold: its edits, the files that they lead to by path, and its text.

    `texts` are the bytes of these files.
    """

    branch: str
    title: str
    body: str
    changes: tuple[PlannedChange, ...]
    files: Mapping[str, ProposedFile]
    texts: Mapping[str, bytes] = {}


class ProposalText(NamedTuple):
    """Title and text of a pull request, and the edits that they tell: what does not fit waits for the next one."""

    title: str
    body: str
    stated: tuple[PlannedChange, ...]


def refusal(reason: str) -> Left:
    """An edit that is not made, which its issue says."""
    return Left(reason, f"{reason}.")


def branch_of(change: PlannedChange) -> str:
    """The branch on which an edit is proposed: one for all numbers of issues and one for all documents, else one a
    topic and incident."""
    if change.topic in (NUMBERS, DOCUMENTS):
        return f"{BRANCHES}/{change.topic}"
    return f"{BRANCHES}/{change.topic}/{incident_of(change.key)}"


def branch_of_numbers() -> str:
    """The branch of the numbers of issues."""
    return f"{BRANCHES}/{NUMBERS}"


def branches_of_postmortems() -> str:
    """What the branches begin with that hold the draft of a postmortem, one for each incident."""
    return f"{BRANCHES}/{POSTMORTEM}/"


def branch_of_documents() -> str:
    """The branch of the documents beside records."""
    return f"{BRANCHES}/{DOCUMENTS}"


def fingerprint(change: PlannedChange) -> str:
    """What an edit says, whenever a run looked: equal where it would be the same to a person who is asked.

    The key of what came due names the fact; everything else has it in its values.
    """
    said = [change.topic, change.key, change.path, {} if change.topic == AUTOMATION else change.bound]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def mark_of(changes: Iterable[PlannedChange]) -> str:
    """The hidden last line of a text, by which the edits of a closed pull request are known."""
    return f"<!-- incident-ops v1 proposal edits={','.join(fingerprint(change) for change in changes)} -->"


def stated_by(body: str) -> frozenset[str]:
    """The fingerprints of the edits that a text tells."""
    found = _MARK.search(body.replace("\r\n", "\n"))
    return frozenset(found[1].split(",")) if found and found[1] else frozenset()


def is_stated(wanted: DesiredProposal, pull: PullRequest) -> bool:
    """True where a pull request has the title and the text that it should have."""
    return (pull.title, normalise(pull.body)) == (wanted.title, normalise(wanted.body))


def is_current(wanted: DesiredProposal, seen: Proposal) -> bool:
    """True where an open pull request says what it should, on a branch that holds it."""
    return seen.pull is not None and _holds_all(wanted, seen) and is_stated(wanted, seen.pull)


def is_proposal_over(seen: Proposal) -> bool:
    """True where something is left of a proposal that nobody needs; the branch of a refused one can be reopened."""
    return seen.is_known and (seen.pull is not None or (bool(seen.commit) and not seen.refused))


def text_until_moved(wanted: DesiredProposal, seen: Proposal) -> str:
    """The text while the branch is being moved: it tells what the branch holds before and after."""
    before = seen.pull.body if seen.pull else ""
    both = f"{before}\n\n{wanted.body}"
    is_covered = set(seen.holds) <= {fingerprint(change) for change in wanted.changes}
    return wanted.body if is_covered or len(both) > _LONGEST_TEXT else both


def refusals(changes: Iterable[PlannedChange], seen: Mapping[str, Proposal], repository: str = "") -> dict[str, Left]:
    """The edits that people refused, each with who did and where; and those of which nobody asked yet.

    `repository` is the one with the pull requests, which what an issue of another one says has to name.
    By fingerprint, as everywhere here: two edits may have the same key.
    """
    found: dict[str, Left] = {}
    for change in changes:
        proposal = seen.get(branch_of(change)) if change.topic else None
        if proposal and not proposal.is_known and fingerprint(change) in unexplained([change], proposal):
            found[fingerprint(change)] = Left(
                "left for the next run, which looks into other pull requests or reaches every repository"
            )
        pull = _refusing(change, proposal.refused) if proposal else None
        if proposal and pull is not None:
            can_reopen = bool(proposal.commit) and proposal.pull is None
            there = spell_issue(pull.number, repository if change.repository else "")
            said = _refused(change, pull, there, can_reopen=can_reopen)
            found[fingerprint(change)] = Left(
                _refused(change, pull, f"#{pull.number}", can_reopen=can_reopen), f"{said}."
            )
    return found


def _refused(change: PlannedChange, pull: PullRequest, name: str, *, can_reopen: bool) -> str:
    way = f"reopening {name} proposes it again" if can_reopen else "to accept it, edit the record"
    return f"@{pull.closed_by} closed {name} without merging: {change.reason}; {way}"


def compare_proposals(
    wanted: Mapping[str, DesiredProposal], seen: Mapping[str, Proposal]
) -> tuple[dict[str, Left], KeyDecision]:
    """Both by branch -> the edits that wait, each with where; and what is to be done about a proposal as a whole.

    Edits that no open pull request holds are changes of the plan themselves.
    """
    waiting: dict[str, Left] = {}
    changes: list[PlannedChange] = []
    kept: list[Kept] = []
    for branch in sorted(wanted.keys() | seen.keys()):
        proposal = seen.get(branch, Proposal(branch))
        number = proposal.pull.number if proposal.pull else None
        if not proposal.is_ours:
            why = f"branch {branch} has commits of people, so it is left alone: merge it or delete it"
            held = wanted[branch].changes if branch in wanted else ()
            waiting |= dict.fromkeys(map(fingerprint, held), Left(why))
            kept += [Kept(branch, PROPOSAL, number, why)] if branch not in wanted else []
        elif branch not in wanted and is_proposal_over(proposal):
            why = "its edits are proposed by topic now" if branch == OLD_BRANCH else "nothing is left to propose"
            changes.append(PlannedChange(EDIT, PROPOSAL, branch, number, why))
        elif branch in wanted and proposal.pull is not None:
            theirs = _held(wanted[branch], proposal)
            waiting |= dict.fromkeys(theirs, Left(f"{WAITING_IN}{number}"))
            is_whole = proposal.is_known and len(theirs) == len(wanted[branch].changes)
            if is_whole and not is_current(wanted[branch], proposal):
                why = "it is made anew" if not _holds_all(wanted[branch], proposal) else "its text is put right"
                changes.append(PlannedChange(EDIT, PROPOSAL, branch, number, why))
    return waiting, KeyDecision(tuple(changes), tuple(kept))


def leave_unasked(
    seen: Iterable[Proposal], incidents: Collection[str], topics: Collection[str] = (PEOPLE, AUTOMATION)
) -> tuple[Proposal, ...]:
    """The proposals, where a run did not ask about all issues of `incidents`: theirs of `topics` stay as they are."""
    left = {f"{BRANCHES}/{topic}/{name}" for topic in topics for name in incidents}
    return tuple(
        replace(one, is_known=False) if one.branch in left and (one.commit or one.pull is not None) else one
        for one in seen
    )


def unexplained(changes: Iterable[PlannedChange], proposal: Proposal) -> frozenset[str]:
    """The fingerprints of edits of one branch that no open pull request holds: somebody may have refused them."""
    held = proposal.holds if proposal.pull is not None else ()
    return frozenset(fingerprint(change) for change in changes) - frozenset(held)


def holding(pulls: Iterable[PullRequest], asked: Collection[str]) -> list[PullRequest]:
    """Those closed pull requests that decide about `asked` edits: for each of these the newest that tells it."""
    left, found = set(asked), []
    for pull in pulls:
        stated = stated_by(pull.body) & left
        if stated:
            found.append(pull)
            left -= stated
    return found


def refused_by_people(changes: Iterable[PlannedChange], seen: Iterable[Proposal]) -> frozenset[str]:
    """The fingerprints of those edits whose pull request a person closed without merging it."""
    by_branch = {proposal.branch: proposal for proposal in seen}
    found = ((change, by_branch.get(branch_of(change))) for change in changes)
    return frozenset(fingerprint(one) for one, proposal in found if proposal and _refusing(one, proposal.refused))


def _refusing(change: PlannedChange, refused: Iterable[PullRequest]) -> PullRequest | None:
    said = fingerprint(change)
    return next((pull for pull in refused if said in stated_by(pull.body)), None)


def _holds_all(wanted: DesiredProposal, seen: Proposal) -> bool:
    return bool(seen.commit) and dict(seen.files) == dict(wanted.files)


def _held(wanted: DesiredProposal, seen: Proposal) -> list[str]:
    names = [fingerprint(change) for change in wanted.changes]
    return names if _holds_all(wanted, seen) else [name for name in names if name in seen.holds]
