"""Cases that other systems' own tests assert; they stay outside the project."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_ops.domain.policy_sections import DAYS, Calendar
from incident_ops.domain.time import PauseSpan

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("INCIDENT_OPS_CONFORMANCE") or ROOT.parent / "shared" / "conformance")


def need_folder() -> None:
    """Leaves a whole test file out where the cases are not at hand: the one skip that is allowed."""
    if not FOLDER.is_dir():
        reason = f"conformance folder absent: {FOLDER} (set INCIDENT_OPS_CONFORMANCE)"
        pytest.skip(reason, allow_module_level=True)


def document(name: str) -> dict[str, Any]:
    """One file of the folder."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def cases(name: str, key: str = "cases") -> list[dict[str, Any]]:
    """The cases of one file."""
    found: list[dict[str, Any]] = document(name)[key]
    return found


def at(text: str) -> datetime:
    """An instant of a case, aware UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def hours(case: dict[str, Any]) -> dict[str, list[str]]:
    """The working hours of a case as a policy writes them."""
    return {day: ["-".join(window) for window in case["calendar"]["hours"].get(day[:3], [])] for day in DAYS}


def calendar(case: dict[str, Any]) -> Calendar:
    """The calendar of a case."""
    return Calendar(tz=case["calendar"]["tz"], hours=hours(case), holidays=case["calendar"]["holidays"])


def pauses(case: dict[str, Any]) -> list[PauseSpan]:
    """The pauses of a case."""
    return [(at(begin), at(until)) for begin, until in case.get("pauses", [])]
