"""The book of who is on call, which a run asks thousands of times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_ops.app import on_call
from incident_ops.domain.oncall import OnCallSchedule, RotationLayer, ShiftOverride, schedule_instant
from incident_ops.oncall import shifts
from incident_ops.records.oncall import Schedules
from incident_ops.records.store import Store

OVERRIDES = 40
NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)
DAYS = [f"2025-01-{1 + number % 28:02d}" for number in range(OVERRIDES)]
WEEK = OnCallSchedule(
    name="primary",
    zone="UTC",
    layers=[RotationLayer(name="week", people=["@ann"], start="2020-01-06", at="09:00", rotate="1w")],
    overrides=[ShiftOverride(begin=f"{day}T09:00:00", end=f"{day}T17:00:00", who="@cem") for day in DAYS],
)
BACKWARDS = OnCallSchedule(
    name="broken", zone="UTC", layers=WEEK.layers, overrides=[ShiftOverride(begin=DAYS[1], end=DAYS[0], who="@cem")]
)


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> on_call.OnCallBook:
    found = Schedules({"primary": WEEK, "broken": BACKWARDS}, ())
    monkeypatch.setattr(on_call, "load_schedules", lambda _: found)
    return on_call.OnCallBook(Store(tmp_path, None))


def test_overrides_are_read_once_however_often_it_is_asked(
    book: on_call.OnCallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what an instant's answer is, is worked out once."""
    read: list[str] = []

    def counted(text: str, *rest: Any) -> datetime:
        read.append(text)
        return schedule_instant(text, *rest)

    monkeypatch.setattr(shifts, "schedule_instant", counted)
    asked = [NOON + timedelta(hours=12 * number) for number in range(10)]
    assert [book("primary", at) for at in asked] == ["@cem", "@ann"] * 5
    assert sum("T" in text for text in read) == 2 * OVERRIDES
    before = len(read)
    assert [book("primary", at) for at in asked] == ["@cem", "@ann"] * 5
    assert len(read) == before


def test_a_schedule_that_cannot_be_used_puts_nobody_on_call(book: on_call.OnCallBook) -> None:
    """Nor does one that is not there; asked twice it is the same."""
    assert [book(name, NOON) for name in ("broken", "other", "broken", "other")] == [None] * 4
