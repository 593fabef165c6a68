"""What people do on the tracker, and what the next run does: each test is a row of the table in docs/reconcile.md."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from incident_ops.domain.record import Set
from incident_ops.domain.tracker import Closing, Issue, Milestone
from incident_ops.errors import UserError
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.changes import CLOSE, CREATE, EDIT, UPDATE, KeyDecision
from incident_ops.reconcile.plan import leave_edits
from incident_ops.reconcile.proposals import compare_proposals, refusals
from tests.reconcile.builders import (
    Watched,
    item,
    kept_rows,
    merged,
    plan_for,
    proposal_of,
    record,
    run,
    steps,
    sync,
    synced,
    written_back,
)
from tests.reconcile.test_milestones import DAY, KEY, LATER, due, milestones
from tests.reconcile.test_milestones import synced as synced_by_release
from tests.support.memory_tracker import MemoryTracker

MAIN, ITEM = 1, 2
"""The numbers of the tracking issue and of the item's."""


def test_closed_as_completed_makes_the_item_done() -> None:
    """Who, when and the pull request come into the record; nothing is reopened, and then nothing is left to do."""
    tracker, records = synced()
    tracker.close_by("carol", ITEM, at="2025-02-01T10:00:00Z", evidence="https://github.com/acme/app/pull/7")
    made = plan_for(records, tracker)
    assert steps(made) == [(EDIT, "INC-1/AI-1")]
    assert made.changes[0].reason == "@carol closed it as completed"
    (done,) = (after := merged(records, made))[0].incident.action_items
    assert (done.status, done.done_at, done.done_by) == ("done", "2025-02-01T10:00:00Z", "@carol")
    assert done.evidence == "https://github.com/acme/app/pull/7"
    sync(after, tracker)
    assert tracker.issues[ITEM].state == "closed"
    assert not plan_for(after, tracker).changes


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
def test_closed_as_not_planned_makes_the_item_wont_do(reason: str) -> None:
    """The reason says who and where."""
    tracker, records = synced()
    tracker.close_by("carol", ITEM, reason)
    made = plan_for(records, tracker)
    (dropped,) = merged(records, made)[0].incident.action_items
    words = {"not_planned": "closed as not planned", "duplicate": "closed as a duplicate"}[reason]
    assert (dropped.status, dropped.reason) == ("wont_do", f"{words} by @carol on the tracker (#2)")


def test_what_waits_in_the_proposal_is_not_planned_again() -> None:
    """While an open pull request holds it the plan says where it waits; without one it is planned again."""
    tracker, records = synced()
    tracker.close_by("carol", ITEM)
    made = plan_for(records, tracker)
    (edit,) = (change for change in made.changes if change.action == EDIT)
    wish, seen = proposal_of([edit])
    waiting, whole = compare_proposals({wish.branch: wish}, {wish.branch: seen})
    now = leave_edits(made, waiting)
    assert (now.changes, whole.changes) == ((), ())
    assert kept_rows(now) == [("INC-1/AI-1", ITEM, "waiting in #7")]
    assert now.checksum != made.checksum
    assert compare_proposals({wish.branch: wish}, {wish.branch: replace(seen, pull=None)}) == ({}, KeyDecision())


def test_what_was_refused_in_the_proposal_is_left_and_told() -> None:
    """A person closed its pull request without merging: left, with who and where, until another closing."""
    tracker, records = synced()
    tracker.close_by("carol", ITEM)
    made = plan_for(records, tracker)
    (edit,) = (change for change in made.changes if change.action == EDIT)
    wish, seen = proposal_of([edit])
    refused = replace(seen, pull=None, refused=(replace(seen.pull, state="closed", closed_by="bob"),))
    left = refusals([edit], {wish.branch: refused})
    now = leave_edits(made, left)
    why = "@bob closed #7 without merging: @carol closed it as completed; reopening #7 proposes it again"
    assert kept_rows(now) == [("INC-1/AI-1", ITEM, why)]
    other = edit._replace(edits=(*edit.edits, Set(("action_items", 0, "done_at"), "2025-02-02T12:00:00Z")))
    assert refusals([other], {wish.branch: refused}) == {}


