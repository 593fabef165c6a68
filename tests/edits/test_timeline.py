"""timeline: what happened, and the instants it marks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.incident import Times
from incident_ops.edits.communicate import MARKS, TimelineEntry, add_entry
from incident_ops.edits.step import Step, in_order
from incident_ops.errors import UserError
from tests.edits.scene import Page
from tests.edits.steps import go


def test_an_entry_keeps_every_word() -> None:
    """All fields, at now where nothing is said."""
    page = Page()
    entry = TimelineEntry("- a: b # {{ c", "action", "rolled back", "fewer errors", "def456")
    page.take(1, lambda one, now: add_entry(one, now, "@a", entry))
    event = page.incident.timeline[0]
    assert (event.event, event.kind, event.action) == ("- a: b # {{ c", "action", "rolled back")
    assert (event.result, event.ref, event.by, event.at) == ("fewer errors", "def456", "@a", "2025-01-26T12:06:00Z")


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_becomes_an_instant(mark: str) -> None:
    """Each of them is a field of times."""
    assert mark in Times.__struct_fields__
    page = Page()
    page.take(
        1, lambda one, now: add_entry(one, now, None, TimelineEntry("x", at="2025-01-26T12:05:00Z", marks=(mark,)))
    )
    assert getattr(page.incident.times, mark) == "2025-01-26T12:05:00Z"


def test_a_mark_that_is_there_is_not_moved() -> None:
    """The hint says how an instant is mended."""
    page = Page()
    page.take(1, lambda one, now: add_entry(one, now, None, TimelineEntry("x", marks=("diagnosed",))))
    with pytest.raises(UserError) as told:
        page.take(2, lambda one, now: add_entry(one, now, None, TimelineEntry("x", marks=("diagnosed",))))
    assert "incident-ops correct" in told.value.hint


def test_after_a_reopening_restored_belongs_to_the_new_cycle() -> None:
    """And what is only known of the first outage is refused."""
    page = Page()
    go(page, 2, "resolve")
    go(page, 5, "reopen")
    page.take(6, lambda one, now: add_entry(one, now, None, TimelineEntry("x", marks=("restored",))))
    assert page.incident.cycles[0].restored == "2025-01-26T12:11:00Z"
    with pytest.raises(UserError):
        page.take(7, lambda one, now: add_entry(one, now, None, TimelineEntry("x", marks=("diagnosed",))))


@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, 9)), max_size=8), st.integers(0, 59), st.integers(0, 8))
def test_a_late_entry_takes_its_place_and_nothing_else_changes(
    rows: list[tuple[int, int]], minute: int, merged: int
) -> None:
    """Merged entries stay, the others stay in their order, and a correction names the same entry as before."""
    merged = min(merged, len(rows))
    texts: list[dict[str, Any]] = []
    for number, (at, corrects) in enumerate(rows):
        more = {"corrects": corrects} if 1 <= corrects <= number else {}
        texts.append({"at": f"2025-01-26T11:{at:02}:00Z", "kind": "note", "event": f"event {number}", **more})
    page = Page(timeline=texts or None)
    new = TimelineEntry("late", at=f"2025-01-26T11:{minute:02}:00Z")
    page.take(60, lambda one, now: Step(in_order(one, add_entry(one, now, None, new).edits, lambda: merged).edits, ()))
    after = page.incident.timeline
    assert [event.event for event in after if event.event != "late"] == [row["event"] for row in texts]
    assert [event.event for event in after[:merged]] == [row["event"] for row in texts[:merged]]
    named = {event.event: after[event.corrects - 1].event for event in after if event.corrects}
    assert named == {row["event"]: f"event {row['corrects'] - 1}" for row in texts if "corrects" in row}
    place = [event.event for event in after].index("late")
    assert not any(event.at > after[place].at and event.corrects is None for event in after[merged:place])
    assert place + 1 == len(after) or after[place + 1].at > after[place].at


def test_a_correction_names_an_entry_that_is_there() -> None:
    """Counted from 1, and then its place is right where it is."""
    page = Page()
    page.take(5, lambda one, now: add_entry(one, now, None, TimelineEntry("wrong")))
    step = page.take(
        6, lambda one, now: add_entry(one, now, None, TimelineEntry("right", at="2025-01-26T12:06:00Z", corrects=1))
    )
    assert (page.incident.timeline[1].corrects, step.warnings) == (1, ())
    with pytest.raises(UserError):
        page.take(7, lambda one, now: add_entry(one, now, None, TimelineEntry("x", corrects=3)))


def test_a_mark_out_of_order_is_refused() -> None:
    """Service cannot be back after the incident was closed."""
    page = Page()
    go(page, 2, "withdraw")
    with pytest.raises(UserError, match="closed is 2025-01-26T12:07:00Z"):
        page.take(5, lambda one, now: add_entry(one, now, None, TimelineEntry("x", marks=("restored",))))
    page.take(
        6,
        lambda one, now: add_entry(one, now, None, TimelineEntry("x", at="2025-01-26T12:06:00Z", marks=("restored",))),
    )
    assert page.incident.times.restored == "2025-01-26T12:06:00Z"
