"""Due times and elapsed times that other systems' own tests assert; the cases stay outside the project."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_ops.model.policy_blocks import DAYS, Calendar
from incident_ops.sla.calendar import Pause, due, elapsed

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("INCIDENT_OPS_CONFORMANCE") or ROOT.parent / "shared" / "conformance")
FILES = {"zammad_ticket_sla": 26, "zammad_specs": 10, "erpnext_due": 5, "erpnext_first_response": 29}

if not FOLDER.is_dir():
    pytest.skip(f"conformance folder absent: {FOLDER} (set INCIDENT_OPS_CONFORMANCE)", allow_module_level=True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    return found


def calendar(case: dict[str, Any]) -> Calendar:
    given = case["calendar"]
    hours = {day: ["-".join(window) for window in given["hours"].get(day[:3], [])] for day in DAYS}
    return Calendar(tz=given["tz"], hours=hours, holidays=given["holidays"])


def pauses(case: dict[str, Any]) -> list[Pause]:
    return [(at(begin), at(until)) for begin, until in case.get("pauses", [])]


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
