"""What is owed at an instant: marks of clocks, news, reminders; the highest only, and always the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.sla.obligations import MOST_SLOTS, Obligation, blind_seconds, incident_obligations, obligations
from tests.sla.escalating import ITIL, LADDER, START, at, example, incident, moved, note, policy, record, text

SEV = policy("sev0-3")
CLIMBING = policy(extra=LADDER)


def owed(one: Incident, now: str, judge: Policy = ITIL, kind: str | None = None) -> list[tuple[str, str, timedelta]]:
    """(clock, mark without its instants, span) of what is owed."""
    found = [each for each in incident_obligations(as_of(one, at(now)), judge) if not each.superseded]
    return [(each.clock, each.mark, each.due - START) for each in found if kind in (None, each.kind)]


def keys(found: list[Obligation]) -> set[str]:
    return {one.key for one in found}


def test_the_two_p2_tickets_of_the_example() -> None:
    """Of the examples of itil-p1-p4, 04890 is warned with 1 hour to breach, 04567 is not; neither is escalated."""
    now = datetime.fromisoformat("2025-10-21T18:00:00Z")
    records = [record(example("INC-2025-04567")), record(example("INC-2025-04890"))]
    found = obligations(records, ITIL, now)
    told = [(one.kind, one.incident, one.reason) for one in found.obligations if one.kind != "declared"]
    assert ("warning", "INC-2025-04890", "1 hour to SLA breach") in told
    assert {name for kind, name, _ in told if kind == "warning"} == {"INC-2025-04890"}
    assert not [one for one in (*found.obligations, *found.superseded) if one.kind in ("escalation", "breach")]
    (warning,) = [one for one in found.obligations if one.kind == "warning"]
    assert (warning.due, warning.noticed_at) == (now - timedelta(hours=1), now)  # 75 % of 8 h


def test_a_breach_takes_the_place_of_its_warning() -> None:
    """The breach instant is the due instant, `noticed_at` the run's."""
    one = incident({"acknowledged": "10m"}, state="in_progress", timeline=[note("8h30m")])
    found = [
        each
        for each in incident_obligations(as_of(one, at("9h")), ITIL)
        if each.clock == "resolution" and each.kind != "escalation"
    ]
    assert [(each.kind, bool(each.superseded), each.due - START) for each in found] == [
        ("warning", True, timedelta(hours=6)),
        ("breach", False, timedelta(hours=8)),
    ]
    assert found[1].noticed_at == at("9h")
    assert found[1].key == "INC-1/resolution/1/due"


def test_a_clock_that_stopped_owes_nothing_but_stays_listed() -> None:
    """A late run tells nobody of a breach that is over."""
    one = incident({"acknowledged": "2h"}, state="in_progress", timeline=[note("3h")])
    (found,) = [each for each in incident_obligations(as_of(one, at("3h")), ITIL) if each.clock == "response"]
    assert (found.mark, found.superseded) == ("due", f"it ended at {text('2h')}")


def test_a_severity_change_that_is_past_already_is_one_notice() -> None:
    """P3 for 5 h, then P1 with 4 h: one notice, marked."""
    changes = [moved("5h", "P3", "P1", field="priority")]
    one = incident({"acknowledged": "10m"}, priority="P1", state="in_progress", changes=changes)
    found = [
        each
        for each in incident_obligations(as_of(one, at("6h")), ITIL)
        if each.clock == "resolution" and each.kind == "breach"
    ]
    assert [(each.mark, bool(each.superseded)) for each in found] == [("breached_by_retarget", False)]
    assert text("5h") in found[0].reason


def test_missed_updates_are_the_newest_slot() -> None:
    """R139: slots of 15 min; an update begins them anew."""
    one = incident({"acknowledged": "1m"}, priority=None, severity="SEV0", state="in_progress")
    found = [each for each in incident_obligations(as_of(one, at("50m")), SEV) if each.clock == "update_internal"]
    assert [(each.due - START, bool(each.superseded)) for each in found] == [
        (timedelta(minutes=15), True),
        (timedelta(minutes=30), True),
        (timedelta(minutes=45), False),
    ]
    years = [each for each in incident_obligations(as_of(one, at("3650d1s")), SEV) if each.clock == "update_internal"]
    assert len(years) == MOST_SLOTS
    assert not years[-1].superseded


@pytest.mark.parametrize(
    ("day", "mark"),
    [
        ("02-08", None),
        ("02-09", "minus-2d"),
        ("02-10", "minus-2d"),
        ("02-11", "due"),
        ("02-18", "plus-7d"),
        ("03-14", "plus-30d"),
    ],
)
def test_reminders_of_an_action_item(day: str, mark: str | None) -> None:
    """-2 d, due, +7 d, +30 d from the end of its last day; the highest only; nothing once it is done."""
    now = datetime.fromisoformat(f"2025-{day}T08:00:00Z")
    item = {"id": "AI-1", "title": "x", "owner": "@ann", "due": "2025-02-10"}
    one = incident({"resolved": "1h", "closed": "2h"}, state="closed", action_items=[item])
    found = [
        each
        for each in incident_obligations(as_of(one, now), ITIL)
        if each.kind == "action_item" and not each.superseded
    ]
    assert [each.mark.rpartition(".")[2] for each in found] == ([mark] if mark else [])
    done = incident(
        {"resolved": "1h"}, state="resolved", action_items=[{**item, "status": "done", "done_at": "2025-02-01"}]
    )
    assert not [each for each in incident_obligations(as_of(done, now), ITIL) if each.kind == "action_item"]


