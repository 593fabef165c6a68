"""The difference between records and tracker, and what is left alone."""

from __future__ import annotations

import msgspec
import pytest

from incident_ops.domain.record import Unread
from incident_ops.domain.tracker import Issue
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.plan import Plan
from tests.reconcile.builders import Forgetful, item, plan_for, plan_from, record, steps, sync


def synced(*records) -> Forgetful:
    tracker = Forgetful()
    sync(records, tracker)
    return tracker


def only_kept(made: Plan) -> str:
    """The one reason for which something is kept, in a plan that does nothing."""
    assert not made.changes
    (kept,) = made.kept
    return kept.reason


def test_a_second_plan_is_empty() -> None:
    """Applying once is enough."""
    records = [record(1, item(1), item(2, "done")), record(2, state="closed")]
    made = plan_for(records, synced(*records))
    assert made.changes == ()
    assert [kept.key for kept in made.kept] == ["INC-1/AI-2", "INC-2"]


def test_what_is_over_and_never_had_an_issue_gets_none() -> None:
    """An import of old incidents opens nothing."""
    records = [record(number, item(1, "done"), state="closed") for number in range(1, 50)]
    made = plan_from(records, [])
    assert made.changes == ()
    assert len(made.kept) == 98


def test_updates_come_before_creates_and_closes() -> None:
    """A run that is cut off did first what people are looking at, then what is worst."""
    tracker = synced(record(1, item(1)), record(2, item(1)))
    now = [
        record(1, item(1, "done"), severity="SEV2"),
        record(2, item(1), state="resolved"),
        record(3),
        record(4, severity="SEV0"),
    ]
    assert steps(plan_for(now, tracker)) == [
        ("update", "INC-2"),
        ("update", "INC-1"),
        ("create", "INC-4"),
        ("create", "INC-3"),
        ("close", "INC-1/AI-1"),
    ]


@pytest.mark.parametrize(("status", "reason"), [("done", "completed"), ("wont_do", "not_planned")])
def test_an_item_that_ended_closes_its_issue(status: str, reason: str) -> None:
    """Done is completed, will not be done is not planned; text and labels follow in the same step."""
    tracker = synced(record(1, item(1)))
    sync([record(1, item(1, status))], tracker)
    issue = tracker.issues[2]
    assert (issue.state, issue.state_reason) == ("closed", reason)
    assert issue.labels == ("action-item",)


def test_an_incident_that_opens_again_opens_its_issue() -> None:
    """The record closed the issue, so the record may open it again."""
    tracker = synced(record(1))
    sync([record(1, state="closed")], tracker)
    again = record(1, state="reopened")
    assert steps(plan_for([again], tracker)) == [("reopen", "INC-1")]
    sync([again], tracker)
    assert tracker.issues[1].is_open
    assert plan_for([again], tracker).changes == ()


def test_a_tracking_issue_stays_open_for_the_last_item_and_then_closes() -> None:
    """A closed incident with an open item keeps its issue; the item's end ends it."""
    tracker = synced(record(1, item(1)))
    sync([record(1, item(1), state="closed")], tracker)
    assert tracker.issues[1].is_open
    over = [record(1, item(1, "done"), state="closed")]
    sync(over, tracker)
    assert not tracker.issues[1].is_open
    assert plan_for(over, tracker).changes == ()


def test_a_persons_reopening_is_not_fought() -> None:
    """A person reopened an issue whose item is done: nothing is done, and it is said."""
    tracker = synced(record(1, item(1)))
    done = [record(1, item(1, "done"))]
    sync(done, tracker)
    tracker.edit(2, state="open", state_reason="reopened")
    assert only_kept(plan_for(done, tracker)) == "a person reopened it, though the item is done"


def test_peoples_labels_assignees_and_text_stay() -> None:
    """The record decides its own labels and owner; everything else on the issue is people's."""
    tracker = synced(record(1))
    issue = tracker.issues[1]
    tracker.edit(1, labels=("SEV1", "mine", "incident"), assignees=("carol",), body=issue.body + "\nmy note")
    sync([record(1, severity="SEV2")], tracker)
    after = tracker.issues[1]
    assert set(after.labels) == {"incident", "SEV2", "state:in-progress", "mine"}
    assert after.assignees == ("carol", "alice")
    assert after.body.endswith("\nmy note")


