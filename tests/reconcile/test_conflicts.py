"""An issue and its record contradict each other: who wins, and what the issue says. Each test is a row of the table
"When an issue and its record contradict each other" in docs/reconcile.md."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from incident_ops.app.observed_tracker import seen_on_tracker
from incident_ops.documents.issue_comments import unsettled_comment
from incident_ops.domain.incident import ActionItem, Change, Measure, Postmortem, Prevention
from incident_ops.domain.record import Append, Record, Set
from incident_ops.domain.tracker import IssueEdit
from incident_ops.reconcile import generated_block
from incident_ops.reconcile import observe as observing
from incident_ops.reconcile.changes import CLOSE, EDIT, REOPEN, UPDATE
from incident_ops.reconcile.diff import edits_by_path, new_numbers
from incident_ops.reconcile.people import measure_key
from incident_ops.reconcile.plan import Plan, leave_edits, make_plan
from incident_ops.reconcile.proposals import fingerprint, refusal, refusals
from incident_ops.reconcile.unsettled import say_unsettled
from tests.reconcile import builders
from tests.reconcile.builders import (
    item,
    merged,
    plan_for,
    plan_with_comments,
    proposal_of,
    record,
    run,
    steps,
    sync,
    synced,
    wanted,
    written_back,
)
from tests.support.memory_tracker import MemoryTracker

MAIN, ITEM = 1, 2
"""The numbers of the tracking issue and of the item's."""
NOON, LATER = "2025-02-01T12:00:00Z", "2025-02-02T12:00:00Z"


def says(records: list[Record], **fields: object) -> list[Record]:
    """The records after somebody wrote these fields of the item."""
    edits = tuple(Set(("action_items", 0, name), value) for name, value in fields.items())
    return written_back(records, {records[0].path: edits})


def done_at(tracker: MemoryTracker, records: list[Record], at: str = NOON) -> list[Record]:
    """The records after the item was done, and its issue closed by the run."""
    records = says(records, status="done", done_at=at, done_by="@bob")
    sync(records, tracker)
    assert not tracker.issues[ITEM].is_open
    return records


def comment(tracker: MemoryTracker, number: int = ITEM) -> str:
    """Our one comment on an issue, without what keeps a name from being pinged or a bracket from being a link."""
    text = tracker.comments.get(number, {}).get("unsettled", "")
    return text.replace("&#8203;", "").replace("\\[", "[").replace("\\]", "]")


def act(tracker: MemoryTracker, records: list[Record]) -> Plan:
    """One whole run; the next one has nothing to do on the tracker."""
    made = plan_with_comments(records, tracker)
    run(made, tracker)
    again = plan_with_comments(records, tracker)
    assert not [change for change in again.changes if change.is_on_tracker], "nothing is done twice"
    return made


def settled(tracker: MemoryTracker, records: list[Record]) -> bool:
    """True where a run leaves nothing over and the comment says so."""
    act(tracker, records)
    said = tracker.comments.get(ITEM, {}).get("unsettled", "")
    return not plan_with_comments(records, tracker).changes and said == "Settled: this issue and its record agree."


def only(records: list[Record]) -> ActionItem:
    (found,) = records[0].incident.action_items
    return found


def test_reopened_after_done_opens_the_item() -> None:
    """The person acted last: the item is open again, with who and when, and the issue says what it waits for."""
    tracker, records = synced()
    records = done_at(tracker, records)
    tracker.reopen_by("bob", ITEM, LATER)
    made = act(tracker, records)
    assert ("edit", "INC-1/AI-1") in steps(made)
    says_so = (
        "@bob reopened this issue (2025-02-02 12:00 UTC); the record says it has been done since 2025-02-01 12:00 UTC."
    )
    assert comment(tracker).startswith(says_so)
    assert "Merge the proposal that opens the item again, or close this issue" in comment(tracker)
    after = merged(records, made)
    assert (only(after).status, only(after).done_at, only(after).done_by) == ("open", None, None)
    row = Change(at=LATER, field="status", old="done", new="open", by="@bob", reason="reopened on the tracker (#2)")
    assert only(after).changes == [row]
    assert settled(tracker, after)
    assert tracker.issues[ITEM].is_open


