"""Targets in working days and to the end of the day, and marks before the response is due, as people set them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.scene import Folder, as_json, call, ok

pytestmark = pytest.mark.usefixtures("somebody")

POLICY = """\
extends: sev0-3
levels:
- {id: SEV1, response: 1h, response_warn_at: 75%}
- {id: SEV2, calendar: business, response: end_of_day, resolution: 5_business_days}
calendars: {business: {tz: Europe/Berlin, holidays: ["2025-01-28"]}}
"""
FRIDAY = "2025-01-24T10:00:00Z"


@pytest.fixture
def days(make: Callable[..., Folder]) -> Folder:
    return make("days", policy=POLICY)


def dues(folder: Folder, at: str) -> dict[str, str | None]:
    return {one["clock"]: one["due"] for one in as_json(folder, "sla", "check", clock=at)["clocks"]}


@pytest.mark.parametrize(
    ("declared", "end_of_day", "fifth"),
    [
        (FRIDAY, "2025-01-24T16:00:00Z", "2025-02-03T16:00:00Z"),  # Tuesday the 28th is off
        ("2025-01-24T16:00:01Z", "2025-01-27T16:00:00Z", "2025-02-03T16:00:00Z"),  # closed: the next working day
        ("2025-01-25T12:00:00Z", "2025-01-27T16:00:00Z", "2025-02-03T16:00:00Z"),
        ("2025-01-27T07:00:00Z", "2025-01-27T16:00:00Z", "2025-02-04T16:00:00Z"),
    ],
)
def test_working_days_end_at_their_closing_time(days: Folder, declared: str, end_of_day: str, fifth: str) -> None:
    ok(days, "declare", "Slow", "--severity", "SEV2", "--service", "api", clock=declared)
    assert ok(days, "validate", clock=declared).code == 0
    found = dues(days, declared)
    assert (found["response"], found["resolution"]) == (end_of_day, fifth)
    ok(days, "apply", clock=declared)
    shown = ok(days, "issues", "1", clock=declared).out
    assert "5 business days" in shown
    assert "end of day" in ok(days, "policy", "show", clock=declared).out


@pytest.mark.parametrize("target", ["0_business_days", "business_days", "5 business days", "1000_business_days"])
def test_what_is_no_number_of_days_is_refused(make: Callable[..., Folder], target: str) -> None:
    bad = make("bad", policy=f"extends: sev0-3\nlevels:\n- {{id: SEV2, resolution: {target}}}\n")
    done = call("validate", at=bad.path)
    assert done.code == 1
    assert "5_business_days" in done.out


def test_a_response_is_warned_of_before_it_is_due(days: Folder) -> None:
    """Strictly after 45 minutes of the hour, and no longer once somebody has it."""
    ok(days, "declare", "Down", "--severity", "SEV1", "--service", "api", clock=FRIDAY)

    def warned(at: str) -> list[str]:
        found = as_json(days, "sla", "check", clock=at)["obligations"]
        return [one["reason"] for one in found if one["key"].split("/")[1] == "response"]

    assert warned("2025-01-24T10:45:00Z") == []
    assert warned("2025-01-24T10:45:01Z") == ["14 minutes 59 seconds until the response is due"]
    assert "at risk" in ok(days, "sla", "check", clock="2025-01-24T10:50:00Z").out
    assert warned("2025-01-24T11:00:01Z") == ["Response of SEV1 was due at 2025-01-24T11:00:00Z"]
    ok(days, "ack", clock="2025-01-24T10:50:00Z")
    assert warned("2025-01-24T10:51:00Z") == []
