"""A canary that breaks late in its rollout: stopped at any share, and never given more traffic while it looks worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.canary_scene import COLUMNS, POLICY, Clock, Source, gate, stage, write
from tests.cli.scene import Done, Folder, call

Patch = pytest.MonkeyPatch
TICK, STEP = 15, 300


def recording(weights: list[int], breaks: int, rate: float, rps: int = 1000, good: float = 0.001) -> str:
    """Five minutes at each weight; from second `breaks` on, the canary fails at `rate`."""
    lines = []
    for number in range(1, STEP * len(weights) // TICK + 1):
        end = number * TICK
        mine = weights[(end - 1) // STEP] * rps * TICK // 100
        others = rps * TICK - mine
        failed = round(mine * (rate if end > breaks else good))
        lines.append(f"{end},{mine},{failed},{others},{round(others * good)}\n")
    return COLUMNS + "".join(lines)


def steps(weights: list[int]) -> str:
    return "[" + ", ".join(f"{{weight: {weight}, duration: 5m}}" for weight in weights) + "]"


def replayed(here: Folder, csv: str, weights: list[int]) -> tuple[Done, dict[str, Any]]:
    (here.path / "late.csv").write_text(csv)
    name = write(here.path, gate(provider="{file: {}}", steps=steps(weights)).replace("  duration: 10m\n", ""))
    done = call("canary", "replay", "late.csv", "-f", name, "--format", "json", at=here.path)
    return done, json.loads(done.out)


@pytest.mark.parametrize(
    ("weights", "at"),
    [([20, 40, 60, 80], 80), ([25, 50, 75], 75), ([10, 25, 50, 90], 90), ([20, 40, 60, 80], 60), ([5], 5)],
)
def test_a_dead_canary_is_stopped_within_30_seconds_at_any_share(here: Folder, weights: list[int], at: int) -> None:
    """1,000 requests a second, 0.1 % before: every request fails from the begin of the step on; --on-fail would run."""
    breaks = STEP * weights.index(at)
    done, said = replayed(here, recording(weights, breaks, 1.0), weights)
    assert (done.code, said["verdict"]) == (1, "fail")
    assert said["stopped_at_seconds"] - breaks <= 30


@pytest.mark.parametrize("weights", [[20, 40, 60, 80], [25, 50, 75], [10, 25, 50, 90]])
@pytest.mark.parametrize("rps", [100, 1000])
def test_ten_times_worse_is_stopped_within_three_minutes_in_the_last_step(
    here: Folder, weights: list[int], rps: int
) -> None:
    """0.5 % becomes 5 %: no test is obvious, the evidence decides."""
    breaks = STEP * (len(weights) - 1)
    done, said = replayed(here, recording(weights, breaks, 0.05, rps, 0.005), weights)
    assert (done.code, said["reason_code"]) == (1, "error_rate")
    assert said["stopped_at_seconds"] - breaks <= 180
    text = call("canary", "replay", "late.csv", "-f", "g.yaml", at=here.path).out
    assert "in the last 1m: canary " in text


def test_what_anyone_can_see_is_a_fail_in_the_second_tick(here: Folder) -> None:
    """60 % of its requests fail, without evidence enough; with half the errors or for one tick it is not obvious."""
    weights = [90]
    for rate, rps, codes in ((0.6, 10, "obvious_failure"), (0.6, 4, ""), (0.45, 10, "")):
        _done, said = replayed(here, recording(weights, 270, rate, rps), weights)
        assert said["reason_code"] == (codes or said["reason_code"])
        assert (said["reason_code"] == "obvious_failure") == bool(codes)
    text = call("canary", "replay", "late.csv", "-f", "g.yaml", at=here.path).out
    assert "obvious" not in text
    (here.path / "late.csv").write_text(recording(weights, 270, 0.6, 10))
    text = call("canary", "replay", "late.csv", "-f", "g.yaml", at=here.path).out
    assert (
        "fail: the canary is broken: at least half of its requests failed, twice running\n  (obvious_failure)" in text
    )


def measured(here: Folder, source: Source, monkeypatch: Patch, *words: str) -> tuple[Done, dict[str, Any]]:
    stage(monkeypatch, source)
    name = write(here.path, gate(steps=steps([10, 50])).replace("  duration: 10m\n", ""))
    done = call("canary", "run", "-f", name, "--format", "json", *words, at=here.path, clock=None)
    return done, json.loads(done.out)


def test_a_canary_that_breaks_in_the_last_tick_of_a_step_gets_no_more_traffic(here: Folder, monkeypatch: Patch) -> None:
    """It is measured a tick longer, and fails there, in the first step; the progress says why it waits."""
    source = Source(lambda at: 40.0 if at >= 285 else 1.0)
    done, said = measured(here, source, monkeypatch, "--on-step", 'echo "$INCIDENT_OPS_WEIGHT" >> steps.txt')
    assert (done.code, said["verdict"], said["stopped_at_seconds"]) == (1, "fail", 315)
    assert (here.path / "steps.txt").read_text() == "10\n"
    assert "(held for 15s: the canary looks worse)" in done.err


def test_a_step_is_held_while_it_looks_worse_and_then_goes_on(here: Folder, monkeypatch: Patch) -> None:
    """One bad tick at its end, then good ones: the next step begins later, and the run ends as much later."""
    source = Source(lambda at: 20.0 if 285 <= at < 300 else 1.0)
    done, said = measured(here, source, monkeypatch)
    assert said["stopped_at_seconds"] > 600
    assert said["verdict"] != "fail", done.out


def test_a_step_that_looks_worse_for_twice_its_time_ends_the_run(here: Folder, monkeypatch: Patch) -> None:
    """Too little for a fail, too much for more traffic: inconclusive, and `onInconclusive: pass` lets none through."""
    source = Source(1.7, rps=10.0)
    text = gate(steps=steps([10, 50]), onInconclusive="pass").replace("  duration: 10m\n", "")
    stage(monkeypatch, source)
    write(here.path, text.replace("type: errorRate", "type: errorRate\n    alpha: 0.000000001"))
    done = call("canary", "run", "-f", "g.yaml", "--on-step", 'echo "$INCIDENT_OPS_WEIGHT" >> steps.txt',
                at=here.path, clock=None)  # fmt: skip
    assert done.code == 3
    assert "inconclusive: the canary looks worse: too little to be sure, too much to go on" in done.out
    assert "(leans_worse), after 10m" in done.out
    assert (here.path / "steps.txt").read_text() == "10\n"


TWO_STEPS = gate(steps="[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}, {weight: 100}]").replace(
    "  duration: 10m\n", ""
)
LONE = TWO_STEPS.replace("    baseline: {errors: baseline_errors, requests: baseline_requests}\n", "")
TAKEN = ("--on-step", 'echo "$INCIDENT_OPS_WEIGHT" >> steps.txt')


def rolled_out(here: Folder, text: str, *words: str) -> tuple[Done, dict[str, Any], list[str]]:
    """A live run, its JSON, and the steps that were taken."""
    done = call("canary", "run", "-f", write(here.path, text), "--format", "json", *TAKEN, *words,
                at=here.path, clock=None)  # fmt: skip
    return done, json.loads(done.out), (here.path / "steps.txt").read_text().split()


def limited(text: str, limit: str = "5%") -> str:
    return text.replace("type: errorRate", f"type: errorRate\n    maxErrorRate: {limit}")


@pytest.mark.parametrize("jump", [400.0, 3600.0])
def test_a_clock_that_jumps_skips_no_step(here: Folder, monkeypatch: Patch, jump: float) -> None:
    """A machine that slept in the first step, beyond the next one's end: 50 % is measured for its whole time."""
    stage(monkeypatch, Source(), Clock({10: jump}))
    done, said, taken = rolled_out(here, TWO_STEPS)
    assert (done.code, taken) == (0, ["10", "50", "100"])
    assert said["stopped_at_seconds"] == 150 + jump + 300


