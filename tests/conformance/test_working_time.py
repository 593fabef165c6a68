"""Due times and elapsed times that other systems' own tests assert, by the calendar alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from incident_ops.sla.calendar import due, elapsed
from tests.support.conformance import at, calendar, cases, need_folder, pauses

need_folder()

FILES = {"zammad_ticket_sla": 26, "zammad_specs": 10, "erpnext_due": 5, "erpnext_first_response": 29}


def start(case: dict[str, Any], clock: str) -> datetime:
    return at(case["update_anchor"] if clock == "update" and "update_anchor" in case else case["start"])


def dues() -> Iterator[Any]:
    for name in FILES:
        for case in cases(name):
            for clock, expected in case.get("expected", {}).get("due", {}).items():
                if case["targets_min"][clock]:
                    yield pytest.param(case, clock, expected, id=f"{case['id']}-{clock}")


def spans() -> Iterator[Any]:
    for name in FILES:
        for case in cases(name):
            if "elapsed_between" in case:
                seconds = case.get("expected_s")
                expected = case["expected"]["elapsed_min"] if seconds is None else seconds
                yield pytest.param(
                    case, *case["elapsed_between"], expected, 60 if seconds is None else 1, id=case["id"]
                )
            for clock, stop in case.get("stops", {}).items():
                expected = case["expected"]["elapsed_min"][clock]
                yield pytest.param(case, case["start"], stop, expected, 60, id=f"{case['id']}-{clock}")


@pytest.mark.parametrize("name", FILES)
def test_every_case_is_there(name: str) -> None:
    """A folder that lost its cases would make the tests below pass by saying nothing."""
    assert len(cases(name)) == FILES[name]


@pytest.mark.parametrize(("case", "clock", "expected"), list(dues()))
def test_due_times_agree(case: dict[str, Any], clock: str, expected: str) -> None:
    assert due(start(case, clock), case["targets_min"][clock] * 60, calendar(case), pauses(case)) == at(expected)


@pytest.mark.parametrize(("case", "begin", "end", "expected", "unit"), list(spans()))
def test_elapsed_times_agree(case: dict[str, Any], begin: str, end: str, expected: int, unit: int) -> None:
    """Minutes are rounded down."""
    assert elapsed(at(begin), at(end), calendar(case), pauses(case)) // unit == expected


@pytest.mark.parametrize("case", cases("erpnext_due", "quirks"), ids=lambda case: case["id"])
def test_a_hold_outside_working_hours_takes_nothing_whatever_the_source_says(case: dict[str, Any]) -> None:
    """As docs/decisions/0008-clocks-and-gate.md says, the hold is counted in working time; so it is there by now."""
    minutes = case["targets_min"]["resolution"]
    found = due(at(case["start"]), minutes * 60, calendar(case), pauses(case))
    assert found == at(case["working_time_rule"]["resolution"]) != at(case["source_expected"]["resolution"])
    (begin, until) = case["pauses"][0]
    assert elapsed(at(begin), at(until), calendar(case)) == case["working_time_rule"]["total_hold_s"]
