"""timeline: what happened, and the instants it marks."""

from __future__ import annotations

import pytest

from incident_ops.domain.incident import Times
from incident_ops.edits.communicate import MARKS, TimelineEntry, add_entry
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
    assert "corrections" in told.value.hint


def test_after_a_reopening_restored_belongs_to_the_new_cycle() -> None:
    """And what is only known of the first outage is refused."""
    page = Page()
    go(page, 2, "resolve")
    go(page, 5, "reopen")
    page.take(6, lambda one, now: add_entry(one, now, None, TimelineEntry("x", marks=("restored",))))
    assert page.incident.cycles[0].restored == "2025-01-26T12:11:00Z"
    with pytest.raises(UserError):
        page.take(7, lambda one, now: add_entry(one, now, None, TimelineEntry("x", marks=("diagnosed",))))


def test_an_earlier_event_goes_to_the_end_and_is_told() -> None:
    """Append-only: nothing is sorted."""
    page = Page()
    page.take(5, lambda one, now: add_entry(one, now, None, TimelineEntry("second")))
    step = page.take(6, lambda one, now: add_entry(one, now, None, TimelineEntry("first", at="2025-01-26T12:06:00Z")))
    assert page.events == ["second", "first"]
    assert "12:10:00" in step.warnings[0]


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
