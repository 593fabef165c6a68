"""One look at a tracker: complete, bounded, and what is asked alone."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from incident_ops.domain.record import Set
from incident_ops.domain.tracker import ISSUE_DELETED, Closing, MissingIssue
from incident_ops.errors import Incomplete
from incident_ops.reconcile import observe as observing
from incident_ops.reconcile.diff import edits_by_path, new_numbers
from incident_ops.reconcile.observe import observe
from tests.reconcile.builders import (
    READS,
    WRITES,
    Watched,
    item,
    merged,
    plan_for,
    record,
    sync,
    synced,
    wanted,
    written_back,
)
from tests.support.memory_tracker import MemoryTracker


class Scene:
    """A tracker whose reads are counted, with numbered records."""

    def __init__(self, *records, **how) -> None:
        self.tracker, self.asked = MemoryTracker(**how), Counter()
        made = {one.change.key: one.number for one in sync(records, self.tracker) if one.number}
        self.records = written_back(records, edits_by_path(new_numbers(wanted(records), made)))

    def look(self):
        self.asked.clear()
        watched = Watched(self.tracker, lambda name, acted: self.asked.update([] if acted else [name]))
        return observe(watched, wanted(self.records))


def test_an_unchanged_tracker_is_listed_and_nothing_more() -> None:
    """The list and the labels: no question about a single issue or person."""
    scene = Scene(record(1, item(1), item(2, "done")), record(2, state="closed"))
    seen = scene.look()
    assert scene.asked == {"owned": 1, "labels": 1}
    assert (seen.source, seen.repository, seen.has_sub_issues) == ("github", "acme/incidents", True)
    assert [issue.number for issue in seen.issues] == [1, 2]


def test_a_read_writes_nothing() -> None:
    """Looking changes nothing on the tracker."""
    scene = Scene(record(1, item(1)))
    before = dict(scene.tracker.issues)
    scene.look()
    assert scene.tracker.issues == before
    assert not set(scene.asked) & set(WRITES)


def test_numbers_that_are_not_listed_are_looked_up() -> None:
    """Of open incidents only, once each: an issue without its labels is found, a deleted one is a gap."""
    scene = Scene(record(1, item(1)), record(2), record(3))
    scene.tracker.edit(1, labels=())
    scene.tracker.delete(3)
    closed = {scene.records[2].path: (Set(("state",), "closed"), Set(("links", "tracking_issue"), 99))}
    scene.records = written_back(scene.records, closed)
    seen = scene.look()
    assert scene.asked["look_up"] == 2
    assert [issue.number for issue in seen.issues] == [1, 2, 4]
    assert seen.gone == (MissingIssue(number=3, why=ISSUE_DELETED),)


def test_the_emptied_issue_of_a_done_item_is_looked_up_while_its_incident_is_open() -> None:
    """Without its labels it is in no list, and it would stand open for ever."""
    scene = Scene(record(1, item(1)))
    done = written_back(scene.records, {scene.records[0].path: (Set(("action_items", 0, "status"), "done"),)})
    scene.records = done
    scene.tracker.edit(2, labels=(), body="")
    assert [issue.number for issue in scene.look().issues] == [1, 2]


def test_a_tracker_without_an_issue_of_ours_is_not_asked_about_numbers() -> None:
    """The numbers belong to another repository; hundreds of questions would tell nothing."""
    scene = Scene(record(1, item(1)))
    scene.tracker = MemoryTracker()
    assert scene.look().gone == ()
    assert "look_up" not in scene.asked


def test_only_closings_of_people_are_asked_about() -> None:
    """An open item's issue that is closed without our mark: who, when, and what closed it."""
    scene = Scene(record(1, item(1), item(2)))
    scene.tracker.close_by("carol", 2, at="2025-02-01T10:00:00Z", evidence="https://x/pull/1")
    scene.tracker.close_by("carol", 1)
    seen = scene.look()
    assert seen.closings == {2: Closing(by="carol", at="2025-02-01T10:00:00Z", evidence="https://x/pull/1")}
    assert scene.asked["closing"] == 1


def test_only_new_people_are_asked_about() -> None:
    """Who is on the issue already can be assigned; the others are asked about together."""
    scene = Scene(record(1, item(1)), can_be_assigned={"alice", "bob"})
    scene.look()
    assert scene.asked["assignable"] == 0
    scene.tracker._can = frozenset({"alice"})
    scene.tracker.edit(2, assignees=())
    assert scene.look().unassignable == ("bob",)
    assert scene.asked["assignable"] == 1


@pytest.mark.parametrize("name", READS)
def test_any_read_that_fails_fails_the_whole(name: str) -> None:
    """There is no half snapshot: whichever question has no answer, nothing is concluded."""
    scene = Scene(record(1, item(1)), record(2), record(3))
    scene.tracker.edit(1, labels=())
    scene.tracker.close_by("carol", 2)
    scene.tracker.edit(3, assignees=())

    def fail(asked: str, acted: bool) -> None:
        if asked == name:
            raise Incomplete("half a page")

    with pytest.raises(Incomplete, match="half a page"):
        plan_for(scene.records, Watched(scene.tracker, fail))


def test_whom_an_answer_names_a_member_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment in the same timeline says it."""
    tracker, records = synced()
    tracker.close_by("carol", 2, at="2025-02-01T12:00:00Z")
    monkeypatch.setattr(tracker, "closing", lambda _: Closing("carol", "2025-02-01T12:00:00Z", belongs=True))
    monkeypatch.setattr(tracker, "assignable", lambda logins: pytest.fail(f"asked about {logins}"))
    (after,) = merged(records, plan_for(records, tracker))
    assert after.incident.action_items[0].done_by == "@carol"


def asked_in(scene: Scene, now: datetime) -> set[int]:
    """The issues about which a run at that time asks."""
    seen = observe(scene.tracker, wanted(scene.records), now=now)
    asked = {*seen.closings, *seen.acts, *seen.ticks}
    assert asked.isdisjoint(seen.not_asked)
    return asked


def test_one_run_asks_so_much_and_no_issue_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closings, acts and ticks share one limit; what was not asked about is left, and each run starts elsewhere."""
    monkeypatch.setattr(observing, "MOST_ASKED", 3)
    scene = Scene(record(1, *(item(number) for number in range(1, 9))))
    for number in (2, 3, 4, 5):
        scene.tracker.close_by("carol", number)
    for number in (6, 7):
        scene.tracker.assign_by("carol", number, [])
    scene.tracker.tick_by("carol", 1, "AI-7", "2025-02-01T10:00:00Z")
    start = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
    runs = [asked_in(scene, start + timedelta(hours=hour)) for hour in range(40)]
    assert {len(run) for run in runs} == {3}
    assert set.union(*runs) == {1, 2, 3, 4, 5, 6, 7}
    assert asked_in(scene, start) == runs[0], "the same time asks the same"
    left = {one.reason for one in plan_for(scene.records, scene.tracker).kept}
    assert "who closed it is left for the next run, which asks about it" in left
