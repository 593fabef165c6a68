"""An update that says the cause is identified ends the diagnosis, in every view."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.scene import Folder, as_json, ok

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-140000"
SAID_AT, LATER = "2025-01-26T14:10:00Z", "2025-01-26T14:17:00Z"


@pytest.fixture
def said(make: Callable[..., Folder]) -> Folder:
    """A SEV-1 of 14:00 (diagnosis within 15 minutes) of which an update said the cause at 14:10, as people do."""
    folder = make("ops", policy="extends: itil-p1-p4\nids: {incident: INC-YYYYMMDD-HHMMSS}\n")
    ok(folder, "declare", "Slow", "--priority", "P1", "--severity", "SEV-1", "--service", "api")
    ok(folder, "ack", clock="2025-01-26T14:05:00Z")
    ok(folder, "update", "--status", "identified", "--internal", "Root cause: memory leak", clock=SAID_AT)
    return folder


def diagnosis(folder: Folder, *words: str, clock: str = LATER) -> list[tuple[str, str | None]]:
    clocks = as_json(folder, *words, clock=clock)["clocks"]
    return [(one["state"], one["stopped_at"]) for one in clocks if one["clock"] == "diagnosis"]


def test_the_diagnosis_is_met_at_the_instant_of_the_update(said: Folder) -> None:
    assert diagnosis(said, "sla", "check") == [("met", SAID_AT)]
    owed = as_json(said, "sla", "check", clock=LATER)["obligations"]
    assert not [one for one in owed if one["key"].split("/")[1] == "diagnosis"]
    assert diagnosis(said, "sla", "check", clock="2025-01-26T14:09:00Z") == [("running", None)]


def test_the_views_say_when_the_cause_was_found(said: Folder) -> None:
    assert "met       response, diagnosis" in ok(said, "show", ID, clock=LATER).out
    ok(said, "render", ID, clock=LATER)
    document = (said.path / f"incidents/{ID}/incident.md").read_text(encoding="utf-8")
    assert "Diagnosed" in document
    assert "14:10 UTC (an update said so)" in document
    ok(said, "apply", clock=LATER)
    way = f'incident-ops cause {ID} --what "..."'
    assert f"Cause found 14:10 UTC. Write down what it is: `{way}`" in ok(said, "issues", "1", clock=LATER).out
    report = as_json(said, "sla", "report", "--month", "2025-01", clock=LATER)
    assert [(one["met"], one["missed"]) for one in report["total"] if one["clock"] == "diagnosis"] == [(1, 0)]


def test_a_mark_of_its_own_counts_and_a_new_outage_is_not_diagnosed_by_the_old_update(said: Folder) -> None:
    ok(said, "timeline", "It was the cache", "--mark", "diagnosed", "--at", "14:03", clock=LATER)
    assert diagnosis(said, "sla", "check") == [("met", "2025-01-26T14:03:00Z")]
