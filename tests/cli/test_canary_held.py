"""A canary asks the gate again before every step and before full traffic: a hold that appears stops it there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.canary_scene import POLICY, Clock, Source, gate, stage, write
from tests.cli.scene import Done, Folder, call, record

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
STEPS = "[{weight: 10, duration: 10m}, {weight: 50, duration: 10m}, {weight: 100}]"
FREEZE = "name: f\nreason: stop the line\nfrom: 2025-01-26T14:00:00Z\nby: '@dana'\n"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTOR", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def here(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "repo", policy=POLICY)
    folder.commit()
    return folder


def canary(here: Folder, *words: str, steps: str = STEPS) -> tuple[Done, dict[str, Any], list[str]]:
    """The run -> its JSON, and the commands that ran with their weight."""
    name = write(here.path, gate(steps=steps) if steps else gate())
    note = 'echo "{} $INCIDENT_OPS_WEIGHT" >> told'
    commands = [word for one in ("step", "pass", "fail") for word in (f"--on-{one}", note.format(one))]
    words = ("-f", name, "--format", "json", "-s", "api", *commands, *words)
    done = call("canary", "run", *words, at=here.path, clock=None)
    assert "Traceback" not in done.err
    told = here.path / "told"
    return done, json.loads(done.out), told.read_text().splitlines() if told.exists() else []


def later(monkeypatch: pytest.MonkeyPatch, turn: int, happens: Callable[[], None]) -> Clock:
    """A rollout in which something happens at one of its waits of 15 s."""
    clock = Clock(at_wait=lambda number: happens() if number == turn else None)
    stage(monkeypatch, Source(), clock)
    monkeypatch.setattr("incident_ops.adapters.clock.now", clock.now)
    return clock


def freezing(here: Folder) -> Callable[[], None]:
    def happens() -> None:
        here.write("freezes/f.yaml", FREEZE)
        here.commit()

    return happens


@pytest.mark.parametrize(
    ("turn", "ran"),
    [(3, ["step 10"]), (45, ["step 10", "step 50"]), (90, ["step 10", "step 50", "step 100", "pass 100"])],
)
def test_a_freeze_that_comes_in_the_middle_stops_the_next_step(
    here: Folder, monkeypatch: pytest.MonkeyPatch, turn: int, ran: list[str]
) -> None:
    """In the first step, in the second, and too late."""
    later(monkeypatch, turn, freezing(here))
    done, told, commands = canary(here)
    assert commands == ran
    if turn == 90:
        assert (done.code, told["verdict"]) == (0, "pass")
        return
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "frozen", "deploy_freeze")
    assert told["stopped_at_seconds"] == (600 if turn == 3 else 1200)
    assert told["metrics"][0]["canary_requests"] > 0


def test_what_is_printed_names_the_hold_and_what_the_traffic_is_left_at(
    here: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, 3, freezing(here))
    name = write(here.path, gate(steps=STEPS))
    done = call("canary", "run", "-f", name, "-s", "api", at=here.path, clock=None)
    text = " ".join(done.out.split())
    assert "frozen: deploys are held (deploy_freeze), after 10m" in text
    assert "f by @dana stop the line" in text
    assert "Deploys resume when freeze f is over, or lifted with `incident-ops unfreeze f`." in text
    assert "the canary stays at 10 % of the traffic, and nothing was rolled back" in text


@pytest.mark.parametrize("steps", ["", STEPS])
def test_a_pass_is_asked_about_before_it_promotes(here: Folder, monkeypatch: pytest.MonkeyPatch, steps: str) -> None:
    """Without a step of 100 the pass itself is what promotes: --on-pass does not run."""

    def happens() -> None:
        here.put(text=record(times="{declared: 2025-01-26T14:05:00Z}"))
        here.commit()

    later(monkeypatch, 38 if steps != STEPS else 78, happens)
    done, told, commands = canary(here, steps=steps)
    assert (done.code, told["verdict"], told["incident_ids"]) == (3, "frozen", ["INC-1"])
    assert "pass" not in "".join(commands)
    assert "100" not in "".join(commands)


def test_a_bad_canary_fails_and_rolls_back_whatever_is_held(here: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = later(monkeypatch, 1, freezing(here))
    stage(monkeypatch, Source(50.0), clock)
    done, told, commands = canary(here)
    assert (done.code, told["verdict"]) == (1, "fail")
    assert commands[-1].startswith("fail")


def test_a_run_that_was_held_goes_on_from_its_state(here: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = later(monkeypatch, 3, freezing(here))
    words = ("--state", "state.json", "--sha", "7be19f2")
    assert canary(here, *words)[1]["verdict"] == "frozen"
    (here.path / "freezes/f.yaml").unlink()
    here.commit()
    done, told, commands = canary(here, *words)
    assert (done.code, told["verdict"]) == (0, "pass"), done
    assert commands == ["step 10", "step 10", "step 50", "step 100", "pass 100"]
    assert clock.waits < 90


def test_a_remote_that_is_gone_for_a_moment_is_asked_again_and_one_that_stays_away_stops_the_run(
    here: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.git"
    here.git("clone", "-q", "--bare", ".", str(bare))
    here.git("remote", "add", "origin", str(bare))
    gone = tmp_path / "gone"
    turns = {3: lambda: bare.rename(gone), 42: lambda: gone.rename(bare)}
    clock = Clock(at_wait=lambda number: turns[number]() and None if number in turns else None)
    stage(monkeypatch, Source(), clock)
    monkeypatch.setattr("incident_ops.adapters.clock.now", clock.now)
    done, told, _ = canary(here)
    assert (done.code, told["verdict"]) == (0, "pass"), done
    (here.path / "told").unlink()
    turns.clear()
    clock.waits = 0
    turns[3] = lambda: bare.rename(gone)
    done, told, commands = canary(here)
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "inconclusive", "incident_repo_unreachable")
    assert commands == ["step 10"]


def test_a_budget_of_requests_is_judged_by_their_number(here: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in gate check; without it nobody can tell, which is not for want of samples."""
    budget = "gate: {max_error_pct: null, budget: hold}\nslo: {target_pct: 99.9, window: 30d, mode: requests}"
    here.write("policy.yaml", POLICY.replace("gate: {max_error_pct: null}", budget))
    here.commit()
    stage(monkeypatch, Source())
    done = call("canary", "run", "-f", write(here.path, gate()), "-s", "api", at=here.path, clock=None)
    assert (done.code, done.out.splitlines()[0]) == (
        3, "inconclusive: nobody can tell whether deploys are held (no_data)",
    )  # fmt: skip
    done, told, ran = canary(here, "--requests", "1000000", steps="")
    assert (done.code, told["verdict"], ran) == (0, "pass", ["pass "])
    words = ("-f", write(here.path, gate()), "--requests", "0")
    call("canary", "run", *words, at=here.path, clock=None).told_once(2, "--requests without --service")


