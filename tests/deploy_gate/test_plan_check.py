"""Times of plans that the gate can make nothing of are errors, at the key to mend."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.deploy_gate.holds import freeze_holds, window_holds
from incident_ops.deploy_gate.plan_check import check_plan
from incident_ops.domain.planned_changes import Freeze, Maintenance
from tests.deploy_gate.asking import NOW, change, freeze, policy

SOUND = {"zone": "Etc/UTC", "from": "2025-01-22T12:30:00", "until": "2025-01-22T13:30:00"}


def told(plan: Freeze | Maintenance, buffer: str | None = None) -> list[tuple[tuple[str | int, ...], str]]:
    return [(one.where.route, one.hint) for one in check_plan(plan, "f.yaml", buffer)]


@pytest.mark.parametrize(
    ("fields", "route", "hint"),
    [
        ({"until": "2025-01-21T00:00:00Z"}, ("until",), "after 2025-01-22T12:00:00Z"),
        ({"until": "2025-01-22T12:00:00Z"}, ("until",), "after"),
        ({"from": "2025-01-22T14:00:00"}, ("from",), "with a zone"),
        ({"until": "2025-01-22T14:00:00"}, ("until",), "with a zone"),
        ({"from": "2025-01-22T14:00:00", "zone": "UTCC"}, ("zone",), "did you mean UTC?"),
        ({"from": "2025-01-22T14:00:00", "zone": "Europe/Berln"}, ("zone",), "did you mean Europe/Berlin?"),
        ({"from": "0001-01-01T00:00:00", "zone": "Asia/Tokyo"}, ("from",), "instant"),
        ({"until": "9999-12-31T00:00:00", "zone": "Asia/Tokyo"}, ("until",), "instant"),
    ],
)
def test_a_freeze_or_an_override(fields: dict[str, Any], route: tuple[str, ...], hint: str) -> None:
    for more in ({}, {"kind": "override", "sha": "7be19f2", "by": "@a"}):
        [(plan)] = freeze(**fields, **more).values()
        [(found, how)] = told(plan)
        assert found == route
        assert hint in how


@pytest.mark.parametrize(
    ("fields", "buffer", "route", "hint"),
    [
        ({"window": {**SOUND, "until": "2025-01-22T12:30:00"}}, None, ("window", "until"), "after"),
        ({"window": {**SOUND, "zone": "Mars/Olympus"}}, None, ("window", "zone"), "Europe/Berlin"),
        ({"window": {**SOUND, "from": "0001-01-01T00:00:00"}}, "15m", ("window", "from"), "instant"),
        ({"window": SOUND}, "999999d", ("buffer",), "shorter"),
    ],
)
def test_a_maintenance_window(fields: dict[str, Any], buffer: str | None, route: tuple[str, ...], hint: str) -> None:
    [plan] = change(**fields).values()
    [(found, how)] = told(plan, buffer)
    assert found == route
    assert hint in how


def test_it_finds_what_the_gate_cannot_use_and_nothing_else() -> None:
    for plans in (freeze(), freeze(until="2025-01-22T11:00:00Z"), freeze(**SOUND), freeze(**{**SOUND, "zone": None})):
        unread = freeze_holds("auth", "production", plans.items(), NOW)[1]
        assert [len(told(plan)) for plan in plans.values()] == [len(unread)]
    for changes in (change(), change(window={**SOUND, "zone": "UTCC"})):
        unread = window_holds(["auth"], changes.items(), policy(), NOW)[1]
        assert [len(told(plan)) for plan in changes.values()] == [len(unread)]