def test_the_case_of_a_label_or_login_does_not_matter() -> None:
    """A tracker that knows `sev1` and `Alice` is not asked for `SEV1` and `alice` for ever."""
    tracker = synced(record(1))
    tracker.edit(1, labels=("Incident", "sev1", "STATE:In-Progress"), assignees=("Alice",))
    assert plan_for([record(1)], tracker).changes == ()


def test_a_level_outside_the_scheme_is_set_once() -> None:
    """A label the policy does not know is a finding of another command; a second plan is empty all the same."""
    strange = record(1, item(1), severity="P1")
    tracker = synced(strange)
    assert "P1" in tracker.issues[1].labels
    assert plan_for([strange], tracker).changes == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Login", "Nothing", "what people wrote in the generated text moves below it"),
        ("- **Owner:** `@bob`\n", "", "the generated text was edited; the record wins"),
        (generated_block.END, "", "a marker was removed"),
    ],
)
def test_the_reason_says_who_changed_the_text(old: str, new: str, reason: str) -> None:
    """A person's edit of the generated text is put back, and the plan says why."""
    tracker = synced(record(1, title="Login fails"), record(2, item(title="Login page")))
    tracker.edit(3, body=tracker.issues[3].body.replace(old, new))
    (change,) = plan_for([record(1, title="Login fails"), record(2, item(title="Login page"))], tracker).changes
    assert (change.number, change.reason) == (3, reason)


def test_two_issues_with_one_key_become_one() -> None:
    """The lowest number stays; the other is closed as a duplicate, once."""
    tracker = synced(record(1))
    twin = msgspec.structs.replace(tracker.issues[1], number=7)
    tracker.issues[7] = twin
    made = plan_for([record(1)], tracker)
    assert [(change.action, change.number, change.state_reason) for change in made.changes] == [
        ("close", 7, "duplicate")
    ]
    sync([record(1)], tracker)
    assert plan_for([record(1)], tracker).changes == ()


def test_a_stranger_with_a_marker_below_line_1_owns_nothing() -> None:
    """A pasted marker does not take a key over."""
    stranger = Issue(number=1, title="x", body="hello\n" + generated_block.compose("INC-1", "x"))
    assert steps(plan_from([record(1)], [stranger])) == [("create", "INC-1")]


@pytest.mark.parametrize("path", ["incidents/INC-1/incident.yaml", "INC-1"])
def test_issues_of_an_unreadable_record_are_left_alone_and_listed(path: str) -> None:
    """A record that does not parse neither closes nor changes its issues, even where an older copy is readable."""
    tracker = synced(record(1, item(1)), record(2))
    for records in ([record(2)], [record(1, item(1, "done")), record(2)]):
        made = plan_for(records, tracker, [Unread(path, "line 3: broken quote")])
        assert made.changes == ()
        assert made.kept == ()
        assert [(one.path, one.numbers) for one in made.unread] == [(path, (1, 2))] or made.unread[0].numbers == (2, 3)


def test_issues_without_a_record_are_left_alone_and_listed() -> None:
    """A record that is not found closes nothing."""
    tracker = synced(record(1), record(2))
    made = plan_for([record(2)], tracker)
    assert made.changes == ()
    assert [(kept.key, kept.reason) for kept in made.kept] == [("INC-1", "no record names it any more")]


def test_clashing_records_leave_their_issues_alone() -> None:
    """Two records with one id are listed as unread; neither is applied."""
    tracker = synced(record(1))
    made = plan_for([record(1, state="closed"), record(1, state="resolved")], tracker)
    assert made.changes == ()
    assert [(one.path, one.numbers) for one in made.unread] == [("INC-1", (1,))]


def test_the_checksum_stands_for_what_would_be_done() -> None:
    """The same changes give the same checksum whatever order the records come in; another title gives another."""
    records = [record(1, item(1)), record(2)]
    first = plan_from(records, []).checksum
    assert plan_from(records[::-1], []).checksum == first
    assert plan_from([records[0], record(2, title="Other")], []).checksum != first
    assert len(first) == 64
