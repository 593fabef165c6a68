"""The zone in which people read the time from a wall."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_ops.adapters import clock

NOON = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("name", "hour"), [("Europe/Berlin", 14), (":Asia/Tokyo", 21), ("UTC", 12)])
def test_the_zone_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, name: str, hour: int) -> None:
    monkeypatch.setenv("TZ", name)
    assert NOON.astimezone(clock.local_zone()).hour == hour


def test_the_zone_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the environment names none; without a file of it, or with a rule that no place has, it is UTC."""
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(clock, "_SYSTEM_ZONE", tmp_path / "localtime")
    assert NOON.astimezone(clock.local_zone()).hour == 12
    (tmp_path / "localtime").write_bytes(b"not a zone")
    assert NOON.astimezone(clock.local_zone()).hour == 12
    monkeypatch.setenv("TZ", "CET-1CEST")
    assert NOON.astimezone(clock.local_zone()).hour == 12
