"""What was withdrawn by mistake and is reopened: somebody has to respond again, and the report counts it once."""

from __future__ import annotations

import pytest

from tests.cli.scene import Folder, as_json, ok

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"
EARLY, LATE = "2025-01-26T12:10:00Z", "2025-01-26T12:30:00Z"
REOPENED = "2025-01-26T13:00:00Z"


def response(folder: Folder, clock: str) -> tuple[str, str, str | None, int]:
    """State, risk, due time and cycle of the response."""
    found = next(one for one in as_json(folder, "sla", "check", clock=clock)["clocks"] if one["clock"] == "response")
    return found["state"], found["risk"], found["due"][11:16], found["cycle"]


def declared(folder: Folder, *, acknowledged: bool = False, withdrawn: str = EARLY) -> Folder:
    ok(folder, "declare", "Login is down", "-s", "api", "--severity", "SEV1", clock="2025-01-26T12:05:00Z")
    if acknowledged:
        ok(folder, "ack", ID, clock="2025-01-26T12:07:00Z")
    ok(folder, "withdraw", ID, "--as", "false_alarm", "--reason", "the probe was broken", clock=withdrawn)
    ok(folder, "reopen", ID, "--reason", "it was real", clock=REOPENED)
    return folder


def test_response_is_owed_again_from_the_reopening(folder: Folder) -> None:
    declared(folder)
    assert response(folder, "2025-01-26T13:14:00Z") == ("running", "ok", "13:15", 2)
    assert response(folder, "2025-01-26T13:20:00Z") == ("running", "breached", "13:15", 2)
    due = [one["key"] for one in as_json(folder, "sla", "check", clock="2025-01-26T13:20:00Z")["obligations"]]
    assert f"{ID}/response/2/due" in due
    ok(folder, "ack", ID, clock="2025-01-26T13:21:00Z")
    assert response(folder, "2025-01-26T13:30:00Z") == ("missed", "breached", "13:15", 2)
    assert "all fine" in ok(folder, "validate", clock="2025-01-26T13:30:00Z").out


def test_an_acknowledgement_in_time_meets_it_and_the_report_counts_it_once(folder: Folder) -> None:
    declared(folder)
    ok(folder, "ack", ID, clock="2025-01-26T13:05:00Z")
    ok(folder, "resolve", ID, "--restored", "now", "--cause", "deploy", clock="2025-01-26T13:40:00Z")
    assert response(folder, "2025-01-26T14:00:00Z") == ("met", "ok", "13:15", 2)
    report = as_json(
        folder, "sla", "report", "--since", "2025-01-01", "--until", "2025-02-01", clock="2025-01-26T14:00:00Z"
    )
    counted = {one["clock"]: (one["met"], one["missed"]) for one in report["total"]}
    assert counted["response"] == (1, 0)
    assert counted["resolution"] == (1, 0)


def test_an_acknowledgement_that_was_given_stays_given(folder: Folder) -> None:
    declared(folder, acknowledged=True)
    assert response(folder, "2025-01-26T13:30:00Z") == ("met", "ok", "12:20", 1)


def test_a_response_that_was_missed_before_stays_missed(folder: Folder) -> None:
    declared(folder, withdrawn=LATE)
    assert response(folder, "2025-01-26T13:10:00Z")[:3] == ("running", "breached", "12:20")


def test_the_outcome_goes(folder: Folder) -> None:
    declared(folder)
    assert "outcome" not in (folder.path / f"incidents/{ID}/incident.yaml").read_text()


def test_the_postmortem_waits_for_the_resolution(folder: Folder) -> None:
    declared(folder)
    names = [one["clock"] for one in as_json(folder, "sla", "check", clock="2025-01-26T13:10:00Z")["clocks"]]
    assert "postmortem_meeting" not in names
    ok(folder, "resolve", ID, "--restored", "now", "--cause", "deploy", clock="2025-01-26T13:40:00Z")
    clocks = as_json(folder, "sla", "check", clock="2025-01-26T14:00:00Z")["clocks"]
    meeting = next(one for one in clocks if one["clock"] == "postmortem_meeting")
    assert meeting["start"] == "2025-01-26T13:40:00Z"


def test_while_it_was_withdrawn_nothing_was_owed(folder: Folder) -> None:
    declared(folder)
    assert as_json(folder, "sla", "check", clock="2025-01-26T12:40:00Z")["obligations"] == []