def test_reopened_and_closed_again_is_settled() -> None:
    """Both agree again: nothing is proposed, and the comment says so."""
    tracker, records = synced()
    records = done_at(tracker, records)
    tracker.reopen_by("bob", ITEM, LATER)
    act(tracker, records)
    tracker.close_by("bob", ITEM, at="2025-02-03T00:00:00Z")
    assert settled(tracker, records)
    assert only(records).status == "done"


@pytest.mark.parametrize("at", [LATER, "2025-02-02"])
def test_done_after_it_was_reopened_closes_the_issue(at: str) -> None:
    """The record is later, or of the same day: the issue is closed. Reopening it once more would count."""
    tracker, records = synced()
    tracker.close_by("bob", ITEM, at="2025-02-01T00:00:00Z")
    tracker.reopen_by("bob", ITEM, "2025-02-02T11:00:00Z")
    made = act(tracker, says(records, status="done", done_at=at))
    assert (CLOSE, "INC-1/AI-1") in steps(made)
    assert not made.record_edits


def test_reopened_before_the_run_saw_it_closed_opens_the_item() -> None:
    """Closed, written into the record, and reopened before the next run: the reopening is the last word."""
    tracker, records = synced()
    tracker.close_by("bob", ITEM, at=NOON)
    records = merged(records, plan_for(records, tracker))
    tracker.reopen_by("bob", ITEM, LATER)
    made = act(tracker, records)
    assert [step for step in steps(made) if step[0] != UPDATE] == [(EDIT, "INC-1/AI-1")]


def test_reopened_though_it_will_not_be_done_opens_the_item() -> None:
    """`wont_do` has no date: the run had closed the issue, so the person acted last."""
    tracker, records = synced()
    records = says(records, status="wont_do", reason="too dear")
    sync(records, tracker)
    tracker.reopen_by("bob", ITEM, LATER)
    made = act(tracker, records)
    assert "the record says that it will not be done" in comment(tracker)
    after = merged(records, made)
    assert (only(after).status, only(after).reason) == ("open", None)


def test_opened_in_the_record_after_it_was_closed_reopens_the_issue() -> None:
    """The record is later: the issue is opened, and the closing is no news."""
    tracker, records = synced()
    tracker.close_by("bob", ITEM, at=NOON)
    row = {"at": LATER, "field": "status", "from": "done", "to": "open"}
    later = written_back(records, {records[0].path: (Append(("action_items", 0, "changes"), row),)})
    made = act(tracker, later)
    assert steps(made) == [(REOPEN, "INC-1/AI-1")]


def test_an_edit_that_cannot_be_made_is_said_on_the_issue() -> None:
    """A record that takes no such edit: the issue says why, until it does."""
    tracker, records = synced()
    tracker.close_by("bob", ITEM, at=NOON)
    made = plan_for(records, tracker)
    (change,) = made.changes
    (kept,) = leave_edits(made, {fingerprint(change): refusal(f"{change.reason}, but its record is broken")}).kept
    assert kept.said == kept.reason + "." == "@bob closed it as completed, but its record is broken."


def test_a_tracking_issue_closed_before_the_incident_is_over_is_opened_again() -> None:
    """An incident ends in its record; one comment names the way, and stays."""
    tracker, records = synced()
    tracker.close_by("carol", MAIN)
    made = act(tracker, records)
    assert [(change.action, change.reason) for change in made.changes] == [
        (REOPEN, "@carol closed it, though the incident is in progress")
    ]
    assert tracker.issues[MAIN].is_open
    assert "@carol closed this issue, and it is open again: the incident is in progress." in comment(tracker, MAIN)
    assert "`incident-ops resolve INC-1`, then `incident-ops close INC-1`" in comment(tracker, MAIN)
    tracker.close_by("carol", MAIN)
    act(tracker, records)
    assert list(tracker.comments[MAIN]) == ["unsettled"]


