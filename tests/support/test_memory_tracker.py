"""The tracker in memory behaves as GitHub does where our promises depend on it."""

from __future__ import annotations

import pytest

from incident_ops.domain.tracker import Closing, IssueEdit, Label, MissingIssue
from incident_ops.errors import WriteFailed
from tests.support.memory_tracker import MemoryTracker


def make(tracker: MemoryTracker, **fields) -> int:
    given = {"title": "t", "body": "b", "labels": ("incident",), "assignees": (), **fields}
    return tracker.create("INC-1", *given.values())


def test_a_second_create_opens_a_second_issue() -> None:
    """It keeps no key: only what we write into the body tells."""
    tracker = MemoryTracker()
    assert [make(tracker), make(tracker)] == [1, 2]
    assert {issue.key for issue in tracker.owned()} == {None}


def test_who_opened_an_issue_is_kept() -> None:
    """Each seat writes under its own login, into the same repository."""
    tracker = MemoryTracker()
    make(tracker)
    make(tracker.seat("mallory"))
    assert [issue.author for issue in tracker.owned()] == ["github-actions[bot]", "mallory"]


def test_only_listed_labels_are_listed() -> None:
    """In any case of letters; the others are found by number."""
    tracker = MemoryTracker()
    make(tracker, labels=("Incident",))
    make(tracker, labels=("mine",))
    assert [issue.number for issue in tracker.owned()] == [1]
    assert tracker.look_up(2) == tracker.issues[2]


def test_a_label_has_one_case() -> None:
    """The first spelling stays; using a label makes it, once."""
    tracker = MemoryTracker()
    tracker.create_label(Label(name="sev1", color="ff0000"))
    tracker.create_label(Label(name="SEV1"))
    make(tracker, labels=("incident", "SEV1", "Sev1"))
    assert tracker.issues[1].labels == ("incident", "sev1")
    assert [(label.name, label.color) for label in tracker.labels()] == [("sev1", "ff0000"), ("incident", "ededed")]


def test_a_list_that_lags_shows_what_was() -> None:
    """New and changed issues come later; a question about one issue is answered as it is now."""
    tracker = MemoryTracker()
    make(tracker)
    tracker.is_stale = True
    make(tracker)
    tracker.update(1, IssueEdit(title="new"))
    assert [issue.title for issue in tracker.owned()] == ["t"]
    assert tracker.look_up(2) == tracker.issues[2]
    assert len(tracker.seat("other").owned()) == 2
    tracker.is_stale = False
    assert [issue.title for issue in tracker.owned()] == ["new", "t"]


def test_deleted_and_moved_numbers_are_never_given_again() -> None:
    """What became of them is told."""
    tracker = MemoryTracker()
    make(tracker)
    make(tracker)
    tracker.delete(1)
    tracker.transfer(2, "https://x")
    assert [tracker.look_up(number) for number in (1, 2, 9)] == [
        MissingIssue(number=1, why="deleted"),
        MissingIssue(number=2, why="transferred", place="https://x"),
        MissingIssue(number=9, why="deleted"),
    ]
    assert make(tracker) == 3


def test_how_an_issue_was_closed_is_told() -> None:
    """By us or by a person, with what closed it."""
    tracker = MemoryTracker()
    make(tracker)
    tracker.close(1, "duplicate", IssueEdit(title="x"))
    assert (tracker.issues[1].state_reason, tracker.issues[1].title) == ("duplicate", "x")
    assert tracker.closing(1) == Closing(by="github-actions[bot]")
    tracker.reopen(1, IssueEdit())
    tracker.close_by("carol", 1, at="2025-01-01T00:00:00Z", evidence="https://y")
    assert tracker.closing(1) == Closing(by="carol", at="2025-01-01T00:00:00Z", evidence="https://y")


@pytest.mark.parametrize("fields", [{"title": "x" * 257}, {"body": "x" * 65_537}, {"assignees": ("alice", "ghost")}])
def test_what_github_refuses_is_refused_whole(fields: dict) -> None:
    """Too long, or one person too many: nothing is opened and nothing is changed."""
    tracker = MemoryTracker(can_be_assigned={"Alice"})
    with pytest.raises(WriteFailed):
        make(tracker, **fields)
    assert tracker.issues == {}
    make(tracker)
    added = {f"add_{name}" if name == "assignees" else name: value for name, value in fields.items()}
    with pytest.raises(WriteFailed):
        tracker.update(1, IssueEdit(add_labels=("other",), **added))
    assert tracker.issues[1].labels == ("incident",)


def test_a_write_to_nothing_is_refused() -> None:
    """A number that is not there."""
    with pytest.raises(WriteFailed, match="no issue #7"):
        MemoryTracker().comment(7, "topic", "text")


def test_one_comment_a_topic() -> None:
    """The second takes the place of the first."""
    tracker = MemoryTracker()
    make(tracker)
    tracker.comment(1, "duplicate", "one")
    tracker.comment(1, "duplicate", "two")
    assert tracker.comments == {1: {"duplicate": "two"}}


def test_sub_issues_are_linked_where_there_are_such() -> None:
    """At creation or later; without them nothing happens."""
    for has in (True, False):
        tracker = MemoryTracker(has_sub_issues=has)
        make(tracker)
        tracker.create("INC-1/AI-1", "t", "b", (), (), 1)
        make(tracker)
        tracker.link(1, 3)
        assert [issue.parent for issue in tracker.issues.values()] == [None, *[1 if has else None] * 2]
