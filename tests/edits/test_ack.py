"""ack: the incident is taken."""

from __future__ import annotations

import pytest

from incident_ops.errors import UserError
from tests.edits.scene import Page
from tests.edits.steps import go


def test_every_state_skipped_is_spelled_and_the_response_clock_stops() -> None:
    """From new: triaged, assigned, in progress; the instant, the assignment and a timeline entry are written."""
    page = Page()
    go(page, 2, "ack")
    incident = page.incident
    assert page.states == ["new", "triaged", "assigned", "in_progress"]
    assert (incident.state, incident.times.acknowledged) == ("in_progress", "2025-01-26T12:07:00Z")
    assert [one.to for one in incident.assignments] == ["@a"]
    assert page.events == ["Acknowledged"]


def test_an_acknowledgement_that_is_there_is_kept() -> None:
    """The first one counts."""
    page = Page(times={"declared": "2025-01-26T12:05:00Z", "acknowledged": "2025-01-26T12:04:00Z"})
    go(page, 2, "ack")
    assert page.incident.times.acknowledged == "2025-01-26T12:04:00Z"


def test_twice_changes_nothing() -> None:
    """Two people at once are no error; the second is told when."""
    page = Page()
    go(page, 2, "ack")
    step = go(page, 3, "ack", by="@b")
    assert step.edits == ()
    assert "12:07:00" in step.messages[0]


def test_somebody_else_s_incident_is_not_taken_from_them() -> None:
    """Who was assigned stays so."""
    page = Page()
    go(page, 1, "assign")
    go(page, 2, "ack")
    assert [one.to for one in page.incident.assignments] == ["@b"]


def test_nobody_known_writes_nobody() -> None:
    """Without a name no handle is made up."""
    page = Page()
    go(page, 2, "ack", by=None)
    assert page.incident.assignments == []
    assert {change.by for change in page.incident.changes} == {None}


@pytest.mark.parametrize(("before", "way"), [("resolve", "reopen"), ("pause", "pause INC-1 --end")])
def test_refused_with_the_way_that_is_legal(before: str, way: str) -> None:
    """Over or waiting: the hint names the command that comes first."""
    page = Page()
    go(page, 2, before)
    with pytest.raises(UserError) as told:
        go(page, 3, "ack")
    assert way in told.value.hint


def test_after_a_reopening_the_first_acknowledgement_stays() -> None:
    """`times` is the first cycle."""
    page = Page()
    go(page, 2, "resolve")
    go(page, 5, "reopen")
    go(page, 6, "ack")
    assert page.incident.times.acknowledged == "2025-01-26T12:07:00Z"
    assert page.incident.state == "in_progress"
