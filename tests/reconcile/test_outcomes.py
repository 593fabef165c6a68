"""What becomes of each change of a run when the tracker refuses, does not answer, or a limit is reached."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from incident_ops.domain.incident import Links
from incident_ops.domain.record import Record
from incident_ops.errors import Ambiguous, IncidentOpsError, Incomplete, Stopped, WriteFailed
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.apply import (
    APPLIED,
    CHANGED_MEANWHILE,
    EXISTS,
    LEFT_OVER,
    NOT_APPLIED,
    NOT_KNOWN,
    Applied,
    always,
    apply_changes,
    outcome_summary,
)
from incident_ops.reconcile.changes import CREATE, EDIT, UPDATE, PlannedChange
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import make_plan
from tests.reconcile.builders import Watched, item, plan_for, record, sync, wanted
from tests.support.memory_tracker import MemoryTracker

RECORDS = [record(1, item(1)), record(2)]
TRUSTED = wanted([])


def outcomes(error: IncidentOpsError, *, at: str, acted: bool = False, times: int = 1) -> list[Applied]:
    """A first run in which the creates of a key fail with an error."""
    tracker = MemoryTracker()
    made = [one for one in plan_for(RECORDS, tracker).changes if one.label is None]
    left = [times]

    def meet(name: str, after: bool) -> None:
        if name == at and after == acted and left[0]:
            left[0] -= 1
            raise error

    return list(apply_changes(made, Watched(tracker, meet), TRUSTED))


def first_changed(tracker: MemoryTracker) -> list[PlannedChange]:
    """The update of issue #1 that follows from a new level."""
    now = [record(1, item(1), severity="SEV0"), record(2)]
    return [one for one in plan_for(now, tracker).changes if one.number == 1 and one.action == UPDATE]


def words(found: list[Applied]) -> list[tuple[str, str]]:
    return [(one.change.key, one.outcome) for one in found]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(WriteFailed("422"), NOT_APPLIED), (Incomplete("502"), NOT_APPLIED), (Ambiguous("no answer"), NOT_KNOWN)],
)
def test_one_failure_does_not_hide_the_others(error: IncidentOpsError, outcome: str) -> None:
    """The change is recorded with its error, the rest is done, and the run ends with 4."""
    found = outcomes(error, at="create")
    assert words(found) == [("INC-1", outcome), ("INC-1/AI-1", APPLIED), ("INC-2", APPLIED)]
    assert found[0].error is error
    end = outcome_summary(found)
    assert (end.done, end.left, end.failed + end.unknown, end.error, end.exit_code) == (2, 0, 1, error, 4)


@pytest.mark.parametrize(
    ("error", "first", "code"), [(WriteFailed("403", is_final=True), NOT_APPLIED, 4), (Stopped("x"), LEFT_OVER, 5)]
)
def test_what_would_fail_for_all_ends_the_run(error: IncidentOpsError, first: str, code: int) -> None:
    """No permission, or no requests left: every change that is not done is told, with the reason."""
    found = outcomes(error, at="create")
    assert words(found) == [("INC-1", first), ("INC-1/AI-1", LEFT_OVER), ("INC-2", LEFT_OVER)]
    assert {one.error for one in found} == {error}
    assert outcome_summary(found).exit_code == code


def test_a_limit_before_the_first_write_leaves_everything() -> None:
    """The list itself was one request too many: nothing was done, and it is said."""
    found = outcomes(Stopped("300 requests"), at="owned")
    assert [one.outcome for one in found] == [LEFT_OVER] * 3
    assert outcome_summary(found).exit_code == 5


def test_a_list_that_fails_before_the_first_write_ends_the_run() -> None:
    """Nothing may be written to a tracker that cannot be read."""
    with pytest.raises(Incomplete, match="502"):
        outcomes(Incomplete("502"), at="owned")


def test_after_an_unknown_create_the_next_run_decides() -> None:
    """The issue was opened and the answer lost: this run does not open it again, the next one finds it."""
    tracker = MemoryTracker()

    def lose(name: str, after: bool) -> None:
        if name == "create" and after:
            raise Ambiguous("the answer was lost")

    found = list(apply_changes(plan_for(RECORDS, tracker).changes, Watched(tracker, lose), TRUSTED))
    assert {one.outcome for one in found if one.change.label is None} == {NOT_KNOWN}
    assert len(tracker.issues) == 3
    sync(RECORDS, tracker)
    assert len(tracker.issues) == 3
    assert {one.action for one in plan_for(RECORDS, tracker).changes} == {EDIT}
    assert tracker.issues[2].parent == 1, "the parent that could not be given is linked later"


def test_what_an_old_list_let_through_is_closed_by_the_next_run_with_one_comment() -> None:
    """The list did not show the new issues yet, so each was opened twice; the next run ends that, and says it once."""
    tracker = MemoryTracker()
    late = tracker.seat(tracker.author)
    late.is_stale = True
    made = plan_for(RECORDS, late).changes
    sync(RECORDS, tracker)
    assert {one.outcome for one in apply_changes(made, late, TRUSTED)} == {APPLIED}
    assert len(tracker.issues) == 6
    for _ in range(2):
        sync(RECORDS, tracker)
        assert {number: issue.state_reason for number, issue in tracker.issues.items()} == {
            **dict.fromkeys((1, 2, 3)),
            **dict.fromkeys((4, 5, 6), "duplicate"),
        }
        assert {number: list(topics) for number, topics in tracker.comments.items()} == {
            number: ["duplicate"] for number in (4, 5, 6)
        }