def test_retitled_gets_the_records_title() -> None:
    """The title is the record's."""
    tracker, records = synced()
    tracker.edit(ITEM, title="whatever")
    made = plan_for(records, tracker)
    assert [(one.action, one.fields) for one in made.changes] == [(UPDATE, {"title": "INC-1/AI-1: Mend part 1"})]
    assert made.changes[0].reason == "not as in the record: title"
    sync(records, tracker)
    assert not plan_for(records, tracker).changes


def test_relabelled_gets_our_labels_and_keeps_peoples() -> None:
    """Kind, priority and state are the record's, the incident's level is none of an item's; any other is people's."""
    tracker, records = synced()
    tracker.edit(ITEM, labels=("action-item", "SEV1", "priority:P3", "overdue", "mine"))
    sync(records, tracker)
    assert set(tracker.issues[ITEM].labels) == {"action-item", "mine"}
    assert not plan_for(records, tracker).changes


def test_all_labels_removed_is_found_by_its_number() -> None:
    """An issue that no list shows is found by the number in the record, and its labels are put back."""
    tracker, records = synced()
    for number in (ITEM, MAIN):
        tracker.edit(number, labels=())
        assert steps(plan_for(records, tracker)) == [(UPDATE, tracker.issues[number].title.partition(":")[0])]
        sync(records, tracker)
        assert not plan_for(records, tracker).changes
    assert len(tracker.issues) == 2


def test_a_label_in_another_case_is_the_same_label() -> None:
    """`sev1` stands for SEV1: nothing is made, nothing is changed."""
    tracker, records = synced()
    tracker.edit(ITEM, labels=("Action-Item",))
    tracker.edit(MAIN, labels=("INCIDENT", "sev1", "State:IN-progress"))
    tracker.named = {name: msgspec.structs.replace(label, name=name) for name, label in tracker.named.items()}
    assert not plan_for(records, tracker).changes


def test_a_label_deleted_from_the_repository_is_made_again() -> None:
    """With colour and description, before the issues that carry it."""
    tracker, records = synced()
    del tracker.named["sev1"]
    for number in (MAIN, ITEM):
        tracker.edit(number, labels=tuple(name for name in tracker.issues[number].labels if name != "SEV1"))
    made = plan_for(records, tracker)
    assert steps(made) == [(CREATE, "SEV1"), (UPDATE, "INC-1")]
    assert made.changes[0].fields == {"color": "d93f0b", "description": "Level 2, 1 is the worst: Level 1"}
    sync(records, tracker)
    assert not plan_for(records, tracker).changes


def of_older_version(tracker: MemoryTracker) -> None:
    """Every issue as the version before the state labels and the repository in the marker left it."""
    states = {MAIN: "in_progress", ITEM: "open"}
    for number, issue in list(tracker.issues.items()):
        labels = tuple(name for name in issue.labels if not name.startswith("state:"))
        body = issue.body.replace(" repo=7", "", 1)
        tracker.edit(number, labels=(*labels, states[number]), body=body)


def test_an_older_versions_labels_move_over_in_one_plan() -> None:
    """What it called a state is taken off with its hidden line; then bare names are people's, like any other label."""
    tracker, records = synced()
    new = dict(tracker.issues)
    of_older_version(tracker)
    tracker.edit(ITEM, labels=(*tracker.issues[ITEM].labels, "mine"))
    made = plan_for(records, tracker)
    assert steps(made) == [(UPDATE, "INC-1"), (UPDATE, "INC-1/AI-1")]
    assert {one.reason for one in made.changes} == {"an older version wrote its hidden line and its labels"}
    run(made, tracker)
    assert set(tracker.issues[MAIN].labels) == {"incident", "SEV1", "state:in-progress"}
    assert set(tracker.issues[ITEM].labels) == {"action-item", "mine"}
    assert [issue.body for issue in tracker.issues.values()] == [issue.body for issue in new.values()]
    assert not plan_for(records, tracker).changes
    tracker.edit(ITEM, labels=("action-item", "open", "pending"))
    assert not plan_for(records, tracker).changes, "a label of people of the same name stays"


