"""By when an incident must have a commander, for levels that change."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.commander import commander_due
from tests.sla.scene import after, at, change, incident
from tests.support.policies import policy

RULES = policy(
    "sev0-3", "levels:\n- {id: SEV0, ic: 'within:15m'}\n- {id: SEV1, ic: required}\n- {id: SEV2, ic: 'after:1h'}\n"
)


def due(now: str, label: str, *changes: dict[str, str], **fields: Any) -> str | None:
    found = commander_due(incident(severity=label, changes=list(changes), **fields), RULES, at(after(now)))
    return next(
        (span for span in ("0s", "5m", "15m", "25m", "50m", "1h", "65m") if at(after(span)) == found), str(found)
    )


@pytest.mark.parametrize(
    ("label", "changes", "expected"),
    [
        ("SEV0", [], "15m"),
        ("SEV1", [], "0s"),
        ("SEV2", [], "1h"),
        ("SEV3", [], "None"),
        ("SEV0", [change("10m", "severity", "SEV3", "SEV0")], "25m"),
        ("SEV1", [change("50m", "severity", "SEV2", "SEV1")], "50m"),
        ("SEV2", [change("5m", "severity", "SEV0", "SEV2")], "1h"),
        ("SEV2", [change("50m", "severity", "SEV0", "SEV2")], "15m"),
        ("SEV3", [change("50m", "severity", "SEV0", "SEV3")], "None"),
    ],
)
def test_the_window_follows_the_levels(label: str, changes: list[dict[str, str]], expected: str) -> None:
    """It begins with the first level that asks; lowering gives more time, and does not undo a delay."""
    assert due("65m", label, *changes) == expected


def test_nobody_is_asked_for_once_there_is_one_or_it_is_over() -> None:
    assert due("65m", "SEV0", roles={"commander": "@a"}) == "None"
    assert due("65m", "SEV0", state="resolved") == "None"


def test_a_change_that_lies_ahead_counts_later() -> None:
    assert due("5m", "SEV0", change("50m", "severity", "SEV2", "SEV0")) == "1h"
