"""Slots of updates: kept, and passed without a word (R139, R145)."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.sla.clocks import UPDATE_INTERNAL, UPDATE_PUBLIC
from incident_ops.sla.compliance import Slots, count_slots
from tests.sla.scene import SEV, after, at, incident, policy, update

PUBLIC = policy("sev0-3", "levels:\n- id: SEV1\n  update: {public: 15m, public_max: 30m}\n")


def counted(now: str, name: str = UPDATE_INTERNAL, rules: Any = SEV, **fields: Any) -> Slots:
    record = incident(fields.pop("times", None), severity="SEV1", **{"state": "in_progress", **fields})
    return count_slots(name, as_of(record, at(after(now))), rules)


@pytest.mark.parametrize(
    ("now", "updates", "expected"),
    [
        ("30m", [], (0, 0)),
        ("30m1s", [], (0, 1)),
        ("1h40m", [], (0, 3)),
        ("40m", ["30m"], (1, 0)),
        ("40m", ["30m1s"], (1, 1)),
        ("2h", ["1h40m"], (1, 3)),
        ("2h11m", ["1h40m"], (1, 4)),
        ("1h", ["20m", "40m"], (2, 0)),
        ("10m", ["20m"], (0, 0)),
    ],
)
def test_a_slot_is_missed_strictly_after_its_cadence(now: str, updates: list[str], expected: tuple[int, int]) -> None:
    """SEV1 owes an update every 30 minutes; a silence of 100 minutes is three missed slots and a kept one."""
    assert counted(now, updates=[update(span) for span in updates]) == expected


def test_the_resolution_ends_the_last_slot() -> None:
    over = {"acknowledged": after("5m"), "resolved": after("50m")}
    assert counted("9h", times=over, state="resolved", updates=[update("25m")]) == (2, 0)
    assert counted("9h", times=over, state="resolved", updates=[]) == (1, 1)


def test_every_cycle_counts() -> None:
    """What was missed before a reopening is not forgotten after it."""
    found = counted(
        "10h10m",
        times={"acknowledged": after("5m"), "resolved": after("40m")},
        state="reopened",
        cycles=[{"reopened": after("10h")}],
    )
    assert found == (1, 1)
    over_again = counted(
        "30h",
        times={"acknowledged": after("5m"), "resolved": after("40m")},
        state="resolved",
        cycles=[{"reopened": after("10h"), "resolved": after("10h20m")}],
    )
    assert over_again == (2, 1)


def test_public_slots_are_ended_by_public_updates_alone() -> None:
    """A range is missed at its outer limit (C11)."""
    told = [update("20m"), update("29m", "public")]
    assert counted("59m", UPDATE_PUBLIC, PUBLIC, updates=told) == (1, 0)
    assert counted("59m1s", UPDATE_PUBLIC, PUBLIC, updates=told) == (1, 1)
    assert counted("31m", UPDATE_PUBLIC, PUBLIC, updates=[update("20m")]) == (0, 1)
