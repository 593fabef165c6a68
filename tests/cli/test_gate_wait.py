"""gate wait: the question of gate check, asked until the answer is yes or the time is up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cli.canary_scene import Clock
from tests.cli.scene import Folder, call

FREEZE = "name: f\nreason: books\nfrom: 2025-01-26T12:00:00Z\nuntil: {until}\n"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTOR", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)


def ticking(monkeypatch: pytest.MonkeyPatch, happens: Callable[[int], None] | None = None) -> Clock:
    """A clock that only moves when somebody waits."""
    clock = Clock(at_wait=happens)
    monkeypatch.setattr("incident_ops.adapters.environment.Ticking", lambda: clock)
    monkeypatch.setattr("incident_ops.adapters.clock.now", clock.now)
    return clock


@pytest.mark.slow
def test_it_ends_as_soon_as_nothing_holds(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("freezes/f.yaml", FREEZE.format(until="2025-01-26T14:10:00Z"))
    folder.commit()
    clock = ticking(monkeypatch)
    done = call("gate", "wait", "-s", "api", "--for", "30m", at=folder.path, clock=None)
    assert (done.code, done.out.startswith("pass: ")) == (0, True), done
    assert clock.waits == 20
    assert done.err.count("frozen (deploy_freeze): f; asking again until 14:30:00 UTC") == 1


def test_it_ends_held_when_the_time_is_up(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was merged meanwhile is said, and the answer is the last one."""

    def happens(turn: int) -> None:
        if turn == 3:
            folder.put()
            folder.commit()

    folder.write("freezes/f.yaml", FREEZE.format(until="2025-01-26T20:10:00Z"))
    folder.commit()
    clock = ticking(monkeypatch, happens)
    done = call("gate", "wait", "api", "--for", "100s", "--format", "json", at=folder.path, clock=None)
    data = json.loads(done.out)
    assert (done.code, data["reason_code"], clock.waits) == (3, "open_incident", 4)
    assert len(done.err.splitlines()) == 2


def test_a_question_that_cannot_be_asked_is_not_waited_for(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ticking(monkeypatch)
    call("gate", "wait", "-s", "apii", at=folder.path, clock=None).told_once(2, "did you mean api?")
    call("gate", "wait", "-s", "api", "--for", "soon", at=folder.path, clock=None).told_once(2, "--for 'soon'")
    call("gate", "wait", "-s", "api", at=folder.path).told_once(2, "the real clock")
    assert clock.waits == 0


def test_what_holds_for_now_is_said_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed hours begin anew with every question; that is nothing new. What cannot be read is named."""
    folder.write("policy.yaml", "extends: sev0-3\ngate: {deploy_calendar: business}\n")
    folder.commit()
    ticking(monkeypatch)
    done = call("gate", "wait", "-s", "api", "--for", "2m", at=folder.path, clock=None)
    assert (done.code, len(done.err.splitlines())) == (3, 1), done
    folder.write("policy.yaml", "extends: sev0-3\n")
    folder.write("freezes/f.yaml", "name: f\n")
    folder.commit()
    done = call("gate", "wait", "-s", "api", "--for", "1m", at=folder.path, clock=None)
    assert "inconclusive (unreadable_record): freezes/f.yaml; asking again until" in done.err