@pytest.mark.parametrize("has_baseline", [False, True])
def test_no_step_ends_on_a_broken_tick_where_nothing_is_compared(
    here: Folder, monkeypatch: Patch, *, has_baseline: bool
) -> None:
    """Only a limit is judged, or the baseline is not read in that tick: it is measured a tick longer."""
    source = Source(lambda at: 60.0 if 285 <= at < 300 else 1.0, rate=0.01)
    source.answers = {"baseline_requests": lambda at: {} if 285 <= at <= 300 else ...}
    stage(monkeypatch, source)
    done, said, taken = rolled_out(here, limited(TWO_STEPS if has_baseline else LONE))
    assert (said["stopped_at_seconds"], taken[:2]) == (615, ["10", "50"])
    assert "(held for 15s: the canary looks worse)" in done.err


def test_nothing_passes_on_a_broken_tick_where_only_a_limit_is_judged(here: Folder, monkeypatch: Patch) -> None:
    """Below 20 % all in all, and every second request of the last tick fails; a watch is judged the same way."""
    ending, file = (lambda at: 60.0 if 585 <= at < 600 else 1.0), limited(LONE, "20%")
    stage(monkeypatch, Source(ending, rate=0.01))
    done, said, taken = rolled_out(here, file)
    assert (done.code, said["reason_code"], taken) == (3, "leans_worse", ["10", "50"])
    stage(monkeypatch, Source(lambda at: 60.0 if 1185 <= at < 1200 else 1.0, rate=0.01))
    done, said, taken = rolled_out(here, file, "--watch")
    assert (done.code, said["reason_code"], said["stopped_at_seconds"]) == (3, "leans_worse", 1200)


