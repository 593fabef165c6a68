"""pause: pending, and back."""

from __future__ import annotations

import pytest

from incident_ops.edits.respond import pause_incident
from incident_ops.errors import UserError
from tests.edits.scene import Page
from tests.edits.steps import go


@pytest.mark.parametrize("before", [[], ["assign"], ["ack"], ["resolve"], ["resolve", "reopen"]])
def test_back_to_the_state_that_was_left(before: list[str]) -> None:
    """R82: what is waited for, from, to."""
    page = Page()
    for minute, name in enumerate(before):
        go(page, minute, name)
    state = page.incident.state
    page.take(20, lambda one, now: pause_incident(one, page.policy, now, "@a", "vendor", "ticket: 4711"))
    entry = page.incident.pauses[0]
    assert (page.incident.state, entry.waiting_for, entry.reason, entry.end) == (
        "pending",
        "vendor",
        "ticket: 4711",
        None,
    )
    assert page.events[-1] == "Waiting for vendor: ticket: 4711"
    go(page, 30, "end")
    assert page.incident.state == state
    assert page.incident.pauses[0].end == "2025-01-26T12:35:00Z"
    assert [one.rule for one in page.findings() if one.rule == "pause"] == []


def test_refused_moves() -> None:
    """Twice, without a pause, or after the end."""
    page = Page()
    with pytest.raises(UserError, match="cannot be resumed"):
        go(page, 1, "end")
    go(page, 2, "pause")
    with pytest.raises(UserError, match="paused again"):
        go(page, 3, "pause")
    go(page, 4, "withdraw")
    assert page.incident.pauses[0].end == "2025-01-26T12:09:00Z"
    with pytest.raises(UserError, match="cannot be paused"):
        go(page, 5, "pause")