def test_transferred_is_kept_with_its_address() -> None:
    """An issue that moved away is not made again; where it went is said."""
    tracker, records = synced()
    tracker.transfer(ITEM, "https://github.com/acme/other/issues/9")
    made = plan_for(records, tracker)
    assert not made.changes
    told = "#2 was moved to https://github.com/acme/other/issues/9; --recreate INC-1/AI-1 makes a new one"
    assert kept_rows(made) == [("INC-1/AI-1", ITEM, told)]


def test_deleted_is_kept_until_it_is_asked_for() -> None:
    """Deleting is a decision of people; --recreate KEY makes a new one, whose number then goes into the record."""
    tracker, records = synced()
    tracker.delete(ITEM)
    made = plan_for(records, tracker)
    assert not made.changes
    assert kept_rows(made) == [
        ("INC-1/AI-1", ITEM, "#2 was deleted on the tracker; --recreate INC-1/AI-1 makes a new one")
    ]
    sync(records, tracker, recreate={"INC-1/AI-1"})
    after = merged(records, plan_for(records, tracker))
    assert after[0].incident.action_items[0].issue == 3
    assert not plan_for(after, tracker).changes
    assert not plan_for(after, tracker, recreate={"INC-1/AI-1"}).changes, "asked twice, made once"


def test_a_key_that_no_record_has_cannot_be_recreated() -> None:
    """A slip of the pen is told."""
    tracker, records = synced()
    with pytest.raises(UserError, match="INC-9: no record asks for it"):
        plan_for(records, tracker, recreate={"INC-9"})


def test_an_edited_body_is_put_back_and_peoples_text_stays() -> None:
    """Inside the block the record wins; above and below it belongs to people."""
    tracker, records = synced()
    body = tracker.issues[ITEM].body
    head, rest = body.split("\n", 1)
    title = next(line for line in rest.split("\n") if "**Owner:**" in line)
    tracker.edit(ITEM, body=f"{head}\nabove\n{rest.replace(title, '', 1)}\nbelow")
    assert plan_for(records, tracker).changes[0].reason == "the generated text was edited; the record wins"
    sync(records, tracker)
    assert tracker.issues[ITEM].body == f"{head}\nabove\n{rest}\nbelow"


def test_what_people_write_in_the_generated_text_moves_below_it() -> None:
    """Own steps and notes, in order and once, and the box keeps its tick, while the record moves on as well."""
    tracker, records = synced()
    body = tracker.issues[MAIN].body
    box = next(
        line for line in body.split("\n") if line.startswith("- [ ] ") and "<!-- box:" in line and "! -->" not in line
    )
    noted = box.replace("[ ]", "[x]").replace(" <!--", " yes, done 10:20 @alice <!--")
    tracker.edit(MAIN, body=body.replace(box, f"{noted}\n- [ ] call the vendor") + "\nmine")
    records = [records[0]._replace(incident=msgspec.structs.replace(records[0].incident, severity="SEV2"))]
    assert plan_for(records, tracker).changes[-1].reason == "what people wrote in the generated text moves below it"
    sync(records, tracker)
    parts = generated_block.parse_body(tracker.issues[MAIN].body)
    assert parts.is_ours
    said = noted.partition(" <!--")[0]
    assert parts.below == ("", said, "- [ ] call the vendor", "", "mine")
    assert box.replace("[ ]", "[x]") in (parts.block or "")
    assert not plan_for(records, tracker).changes


def test_a_label_that_somebody_adds_during_the_run_stays() -> None:
    """Labels and people are set one by one: what comes between the look and the write is not written over."""
    tracker, records = synced()

    def add(name: str, acted: bool) -> None:
        if name == "update" and not acted:
            tracker.edit(MAIN, labels=(*tracker.issues[MAIN].labels, "mine"), assignees=("carol",))

    records = [records[0]._replace(incident=msgspec.structs.replace(records[0].incident, severity="SEV2"))]
    run(plan_for(records, tracker), Watched(tracker, add))
    assert set(tracker.issues[MAIN].labels) == {"incident", "SEV2", "state:in-progress", "mine"}
    assert "carol" in tracker.issues[MAIN].assignees