@pytest.mark.parametrize("how", ["carried on", "jumped"])
def test_a_run_that_lasts_longer_than_planned_is_held_by_a_freeze_that_has_just_begun(
    here: Folder, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Carried on for twice its time, or on a machine that slept: what began five minutes before the pass holds it."""
    begins, jumps = (1500, {}) if how == "carried on" else (4500, {10: 3600.0})
    minute = begins // 60
    freeze = FREEZE.replace("14:00:00", f"{14 + minute // 60}:{minute % 60:02}:00")

    def happens() -> None:
        here.write("freezes/f.yaml", freeze)
        here.commit()

    clock = Clock(jumps, at_wait=lambda number: happens() if number == 75 else None)
    stage(monkeypatch, Source(rps=0.4) if how == "carried on" else Source(), clock)
    monkeypatch.setattr("incident_ops.adapters.clock.now", clock.now)
    words = ("--state", "state.json", "--sha", "7be19f2")
    if how == "carried on":
        assert canary(here, *words, steps="")[1]["verdict"] == "inconclusive"
        done, told, commands = canary(here, *words, "--continue", "20m", steps="")
    else:
        steps = "[{weight: 10, duration: 10m}, {weight: 50, duration: 20m}, {weight: 100}]"
        done, told, commands = canary(here, *words, steps=steps)
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "frozen", "deploy_freeze")
    assert "pass" not in "".join(commands)
    assert "100" not in "".join(commands)