def test_without_the_lock_nothing_is_created_and_the_rest_goes_on() -> None:
    """Creates are left for the next run, updates are done; exit 5."""
    tracker = MemoryTracker()
    sync([record(1)], tracker)
    made = plan_for([record(1, severity="SEV0"), record(2)], tracker)
    found = list(apply_changes(made.changes, tracker, TRUSTED, lambda: False))
    assert words(found)[1:] == [("INC-1", APPLIED), ("INC-2", LEFT_OVER)]
    assert outcome_summary(found).exit_code == 5


def test_the_lock_is_taken_before_the_list_and_only_for_creates() -> None:
    """What another run creates before we hold the lock is in the list, so that it is not created twice."""
    tracker, other = MemoryTracker(), []

    def lock() -> bool:
        if not other:
            other.append(sync(RECORDS, tracker))
        return True

    found = list(apply_changes(plan_for(RECORDS, tracker).changes, tracker, TRUSTED, lock))
    assert {one.outcome for one in found if one.change.label is None} == {EXISTS}
    assert len(tracker.issues) == 3
    changed = plan_for([record(1, item(1), severity="SEV0"), record(2)], tracker).changes
    asked: list[int] = []
    assert list(apply_changes(changed, tracker, TRUSTED, lambda: bool(asked.append(1))))
    assert not asked


def test_an_item_gets_the_number_of_the_parent_that_was_just_opened() -> None:
    """Tracking issue first, then its items below it, in one run."""
    tracker = MemoryTracker()
    sync([record(1, item(1), item(2))], tracker)
    assert [issue.parent for issue in tracker.issues.values()] == [None, 1, 1]


def test_an_issue_that_was_deleted_meanwhile_is_left() -> None:
    """Nothing is written to what is not there."""
    tracker = MemoryTracker()
    sync(RECORDS, tracker)
    made = [
        one for one in plan_for([record(1, item(1), severity="SEV0"), record(2)], tracker).changes if one.number == 1
    ]
    tracker.delete(1)
    assert words(list(apply_changes(made, tracker, TRUSTED))) == [("INC-1", CHANGED_MEANWHILE)]


def test_a_person_who_writes_during_the_run_keeps_the_text() -> None:
    """Between the list and the write somebody adds a note: the issue is left for the next run."""
    tracker = MemoryTracker()
    sync(RECORDS, tracker)
    made = [
        one for one in plan_for([record(1, item(1), severity="SEV0"), record(2)], tracker).changes if one.number == 1
    ]

    def write(name: str, after: bool) -> None:
        if name == "owned" and after:
            tracker.edit(1, body=tracker.issues[1].body + "\nmy note")

    assert words(list(apply_changes(made, Watched(tracker, write), TRUSTED))) == [("INC-1", CHANGED_MEANWHILE)]
    assert tracker.issues[1].body.endswith("\nmy note")


def test_record_edits_are_not_for_the_tracker() -> None:
    """A run that has nothing else asks the tracker nothing."""

    def fail(name: str, after: bool) -> None:
        raise AssertionError(name)

    only = [PlannedChange(EDIT, "incident", "INC-1", 1, "x", path="a")]
    assert list(apply_changes(only, Watched(MemoryTracker(), fail), TRUSTED)) == []
    assert always()


def test_nothing_to_do_costs_what_was_promised() -> None:
    """At most 3 + ceil(owned issues / 100) requests, counted at the port: a list is as many as it has pages."""
    for count in (0, 1, 99, 100, 101, 250):
        records = [record(number) for number in range(1, count + 1)]
        tracker = MemoryTracker()
        sync(records, tracker)
        sent: list[int] = []

        def ask(name: str, acted: bool, sent: list[int] = sent, tracker: MemoryTracker = tracker) -> None:
            if not acted:  # lists are asked for by each of the two labels
                sent.append(max(1, -(-len(tracker.issues) // 100)) + 1 if name == "owned" else 1)

        made = plan_for(records, Watched(tracker, ask))
        assert {one.action for one in made.changes} <= {EDIT}
        assert sum(sent) <= 3 + -(-count // 100)


def test_issues_of_other_records_are_neither_adopted_nor_parents() -> None:
    """On a shared tracker a line 1 of an older version may be anybody's: a run goes by what the plan goes by."""
    tracker, records = MemoryTracker(), [record(1, item(1)), record(2)]
    tracker.records_id = 8
    older = {key: generated_block.compose(key, "older").replace(" repo=0", "") for key in ("INC-1", "INC-2")}
    for key in ("INC-1", "INC-2", "INC-1"):
        tracker.open_by(tracker.author, key, older[key], ["incident"])
    numbered = wanted([with_number(records[0], 3), with_number(records[1], 50)])
    seen = observe(tracker, numbered)
    made = make_plan(numbered, seen, recreate={"INC-2"}).changes
    found = list(apply_changes(made, tracker, numbered, observed=seen))
    numbers = {one.change.key: (one.number, one.outcome) for one in found if one.change.action == CREATE}
    assert numbers["INC-2"] == (5, APPLIED), "the issue of others is not taken for it"
    assert tracker.issues[4].parent == 3, "nor is one a parent"


def with_number(one: Record, number: int) -> Record:
    """A record that names its issue."""
    return one._replace(incident=replace(one.incident, links=Links(tracking_issue=number)))