def test_an_early_pass_waits_until_nothing_looks_worse(here: Folder) -> None:
    """The tick that brings the last of `minRequests` is a small one, and half of it fails."""
    text = gate(provider="{file: {}}", duration="40m", earlyPass="true", minRequests="300010")
    name = write(here.path, text.replace("type: errorRate", "type: errorRate\n    dispersion: none"))
    good = "".join(f"{15 * number},3000,30,27000,270\n" for number in range(1, 101))
    for tick, code in (("50,0", 0), ("50,25", 3)):
        (here.path / "x.csv").write_text(f"{COLUMNS}{good}1515,{tick},27000,270\n")
        done = call("canary", "replay", "x.csv", "-f", name, "--format", "json", at=here.path)
        assert (done.code, json.loads(done.out)["metrics"][0]["verdict"] == "pass") == (code, code == 0), done.out


def test_a_dry_run_holds_nothing_that_looks_worse(here: Folder, monkeypatch: Patch) -> None:
    """As it holds no canary that fails: exit 0, and it says what it saw."""
    for source in Source(1.7, rps=10.0), Source(lambda at: 50.0 if 585 <= at < 600 else 1.0, rps=10.0):
        stage(monkeypatch, source)
        text = TWO_STEPS.replace("type: errorRate", "type: errorRate\n    alpha: 0.000000001")
        write(here.path, f"{text}  dryRun: true\n")
        done = call("canary", "run", "-f", "g.yaml", at=here.path, clock=None)
        assert (done.code, done.out.startswith("overridden")) == (0, True), done.out
        assert "leans_worse" in done.out


LIMITED = POLICY.replace("max_error_pct: null", "max_error_pct: 1")


def test_the_policy_s_limit_holds_for_a_gate_file_without_one(here: Folder) -> None:
    """2 % on both sides: a limit of 1 % fails it, `maxErrorRate: none` does not, and a gate's own limit is its own."""
    (here.path / "policy.yaml").write_text(LIMITED)
    (here.path / "x.csv").write_text(recording([10, 50], 9_000, 0.02, 100, 0.02))
    file = gate(provider="{file: {}}", steps=steps([10, 50])).replace("  duration: 10m\n", "")
    for own, code, reason in (("", 1, "absolute_limit"), ("none", 0, "ok"), ("3%", 0, "ok")):
        write(here.path, file.replace("errorRate", f"errorRate\n    maxErrorRate: {own}") if own else file)
        done = call("canary", "replay", "x.csv", "-f", "g.yaml", "--format", "json", at=here.path)
        assert (done.code, json.loads(done.out)["reason_code"]) == (code, reason)


def test_the_policy_s_limit_after_the_rollout_is_the_watch_s(here: Folder, monkeypatch: Patch) -> None:
    """4 % at full traffic: more than 3 %, and less than the 5 % that hold without the setting."""
    stage(monkeypatch, Source(lambda at: 8.0 if at >= 600 else 1.0, rate=0.005))
    write(here.path, gate(watch="20m"))
    done = call("canary", "run", "-f", "g.yaml", "--format", "json", at=here.path, clock=None)
    assert (done.code, json.loads(done.out)["reason_code"]) == (0, "ok")
    (here.path / "policy.yaml").write_text(
        LIMITED.replace("max_error_pct: 1", "max_error_pct: 1, after_rollout_pct: 3")
    )
    stage(monkeypatch, Source(lambda at: 8.0 if at >= 600 else 1.0, rate=0.005))
    done = call("canary", "run", "-f", "g.yaml", "--format", "json", at=here.path, clock=None)
    assert (done.code, json.loads(done.out)["reason_code"]) == (1, "absolute_limit")


def test_a_recording_is_judged_where_there_is_no_policy(tmp_path: Path) -> None:
    """And a limit of 2 % in an objective above the gate's is a warning of `validate`."""
    (tmp_path / "x.csv").write_text(recording([10], 9_000, 0.02, 100, 0.02))
    write(tmp_path, gate(provider="{file: {}}"))
    assert call("canary", "replay", "x.csv", "-f", "g.yaml", at=tmp_path).code == 3
    (tmp_path / "policy.yaml").write_text("extends: sev0-3\nslo: {target_pct: 98, window: 30d}\n")
    (tmp_path / "services.yaml").write_text('services: {api: {owner: "@team", slo: 90}}\n')
    done = call("validate", at=tmp_path)
    assert "the objective (98 %) allows 2 % errors, the gate's limit 1 %" in done.out
    assert "the objective of service api (90 %) allows 10 % errors" in done.out