def test_ticks_come_back_with_the_box() -> None:
    """A level that does not show a box keeps its tick; a box that is shown again without it was emptied by people."""
    worst = generated_block.generated_text(
        "\n".join([generated_block.box_line("Page", "war/page"), generated_block.box_line("Tell", "war/tell")])
    )
    mild = generated_block.generated_text("Nothing to tick.")
    body = generated_block.compose("INC-1", worst).replace("[ ] Page", "[x] Page")
    for text in (mild, "Other words.", worst):
        body = generated_block.compose("INC-1", text, generated_block.parse_body(body))
    assert "[x] Page" in body
    assert "[ ] Tell" in body
    emptied = generated_block.parse_body(body.replace("[x]", "[ ]"))
    assert "[x]" not in generated_block.compose("INC-1", worst, emptied)


@pytest.mark.parametrize("lost", [generated_block.BEGIN, generated_block.END, "<!-- incident-ops v1 "])
def test_a_removed_marker_is_put_back(lost: str) -> None:
    """An issue of ours without its first line is known by the number in the record."""
    tracker, records = synced()
    lines = tracker.issues[ITEM].body.split("\n")
    tracker.edit(ITEM, body="\n".join(line for line in lines if not line.startswith(lost)) + "\nmine")
    assert plan_for(records, tracker).changes[0].reason == "a marker was removed"
    sync(records, tracker)
    assert tracker.issues[ITEM].body.split("\n")[: len(lines)] == lines
    assert tracker.issues[ITEM].body.count("mine") == 1
    assert not plan_for(records, tracker).changes


def test_ticked_boxes_survive_a_new_text() -> None:
    """A tick is no drift, and it is carried into the next text of the record, by its key."""
    made = generated_block.generated_text(
        "\n".join([generated_block.box_line("Page someone", "page"), generated_block.box_line("Tell the team", "tell")])
    )
    seen = generated_block.compose("INC-1", made).replace("[ ] Tell", "[x] Tell")
    parts = generated_block.parse_body(seen)
    assert parts.is_ours
    assert generated_block.compose("INC-1", made, parts) == seen
    new = generated_block.compose("INC-1", generated_block.generated_text(f"changed\n{made}"), parts)
    assert "[x] Tell" in new
    assert "[ ] Page" in new
    broken = generated_block.parse_body(seen.replace(f"\n{generated_block.END}", ""))
    assert generated_block.compose("INC-1", made, broken) == seen


def test_an_unmarked_issue_of_ours_is_listed() -> None:
    """Nothing leads back to a record, so people decide."""
    tracker, records = synced()
    number = tracker.open_by(tracker.author, "left over", "no mark", ("incident",))
    reason = "github-actions[bot] opened it, and no record claims it"
    assert kept_rows(plan_for(records, tracker)) == [("unmarked", number, reason)]
    tracker.edit(number, state="closed", state_reason="completed")
    assert kept_rows(plan_for(records, tracker)) == []


def test_a_duplicated_key_is_closed_with_one_comment() -> None:
    """The record's number stays, even where another is lower; others are closed as duplicates and told why, once."""
    tracker, records = synced()
    twin = tracker.open_by(tracker.author, "copy", tracker.issues[ITEM].body, ("action-item",))
    tracker.seat("mallory").open_by("mallory", "copy", tracker.issues[ITEM].body, ("action-item",))
    records = written_back(records, {records[0].path: (Set(("action_items", 0, "issue"), twin),)})
    assert (CLOSE, "INC-1/AI-1") in steps(plan_for(records, tracker))
    sync(records, tracker)
    assert (tracker.issues[ITEM].state, tracker.issues[ITEM].state_reason) == ("closed", "duplicate")
    assert tracker.issues[twin].is_open
    assert list(tracker.comments) == [ITEM]
    assert f"#{twin} stands for the same record (INC-1/AI-1)" in tracker.comments[ITEM]["duplicate"]
    assert not plan_for(records, tracker).changes


def test_a_duplicate_that_a_record_names_gives_way() -> None:
    """A number of an issue that was closed as a duplicate is corrected; no item is dropped for it."""
    tracker, records = synced()
    twin = tracker.open_by(tracker.author, "copy", tracker.issues[ITEM].body, ("action-item",))
    sync(records, tracker)
    assert tracker.issues[twin].state_reason == "duplicate"
    wrong = written_back(records, {records[0].path: (Set(("action_items", 0, "issue"), twin),)})
    made = plan_for(wrong, tracker)
    assert merged(wrong, made) == records
    tracker.delete(ITEM)
    assert steps(plan_for(wrong, tracker)) == [("update", "INC-1"), ("reopen", "INC-1/AI-1")], "its text names it"


