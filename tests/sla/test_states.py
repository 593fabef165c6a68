"""Automatic states: when they are due, when never, and that their edits leave a record without errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from incident_ops.domain.as_of import as_of
from incident_ops.domain.policy_sections import Access
from incident_ops.edits.finish import apply_due_move
from incident_ops.sla.activity import NOTHING_SEEN, Seen, due_moves
from tests.sla.escalating import ITIL, START, at, comment, incident, moved, note, policy, text

ENDED = {"acknowledged": "10m", "restored": "1h", "resolved": "2h"}


def due(record: Any, now: str, seen: Seen = NOTHING_SEEN, judge: Any = ITIL) -> list[tuple[str, timedelta]]:
    return [(one.state, one.due - START) for one in due_moves(as_of(record, at(now)), judge, seen)]


def resolved(**fields: Any) -> Any:
    return incident(ENDED, **{"state": "resolved", "changes": [moved("2h", "in_progress", "resolved")], **fields})


def test_resolved_without_activity_is_closed() -> None:
    """R79: after 7 d, strictly, of the last thing a person did."""
    assert due(resolved(), "7d2h") == []
    assert due(resolved(), "7d2h1s") == [("closed", timedelta(days=7, hours=2))]
    assert due(resolved(timeline=[note("3d")]), "8d") == []
    assert due(resolved(timeline=[note("3d", "incident-ops")]), "8d") == [("closed", timedelta(days=7, hours=2))]
    assert due(resolved(), "8d", Seen((comment("2d"),))) == []
    assert due(resolved(), "8d", judge=policy("sev0-3")) == []  # no such number, and no such level


@pytest.mark.parametrize(("status", "closes"), [(None, False), ("draft", False), ("final", True)])
def test_it_never_closes_while_a_postmortem_is_owed(status: str | None, closes: bool) -> None:
    """SEV-2 requires one (R159); a drill owes none."""
    record = resolved(severity="SEV-2", postmortem={"status": status} if status else None)
    assert bool(due(record, "9d")) == closes
    assert due(resolved(severity="SEV-2", drill=True), "9d")


def test_waiting_for_the_user_becomes_pending() -> None:
    """R80: an open pause for the user, longer than 24 h; not for a vendor, not what is pending already."""
    waits = [{"from": text("1h"), "waiting_for": "user"}]
    record = incident({"acknowledged": "10m"}, state="in_progress", pauses=waits)
    assert due(record, "25h") == []
    assert due(record, "26h") == [("pending", timedelta(hours=25))]
    vendor = incident(state="in_progress", pauses=[{"from": text("1h"), "waiting_for": "vendor"}])
    assert due(vendor, "90h") == []
    assert due(incident(state="pending", pauses=waits), "90h") == []


CLOSING = [moved("2h", "in_progress", "resolved"), moved("3h", "resolved", "closed")]


def closed(**fields: Any) -> Any:
    return incident({**ENDED, "closed": "3h"}, **{"state": "closed", "changes": CLOSING, **fields})


def said(span: str, body: str = "/reopen", **more: Any) -> Seen:
    return Seen((comment(span, body, **more),))


def test_the_word_of_the_policy_reopens() -> None:
    """Within 30 d of the closing, at the instant of the comment; a late run finds the same."""
    back = [("reopened", timedelta(days=5))]
    assert due(closed(), "6d", said("5d")) == back
    assert due(closed(), "90d", said("5d")) == back
    assert due(closed(), "90d", said("30d3h1s")) == []
    assert due(closed(), "6d", said("3h")) == []  # said before, or with, the closing
    assert due(closed(), "6d", said("5d", is_bot=True)) == []
    assert due(closed(), "4d", said("5d")) == []  # not said yet
    assert due(closed(outcome="duplicate", duplicate_of="INC-2"), "6d", said("5d")) == []
    (move,) = due_moves(as_of(closed(), at("6d")), ITIL, said("5d"))
    assert move.reason.startswith("@user asked for it with /reopen at ")


@pytest.mark.parametrize("by", ["user", "alice", "bob"])
@pytest.mark.parametrize("body", ["thanks, great work!", "Closed: the certificate is renewed.", "do not /reopen"])
def test_thanks_and_notes_reopen_nothing(body: str, by: str) -> None:
    """Whoever says them: the customer, the closer half a minute after closing, the commander, a known contact."""
    team = incident(
        {**ENDED, "closed": "3h"}, state="closed", changes=CLOSING, roles={"commander": "@alice"},
        assignments=[{"at": text("10m"), "to": "@bob", "tier": 1}],
    )  # fmt: skip
    for span in ("10830s", "5d"):
        assert due(team, "6d", said(span, body, by=by)) == []
        assert due(team, "6d", said(span, body, by=by, is_stranger=True)) == []


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("/reopen", True),
        ("/Reopen, it is back since noon", True),
        ("It is back.\r\n/reopen", True),
        ("> /reopen\n\nI only quote this", False),
        ("/reopened", False),
        ("/reopen-later", False),
        ("Should we /reopen this?", False),
    ],
)
def test_the_word_begins_a_line(body: str, asks: bool) -> None:
    """In whatever case; not within a sentence, and not in a quotation."""
    assert bool(due(closed(), "6d", said("5d", body))) == asks


def test_who_may_say_it_is_the_policys_word() -> None:
    """Everyone in itil-p1-p4, whose users reply; elsewhere the team, of which `access` makes others members."""
    back = [("reopened", timedelta(days=5))]
    stranger = said("5d", is_stranger=True)
    assert due(closed(), "6d", stranger) == back
    team = policy("itil-p1-p4", "states: {reopen: {by: team}}\n")
    assert due(closed(), "6d", stranger, team) == []
    assert due(closed(), "6d", said("5d"), team) == back
    assert due(closed(), "6d", stranger, replace(team, access=Access(responders=["@User"]))) == back
    other = policy("itil-p1-p4", "states: {reopen: {word: '!again'}}\n")
    assert due(closed(), "6d", stranger, other) == []
    assert due(closed(), "6d", said("5d", "!again", is_stranger=True), other) == back


def test_an_issue_that_a_person_opened_again_reopens() -> None:
    """Nobody knows when it was, so it is now."""
    assert due(closed(), "6d", Seen((), True)) == [("reopened", timedelta(days=6))]
    assert due(closed(), "40d", Seen((), True)) == []


def test_a_record_is_not_moved_from_before_its_last_move() -> None:
    """Looked at from when it was only resolved, a closed record is left alone."""
    assert due(closed(), "150m") == []


@pytest.mark.parametrize(
    ("record", "seen", "state"),
    [
        (resolved(), NOTHING_SEEN, "closed"),
        (closed(), said("5d"), "reopened"),
        (
            incident({"acknowledged": "1m"}, state="in_progress", pauses=[{"from": text("1h"), "waiting_for": "user"}]),
            NOTHING_SEEN,
            "pending",
        ),
    ],
)
def test_the_step_says_who_and_why_and_is_of_the_due_instant(record: Any, seen: Seen, state: str) -> None:
    """The same edits however late the run."""
    (one,), (late,) = due_moves(as_of(record, at("9d")), ITIL, seen), due_moves(as_of(record, at("20d")), ITIL, seen)
    step = apply_due_move(record, one, ITIL)
    assert step == apply_due_move(record, late, ITIL)
    changes = [edit.value for edit in step.edits if edit.route == ("changes",)]
    assert [(each["to"], each["by"], each["reason"]) for each in changes] == [(state, "incident-ops", one.reason)]
    assert {each["at"] for each in changes} == {text(f"{int((one.due - START).total_seconds())}s")}