def test_a_tracking_issue_reopened_after_the_incident_is_left_open() -> None:
    """Within `auto_reopen` the record follows by itself; after that the issue names the command."""
    tracker, records = synced(record(1, item(1, "done", done_at=NOON)))
    closed = written_back(records, {records[0].path: (Set(("state",), "closed"),)})
    sync(closed, tracker)
    assert not tracker.issues[MAIN].is_open
    tracker.reopen_by("bob", MAIN, LATER)
    act(tracker, closed)
    assert tracker.issues[MAIN].is_open
    assert "@bob reopened this issue, though the incident is closed and has no open item." in comment(tracker, MAIN)
    assert "`incident-ops reopen INC-1` reopens the record; otherwise close this issue again." in comment(tracker, MAIN)


def test_reassigned_gives_the_item_its_new_owner() -> None:
    """Bob goes, alice comes: she owns it, with who and when; nobody is put back meanwhile."""
    tracker, records = synced()
    tracker.assign_by("carol", ITEM, ["alice"], LATER)
    made = act(tracker, records)
    assert [(change.action, change.reason) for change in made.changes] == [
        (EDIT, "@carol assigned @alice instead of @bob")
    ]
    assert tracker.issues[ITEM].assignees == ("alice",)
    after = merged(records, made)
    assert only(after).owner == "@alice"
    row = Change(at=LATER, field="owner", old="@bob", new="@alice", by="@carol", reason="assigned on the tracker (#2)")
    assert only(after).changes == [row]
    act(tracker, after)
    assert not plan_with_comments(after, tracker).changes


def test_a_helper_who_stays_is_not_the_owner() -> None:
    """Whoever is assigned beside the owner helps."""
    tracker, records = synced()
    tracker.assign_by("carol", ITEM, ["bob", "alice"], LATER)
    assert not plan_with_comments(records, tracker).changes


def test_the_first_one_assigned_owns_an_item_without_an_owner() -> None:
    """Nobody owned it; whoever is assigned alone does."""
    tracker, records = synced(record(1, item(1, owner=None)))
    tracker.assign_by("carol", ITEM, ["alice"], LATER)
    made = act(tracker, records)
    assert only(merged(records, made)).owner == "@alice"


def test_an_owner_given_in_the_record_later_is_assigned() -> None:
    """The record is later than the act on the issue: its owner is put back."""
    tracker, records = synced()
    tracker.assign_by("carol", ITEM, ["alice"], NOON)
    row = {"at": LATER, "field": "owner", "from": "@alice", "to": "@bob"}
    later = written_back(records, {records[0].path: (Append(("action_items", 0, "changes"), row),)})
    made = act(tracker, later)
    assert [(change.action, change.fields) for change in made.changes] == [(UPDATE, {"add_assignees": ["bob"]})]


@pytest.mark.parametrize(("left", "words"), [([], "nobody is assigned"), (["alice", "dave"], "several people")])
def test_an_owner_taken_off_without_one_successor_is_asked_about(left: list[str], words: str) -> None:
    """Nobody is put back and nobody is guessed: the issue asks, until one person is assigned."""
    tracker, records = synced()
    tracker.assign_by("carol", ITEM, left, NOON)
    act(tracker, records)
    assert f"@carol took @bob off, and {words}" in comment(tracker)
    assert "`incident-ops action edit AI-1 INC-1 --owner @name`" in comment(tracker)
    assert tracker.issues[ITEM].assignees == tuple(left)
    tracker.assign_by("carol", ITEM, ["bob"], LATER)
    assert settled(tracker, records)


def test_a_strangers_act_does_not_count() -> None:
    """Neither owner, member nor collaborator: the record stays, and the issue says why."""
    tracker, records = synced(can_be_assigned={"alice", "bob", "carol"})
    tracker.close_by("mallory", ITEM, at=NOON)
    made = act(tracker, records)
    assert not made.record_edits
    why = "@mallory closed this issue, but is not an owner, member or collaborator here; the item is open."
    assert comment(tracker).startswith(why)
    tracker.reopen_by("bob", ITEM, LATER)
    tracker.assign_by("mallory", ITEM, [], LATER)
    assert settled(tracker, records)
    assert tracker.issues[ITEM].assignees == ("bob",)
    records = done_at(tracker, records, "2025-02-02T18:00:00Z")
    tracker.reopen_by("mallory", ITEM, "2025-02-03T00:00:00Z")
    assert not act(tracker, records).record_edits
    assert "@mallory reopened this issue, but is not an owner, member or collaborator" in comment(tracker)


