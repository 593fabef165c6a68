"""reopen: a new cycle."""

from __future__ import annotations

import pytest

from incident_ops.errors import UserError
from tests.edits.scene import ITIL, Page
from tests.edits.steps import go

MONTH = 30 * 24 * 60


@pytest.mark.parametrize("closed", [False, True])
def test_a_cycle_begins(closed: bool) -> None:
    """From resolved and from closed; the first cycle's instants stay."""
    page = Page()
    go(page, 20, "resolve")
    if closed:
        go(page, 30, "close")
    go(page, 40, "reopen")
    assert (page.incident.state, page.incident.cycles[0].reopened) == ("reopened", "2025-01-26T12:45:00Z")
    assert page.incident.changes[-1].reason == "it is back"
    assert page.events[-1] == "Reopened: it is back"
    go(page, 60, "resolve")
    go(page, 70, "close")
    go(page, 80, "reopen")
    assert len(page.incident.cycles) == 2
    assert page.incident.cycles[0].closed == "2025-01-26T13:15:00Z"


@pytest.mark.parametrize(("late", "refused"), [(0, False), (1, True)])
def test_thirty_days_after_closing_it_is_too_late(late: int, refused: bool) -> None:
    """C16, where the policy says so."""
    page = Page(judge=ITIL, severity=None, priority="P2")
    go(page, 20, "resolve")
    go(page, 30, "close")
    if refused:
        with pytest.raises(UserError) as told:
            go(page, 30 + MONTH + late, "reopen")
        assert "declare a new" in told.value.hint
    else:
        go(page, 30 + MONTH, "reopen")


def test_what_is_open_cannot_be_reopened() -> None:
    """It is told so."""
    page = Page()
    go(page, 1, "ack")
    with pytest.raises(UserError, match="cannot be reopened"):
        go(page, 2, "reopen")


def test_a_false_alarm_that_was_none_counts_again() -> None:
    """The outcome is fixed again."""
    page = Page()
    go(page, 1, "withdraw")
    go(page, 5, "reopen")
    assert page.incident.outcome == "fixed"
    go(page, 6, "ack")
    go(page, 20, "resolve")
    go(page, 30, "close")


def test_a_duplicate_is_not_reopened() -> None:
    """The original is named."""
    page = Page()
    from incident_ops.edits.finish import withdraw_incident

    page.take(1, lambda one, now: withdraw_incident(one, page.policy, now, None, "duplicate", "same", "INC-2"))
    with pytest.raises(UserError) as told:
        go(page, 5, "reopen")
    assert "INC-2" in told.value.hint
