"""Moves that time brings about leave the record without an error, and of the due instant."""

from __future__ import annotations

from incident_ops.domain.as_of import as_of
from incident_ops.domain.tracker import Comment
from incident_ops.edits.finish import apply_due_move
from incident_ops.sla.activity import NOTHING_SEEN, Seen, due_moves
from tests.edits.scene import ITIL, Page, after
from tests.edits.steps import go as step

DAY = 24 * 60


def page() -> Page:
    one = Page(judge=ITIL, severity=None, priority="P3")
    step(one, 1, "ack")
    step(one, 60, "resolve")
    return one


def run(one: Page, minutes: float, seen: Seen = NOTHING_SEEN) -> None:
    (due,) = due_moves(as_of(one.incident, after(minutes)), ITIL, seen)
    one.take(minutes, lambda incident, _now: apply_due_move(incident, due, ITIL))


def test_closed_by_time() -> None:
    """R79: `closed` is the due instant, the reason says why, the automation signs."""
    one = page()
    run(one, 9 * DAY)
    assert one.incident.state == "closed"
    assert one.incident.times.closed == "2025-02-02T13:05:00Z"
    last = one.incident.changes[-1]
    assert (last.by, last.reason) == ("incident-ops", "No activity for 7d since 2025-01-26T13:05:00Z")
    assert due_moves(as_of(one.incident, after(10 * DAY)), ITIL, NOTHING_SEEN) == []


def test_reopened_by_a_persons_word() -> None:
    """R81: a cycle begins at the comment; the next run finds nothing more to do."""
    one = page()
    step(one, 70, "close")
    seen = Seen((Comment(issue=1, by="user", at="2025-01-28T12:05:00Z", body="/reopen it is back"),))
    run(one, 40 * DAY, seen)
    assert one.incident.state == "reopened"
    assert [cycle.reopened for cycle in one.incident.cycles] == ["2025-01-28T12:05:00Z"]
    assert due_moves(as_of(one.incident, after(41 * DAY)), ITIL, seen) == []


def test_pending_by_time() -> None:
    """R80: the pause that somebody wrote down becomes the state."""
    one = Page(
        judge=ITIL,
        severity=None,
        priority="P3",
        pauses=[{"from": "2025-01-26T12:05:00Z", "waiting_for": "user"}],
    )
    step(one, 1, "ack")
    run(one, 2 * DAY)
    assert one.incident.state == "pending"
    assert one.incident.changes[-1].at == "2025-01-27T12:05:00Z"