def test_hands_off_leaves_everything_alone() -> None:
    """Title, labels, text, state, copies: nothing is touched, and it is said."""
    tracker, records = synced()
    copy = tracker.open_by(tracker.author, "copy", tracker.issues[MAIN].body, ("incident", "Incident-Ops:Hands-Off"))
    tracker.edit(ITEM, labels=("incident-ops:hands-off", "action-item"), title="mine")
    tracker.close_by("carol", ITEM)
    made = plan_for(records, tracker)
    assert not made.changes
    assert kept_rows(made) == [
        ("INC-1", copy, "people asked that it be left alone"),
        ("INC-1/AI-1", ITEM, "people asked that it be left alone"),
    ]


def test_a_marker_pasted_by_a_stranger_counts_nothing() -> None:
    """Anybody can copy our first line; the issue stays theirs, and the key gets its own."""
    tracker = MemoryTracker()
    tracker.open_by("mallory", "mine now", generated_block.compose("INC-1", "x"), ("incident",))
    records = [record(1)]
    made = plan_for(records, tracker)
    assert ("INC-1", 1, "our mark, pasted by mallory, does not count") in kept_rows(made)
    sync(records, tracker)
    assert tracker.issues[1] == Issue(
        number=1, title="mine now", body=generated_block.compose("INC-1", "x"), labels=("incident",), author="mallory"
    )
    assert tracker.issues[2].title.startswith("INC-1: ")


def test_a_marker_of_a_bot_that_is_not_trusted_stops_the_plan() -> None:
    """A forgotten setting opens no second issue: the identity to add is named."""
    tracker, records = synced()
    tracker.edit(ITEM, author="other-app[bot]")
    with pytest.raises(UserError, match=r"other-app\[bot\].*add other-app\[bot\] to tracker.identities"):
        plan_for(written_back(records, {records[0].path: (Set(("action_items", 0, "issue"), None),)}), tracker)


def test_another_identity_of_ours_plans_nothing() -> None:
    """From the token of the workflow to an App and back: both are trusted, nothing changes."""
    tracker, records = synced()
    assert not plan_for(records, tracker.seat("acme-ops[bot]")).changes
    tracker.edit(ITEM, author="Acme-Ops[bot]")
    assert not plan_for(records, tracker).changes


def test_an_unknown_assignee_is_left_out_and_told_once() -> None:
    """One who does not belong to the repository keeps no issue from being made, and is in no plan."""
    tracker = MemoryTracker(can_be_assigned={"alice"})
    records = [record(1, item(1), item(2))]
    made = plan_for(records, tracker)
    assert ("INC-1/AI-1", None, "@bob cannot be assigned on this tracker (2 of our issues)") in kept_rows(made)
    assert {one.outcome for one in run(made, tracker)} == {"done"}
    assert [issue.assignees for issue in tracker.issues.values()] == [("alice",), (), ()]
    assert {action for action, _ in steps(plan_for(records, tracker))} == {EDIT}


def test_an_assignee_who_was_removed_comes_back_and_others_stay() -> None:
    """The record's people are on the issue; whoever people add stays, and ten are all that fit."""
    tracker, records = synced()
    tracker.edit(ITEM, assignees=("carol",))
    sync(records, tracker)
    assert tracker.issues[ITEM].assignees == ("carol", "bob")
    tracker.edit(ITEM, assignees=tuple(f"p{number}" for number in range(10)))
    assert not plan_for(records, tracker).changes


def test_a_removed_parent_is_linked_again_and_another_one_stays() -> None:
    """An item's issue hangs below its tracking issue; where people put it below another, it stays there."""
    tracker, records = synced()
    assert tracker.issues[ITEM].parent == MAIN
    tracker.edit(ITEM, parent=None)
    made = plan_for(records, tracker)
    assert [one.fields for one in made.changes] == [{"parent": "INC-1"}]
    run(made, tracker)
    assert tracker.issues[ITEM].parent == MAIN
    tracker.edit(ITEM, parent=77)
    assert not plan_for(records, tracker).changes


