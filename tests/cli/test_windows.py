"""Windows by commands: triage until a person triages, a commander in time, waits, snoozes; every view says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from incident_ops.adapters.environment import ACTOR, CHOSEN
from tests.cli.scene import Done, Folder, call

ID = "INC-20250126-120500"
DECLARED = "2025-01-26T12:05:00Z"
ELEVEN_MINUTES_LATER = "2025-01-26T12:16:00Z"
TRIAGE_OVERRAN = "triage, planned 12:05 to 12:15 UTC, 1m over: nobody triaged it"


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOSEN, "@alice")
    monkeypatch.delenv(ACTOR, raising=False)


def done(folder: Folder, *args: str, clock: str = ELEVEN_MINUTES_LATER) -> Done:
    result = call(*args, at=folder.path, clock=clock)
    assert result.code == 0, (args, result)
    return result


def declare(folder: Folder, *more: str, clock: str = DECLARED) -> Done:
    return done(folder, "declare", "Login is down", "-s", "api", *more, clock=clock)


def data(folder: Folder, *args: str, clock: str = ELEVEN_MINUTES_LATER) -> Any:
    return json.loads(done(folder, *args, "--format", "json", clock=clock).out)


def shown(folder: Folder, label: str, clock: str = ELEVEN_MINUTES_LATER) -> str:
    """What `show` says under a label; "" where it has none."""
    lines = done(folder, "show", ID, clock=clock).out.splitlines()
    return next((line[len(label) :].strip() for line in lines if line.startswith(f"{label} ")), "")


class TestTriage:
    """The first phase of the response runs until a person has triaged or taken the incident."""

    def test_a_sev0_with_nobody_for_eleven_minutes_says_so(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV0")
        assert shown(folder, "Phase", "2025-01-26T12:14:00Z") == "triage, planned 12:05 to 12:15 UTC"
        assert shown(folder, "Phase") == TRIAGE_OVERRAN
        checked = done(folder, "sla", "check").out
        assert f"{ID}: {TRIAGE_OVERRAN}" in " ".join(checked.split())
        assert data(folder, "show", ID)["response_phase"] == {
            "id": "triage", "from": DECLARED, "due": "2025-01-26T12:15:00Z", "over_seconds": 60,
        }  # fmt: skip

    @pytest.mark.parametrize(
        "act",
        [
            ("ack", ID),
            ("assign", "@bob", ID),
            ("assign", "commander", "@bob", ID),
            ("triage", ID, "--users", "all", "--feature", "core"),
            ("update", ID, "--severity", "SEV1", "--reason", "one region"),
            ("pause", ID, "--waiting-for", "vendor"),
        ],
        ids=lambda act: act[0],
    )
    def test_it_ends_when_a_person_acts_on_it(self, folder: Folder, act: tuple[str, ...]) -> None:
        declare(folder, "--severity", "SEV0")
        done(folder, *act, clock="2025-01-26T12:08:00Z")
        assert not shown(folder, "Phase").startswith("triage")

    @pytest.mark.parametrize("act", [("timeline", "Somebody called", ID), ("update", ID, "--internal", "Looking")])
    def test_talk_does_not_end_it(self, folder: Folder, act: tuple[str, ...]) -> None:
        declare(folder, "--severity", "SEV0")
        done(folder, *act, clock="2025-01-26T12:08:00Z")
        assert shown(folder, "Phase") == TRIAGE_OVERRAN

    def test_what_the_automation_does_is_not_triage(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV0", "--by", "github-actions[bot]")
        done(folder, "update", ID, "--severity", "SEV1", "--reason", "x", "--by", "incident-ops")
        assert shown(folder, "Phase").startswith("triage")

    def test_answers_given_at_the_declaration_are_triage(self, folder: Folder) -> None:
        declare(folder, "--users", "all", "--feature", "core")
        assert shown(folder, "Phase", DECLARED) == "investigation, planned 12:15 to 12:35 UTC"
        text = (folder.path / f"incidents/{ID}/incident.yaml").read_text()
        assert "triage: 100 % of users, feature core" in text

    def test_answers_that_a_machine_gave_are_not(self, folder: Folder) -> None:
        declare(folder, "--users", "all", "--feature", "core", "--by", "github-actions[bot]")
        assert shown(folder, "Phase") == TRIAGE_OVERRAN

    def test_a_view_of_an_earlier_time_says_the_same(self, folder: Folder) -> None:
        declare(folder, "--users", "all", "--feature", "core")
        done(folder, "ack", ID, clock="2025-01-26T12:20:00Z")
        assert shown(folder, "Phase") == "investigation, planned 12:15 to 12:35 UTC"