def test_a_bots_closing_counts_with_a_merged_change_alone() -> None:
    """A bot that tidies up finishes nothing; one that merged a fix does, and the record names no person."""
    tracker, records = synced()
    tracker.close_by("stale[bot]", ITEM, "not_planned")
    assert not act(tracker, records).record_edits
    assert "@stale[bot] closed this issue, but only what people do counts; the item is open." in comment(tracker)
    tracker.close_by("merge[bot]", ITEM, evidence="https://github.com/acme/app/pull/7")
    after = merged(records, plan_for(records, tracker))
    assert (only(after).status, only(after).done_at, only(after).done_by) == ("done", "unknown", None)


def test_the_comment_is_changed_in_place_and_comes_back() -> None:
    """One comment, whatever happens; where its hidden line is lost it is written once more, in its place."""
    tracker, records = synced()
    tracker.assign_by("carol", ITEM, [], NOON)
    act(tracker, records)
    body = tracker.issues[ITEM].body
    first = comment(tracker)
    tracker.edit(ITEM, body="\n".join(line for line in body.split("\n") if "said=" not in line) + "\nmine")
    act(tracker, records)
    assert (comment(tracker), list(tracker.comments[ITEM])) == (first, ["unsettled"])
    assert "mine" in tracker.issues[ITEM].body
    tracker.assign_by("carol", ITEM, ["alice", "dave"], LATER)
    act(tracker, records)
    assert "several people" in comment(tracker)


def test_what_is_said_survives_a_new_text_and_hands_off() -> None:
    """A change of the record goes on around the comment; an issue that is left alone keeps it."""
    tracker, records = synced()
    tracker.assign_by("carol", ITEM, [], NOON)
    act(tracker, records)
    first = comment(tracker)
    records = says(records, title="Mend it well")
    act(tracker, records)
    assert comment(tracker) == first
    assert "Mend it well" in tracker.issues[ITEM].title
    tracker.assign_by("carol", ITEM, ["bob"], LATER)
    tracker.edit(ITEM, labels=(*tracker.issues[ITEM].labels, "incident-ops:hands-off"))
    assert not plan_with_comments(records, tracker).changes


def test_more_than_one_run_asks_about_is_left_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody asked about is neither changed nor put back."""
    tracker, records = synced(record(1, item(1), item(2)))
    for number in (ITEM, ITEM + 1):
        tracker.assign_by("carol", number, ["alice"], LATER)
    monkeypatch.setattr(observing, "MOST_ASKED", 1)
    made = plan_with_comments(records, tracker)
    assert steps(made) == [(EDIT, "INC-1/AI-1")]
    assert [(one.key, one.reason) for one in made.kept] == [
        ("INC-1/AI-2", "who was assigned is left for the next run, which asks about it")
    ]
    assert not plan_with_comments(merged(records, made), tracker).record_edits.keys() - {records[0].path}


def test_what_is_left_for_the_next_run_says_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment is not settled by a run that had no room to ask, and a tracking issue waits for its turn."""
    tracker, records = synced()
    tracker.assign_by("carol", ITEM, [], NOON)
    act(tracker, records)
    tracker.close_by("carol", MAIN, at=LATER)
    monkeypatch.setattr(observing, "MOST_ASKED", 0)
    made = plan_with_comments(records, tracker)
    assert not made.changes
    assert ("INC-1", "who closed it is left for the next run, which asks about it") in [
        (one.key, one.reason) for one in made.kept
    ]