def test_without_sub_issues_no_parent_is_planned() -> None:
    """The task list is all there is then, and a second plan is empty."""
    tracker, _ = synced(has_sub_issues=False)
    assert tracker.issues[ITEM].parent is None


def test_a_number_of_a_strangers_issue_is_told() -> None:
    """A record that names an issue which is not ours gets neither that one nor a second one."""
    tracker, records = synced(record(1, item(1)), record(2))
    theirs = tracker.open_by("carol", "an idea", "text")
    for number, words in ((theirs, "which is not an issue of ours"), (MAIN, "which belongs to INC-1")):
        other = [*records, record(3)]
        other = written_back(other, {other[2].path: (Set(("links", "tracking_issue"), number),)})
        made = plan_for(other, tracker)
        assert not made.changes
        assert f"the record names #{number}, {words}; take the number out of the record" in made.kept[0].reason


def test_a_deleted_record_closes_its_issues_and_a_missing_one_does_not() -> None:
    """Only a deletion in git closes; the record that comes back opens them again."""
    tracker, records = synced(record(1, item(1)), record(2))
    assert not plan_for(records[1:], tracker).changes
    made = plan_for(records[1:], tracker, deleted={"INC-1": "0123456789abcdef"})
    assert [(one.action, one.state_reason, one.reason) for one in made.changes] == [
        (CLOSE, "not_planned", "its record was deleted in git by 0123456789ab")
    ] * 2
    run(made, tracker)
    assert not plan_for(records[1:], tracker, deleted={"INC-1": "0123456789abcdef"}).changes
    assert steps(plan_for(records, tracker)) == [("reopen", "INC-1"), ("reopen", "INC-1/AI-1")]
    run(plan_for(records, tracker), tracker)
    assert not plan_for(records, tracker).changes


def test_a_pending_record_is_on_the_tracker_and_not_written_to() -> None:
    """Before the merge there is nothing to write numbers or closings to."""
    pending = record(1, item(1))._replace(pending=True)
    tracker = MemoryTracker()
    sync([pending], tracker)
    tracker.close_by("carol", ITEM)
    made = plan_for([pending], tracker)
    assert not made.changes
    assert kept_rows(made)[-1][2] == "a person closed it, though the item is open; the record is not merged yet"


def test_numbers_of_the_hosted_tracker_mean_nothing_to_the_local_one(tmp_path) -> None:
    """A fresh clone's own tracker opens its own issues, and writes no number back."""
    from tests.reconcile.builders import local

    _, records = synced()
    tracker = local(tmp_path)
    made = plan_for(records, tracker)
    assert steps(made) == [(CREATE, "INC-1"), (CREATE, "INC-1/AI-1")]
    run(made, tracker)
    assert not plan_for(records, tracker).changes
    assert tracker.closing(1) == Closing()


def test_a_milestone_of_peoples_stays() -> None:
    """Whether the item is due by a release or not: only the releases of the policy are ours to move."""
    tracker = MemoryTracker()
    tracker.create_milestone(Milestone(title="Q2 hardening"))
    synced_by_release([due(DAY)], tracker)
    number = next(issue.number for issue in tracker.owned() if issue.milestone)
    tracker.edit(number, milestone="Q2 hardening")
    for records in ([due(DAY)], [due(LATER)], [due(None)]):
        synced_by_release(records, tracker)
        assert milestones(tracker)[KEY] == "Q2 hardening"


@pytest.mark.parametrize("title", [None, "2025.4"])
def test_a_milestone_of_a_release_is_put_back(title: str | None) -> None:
    """Taken off, or replaced by that of another release."""
    tracker = MemoryTracker()
    tracker.create_milestone(Milestone(title="2025.4", due=LATER))
    synced_by_release([due(DAY)], tracker)
    number = next(issue.number for issue in tracker.owned() if issue.milestone)
    tracker.edit(number, milestone=title)
    synced_by_release([due(DAY)], tracker)
    assert milestones(tracker)[KEY] == "2025.3"
