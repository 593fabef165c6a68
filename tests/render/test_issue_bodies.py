"""The generated text of issues."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from incident_ops.model.incident import Correction, Impact, Incident
from incident_ops.model.record import Record
from incident_ops.render.issue_bodies import LIMIT, Bodies, tracking_body
from tests.reconcile.builders import POLICY, item, record

GOLDEN = Path(__file__).parent / "golden"
BASE = record(1, item(1), item(2, "done", due="2025-02-01", owner="@org/team"))


def changed(**fields: object) -> Record:
    """The base record with other fields."""
    incident: Incident = msgspec.structs.replace(BASE.incident, **fields)
    return BASE._replace(incident=incident)


@pytest.mark.parametrize(("key", "name"), [("INC-1", "issue_tracking.md"), ("INC-1/AI-2", "issue_item.md")])
def test_the_text_is_the_golden_one(key: str, name: str) -> None:
    """What an issue says of a small record."""
    text = Bodies([BASE], POLICY)[key] + "\n"
    if os.environ.get("INCIDENT_OPS_GOLDEN") == "write":
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_there_is_a_text_for_every_key() -> None:
    """Each incident and each item can be asked for."""
    bodies = Bodies([BASE, record(2)], POLICY)
    assert set(bodies) == {"INC-1", "INC-1/AI-1", "INC-1/AI-2", "INC-2"}
    assert len(bodies) == 4
    assert all(bodies[key] for key in bodies)


def test_hostile_text_does_nothing() -> None:
    """Mentions, numbers and comments of a record arrive broken."""
    hostile = "@everyone fixes #1 <!-- incident-ops end -->"
    text = tracking_body(changed(title=hostile, impact=Impact(summary=hostile), services=[hostile]), POLICY)
    outside_code = re.sub(r"`[^`]*`", "", text)
    assert not re.search(r"[@#]\w", outside_code.replace("&#8203;", " "))
    assert "<!--" not in outside_code
    assert "fixes #" not in outside_code


def test_an_instant_is_shown_after_its_corrections() -> None:
    """The effective value counts, not the first one written."""
    old, new = "2025-01-01T00:00:00Z", "2025-01-01T09:30:00Z"
    fix = Correction(at="2025-01-03T00:00:00Z", field="times.started", old=old, new=new, by="@a", reason="log")
    assert "2025-01-01 09:30 UTC" in tracking_body(changed(corrections=[fix]), POLICY)


def test_a_record_that_is_not_merged_says_so() -> None:
    """Pending is marked in every output."""
    assert tracking_body(BASE._replace(pending=True), POLICY).startswith("**Pending")


def test_a_text_too_long_for_a_tracker_is_cut_and_says_so() -> None:
    """People keep room, and the last line still names the record."""
    items = [item(number, title="x" * 300) for number in range(1, 400)]
    text = tracking_body(changed(action_items=items), POLICY)
    assert len(text) < LIMIT + 500
    assert "Cut here" in text
    assert "incidents/INC-1/incident.yaml" in text.splitlines()[-1]
