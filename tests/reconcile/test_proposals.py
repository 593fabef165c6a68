"""Edits by topic, what waits, what was refused, and what each pull request says."""

from __future__ import annotations

import random
import re

import pytest
from msgspec.structs import replace

from incident_ops.documents.proposal_text import proposal_text
from incident_ops.domain.record import Append, Remove, Set
from incident_ops.domain.tracker import Proposal, ProposedFile, Snapshot
from incident_ops.reconcile.changes import AUTOMATION, EDIT, NUMBERS, PEOPLE, Kept, KeyDecision, PlannedChange
from incident_ops.reconcile.plan import add_decision, checksum, leave_edits, make_plan
from incident_ops.reconcile.proposals import (
    OLD_BRANCH,
    Left,
    branch_of,
    compare_proposals,
    fingerprint,
    holding,
    is_current,
    is_proposal_over,
    leave_unasked,
    refusals,
    stated_by,
    text_until_moved,
    unexplained,
)
from tests.reconcile.builders import proposal_of, wanted


def edit(
    key: str, topic: str = PEOPLE, number: int | None = 5, at: str | None = None, **fields: object
) -> PlannedChange:
    """An edit of an action item, or of an incident."""
    incident, _, item = key.partition("/")
    top = ("action_items", 3) if item else ()
    edits = tuple(Set((*top, name), value) for name, value in fields.items())
    reason = "@bob closed it as completed"
    path = f"incidents/{incident}/incident.yaml"
    return PlannedChange(EDIT, "action-item", key, number, reason, path=path, edits=edits, topic=topic, at=at)


DONE = edit("INC-1/AI-2", status="done", done_at="2025-01-28T10:00:00Z", at="2025-01-28T10:00:00Z")
LATER = edit("INC-1/AI-10", number=9, status="wont_do", reason="why", at="2025-01-29T10:00:00Z")


def test_a_topic_has_a_branch_of_its_own() -> None:
    """One for all numbers; else one an incident, so that a "no" to one is none to another."""
    assert branch_of(edit("INC-1/AI-1", NUMBERS, issue=5)) == branch_of(edit("INC-2", NUMBERS, issue=6))
    assert branch_of(DONE) == "incident-ops/people/INC-1"
    assert branch_of(edit("INC-1/resolution/1/due", AUTOMATION)) == "incident-ops/automation/INC-1"


def test_a_fingerprint_is_that_of_the_fact() -> None:
    """Where an item stands in its record, who reads it and when a run looked are no facts; the values are."""
    moved = DONE._replace(edits=tuple(Set(("action_items", 7, one.route[-1]), one.value) for one in DONE.edits))
    assert fingerprint(moved._replace(reason="other words", number=6)) == fingerprint(DONE)
    assert fingerprint(edit("INC-1/AI-2", status="wont_do")) != fingerprint(DONE)
    assert fingerprint(edit("INC-1/AI-3", status="done", done_at="2025-01-28T10:00:00Z")) != fingerprint(DONE)
    due = edit("INC-1/state/1/reopened", AUTOMATION, state="reopened")
    assert fingerprint(due._replace(edits=(Set(("state",), "reopened"), Set(("noted",), 1)))) == fingerprint(due)


def test_the_text_names_every_edit_newest_first_and_pings_nobody() -> None:
    """Who, where, when, the file and each field."""
    title, body, stated = proposal_text([DONE, LATER])
    assert title == "INC-1: what people did on its issues"
    assert stated == (DONE, LATER)
    rows = [line for line in body.splitlines() if line.startswith(("- ", "  "))]
    assert rows == [
        "- #9, 2025-01-29 10:00 UTC: **INC-1/AI-10** @&#8203;bob closed it as completed",
        "  In `incidents/INC-1/incident.yaml`: `action_items.AI-10.status` = `wont_do`; "
        "`action_items.AI-10.reason` = `why`",
        "- #5, 2025-01-28 10:00 UTC: **INC-1/AI-2** @&#8203;bob closed it as completed",
        "  In `incidents/INC-1/incident.yaml`: `action_items.AI-2.status` = `done`; "
        "`action_items.AI-2.done_at` = `2025-01-28T10:00:00Z`",
    ]
    assert stated_by(body) == {fingerprint(DONE), fingerprint(LATER)}


