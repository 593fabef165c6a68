"""Calls that are answered or over: found whatever became of the incident since."""

from __future__ import annotations

from incident_ops.domain.as_of import as_of
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT
from incident_ops.sla.pages import ended_pages, pages
from tests.sla.escalating import at, incident, moved, policy

SEV = policy("sev0-3", "levels:\n- {id: SEV1, escalate_at: 1h}\nescalation: {tiers: [{id: a, tier: 1}]}\n")
DECLARED, RESPONSE = "INC-1/incident/1/declared", "INC-1/response/1/due"
ESCALATION = "INC-1/resolution/1/escalate.SEV1"


def sev1(times: dict[str, str] | None = None, **fields: object) -> object:
    return incident(times, **{"priority": None, "severity": "SEV1", **fields})


def marks(one: object, now: str) -> dict[str, str]:
    return {call.key: mark for call, mark in ended_pages(as_of(one, at(now)), SEV)}


def test_while_nobody_answered_nothing_is_taken_back() -> None:
    """Late or not."""
    assert marks(sev1(), "1m") == {}
    assert marks(sev1(), "9h") == {}


def test_an_answer_takes_back_what_was_due_before_it() -> None:
    """An escalation that is due after the answer is a call of its own, and stays."""
    one = sev1({"acknowledged": "20m"}, state="in_progress")
    assert marks(one, "30m") == {DECLARED: ACKNOWLEDGED, RESPONSE: ACKNOWLEDGED}
    assert ESCALATION in {call.key for call in pages(as_of(one, at("2h")), SEV)}
    assert ESCALATION not in marks(one, "2h")


def test_the_end_takes_everything_back_but_the_postmortem() -> None:
    """What was superseded, or lapsed when it was resolved, had been sent by earlier runs."""
    one = sev1({"acknowledged": "20m", "restored": "3h", "resolved": "3h"}, state="resolved")
    found = marks(one, "90h")
    assert {DECLARED, RESPONSE, ESCALATION} <= set(found)
    assert set(found.values()) == {RESOLVED_EVENT}
    assert not any("postmortem" in key for key in found)


def test_a_false_alarm_and_a_duplicate_called_people_too() -> None:
    """With a history, and without one."""
    history = [moved("30m", "new", "closed")]
    for more in ({"outcome": "false_alarm"}, {"duplicate_of": "INC-2"}):
        for changes in (history, []):
            found = marks(sev1({"closed": "30m"}, state="closed", changes=changes, **more), "1h")
            assert {DECLARED, RESPONSE} <= set(found), (more, changes)
            assert set(found.values()) == {RESOLVED_EVENT}


def test_an_earlier_cycle_is_over_when_it_comes_back() -> None:
    """The calls of the first cycle are taken back, those of the second stand."""
    one = sev1(
        {"acknowledged": "20m", "restored": "1h", "resolved": "1h", "closed": "2h"},
        state="reopened",
        cycles=[{"reopened": "2025-01-22T15:00:00Z"}],
    )
    found = marks(one, "4h")
    assert found[DECLARED] == RESOLVED_EVENT
    assert "INC-1/incident/2/reopened" not in found