def test_a_ticked_box_makes_its_item_done() -> None:
    """The box in the tracking issue: who ticked it and when come into the record, and then its issue is closed."""
    tracker, records = synced()
    tracker.tick_by("bob", MAIN, "AI-1", LATER)
    made = act(tracker, records)
    assert [(change.action, change.reason) for change in made.changes] == [(EDIT, "@bob ticked its box in #1")]
    tracker.update(MAIN, IssueEdit(body=f"{tracker.issues[MAIN].body}\nours"))
    assert plan_with_comments(records, tracker).record_edits == made.record_edits, "a later text changes nothing"
    after = merged(records, made)
    assert (only(after).status, only(after).done_at, only(after).done_by) == ("done", LATER, "@bob")
    act(tracker, after)
    assert not tracker.issues[ITEM].is_open
    assert not plan_with_comments(after, tracker).changes
    assert tracker.comments == {}


def test_a_box_ticked_before_the_record_opened_its_item_again_is_left() -> None:
    """The record is later; the box can only be emptied by people, and the item's issue says so."""
    tracker, records = synced()
    tracker.tick_by("bob", MAIN, "AI-1", NOON)
    row = {"at": LATER, "field": "status", "from": "done", "to": "open"}
    later = written_back(records, {records[0].path: (Append(("action_items", 0, "changes"), row),)})
    assert not act(tracker, later).record_edits
    assert "@bob ticked the box of this item in #1 before it was opened again. Untick it there." in comment(tracker)


def test_a_box_that_nobody_is_known_to_have_ticked_is_asked_about() -> None:
    """Nobody is guessed: closing the item's issue says it."""
    tracker, records = synced()
    tracker.edit(MAIN, body=tracker.issues[MAIN].body.replace("- [ ] **AI-1**", "- [x] **AI-1**"))
    assert not act(tracker, records).record_edits
    assert "is ticked, and nothing tells by whom. Close this issue if it is done." in comment(tracker)


def test_a_box_that_a_stranger_ticked_does_not_count() -> None:
    """As with closing: the item's issue says why."""
    tracker, records = synced(can_be_assigned={"alice", "bob"})
    tracker.tick_by("mallory", MAIN, "AI-1", LATER)
    assert not act(tracker, records).record_edits
    assert "@mallory ticked the box of this item in #1, but is not an owner, member or collaborator" in comment(tracker)


def test_a_ticked_measure_gets_its_date() -> None:
    """Prevention measures have no issue: their box writes `done_at`, also when the incident is long closed."""
    measures = Prevention(short=[Measure(text="Alert on locks")], long=[Measure(text="Leave the old database")])
    one = record(1, item(1, "done", done_at=NOON), state="closed")
    one = one._replace(incident=replace(one.incident, postmortem=Postmortem(status="final", prevention=measures)))
    tracker = MemoryTracker()
    opened = one._replace(incident=replace(one.incident, state="resolved"))
    sync([opened], tracker)
    (records,) = ([one],)
    records = written_back(records, edits_by_path(new_numbers(wanted(records), {"INC-1": MAIN})))
    sync(records, tracker)
    assert not tracker.issues[MAIN].is_open
    tracker.tick_by("bob", MAIN, measure_key("long", "Leave the old database"), LATER)
    made = act(tracker, records)
    assert [(change.action, change.reason) for change in made.changes] == [
        (EDIT, "@bob ticked the prevention measure 'Leave the old database'")
    ]
    after = merged(records, made)
    planned = after[0].incident.postmortem.prevention
    assert [measure.done_at for measure in (*planned.short, *planned.long)] == [None, LATER]
    act(tracker, after)
    assert "Leave the old database · done 2025-02-02 12:00 UTC" in tracker.issues[MAIN].body
    assert not plan_with_comments(after, tracker).changes


def with_measures(*texts: str) -> tuple[MemoryTracker, list[Record]]:
    """A tracker in step with a record that has prevention measures."""
    one = record(1, item(1))
    measures = Prevention(short=[Measure(text=text) for text in texts])
    one = one._replace(incident=replace(one.incident, postmortem=Postmortem(status="final", prevention=measures)))
    tracker = MemoryTracker(can_be_assigned={"alice", "bob", "carol"})
    made = {done.change.key: done.number for done in sync([one], tracker) if done.number}
    return tracker, written_back([one], edits_by_path(new_numbers(wanted([one]), made)))


