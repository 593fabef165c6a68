"""withdraw: no incident after all."""

from __future__ import annotations

import pytest

from incident_ops.edits.finish import withdraw_incident
from incident_ops.errors import UserError
from tests.edits.scene import Page
from tests.edits.steps import go


@pytest.mark.parametrize("before", [[], ["assign"], ["ack"], ["ack", "pause"], ["resolve"], ["resolve", "reopen"]])
def test_from_any_open_state(before: list[str]) -> None:
    """Closed at once, with the outcome; restored and cause are not asked."""
    page = Page()
    for minute, name in enumerate(before):
        go(page, minute, name)
    go(page, 20, "withdraw")
    incident = page.incident
    assert (incident.state, incident.outcome) == ("closed", "false_alarm")
    assert incident.changes[-1].reason == "the probe"
    assert page.events[-1] == "Closed as false alarm: the probe"
    assert all(pause.end for pause in incident.pauses)


def test_a_duplicate_names_the_other() -> None:
    """duplicate_of goes with the outcome."""
    page = Page()
    page.take(1, lambda one, now: withdraw_incident(one, page.policy, now, None, "duplicate", "same", "INC-2"))
    assert (page.incident.outcome, page.incident.duplicate_of) == ("duplicate", "INC-2")


@pytest.mark.parametrize(("outcome", "of"), [("duplicate", None), ("false_alarm", "INC-2"), ("duplicate", "INC-1")])
def test_what_does_not_go_together(outcome: str, of: str | None) -> None:
    """Refused in words."""
    page = Page()
    with pytest.raises(UserError):
        page.take(1, lambda one, now: withdraw_incident(one, page.policy, now, None, outcome, "x", of))


def test_closed_is_closed() -> None:
    """Refused, and how it was closed is told."""
    page = Page()
    go(page, 1, "withdraw")
    with pytest.raises(UserError) as told:
        go(page, 2, "withdraw")
    assert "false alarm" in told.value.hint
