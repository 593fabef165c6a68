"""The worked examples of docs/sla.md are what the engine says."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.domain.policy_sections import DAYS, Calendar
from incident_ops.sla.calendar import closing_time, due
from incident_ops.sla.clocks import CLOCK_NAMES, PAUSABLE, Clock, ClockState, clocks
from tests.sla.scene import ROOT, SEV, at, incident

TEXT = (ROOT / "docs" / "sla.md").read_text(encoding="utf-8")
OFFICE = Calendar(tz="Etc/UTC", hours={day: ["09:00-17:00"] for day in DAYS[:5]})
NEW_YORK = Calendar(tz="America/New_York", hours={day: ["00:00-24:00"] for day in DAYS}, holidays=["1999-01-01"])


def today(clock: str) -> str:
    return f"2025-01-22T{clock}:00Z"


LIFE: list[tuple[str, dict[str, Any], dict[str, tuple[str, str]]]] = [
    (
        "12:00",
        {},
        {"response": ("12:15", "running"), "update_internal": ("12:30", "running"), "resolution": ("14:00", "running")},
    ),
    ("12:10", {"acknowledged": "12:10"}, {"response": ("12:15", "met")}),
    ("12:20", {"update": "12:20"}, {"update_internal": ("12:50", "running")}),
    ("12:30", {"from": "12:30"}, {"resolution": ("", "paused"), "update_internal": ("12:50", "running")}),
    ("12:55", {"update": "12:55"}, {"update_internal": ("13:25", "running")}),
    ("13:30", {"to": "13:30"}, {"resolution": ("15:00", "running")}),
    (
        "14:30",
        {"resolved": "14:30"},
        {
            "resolution": ("15:00", "met"),
            "postmortem_meeting": ("14:30", "running"),
            "update_internal": ("12:50", "missed"),
        },
    ),
    ("20:30", {"reopened": "20:30"}, {"resolution": ("21:00", "running"), "postmortem_meeting": ("", "paused")}),
]


def life(until: int) -> dict[str, Clock]:
    """The clocks after so many rows of the worked example."""
    told: dict[str, Any] = {}
    updates = []
    for _, what, _ in LIFE[: until + 1]:
        told |= {name: today(clock) for name, clock in what.items() if name != "update"}
        if "update" in what:
            moment = today(what["update"])
            updates.append({"at": moment, "audience": "internal", "status": "investigating", "text": "t"})
    pause = {name: told[name] for name in ("from", "to") if name in told} | {"waiting_for": "vendor"}
    record = incident(
        {name: told[name] for name in ("acknowledged", "resolved") if name in told},
        severity="SEV1",
        state="reopened" if "reopened" in told else "resolved" if "resolved" in told else "in_progress",
        updates=updates,
        pauses=[pause] if "from" in told else [],
        cycles=[{"reopened": told["reopened"]}] if "reopened" in told else [],
    )
    return {one.clock: one for one in clocks(as_of(record, at(today(LIFE[until][0]))), SEV)}


@pytest.mark.parametrize("row", range(len(LIFE)), ids=[moment for moment, _, _ in LIFE])
def test_each_row_of_the_worked_example_holds(row: int) -> None:
    """And stands in the page."""
    moment, _, expected = LIFE[row]
    found = life(row)
    line = next(line for line in TEXT.splitlines() if line.startswith(f"| {moment} |"))
    for name, (clock, state) in expected.items():
        assert (f"{found[name].due:%H:%M}" if found[name].due else "", found[name].state.value) == (clock, state)
        assert clock in line or state != ClockState.RUNNING


def test_the_figures_of_the_worked_example() -> None:
    assert life(3)["resolution"].remaining_seconds == 90 * 60
    assert life(6)["resolution"].elapsed_seconds == 90 * 60
    assert (life(7)["resolution"].remaining_seconds, life(7)["resolution"].cycle) == (30 * 60, 2)
    assert life(7)["resolution"].paused_seconds == 7 * 3600
    assert f"{life(6)['postmortem_meeting'].due:%Y-%m-%d %H:%M}" == "2025-01-24 14:30"


@pytest.mark.parametrize(
    ("calendar", "start", "seconds", "pause", "expected"),
    [
        (OFFICE, "2025-01-22T09:00:00Z", 8 * 3600, None, "2025-01-22T17:00:00Z"),
        (OFFICE, "2025-01-22T09:00:00Z", 8 * 3600 + 1, None, "2025-01-23T09:00:01Z"),
        (OFFICE, "2025-01-24T17:00:00Z", 3600, None, "2025-01-27T10:00:00Z"),
        (
            OFFICE,
            "2025-01-22T07:00:00Z",
            3600,
            ("2025-01-22T07:00:00Z", "2025-01-22T08:45:00Z"),
            "2025-01-22T10:00:00Z",
        ),
        (NEW_YORK, "2025-03-09T01:30:00-05:00", 3600, None, "2025-03-09T03:30:00-04:00"),
        (NEW_YORK, "2025-11-02T01:30:00-04:00", 3600, None, "2025-11-02T01:30:00-05:00"),
    ],
)
def test_the_table_of_working_time_holds(
    calendar: Calendar, start: str, seconds: int, pause: tuple[str, str] | None, expected: str
) -> None:
    rests = [(at(pause[0]), at(pause[1]))] if pause else []
    assert due(at(start), seconds, calendar, rests) == at(expected)


def test_the_next_business_day_of_the_page() -> None:
    assert closing_time(at("2025-01-22T03:00:00Z"), 1, OFFICE) == at("2025-01-23T17:00:00Z")
    assert closing_time(at("2025-01-22T03:00:00Z"), 0, OFFICE) == at("2025-01-22T17:00:00Z")
    assert closing_time(at("2025-01-22T17:00:00Z"), 0, OFFICE) == at("2025-01-23T17:00:00Z")
    assert closing_time(at("2025-01-22T12:00:00Z"), 5, OFFICE) == at("2025-01-29T17:00:00Z")


def test_the_page_names_every_clock_and_what_rests() -> None:
    rows = {line.split("|")[1].strip(" `"): line for line in TEXT.splitlines() if line.startswith("| `")}
    assert set(CLOCK_NAMES) <= set(rows)
    assert {name for name in CLOCK_NAMES if "**yes**" in rows[name]} == PAUSABLE