def test_each_ticked_measure_is_an_edit_of_its_own() -> None:
    """So that a "no" to one is no "no" to another."""
    tracker, records = with_measures("Alert on locks", "Leave the old database")
    for text in ("Alert on locks", "Leave the old database"):
        tracker.tick_by("bob", MAIN, measure_key("short", text), LATER)
    edits = [change for change in act(tracker, records).changes if change.action == EDIT]
    assert [change.reason for change in edits] == [
        "@bob ticked the prevention measure 'Alert on locks'",
        "@bob ticked the prevention measure 'Leave the old database'",
    ]
    assert len({fingerprint(change) for change in edits}) == 2


def test_a_measure_that_a_stranger_ticked_is_told() -> None:
    """As with the box of an item: the issue says who it was and why it does not count."""
    tracker, records = with_measures("Alert on locks")
    tracker.tick_by("mallory", MAIN, measure_key("short", "Alert on locks"), LATER)
    assert not act(tracker, records).record_edits
    why = "@mallory ticked the prevention measure 'Alert on locks', but is not an owner, member or collaborator here."
    assert comment(tracker, MAIN).startswith(why)


def test_what_we_did_ourselves_is_no_persons_act(ours: str) -> None:
    """Our own reopening, ticking and assigning follow a record: they neither count nor are blamed."""
    tracker, records = synced(author=ours)
    tracker.reopen_by(ours, ITEM, LATER)
    again = says(records, status="done", done_at="2025-01-30")
    assert (CLOSE, "INC-1/AI-1") in steps(act(tracker, again))
    assert comment(tracker) == ""
    tracker, records = synced(author=ours)
    tracker.tick_by(ours, MAIN, "AI-1", LATER)
    assert not act(tracker, records).record_edits
    assert "is ticked, and nothing tells by whom" in comment(tracker)
    tracker, records = synced(record(1, item(1, owner=None)), author=ours)
    tracker.assign_by(ours, ITEM, ["carol"], LATER)
    assert not act(tracker, records).record_edits
    assert comment(tracker) == ""


def test_who_runs_the_automation_is_a_person_too(ours: str) -> None:
    """What the automation cannot have done counts as anybody's: it marks what it closes, and takes nobody off."""
    is_person = not ours.endswith("[bot]")
    tracker, records = synced(author=ours)
    tracker.close_by(ours, ITEM, at=LATER)
    assert bool(act(tracker, records).record_edits) is is_person
    tracker, records = synced(author=ours)
    records = done_at(tracker, records)
    tracker.reopen_by(ours, ITEM, LATER)
    assert bool(act(tracker, records).record_edits) is is_person
    tracker, records = synced(author=ours)
    tracker.assign_by(ours, ITEM, [], LATER)
    act(tracker, records)
    assert tracker.issues[ITEM].assignees == (() if is_person else ("bob",))


def test_what_another_edit_brings_back_needs_no_command() -> None:
    """Within `auto_reopen` the record follows by itself, so the issue asks for nothing."""
    tracker, records = synced(record(1, item(1, "done", done_at=NOON)))
    closed = written_back(records, {records[0].path: (Set(("state",), "closed"),)})
    sync(closed, tracker)
    tracker.reopen_by("bob", MAIN, LATER)
    assert "`incident-ops reopen INC-1`" in str(plan_with_comments(closed, tracker).changes)
    made = plan_with_comments(closed, tracker, returning={"INC-1"})
    assert not made.changes
    assert "@bob reopened it in time, so its record follows" in [one.reason for one in made.kept]


def test_edits_that_this_run_makes_ask_for_no_merge() -> None:
    """Where the policy pushes them, or the records are in the work tree, there is no proposal to merge."""
    tracker, records = synced()
    records = done_at(tracker, records)
    tracker.reopen_by("bob", ITEM, LATER)
    assert "Merge the proposal" in str(plan_with_comments(records, tracker).changes)
    seen = observing.observe(tracker, wanted(records))
    made = make_plan(wanted(records), seen)
    made = say_unsettled(made, wanted(records), seen, unsettled_comment, do_edits_wait=False)
    assert [(change.action, change.comment) for change in made.changes] == [(EDIT, None)]