LIMIT_ONLY = (
    "{name: m, type: errorRate, maxErrorRate: 5%, canary: {errors: canary_errors, requests: canary_requests}}",
    "{name: m, type: threshold, query: canary_requests, successCondition: result >= 0}",
)


@pytest.mark.parametrize("metric", LIMIT_ONLY)
def test_a_step_is_no_pass_where_only_a_limit_is_judged(here: Folder, monkeypatch: Patch, metric: str) -> None:
    """In a pipeline with a job for each step nothing is promoted after the first one, however well it went."""
    stage(monkeypatch, Source())
    rollout = "[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}, {weight: 100}]"
    head = gate().replace("  duration: 10m\n", "").partition("  metrics:")[0]
    text = f"{head}  steps: {rollout}\n  metrics: [{metric}]\n"
    asked = ("canary", "run", "-f", write(here.path, text), "--step-state", "s.json", "--sha", "7be19f2")
    words = (*asked, "--on-pass", "echo promoted >> log", "--format", "json")
    done = call(*words, at=here.path, clock=None)
    said = json.loads(done.out)
    assert (done.code, said["verdict"], said["reason_code"]) == (3, "inconclusive", "too_few_samples")
    assert (said["stopped_at_seconds"], (here.path / "log").exists()) == (STEP, False)
    done = call(*words, at=here.path, clock=None)
    said = json.loads(done.out)
    assert (done.code, said["verdict"], said["stopped_at_seconds"]) == (0, "pass", 2 * STEP)
    assert (here.path / "log").read_text() == "promoted\n"


def test_a_metric_that_has_its_count_says_that_later_steps_run_without_it(here: Folder, monkeypatch: Patch) -> None:
    """`validate`, `probe` and the verdict say it; the gate is still used, for the file says so."""
    stage(monkeypatch, Source())
    rollout = "[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}, {weight: 100}]"
    metric = "{name: m, type: threshold, query: canary_requests, successCondition: result >= 0, count: 8}"
    head = gate().replace("  duration: 10m\n", "").partition("  metrics:")[0]
    text = f"{head}  steps: {rollout}\n  metrics: [{metric}]\n"
    name = write(here.path, text)
    said = "measured until 1m45s only: the steps from 50 % on run without it"
    done = call("canary", "validate", name, at=here.path, clock=None)
    assert (done.code, said in done.out, "leave out count" in done.out) == (0, True, True), done
    done = call("canary", "probe", "-f", name, at=here.path, clock=None)
    assert (done.code, said in " ".join(done.out.split())) == (0, True), done
    done = call("canary", "run", "-f", name, at=here.path, clock=None)
    assert (done.code, "8 measured, 0 failed, and not measured after 1m 45s" in done.out) == (0, True), done
    write(here.path, text.replace(", count: 8", ""))
    for words in (("validate", name), ("probe", "-f", name), ("run", "-f", name)):
        done = call("canary", *words, at=here.path, clock=None)
        assert (done.code, "without it" in done.out, "not measured" in done.out) == (0, False, False)
    write(here.path, text.replace("count: 8", "count: 1"))
    assert "without it" not in call("canary", "validate", name, at=here.path, clock=None).out


def test_no_step_is_skipped_where_a_metric_has_all_its_measurements(here: Folder, monkeypatch: Patch) -> None:
    """One good answer at 10 % is no reason to give the canary all traffic at once."""
    stage(monkeypatch, Source())
    rollout = "[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}, {weight: 100}]"
    metric = "{name: m, type: threshold, query: canary_requests, successCondition: result >= 0, count: 1}"
    head = gate().replace("  duration: 10m\n", "").partition("  metrics:")[0]
    name = write(here.path, f"{head}  steps: {rollout}\n  metrics: [{metric}]\n")
    words = ("-f", name, "--on-step", "echo $INCIDENT_OPS_WEIGHT >> log", "--format", "json")
    done = call("canary", "run", *words, at=here.path, clock=None)
    said = json.loads(done.out)
    assert (done.code, said["verdict"], said["stopped_at_seconds"]) == (0, "pass", 2 * STEP)
    assert (here.path / "log").read_text().split() == ["10", "50", "100"]