def test_an_item_without_a_date_is_due_by_its_priority() -> None:
    """R194: P0 within 7 d of the resolution."""
    item = {"id": "AI-1", "title": "x", "priority": "P0"}
    judge = policy("p0-p3")
    one = incident({"resolved": "1h"}, priority=None, severity="P0", state="resolved", action_items=[item])
    assert not owed(one, "5d", judge, "action_item")
    assert owed(one, "8d", judge, "action_item")


def test_declared_raised_and_resolved_are_told() -> None:
    """R66, R67: the newest of them."""
    changes = [moved("1h", "P3", "P1", field="priority")]
    one = incident({"acknowledged": "1m"}, priority="P1", state="in_progress", changes=changes)
    assert owed(one, "30m", ITIL, "declared") == [("incident", "declared", timedelta())]
    assert owed(one, "2h", ITIL, "raised") == [("incident", "raised.P1", timedelta(hours=1))]
    assert owed(one, "2h", ITIL, "declared") == []
    over = incident({"acknowledged": "1m", "resolved": "3h"}, priority="P1", state="resolved", changes=changes)
    assert owed(over, "4h", ITIL, "resolved") == [("incident", "resolved", timedelta(hours=3))]


def test_news_are_owed_by_audience() -> None:
    """R142: the newest word for each; what lies ahead is not said yet."""
    said = [
        {"at": text(span), "audience": audience, "status": "investigating", "text": f"{audience} {span}"}
        for span, audience in (("1h", "internal"), ("2h", "internal"), ("2h", "executive"), ("9h", "public"))
    ]
    one = incident({"acknowledged": "1m"}, state="in_progress", updates=said)
    found = [each for each in incident_obligations(as_of(one, at("3h")), ITIL) if each.kind == "update"]
    assert [(each.audience, each.text) for each in found if not each.superseded] == [
        ("internal", "internal 2h"),
        ("executive", "executive 2h"),
    ]


def test_what_was_declared_after_the_fact_pages_nobody() -> None:
    """Its breach is reported, and nobody is called."""
    one = incident({"detected": "0s", "restored": "0s"}, state="in_progress")
    found = incident_obligations(as_of(one, at("20h")), ITIL)
    assert {each.kind for each in found} == {"declared", "breach", "warning"}
    assert all(each.no_page for each in found)


@pytest.mark.parametrize("outcome", ["duplicate", "false_alarm", "withdrawn"])
def test_what_was_no_incident_owes_only_its_items(outcome: str) -> None:
    """Duplicates never escalate."""
    item = {"id": "AI-1", "title": "x", "due": "2025-01-25"}
    fields: dict[str, Any] = {"duplicate_of": "INC-2"} if outcome == "duplicate" else {}
    one = incident(state="closed", outcome=outcome, action_items=[item], **fields)
    assert {each.kind for each in incident_obligations(as_of(one, at("30d")), ITIL)} == {"action_item"}


def test_a_record_of_a_foreign_level_hides_no_other() -> None:
    """It is listed by the report; the others are looked at."""
    found = obligations([record(incident(priority="P9")), record(incident(id="INC-2"))], ITIL, at("1m"))
    assert {one.incident for one in found.obligations} == {"INC-2"}


def test_nothing_is_owed_before_the_declaration() -> None:
    """The clock of the check may lie before the record."""
    assert incident_obligations(as_of(incident(customer={"vip": True}), START - timedelta(seconds=1)), CLIMBING) == []


def test_blind_time_and_lag() -> None:
    """How long nobody looked, and how late what is owed was noticed."""
    assert blind_seconds(None, at("1h")) is None
    assert blind_seconds(at("10m"), at("1h")) == 3000
    found = obligations([record(incident())], ITIL, at("2h"))
    assert found.lag_seconds == 7200
    assert obligations([], ITIL, at("2h")).lag_seconds == 0


SPANS = st.integers(0, 3000)


@given(SPANS, SPANS, st.sets(SPANS, max_size=6), st.sampled_from([ITIL, CLIMBING]))
def test_a_late_run_changes_noticed_at_and_nothing_else(one: int, other: int, notes: set[int], judge: Policy) -> None:
    """Keys known early are known late with the same due instant; only update slots that an update ended may go."""
    life = incident({"acknowledged": "20m"}, state="in_progress", timeline=[note(f"{each}m") for each in sorted(notes)])
    early, late = sorted((one, other))
    first, then = (incident_obligations(as_of(life, at(f"{minute}m")), judge) for minute in (early, late))
    known = {each.key: each.due for each in then}
    missing = {each.key for each in first if known.get(each.key) != each.due}
    assert missing <= {each.key for each in first if each.clock == "response"}
    again = incident_obligations(as_of(life, at(f"{late}m")), judge)
    assert msgspec.json.encode([tuple(each) for each in then]) == msgspec.json.encode([tuple(each) for each in again])


def test_no_key_holds_the_time_of_a_run() -> None:
    """Two runs, the same keys."""
    one = incident(timeline=[note("1h")], action_items=[{"id": "AI-1", "title": "x", "due": "2025-01-23"}])
    assert keys(incident_obligations(as_of(one, at("60h")), CLIMBING)) == keys(
        incident_obligations(as_of(one, at("60h7m")), CLIMBING)
    )