@pytest.fixture(params=["github-actions[bot]", "Keeper"])
def ours(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A login that the automation writes as: a bot, or a user."""
    trusted = replace(builders.POLICY.tracker, identities=["github-actions[bot]", "keeper"])
    monkeypatch.setattr(builders, "POLICY", replace(builders.POLICY, tracker=trusted))
    return str(request.param)


def test_the_later_of_two_acts_names_who_gave_an_item_its_owner() -> None:
    """Carol takes bob off, dave assigns alice a day later: dave did it, then. The other way round it was carol."""
    tracker, records = synced()
    tracker.assign_by("carol", ITEM, [], NOON)
    tracker.assign_by("dave", ITEM, ["alice"], LATER)
    (made,) = [change for change in plan_for(records, tracker).changes if change.action == EDIT]
    assert (made.reason, made.at) == ("@dave assigned @alice instead of @bob", LATER)
    tracker, records = synced()
    tracker.assign_by("dave", ITEM, ["bob", "alice"], NOON)
    tracker.assign_by("carol", ITEM, ["alice"], LATER)
    (made,) = [change for change in plan_for(records, tracker).changes if change.action == EDIT]
    assert (made.reason, made.at) == ("@carol took @bob off and left @alice", LATER)


def test_whom_a_stranger_assigned_is_named() -> None:
    """Somebody is assigned, so the issue does not say that nobody is."""
    tracker, records = synced(can_be_assigned={"alice", "bob", "carol"})
    tracker.assign_by("carol", ITEM, [], NOON)
    tracker.assign_by("mallory", ITEM, ["alice"], LATER)
    act(tracker, records)
    assert "@carol took @bob off, and @alice is assigned, by nobody who counts here" in comment(tracker)


def test_what_only_waits_for_the_next_run_is_not_said() -> None:
    """Only a "no" and an edit that cannot be made are news for the issue; all else it says as before."""
    tracker, records = synced()
    records = done_at(tracker, records)
    tracker.reopen_by("bob", ITEM, LATER)
    made = plan_for(records, tracker)
    (edit,) = [change for change in made.changes if change.action == EDIT]
    wish, seen = proposal_of([edit])
    unasked = refusals([edit], {wish.branch: replace(seen, pull=None, is_known=False)})
    (kept,) = leave_edits(made, unasked).kept
    assert (kept.reason, kept.said) == ("left for the next run, which looks into other pull requests", edit.said)


def test_a_reopened_issue_that_nobody_asked_about_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without knowing who reopened it nothing is concluded: the next run asks."""
    tracker, records = synced(record(1, item(1), item(2)))
    records = done_at(tracker, records)
    tracker.reopen_by("bob", ITEM, LATER)
    tracker.edit(ITEM, body=generated_block.compose("INC-1/AI-1", "mend it", None, 7))
    monkeypatch.setattr(observing, "MOST_ASKED", 0)
    made = act(tracker, records)
    assert [step for step in steps(made) if step[0] != UPDATE] == []
    assert tracker.issues[ITEM].is_open
    assert ("INC-1/AI-1", "who reopened it is left for the next run, which asks about it") in [
        (one.key, one.reason) for one in made.kept
    ]


@pytest.mark.parametrize(
    ("who", "labels", "is_persons"),
    [("bob", (), True), ("stale[bot]", (), False), ("mallory", (), False), ("bob", ("incident-ops:hands-off",), False)],
)
def test_only_a_persons_reopening_brings_an_incident_back(who: str, labels: tuple[str, ...], is_persons: bool) -> None:
    """For what is due after it as for the comment: not a bot's, not a stranger's, and not with hands off."""
    tracker, records = synced(record(1, item(1, "done", done_at=NOON)), can_be_assigned={"alice", "bob"})
    closed = written_back(records, {records[0].path: (Set(("state",), "closed"),)})
    sync(closed, tracker)
    tracker.reopen_by(who, MAIN, LATER)
    tracker.edit(MAIN, labels=(*tracker.issues[MAIN].labels, *labels))
    seen = observing.observe(tracker, wanted(closed))
    assert seen_on_tracker(wanted(closed), seen)(closed[0].incident).reopened is is_persons