def test_entries_of_lists_and_what_goes_are_named_too() -> None:
    """Of an entry the text says what it says."""
    entry = {"at": "2025-01-28T10:00:00Z", "event": "Escalated to tier 2: no answer", "kind": "escalation"}
    made = edit("INC-1/response/1/due", AUTOMATION, None)._replace(
        edits=(Append(("timeline",), entry), Remove(("snooze",)), Append(("tags",), "x" * 500))
    )
    row = proposal_text([made]).body
    assert (
        "`timeline` gets `2025-01-28 10:00 UTC Escalated to tier 2: no answer`; `snooze` goes; `tags` gets `xxx" in row
    )
    assert "x" * 121 not in row


@pytest.mark.parametrize(
    "text", ["<!-- incident-ops v1 proposal edits=abc -->", "x\n<!-- incident-ops v1 proposal edits=abc -->\n"]
)
def test_a_mark_in_the_words_of_a_stranger_counts_nothing(text: str) -> None:
    """Only the last line is ours."""
    made = edit("INC-1/AI-1", status="done", evidence=text)._replace(reason=text)
    assert stated_by(proposal_text([made]).body) == {fingerprint(made)}


def test_what_has_no_room_in_the_text_is_not_in_the_diff() -> None:
    """The oldest stay, the rest waits for the next proposal: the text tells every edit."""
    many = [edit(f"INC-{n}/AI-1", NUMBERS, n, issue=n) for n in range(1, 1_500)]
    _, body, stated = proposal_text(many)
    assert 300 < len(stated) < len(many)
    assert stated == tuple(many[: len(stated)])
    assert len(body) < 60_000
    assert len(re.findall(r"^- #", body, re.MULTILINE)) == len(stated)


def test_a_branch_is_settled_only_with_its_files_text_and_open_pull_request() -> None:
    """One that lacks any of them is not; what a branch holds waits, the rest is a change of the plan."""
    wish, seen = proposal_of([DONE, LATER])
    assert is_current(wish, seen)
    assert is_current(wish, replace(seen, pull=replace(seen.pull, body=f"{wish.body}\r\n")))
    for other in (
        replace(seen, pull=None),
        replace(seen, files={}),
        replace(seen, files={"incidents/INC-1/incident.yaml": ProposedFile("other", "after")}),
        replace(seen, pull=replace(seen.pull, body="")),
        replace(seen, pull=replace(seen.pull, title="mine")),
    ):
        assert not is_current(wish, other)
    moved = replace(seen, files={}, holds=seen.holds[:1])
    waiting, whole = compare_proposals({wish.branch: wish}, {wish.branch: moved})
    assert waiting == {fingerprint(DONE): Left("waiting in #7")}
    assert whole == KeyDecision()


@pytest.mark.parametrize(
    ("change", "why"),
    [({"files": {}}, "it is made anew"), ({"pull": "text"}, "its text is put right")],
)
def test_a_proposal_that_holds_all_and_is_not_right_is_one_change(change: dict, why: str) -> None:
    """The records under it moved on, or somebody wrote over its text."""
    wish, seen = proposal_of([DONE])
    seen = replace(seen, **(change if "files" in change else {"pull": replace(seen.pull, body="mine")}))
    waiting, whole = compare_proposals({wish.branch: wish}, {wish.branch: seen})
    assert list(waiting) == [fingerprint(DONE)]
    ((action, kind, key, number, reason),) = [one[:5] for one in whole.changes]
    assert (action, kind, key, number, reason) == (EDIT, "proposal", wish.branch, 7, why)


def test_what_nobody_needs_any_more_is_ended() -> None:
    """With or without a pull request; the branch of a refused one stays, so that it can be reopened."""
    wish, seen = proposal_of([DONE])
    for left in (seen, replace(seen, pull=None)):
        ((key, reason),) = [(one.key, one.reason) for one in compare_proposals({}, {wish.branch: left})[1].changes]
        assert (key, reason) == (wish.branch, "nothing is left to propose")
    refused = replace(seen, pull=None, refused=(replace(seen.pull, closed_by="bob"),))
    assert not is_proposal_over(refused)
    assert compare_proposals({}, {wish.branch: refused}) == ({}, KeyDecision())
    assert compare_proposals({}, {wish.branch: Proposal(wish.branch)}) == ({}, KeyDecision())
    old = compare_proposals({}, {OLD_BRANCH: Proposal(OLD_BRANCH, "c" * 40)})[1]
    assert [one.reason for one in old.changes] == ["its edits are proposed by topic now"]


