"""What a run leaves for a later one, and what nobody has to be awake for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_ops.domain.notification import Message, pair
from incident_ops.errors import IncidentOpsError, NoIssueYet, NotSetUp, WriteFailed
from incident_ops.notifications.ahead import waiting
from incident_ops.notifications.deliver import NOT_SENT, NOT_TRIED, Delivered
from incident_ops.notifications.plan import SEND, PlannedNotice

NOW = datetime(2025, 1, 26, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "error", "again"),
    [
        (NOT_SENT, WriteFailed("channel chat: answered 500"), True),
        (NOT_TRIED, WriteFailed("channel ticket did not answer in this run"), True),
        (NOT_TRIED, NoIssueYet("INC-1"), False),
        (NOT_SENT, NotSetUp("chat", "INCIDENT_OPS_CHANNEL_CHAT", ""), False),
    ],
    ids=["refused", "silent channel", "no issue yet", "not set up"],
)
def test_the_tick_looks_for_what_a_later_run_can_send(outcome: str, error: IncidentOpsError, again: bool) -> None:
    """An issue that is never opened keeps nothing switched on: the run that opens it writes the comment."""
    key = "INC-1/incident/1/declared/team/internal"
    message = Message(key, "INC-1", 3, "declared", "internal", "team", "ticket", "Declared", "")
    planned = PlannedNotice(message, pair(key, "ticket"), SEND)
    found = [*waiting([planned], [Delivered(planned, outcome, error)], {}, NOW)]
    assert [one.at for one in found] == ([NOW + timedelta(minutes=10)] if again else [])
