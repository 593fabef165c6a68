"""What is due when an incident's level changes: from when each clock counts, and what ends with the old level."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.sla.clocks import Clock, ClockState, Risk, clocks
from incident_ops.sla.compliance import Slots, outcomes
from incident_ops.sla.obligations import Obligation, incident_obligations
from tests.sla.scene import ITIL, SEV, after, at, incident, policy, update

P0_P3 = policy("p0-p3")
HOUSE = {"state": "in_progress"}


def changed(span: str, old: str | None, new: str | None, field: str = "severity") -> dict[str, Any]:
    return {"at": after(span), "field": field, "from": old, "to": new}


def found(record: Incident, rules: Policy, span: str) -> dict[str, Clock]:
    return {clock.clock: clock for clock in clocks(as_of(record, at(after(span))), rules)}


def due_now(record: Incident, rules: Policy, span: str) -> list[Obligation]:
    every = incident_obligations(as_of(record, at(after(span))), rules)
    return [one for one in every if not one.superseded]


def slots(record: Incident, rules: Policy, span: str, name: str) -> Slots:
    return next(one.slots for one in outcomes(as_of(record, at(after(span))), rules) if one.clock.clock == name)


MAJOR = incident(priority="P3", severity="SEV-1", changes=[changed("2h", None, "SEV-1")], **HOUSE)
"""A P3 at noon that is declared a SEV-1 at 14:00."""


def test_a_major_level_given_late_counts_from_then() -> None:
    """Nobody owed a diagnosis or an update before it was a major incident."""
    one = found(MAJOR, ITIL, "2h10m")
    assert (one["diagnosis"].start, one["diagnosis"].due) == (at(after("2h")), at(after("2h15m")))
    assert (one["update_internal"].start, one["update_internal"].due) == (at(after("2h")), at(after("2h15m")))
    assert (one["response"].start, one["response"].due) == (at(after("2h")), at(after("6h")))
    assert (one["resolution"].start, one["resolution"].due) == (at(after("0s")), at(after("24h")))
    assert {clock.risk for clock in one.values()} == {Risk.OK}
    assert slots(MAJOR, ITIL, "2h10m", "update_internal") == Slots(0, 0)
    assert slots(MAJOR, ITIL, "2h40m", "update_internal") == Slots(0, 2)


def test_before_it_was_given_there_was_no_major_incident() -> None:
    assert set(found(MAJOR, ITIL, "1h")) == {"response", "resolution"}


def test_a_level_without_such_an_entry_holds_since_the_declaration() -> None:
    record = incident(priority="P3", severity="SEV-1", **HOUSE)
    assert found(record, ITIL, "1h")["diagnosis"].due == at(after("15m"))


def test_a_diagnosis_starts_with_the_level_that_asks_for_one() -> None:
    """Raised from SEV-2, which has none."""
    record = incident(priority="P1", severity="SEV-1", changes=[changed("4h", "SEV-2", "SEV-1")], **HOUSE)
    one = found(record, ITIL, "4h10m")["diagnosis"]
    assert (one.start, one.due, one.risk) == (at(after("4h")), at(after("4h15m")), Risk.OK)


def test_what_was_breached_before_the_major_level_stays_breached() -> None:
    record = incident(priority="P3", severity="SEV-1", changes=[changed("5h", None, "SEV-1")])
    one = found(record, ITIL, "6h")["response"]
    assert (one.due, one.risk, one.breached_by_retarget) == (at(after("4h")), Risk.BREACHED, False)


def test_an_acknowledgement_that_was_given_stays_given() -> None:
    times = {"acknowledged": after("5m")}
    record = incident(times, priority="P3", severity="SEV-1", changes=[changed("2h", None, "SEV-1")], **HOUSE)
    assert found(record, ITIL, "9h")["response"].state is ClockState.MET


def test_a_ticket_raised_over_the_line_starts_its_clocks_there() -> None:
    """P2 of p0-p3 is a ticket, P1 an incident."""
    record = incident(severity="P1", changes=[changed("3h", "P2", "P1")])
    ticket = incident(severity="P2")
    assert found(ticket, P0_P3, "30m")["response"].due == at(after("1h"))
    late = found(record, P0_P3, "3h5m")
    assert late["response"].due == at(after("1h"))  # the ticket's response was late before
    assert late["update_public"].due == at(after("3h30m"))
    early = incident(severity="P1", changes=[changed("30m", "P2", "P1")])
    one = found(early, P0_P3, "40m")["response"]
    assert (one.start, one.due, one.breached_by_retarget) == (at(after("30m")), at(after("45m")), False)


def test_raising_an_incident_keeps_the_origin_of_response_and_resolution() -> None:
    """What the new target moves into the past is due once, and marked."""
    record = incident(severity="SEV1", changes=[changed("4h", "SEV2", "SEV1")], times={"acknowledged": after("5m")})
    one = found(record, SEV, "5h")
    assert (one["response"].start, one["response"].state) == (at(after("0s")), ClockState.MET)
    assert (one["resolution"].due, one["resolution"].breached_by_retarget) == (at(after("2h")), True)
    marks = [each.mark for each in due_now(record, SEV, "9h") if each.clock == "resolution"]
    assert marks == ["breached_by_retarget"]


def test_raising_an_incident_starts_the_cadence_anew() -> None:
    """Nobody owed the updates of the new level before it was given."""
    record = incident(severity="SEV1", changes=[changed("4h", "SEV2", "SEV1")], **HOUSE)
    one = found(record, SEV, "4h10m")["update_internal"]
    assert (one.start, one.due, one.risk, one.breached_by_retarget) == (
        at(after("4h")),
        at(after("4h30m")),
        Risk.OK,
        False,
    )
    assert slots(record, SEV, "4h10m", "update_internal") == Slots(0, 0)


@pytest.mark.parametrize(
    ("rules", "old", "new", "clock", "missed"),
    [(P0_P3, "P1", "P2", "update_public", 2), (SEV, "SEV1", "SEV2", "update_internal", 2)],
)
def test_a_cadence_that_no_longer_exists_owes_nothing_more(
    rules: Policy, old: str, new: str, clock: str, missed: int
) -> None:
    """What was missed under the old level stays missed, and is counted up to the change."""
    record = incident(severity=new, changes=[changed("1h1m", old, new)], **HOUSE)
    for span in ("1h5m", "2h", "9h", "2400h"):
        assert [one.key for one in due_now(record, rules, span) if one.clock == clock] == [], span
        shown = found(record, rules, span)[clock]
        assert (shown.state, shown.due, shown.stopped_at) == (ClockState.MISSED, at(after("30m")), at(after("1h1m")))
        assert slots(record, rules, span, clock) == Slots(0, missed)


def test_a_cadence_that_was_kept_until_it_ended_leaves_no_clock() -> None:
    record = incident(severity="P2", changes=[changed("10m", "P1", "P2")], **HOUSE)
    assert "update_public" not in found(record, P0_P3, "9h")


def test_a_slot_that_a_change_of_level_ended_is_neither_kept_nor_missed() -> None:
    """The update after it is the first that counts."""
    record = incident(severity="SEV0", changes=[changed("20m", "SEV1", "SEV0")], updates=[update("30m")], **HOUSE)
    assert slots(record, SEV, "40m", "update_internal") == Slots(1, 0)


def test_a_priority_beside_the_same_major_level_does_not_restart_its_cadence() -> None:
    record = incident(priority="P1", severity="SEV-1", changes=[changed("10m", "P2", "P1", "priority")], **HOUSE)
    assert found(record, ITIL, "12m")["update_internal"].due == at(after("15m"))


def test_a_major_level_taken_away_ends_what_it_asked_for() -> None:
    """Given by mistake at 14:00, taken away at 14:05."""
    record = incident(priority="P3", changes=[changed("2h", None, "SEV-1"), changed("2h5m", "SEV-1", None)], **HOUSE)
    assert set(found(record, ITIL, "9h")) == {"response", "resolution"}
    assert [one.clock for one in due_now(record, ITIL, "3h") if one.clock.startswith("update")] == []


def test_a_level_given_late_is_announced_as_what_it_is() -> None:
    """Whatever the priority says of its rank."""
    for priority in ("P1", "P3"):
        record = incident(priority=priority, severity="SEV-1", changes=[changed("2h", None, "SEV-1")], **HOUSE)
        announced = [one for one in due_now(record, ITIL, "2h5m") if one.clock == "incident"]
        assert [(one.kind, one.mark, one.reason) for one in announced] == [
            ("declared", "declared.SEV-1", "Major incident SEV-1 declared")
        ]


def test_one_declared_with_a_major_level_is_announced_as_that() -> None:
    record = incident(priority="P1", severity="SEV-1", **HOUSE)
    (one,) = (each for each in due_now(record, ITIL, "5m") if each.clock == "incident")
    assert (one.mark, one.reason) == ("declared", "Major incident SEV-1 declared")


def test_both_labels_raised_at_once_are_one_announcement() -> None:
    both = [changed("2h", None, "SEV-1"), changed("2h", "P3", "P1", "priority")]
    record = incident(priority="P1", severity="SEV-1", changes=both, **HOUSE)
    (one,) = (each for each in due_now(record, ITIL, "2h5m") if each.clock == "incident")
    assert one.reason == "Major incident SEV-1 declared"


def test_a_worse_major_level_is_raised_though_the_priority_was_the_worst() -> None:
    """Others are notified of a SEV-1 than of a SEV-3."""
    record = incident(priority="P1", severity="SEV-1", changes=[changed("2h", "SEV-3", "SEV-1")], **HOUSE)
    (one,) = (each for each in due_now(record, ITIL, "2h5m") if each.clock == "incident")
    assert one.reason == "Raised from P1/SEV-3 to P1/SEV-1"