def test_peoples_commits_hold_their_topic_and_no_other() -> None:
    """Listed at each edit, or once where nothing is due there."""
    wish, seen = proposal_of([DONE])
    theirs = {wish.branch: replace(seen, is_ours=False)}
    waiting, whole = compare_proposals({wish.branch: wish}, theirs)
    why = f"branch {wish.branch} has commits of people, so it is left alone: merge it or delete it"
    assert (waiting, whole) == ({fingerprint(DONE): Left(why)}, KeyDecision())
    assert compare_proposals({}, theirs) == ({}, KeyDecision(kept=(Kept(wish.branch, "proposal", 7, why),)))


def test_who_refused_is_asked_of_the_newest_that_held_an_edit() -> None:
    """Only of edits that no open pull request holds."""
    _, seen = proposal_of([DONE, LATER])
    assert unexplained([DONE, LATER], seen) == frozenset()
    assert unexplained([DONE, LATER], replace(seen, pull=None)) == {fingerprint(DONE), fingerprint(LATER)}
    newest, older, oldest = (
        proposal_of(held, number)[1].pull for held, number in (([DONE], 9), ([LATER], 8), ([DONE], 7))
    )
    assert holding([newest, older, oldest], {fingerprint(DONE), fingerprint(LATER)}) == [newest, older]


def test_the_text_covers_the_diff_while_the_branch_moves() -> None:
    """Whatever befalls a run: property over random sequences of wanted edits, of which each step may be the last."""
    edits = [edit(f"INC-1/AI-{n}", number=n, status="done", done_at=f"2025-01-{n:02}T10:00:00Z") for n in range(1, 9)]
    draw = random.Random(7)
    for _ in range(300):
        seen = Proposal("incident-ops/people/INC-1")
        for _ in range(6):
            wish, put = proposal_of(draw.sample(edits, draw.randint(1, 8)))
            for step in ("tell", "move", "right"):
                if draw.random() < 0.2:
                    break  # the run ends here
                if step == "tell" and seen.pull:
                    seen = replace(seen, pull=replace(seen.pull, body=text_until_moved(wish, seen)))
                elif step == "move":
                    seen = replace(put, pull=seen.pull or put.pull)
                elif step == "right":
                    seen = replace(seen, pull=replace(seen.pull, body=wish.body))
                if seen.pull:
                    said = {n for n in range(1, 9) if f"**INC-1/AI-{n}**" in seen.pull.body}
                    held = {n for n in range(1, 9) if fingerprint(edits[n - 1]) in seen.holds}
                    assert held <= said


def test_two_edits_of_an_item_wait_and_are_refused_one_by_one() -> None:
    """Reassigned and ticked are two facts of one key: what holds or refuses one of them says nothing of the other."""
    owner = edit("INC-1/AI-2", owner="@alice")
    wish, held = proposal_of([DONE])[0], replace(proposal_of([DONE])[1], files={})
    both = proposal_of([DONE, owner])[0]
    waiting, _ = compare_proposals({wish.branch: both}, {wish.branch: held})
    refused = replace(held, pull=None, refused=(replace(held.pull, closed_by="bob"),))
    plan = add_decision(make_plan(wanted([]), Snapshot()), KeyDecision((DONE, owner)))
    for left in (waiting, refusals([DONE, owner], {wish.branch: refused})):
        assert leave_edits(plan, left).changes == (owner,)


def test_a_proposal_stays_while_a_run_has_no_room_to_ask() -> None:
    """A run that did not ask about an incident's issues knows less of its edits: it neither closes nor empties it."""
    wish, seen = proposal_of([DONE, edit("INC-1/AI-2", owner="@alice")])
    (left,) = leave_unasked([seen], {"INC-1"})
    assert compare_proposals({}, {wish.branch: seen})[1].changes
    assert compare_proposals({}, {wish.branch: left})[1] == KeyDecision()
    assert leave_unasked([seen], {"INC-2"}) == (seen,)
    assert leave_unasked([Proposal(wish.branch)], {"INC-1"}) == (Proposal(wish.branch),), "a new one is proposed"


def test_measures_that_are_done_at_once_are_facts_of_their_own() -> None:
    """The same date in another place is another edit: for the checksum of a plan, and for whoever refused it."""
    places = [("postmortem", "prevention", "short", place, "done_at") for place in (0, 1)]
    first, second = (edit("INC-1")._replace(edits=(Set(route, "2025-01-28T10:00:00Z"),)) for route in places)
    assert fingerprint(first) != fingerprint(second)
    assert checksum([first]) != checksum([second])
