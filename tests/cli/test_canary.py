"""`incident-ops canary`: live runs over steps, commands, state, freeze, and all the ways in which it must not pass."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_ops.domain.not_used_yet import NOT_USED_YET
from incident_ops.errors import Incomplete
from tests.cli.canary_scene import COLUMNS, POLICY, Clock, Source, broken, gate, rows, stage, write
from tests.cli.scene import Done, Folder, call, record

Patch = pytest.MonkeyPatch
SHA = "7be19f2" + "0" * 33
KEPT = ("--state", "s.json", "--sha", "7be19f2")


def run(here: Folder, *words: str, text: str | None = None) -> tuple[Done, dict[str, Any]]:
    """A live run with its JSON."""
    name = write(here.path, text or gate())
    done = call("canary", "run", "-f", name, "--format", "json", *words, at=here.path, clock=None)
    assert "Traceback" not in done.err
    return done, json.loads(done.out) if done.out else {}


def test_a_good_canary_passes_at_the_horizon_and_a_bad_one_fails_at_once(here: Folder, monkeypatch: Patch) -> None:
    """Exit 0 after ten minutes, exit 1 after a minute or two, in the JSON of docs/contract.md#json."""
    stage(monkeypatch, Source())
    done, told = run(here)
    assert (done.code, told["verdict"], told["reason_code"], told["stopped_at_seconds"]) == (0, "pass", "ok", 600)
    assert list(told) == [
        "schema", "verdict", "reason_code", "metrics", "stopped_at_seconds", "needed_requests", "incident_ids",
    ]  # fmt: skip
    assert list(told["metrics"][0]) == [
        "name", "verdict", "e_value", "ratio", "ratio_low", "ratio_high", "canary_requests", "canary_errors",
        "baseline_requests", "baseline_errors", "phi",
    ]  # fmt: skip
    assert told["metrics"][0]["canary_requests"] == 12000
    stage(monkeypatch, Source(5.0))
    done, told = run(here)
    assert (done.code, told["verdict"], told["reason_code"]) == (1, "fail", "error_rate")
    assert told["stopped_at_seconds"] < 180


def test_the_progress_tells_evidence_ratio_and_what_is_needed(here: Folder, monkeypatch: Patch) -> None:
    """Plain lines where no terminal is; what is too long for one goes on below, indented."""
    stage(monkeypatch, Source(rps=1.0))
    done, _ = run(here)
    lines = done.err.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("1m 30s of 10m"))
    assert lines[first + 1].startswith("  ")
    for word in ("http-5xx", "evidence", "a fail needs 100", "ratio", "more canary requests", "of 10m"):
        assert word in " ".join(line.strip() for line in lines[first : first + 2])
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in done.err


def test_text_shows_the_verdict_the_figures_the_curve_and_the_assumption(here: Folder, monkeypatch: Patch) -> None:
    """At most 80 columns."""
    stage(monkeypatch, Source(5.0))
    done = call("canary", "run", "-f", write(here.path, gate()), at=here.path, clock=None)
    lines = done.out.splitlines()
    assert lines[0].startswith("fail: the canary has more errors than the baseline (error_rate), after ")
    assert any("█" in line for line in lines)
    assert "Assumes that the errors of one cause come within" in done.out
    assert max(map(len, lines)) <= 80


def test_steps_share_one_process_and_each_gets_its_traffic(here: Folder, monkeypatch: Patch) -> None:
    """10, 50, then 100 after the pass; evidence of both steps is in the one figure."""
    stage(monkeypatch, Source())
    steps = "[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}, {weight: 100}]"
    log = here.path / "log"
    done, told = run(
        here, "--on-step", f'echo "step $INCIDENT_OPS_WEIGHT" >> {log}', "--on-pass", f"echo pass >> {log}",
        text=gate(steps=steps).replace("  duration: 10m\n", ""),
    )  # fmt: skip
    assert (done.code, told["metrics"][0]["canary_requests"]) == (0, 12000)
    assert log.read_text().splitlines() == ["step 10", "step 50", "step 100", "pass"]


def test_a_step_is_never_left_on_silence(here: Folder, monkeypatch: Patch) -> None:
    """No canary traffic in the first step: the second is not taken, and nothing is said to be well."""
    source = Source()
    source.answers = {"canary_requests": lambda at: 0.0, "canary_errors": lambda at: 0.0}
    stage(monkeypatch, source)
    log = here.path / "log"
    done, told = run(
        here, "--on-step", f'echo "$INCIDENT_OPS_WEIGHT" >> {log}',
        text=gate(steps="[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}]").replace("  duration: 10m\n", ""),
    )  # fmt: skip
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "inconclusive", "no_canary_traffic")
    assert told["stopped_at_seconds"] == 300
    assert log.read_text() == "10\n"


def test_full_rollout_is_watched_against_the_absolute_limit(here: Folder, monkeypatch: Patch) -> None:
    """Good for ten minutes, then 20 % errors at full traffic: the 5 % of R241 end it, and the rollback is run."""
    stage(monkeypatch, Source(lambda at: 10.0 if at > 600 else 1.0, rps=5.0))
    log = here.path / "log"
    text = gate(steps="[{weight: 10, duration: 10m}, {weight: 100, duration: 10m}]").replace("  duration: 10m\n", "")
    done, told = run(here, "--watch", "--on-fail", f"echo rollback >> {log}", text=text)
    assert (done.code, told["verdict"], told["reason_code"]) == (1, "fail", "absolute_limit")
    assert [one["name"] for one in told["metrics"]] == ["http-5xx", "http-5xx at full traffic"]
    assert 600 < told["stopped_at_seconds"] < 900
    assert log.read_text() == "rollback\n"
    stage(monkeypatch, Source(rps=5.0))
    done, told = run(here, "--watch", text=text)
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (0, "pass", 1200)


@pytest.mark.parametrize(
    ("query", "answer", "reason", "code"),
    [
        ("canary_requests", lambda at: {}, "no_data", 3),
        ("canary_requests", lambda at: float("nan"), "no_data", 3),
        ("canary_requests", lambda at: float("inf"), "no_data", 3),
        ("canary_requests", lambda at: None, "no_data", 3),
        ("canary_requests", lambda at: -5.0, "no_data", 3),
        ("canary_requests", lambda at: "many", "no_data", 3),
        ("canary", lambda at: 0.0, "no_canary_traffic", 3),
        ("canary_errors", lambda at: 1e12 + at * 1e6, "no_data", 3),
        ("baseline_requests", lambda at: {}, "no_baseline", 3),
        ("baseline_requests", lambda at: 0.0, "no_baseline", 3),
        ("baseline_errors", lambda at: float("nan"), "no_baseline", 3),
        ("canary_errors", broken, "datasource_error", 4),
        ("baseline_requests", broken, "datasource_error", 4),
        ("canary_requests", lambda at: Incomplete("no answer within 10 s"), "datasource_error", 4),
        ("canary_requests", lambda at: broken(at) if at > 300 else ..., "datasource_error", 4),
        ("canary_requests", lambda at: {} if at > 300 else ..., "no_data", 3),
    ],
)
@pytest.mark.parametrize("accepts", ["", "pass"])
def test_bad_input_never_passes(
    here: Folder, monkeypatch: Patch, query: str, answer: Callable[[float], Any], reason: str, code: int, accepts: str
) -> None:
    """Empty, NaN, null, negative, text, zero, errors beyond requests, HTTP errors, dying mid-run: never 0, never run
    `--on-pass`, not even where the gate file accepts inconclusive ends."""
    source = Source()
    source.answers = dict.fromkeys([query] if "_" in query else ["canary_errors", "canary_requests"], answer)
    stage(monkeypatch, source)
    text = gate(onInconclusive=accepts) if accepts else None
    done, told = run(here, "--on-pass", f"touch {here.path}/promoted", text=text)
    assert (told["verdict"], told["reason_code"], done.code) == ("inconclusive", reason, code)
    assert not (here.path / "promoted").exists()


def test_a_counter_reset_is_seen(here: Folder, monkeypatch: Patch) -> None:
    """The canary restarts in the middle: its counters begin anew, and the verdict stays."""
    source = Source()
    source.answers = {
        "canary_requests": lambda at: 20.0 * (at - 300) if at >= 300 else ...,
        "canary_errors": lambda at: 0.4 * (at - 300) if at >= 300 else ...,
    }
    stage(monkeypatch, source)
    done, told = run(here)
    assert (done.code, told["verdict"]) == (0, "pass")
    assert told["metrics"][0]["canary_requests"] == pytest.approx(12000, rel=0.05)


@pytest.mark.parametrize(
    "jumps", [{10: -3600.0}, dict.fromkeys(range(5, 500), -15.0)], ids=["an hour back", "stands still"]
)
def test_a_clock_that_goes_backwards_never_passes(here: Folder, monkeypatch: Patch, jumps: dict[int, float]) -> None:
    """The run ends after the turns that its time would have had, and says so."""
    clock = stage(monkeypatch, Source(), Clock(jumps))
    done, told = run(here)
    assert (done.code, told["verdict"]) == (3, "inconclusive")
    assert clock.waits < 100


@pytest.mark.parametrize(
    ("accept", "verdict", "reason", "code"),
    [
        (None, "inconclusive", "too_few_samples", 3),
        ("fail", "fail", "too_few_samples", 1),
        ("pass", "overridden", "inconclusive_accepted", 0),
    ],
)
def test_what_an_inconclusive_end_means(
    here: Folder, monkeypatch: Patch, accept: str | None, verdict: str, reason: str, code: int
) -> None:
    """3 on its own; fail where the file says so; let through as overridden, never as pass."""
    stage(monkeypatch, Source(rps=0.5))
    done, told = run(here, text=gate(onInconclusive=accept) if accept else None)
    assert (told["verdict"], told["reason_code"], done.code) == (verdict, reason, code)
    if accept is None:
        assert told["needed_requests"] > 0
        assert told["needed_seconds"] == 15 * told["needed_ticks"] > 0


def test_an_inconclusive_run_is_extended_until_it_is_decided(here: Folder, monkeypatch: Patch) -> None:
    """Looked at again after a third of the time more, or the planned time, up to the most."""
    stage(monkeypatch, Source(rps=0.4))
    done, told = run(here, text=gate(onInconclusive="{extend: {max: 60m}}"))
    assert (done.code, told["verdict"]) == (0, "pass")
    assert told["stopped_at_seconds"] in (1800, 3000, 4200)
    stage(monkeypatch, Source(rps=0.1))
    done, told = run(here, text=gate(onInconclusive="{extend: {max: 25m}}"))
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (3, "inconclusive", 2100)


def test_dry_runs_report_and_decide_nothing(here: Folder, monkeypatch: Patch) -> None:
    """A metric: only shown. The gate: a measured fail is let through as overridden and no command is run; no data is
    still no zero."""
    stage(monkeypatch, Source(5.0))
    done, told = run(here, "--on-fail", f"touch {here.path}/rolled-back", text=gate(dryRun="true"))
    assert (done.code, told["verdict"], told["metrics"][0]["verdict"]) == (0, "overridden", "fail")
    assert not (here.path / "rolled-back").exists()
    source = Source()
    source.answers = {"canary_requests": lambda at: {}}
    stage(monkeypatch, source)
    assert run(here, text=gate(dryRun="true"))[0].code == 3
    done, _ = run(here, text=gate().replace("type: errorRate", "type: errorRate\n    dryRun: true"))
    done.told_once(2, "every metric is a dry run")


def test_threshold_metrics_decide_with_it(here: Folder, monkeypatch: Patch) -> None:
    """A slow canary with good errors fails; one without an answer errs."""
    slow = """\
  - name: p99
    type: threshold
    query: p99_seconds
    successCondition: result < 0.5
    failureLimit: 1
"""
    for value, verdict, code in ((0.7, "fail", 1), (0.3, "pass", 0), (None, "inconclusive", 3)):
        source = Source()
        source.answers = {"p99_seconds": lambda at, value=value: [value] if value else []}
        stage(monkeypatch, source)
        done, told = run(here, text=gate() + slow)
        assert (done.code, told["verdict"]) == (code, verdict)
    source.answers = {"p99_seconds": broken}
    done, told = run(here, text=gate() + slow)
    assert (done.code, told["reason_code"]) == (4, "datasource_error")
    assert told["stopped_at_seconds"] < 60


def test_counts_of_intervals_cover_all_time(here: Folder, monkeypatch: Patch) -> None:
    """A provider without counters is asked for ticks that touch and do not overlap."""
    source = Source(cumulative=False)
    stage(monkeypatch, source)
    done, told = run(here)
    assert (done.code, told["metrics"][0]["canary_requests"]) == (0, 12000)
    ticks = [tick for query, tick in source.asked if query == "canary_requests"]
    assert all(after.begin == before.end for before, after in itertools.pairwise(ticks))


def test_a_rerun_goes_on_where_the_last_one_was_ended(here: Folder, monkeypatch: Patch) -> None:
    """SIGTERM in the middle: 143, nothing is said; the next run ends with the same verdict, and no verdict is said
    twice."""

    def terminated(count: int) -> None:
        if count == 20:
            raise SystemExit(143)

    stage(monkeypatch, Source(), Clock(at_wait=terminated))
    done = call("canary", "run", "-f", write(here.path, gate()), *KEPT, at=here.path, clock=None)
    assert (done.code, done.out) == (143, "")
    kept = json.loads((here.path / "s.json").read_text())
    assert (kept["kind"], kept["verdict"], kept["at"]) == ("canary-run", None, 285)
    clock = stage(monkeypatch, Source())
    done, told = run(here, *KEPT)
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (0, "pass", 600)
    assert clock.waits == 21
    done, _ = run(here, *KEPT)
    done.told_once(2, "the run in the state file has ended: pass", "remove the state file")


def test_an_inconclusive_run_is_carried_on_by_a_person(here: Folder, monkeypatch: Patch) -> None:
    """Its evidence is kept, and it says how; what was decided, or never ran, is refused."""
    clock = stage(monkeypatch, Source(rps=0.4))
    done, told = run(here, *KEPT)
    assert (done.code, told["reason_code"]) == (3, "too_few_samples")
    first = told["metrics"][0]["canary_requests"]
    run(here, *KEPT)[0].told_once(2, "the run in the state file has ended: inconclusive", "--continue 10m")
    clock.wait(3600.0)
    done, told = run(here, *KEPT, "--continue", "20m", "--format", "json")
    assert "carried on until 30m of measured time; it can be carried on 2 more times" in done.err
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (0, "pass", 1800)
    assert told["metrics"][0]["canary_requests"] == pytest.approx(3 * first, rel=0.02)
    run(here, *KEPT, "--continue", "20m")[0].told_once(2, "has ended: pass", "remove the state file")


def test_it_is_said_how_often_a_run_can_be_carried_on_and_then_it_is_refused(here: Folder, monkeypatch: Patch) -> None:
    """All looks at a pass together let one bad canary of twenty pass, and no more."""
    stage(monkeypatch, Source(rps=0.05))
    command, longer = ("canary", "run", "-f", write(here.path, gate()), *KEPT), ("--continue", "10m")
    for words, left in ((), "3 more times"), (longer, "2 more times"), (longer, "once more"), (longer, "as often as"):
        done = call(*command, *words, at=here.path, clock=None)
        assert (done.code, left in " ".join(done.out.split())) == (3, True), (left, done)
    run(here, *KEPT, *longer)[0].told_once(2, "carried on 3 times", "roll back")


def test_what_cannot_be_carried_on_is_refused(here: Folder, monkeypatch: Patch) -> None:
    """No file, no --state, no time."""
    stage(monkeypatch, Source(rps=0.4))
    run(here, "--continue", "10m")[0].told_once(2, "--continue without --state", "--state FILE")
    run(here, *KEPT, "--continue", "10m")[0].told_once(2, "there is no run to carry on", "s.json")
    run(here, *KEPT, "--continue", "0s")[0].told_once(2, "too short or too long", "10m")
    run(here, *KEPT, "--continue", "soon")[0].told_once(2, "'soon' is not a duration", "10m")


def test_a_run_that_ended_before_its_time_is_carried_on_to_its_end(here: Folder, monkeypatch: Patch) -> None:
    """The source was gone for two minutes: what was counted before it counts on, and no look at a pass is used up."""
    source = Source()
    source.answers = {"canary_requests": lambda at: broken(at) if 300 < at < 420 else ...}
    clock = stage(monkeypatch, source)
    done, told = run(here, *KEPT)
    assert (done.code, told["reason_code"], told["stopped_at_seconds"]) == (4, "datasource_error", 375)
    assert "run it again with --continue 10m" in " ".join(done.err.split())
    clock.wait(600.0)
    done, told = run(here, *KEPT, "--continue", "1m")
    assert "carried on until 10m of measured time; it can be carried on 3 more times" in done.err
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (0, "pass", 600)
    assert told["metrics"][0]["canary_requests"] == 300 * 20 + 225 * 20


def test_a_run_whose_step_was_held_to_the_end_is_carried_on_in_that_step(here: Folder, monkeypatch: Patch) -> None:
    """It looked worse, and a person lets it be measured on; the next step is taken once it does not."""
    steps = "[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}]"
    text = gate(steps=steps).replace("  duration: 10m\n", "").replace(
        "type: errorRate", "type: errorRate\n    alpha: 0.000000001"
    )  # fmt: skip
    log = here.path / "log"
    words = (*KEPT, "--on-step", f'echo "$INCIDENT_OPS_WEIGHT" >> {log}')
    stage(monkeypatch, Source(lambda at: 1.7 if at < 600 else 0.8, rps=10.0))
    done, told = run(here, *words, text=text)
    assert (done.code, told["reason_code"], told["stopped_at_seconds"]) == (3, "leans_worse", 600)
    assert "run it again with --continue 10m" in " ".join(done.err.split())
    done, told = run(here, *words, "--continue", "20m", text=text)
    assert told["stopped_at_seconds"] == 600 + 1200 + 300
    assert told["metrics"][0]["canary_requests"] == 10 * 2100
    assert log.read_text().split() == ["10", "10", "50"]


def test_a_watch_without_a_verdict_is_no_run_to_carry_on(here: Folder, monkeypatch: Patch) -> None:
    """The run has passed, and all traffic was given: carried on, it would take a part of it back."""
    source = Source()
    source.answers = {"canary_requests": lambda at: broken(at) if at > 700 else ...}
    stage(monkeypatch, source)
    done, told = run(here, *KEPT, "--watch")
    assert (done.code, told["reason_code"]) == (4, "datasource_error")
    assert "--continue" not in done.err
    run(here, *KEPT, "--watch", "--continue", "10m")[0].told_once(2, "has ended: pass", "remove the state file")


def test_the_verdict_names_how_it_is_carried_on(here: Folder, monkeypatch: Patch) -> None:
    """Where there is a state file, and only then."""
    stage(monkeypatch, Source(rps=0.4))
    command = ("canary", "run", "-f", write(here.path, gate()))
    out = " ".join(call(*command, *KEPT, at=here.path, clock=None).out.split())
    assert "16m 30s at this traffic" in out
    assert "run it again with --continue 17m" in out
    assert "--continue" not in call(*command, at=here.path, clock=None).out


def test_an_early_end_is_not_let_through(here: Folder, monkeypatch: Patch) -> None:
    """`onInconclusive: pass`: a threshold metric ends the run in its first seconds, before a bad canary was counted."""
    source = Source(5.0)
    source.answers = {"p99": lambda at: 1.0}
    stage(monkeypatch, source)
    metric = (
        "  - {name: p99, type: threshold, query: p99, initialDelay: 30s,"
        " successCondition: result < 0.5, failureCondition: result > 2}\n"
    )
    text = gate(onInconclusive="pass").replace("  onInconclusive: pass\n", "") + metric + "  onInconclusive: pass\n"
    done, told = run(here, "--on-pass", f"touch {here.path}/promoted", text=text)
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "inconclusive", "too_few_samples")
    assert not (here.path / "promoted").exists()


def test_a_perfect_canary_passes_by_its_own_rate(here: Folder, monkeypatch: Patch) -> None:
    """No errors in 60,000 requests: a pass that names its route; `goodErrorRate: none` leaves it inconclusive."""
    stage(monkeypatch, Source(rps=100.0, rate=0.0))
    done, told = run(here)
    assert (done.code, told["verdict"], told["reason_code"]) == (0, "pass", "below_good_rate")
    stage(monkeypatch, Source(rps=100.0, rate=0.0))
    off = gate().replace("    type: errorRate", "    type: errorRate\n    goodErrorRate: none")
    assert run(here, text=off)[0].code == 3


@pytest.mark.parametrize(("slo", "verdict"), [("99.9", "pass"), ("99.98", "inconclusive"), ("95", "pass")])
def test_what_a_service_promises_is_what_is_good(
    make: Callable[..., Folder], monkeypatch: Patch, slo: str, verdict: str
) -> None:
    """No errors in 30,000 requests prove 0.054 %: enough for 99.9 %, not for 99.98 %; never more than 0.1 %."""
    folder = make("repo", policy=POLICY, services=f"services:\n  checkout: {{owner: web, slo: {slo}}}\n")
    folder.commit()
    stage(monkeypatch, Source(rps=50.0, rate=0.0))
    done, told = run(folder, "-s", "checkout")
    assert told["verdict"] == verdict, done


def test_a_state_file_of_another_deploy_is_refused(here: Folder, monkeypatch: Patch) -> None:
    """Another commit, another gate file, damage: exit 2, never a pass."""
    stage(monkeypatch, Source(rps=0.5))
    (here.path / "s.json").write_text("{}")
    run(here, *KEPT)[0].told_once(2, "not a canary run")
    (here.path / "s.json").unlink()

    def ended(count: int) -> None:
        if count == 3:
            raise SystemExit(143)

    stage(monkeypatch, Source(), Clock(at_wait=ended))
    call("canary", "run", "-f", write(here.path, gate()), *KEPT, at=here.path, clock=None)
    stage(monkeypatch, Source())
    run(here, *KEPT, "--arg", "x=1")[0].told_once(2, "gives no value")
    run(here, *KEPT, text=gate(minRequests="5"))[0].told_once(2, "another version of the gate file")
    run(here, "--state", "s.json", "--sha", "abc1234")[0].told_once(2, "belongs to sha '7be19f2', not 'abc1234'")


def test_a_job_a_step(here: Folder, monkeypatch: Patch) -> None:
    """--step-state: each call measures one step and tells the next; only the last one passes."""
    text = gate(steps="[{weight: 10, duration: 1m}, {weight: 50, duration: 9m}, {weight: 100}]")
    text = text.replace("  duration: 10m\n", "")
    output = here.path / "out"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    stage(monkeypatch, Source(rps=2.0))
    done, told = run(here, "--step-state", "s.json", "--sha", "7be19f2", text=text)
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (3, "inconclusive", 60)
    assert outputs(output)["next-stage"] == "50"
    stage(monkeypatch, Source(rps=20.0))
    done, told = run(here, "--step-state", "s.json", "--sha", "7be19f2", text=text)
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (0, "pass", 600)
    assert outputs(output)["next-stage"] == "100"


def outputs(path: Path) -> dict[str, str]:
    """The outputs of a step, the last value of each name."""
    found, lines = {}, path.read_text().splitlines()
    while lines:
        name, _, mark = lines.pop(0).partition("<<")
        end = lines.index(mark)
        found[name] = "\n".join(lines[:end])
        del lines[: end + 1]
    return found


def test_outputs_are_of_a_metric_that_decides_and_a_fail_needs_nothing(here: Folder, monkeypatch: Patch) -> None:
    """Not of one that is only reported, though it fails too; nor what an undecided metric beside it needs."""
    metrics = """  metrics:
  - {name: dry, type: errorRate, dryRun: true, maxErrorRate: 0.1%,
     canary: {errors: canary_errors, requests: canary_requests}}
  - {name: other, type: errorRate, canary: {errors: baseline_errors, requests: baseline_requests},
     baseline: {errors: canary_errors, requests: canary_requests}}
"""
    stage(monkeypatch, Source(5.0))
    monkeypatch.setenv("GITHUB_OUTPUT", str(here.path / "out"))
    done, told = run(here, text=gate().replace("  metrics:\n", metrics))
    assert [one["verdict"] for one in told["metrics"]] == ["fail", "inconclusive", "fail"]
    assert (done.code, told["needed_requests"], "needed_ticks" in told) == (1, None, False)
    shown = outputs(here.path / "out")
    assert (shown["baseline-requests"], shown["needed-requests"]) == ("13500", "")


def test_outputs_summary_and_annotation_in_a_workflow(here: Folder, monkeypatch: Patch) -> None:
    """From the first second on the outputs say no; in the end they hold the verdict, and the summary the table."""
    output, summary = here.path / "out", here.path / "summary.md"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    def look(count: int) -> None:
        assert outputs(output)["verdict"] == "inconclusive"

    stage(monkeypatch, Source(5.0), Clock(at_wait=look))
    done, told = run(here)
    found = outputs(output)
    assert (found["verdict"], found["reason-code"], found["incident-id"]) == ("fail", "error_rate", "")
    assert json.loads(found["report"]) == told
    assert float(found["ratio"]) > 3
    assert summary.read_text().startswith("## Canary: fail: the canary has more errors than the baseline")
    assert "| http-5xx | fail (`error_rate`) |" in summary.read_text()
    assert done.err.count("::error title=Canary failed::") == 1


def test_the_freeze_is_asked_first(here: Folder, monkeypatch: Patch) -> None:
    """An open incident: frozen, exit 3, nothing measured, no command run; an override is no pass either."""
    here.write("incidents/INC-1/incident.yaml", record())
    here.commit()
    source = Source()
    stage(monkeypatch, source)
    monkeypatch.setattr("incident_ops.adapters.clock.now", Clock().now)
    done, told = run(here, "--service", "api", "--on-step", "touch stepped", "--sha", SHA)
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "frozen", "open_incident")
    assert (told["incident_ids"], told["metrics"], told["stopped_at_seconds"]) == (["INC-1"], [], None)
    assert not source.asked
    call("override", "INC-1", "-s", "api", "--sha", SHA, "--reason", "the fix", "--by", "@a", at=here.path)
    here.commit()
    done, told = run(here, "--service", "api", "--sha", SHA)
    assert (done.code, told["verdict"], told["reason_code"]) == (0, "overridden", "override")
    shown = call("canary", "run", "-f", "g.yaml", "-s", "api", "--sha", SHA, at=here.path, clock=None).out
    assert shown.startswith("overridden: the canary is not worse than allowed, and a person lets it through"), shown
    assert "Let through by @a until 2025-01-26 18:00 UTC, recorded in INC-1: the fix" in " ".join(shown.split())
    run(here, "--service", "nobody")[0].told_once(2, "nobody")


def test_a_run_is_held_by_what_begins_before_it_can_have_ended(here: Folder, monkeypatch: Patch) -> None:
    """Its own length counts: steps, extension and watch. What begins later does not hold it."""
    stage(monkeypatch, Source(), clock := Clock())
    monkeypatch.setattr("incident_ops.adapters.clock.now", clock.now)
    begin = ("freeze", "year-end", "--reason", "the books", "--by", "@a", "--until", "2025-01-27T00:00:00Z", "--from")
    assert call(*begin, "2025-01-26T14:25:00Z", at=here.path).code == 0
    here.commit()
    long = gate(steps="[{weight: 10, duration: 20m}, {weight: 100}]").replace("  duration: 10m\n", "")
    done, said = run(here, "-s", "api", "--on-step", "touch stepped", text=f"{long}  watch: 10m\n")
    assert (done.code, said["verdict"], said["reason_code"]) == (3, "frozen", "deploy_freeze")
    assert "year-end  from 14:25 UTC  until 2025-01-27 00:00 UTC  by @a  the books" in done.err
    assert "The rollout may take 30m, and nothing of this may be on in that time." in done.err
    assert not (here.path / "stepped").exists()
    extended = gate(onInconclusive="{extend: {max: 20m}}")
    assert run(here, "-s", "api", text=extended)[1]["verdict"] == "frozen"
    assert run(here, "-s", "api", text=long)[1]["verdict"] == "pass"


def test_a_plan_says_whether_a_run_of_its_length_may_begin(here: Folder) -> None:
    """A freeze in eight minutes holds the ten that are planned."""
    freeze = ("freeze", "year-end", "--reason", "the books", "--by", "@a", "--from", "8m", "--until", "1d")
    asked = ("canary", "plan", "--baseline-rate", "2%", "--rps", "100000", "-s", "api")
    free = call(*asked, "--format", "json", at=here.path)
    assert json.loads(free.out)["deploy"] == {"verdict": "pass", "reason_code": "ok"}
    assert call(*freeze, at=here.path).code == 0
    here.commit()
    held = call(*asked, at=here.path)
    assert "A rollout of api to production that takes 10m cannot begin now (deploy_freeze)." in held.err
    assert "year-end  from 14:08 UTC  until 2025-01-27 14:00 UTC  by @a  the books" in held.err
    call(*asked[:-1], "nobody", at=here.path).told_once(2, "nobody")


def test_a_failed_canary_declares_its_incident(here: Folder, monkeypatch: Patch) -> None:
    """The record is valid and its timeline begins with the verdict and the figures."""
    stage(monkeypatch, Source(5.0))
    monkeypatch.setattr("incident_ops.adapters.clock.now", Clock().now)
    done, told = run(here, "--service", "api", "--declare", "--severity", "SEV2", "--sha", "7be19f2")
    assert done.code == 1
    (name,) = told["incident_ids"]
    text = (here.path / f"incidents/{name}/incident.yaml").read_text()
    assert "title: Canary of api failed" in text
    assert "fail: the canary has more errors than the baseline" in text
    assert "evidence" in text.partition("timeline:")[2]
    assert call("validate", at=here.path).code == 0
    run(here, "--declare")[0].told_once(2, "--declare needs the service")
    run(here, "--declare", "-s", "api")[0].told_once(2, "how bad is a failed canary")


def test_commands_are_the_callers_and_facts_are_only_data(here: Folder, monkeypatch: Patch) -> None:
    """A commit id that is code is refused, and what is told stands in the environment."""
    stage(monkeypatch, Source(5.0))
    log = here.path / "log"
    told = f'printf "%s %s" "$INCIDENT_OPS_VERDICT" "$INCIDENT_OPS_SHA" > {log}'
    run(here, "--sha", "$(touch hacked); `touch hacked`", "--on-fail", told)[0].told_once(2, "is not a commit id")
    assert not log.exists()
    assert run(here, "--sha", "7BE19F2", "--on-fail", told)[0].code == 1
    assert log.read_text() == "fail 7be19f2"
    assert not [*here.path.rglob("hacked")]


@pytest.mark.parametrize(
    ("option", "ratio", "code"), [("--on-step", 1.0, 4), ("--on-pass", 1.0, 4), ("--on-fail", 5.0, 1)]
)
def test_a_command_that_fails_never_ends_well(
    here: Folder, monkeypatch: Patch, option: str, ratio: float, code: int
) -> None:
    """The rollout could not be stepped or promoted: 4. The rollback failed: still 1, and it is told."""
    stage(monkeypatch, Source(ratio))
    text = gate(steps="[{weight: 10}]")
    done = call("canary", "run", "-f", write(here.path, text), option, "exit 7", at=here.path, clock=None)
    assert done.code == code
    assert f"the command of {option} ended with exit code 7" in done.out
    assert "pass" not in done.out.replace(option, "")


@pytest.mark.parametrize(("option", "seconds"), [("--on-step", 0), ("--on-pass", 600)])
def test_a_command_that_fails_is_said_in_json_too(here: Folder, monkeypatch: Patch, option: str, seconds: int) -> None:
    """A program that reads the output learns why, and that it is no pass; so do the outputs of a workflow's step."""
    stage(monkeypatch, Source())
    monkeypatch.setenv("GITHUB_OUTPUT", str(here.path / "out"))
    done, said = run(here, option, "exit 7", text=gate(steps="[{weight: 10}]"))
    assert (done.code, said["verdict"], said["reason_code"]) == (4, "inconclusive", "command_failed")
    assert said["stopped_at_seconds"] == seconds
    found = outputs(here.path / "out")
    assert (found["verdict"], found["reason-code"]) == ("inconclusive", "command_failed")


def test_the_message_of_the_playbook_is_printed_when_the_rollback_begins(here: Folder, monkeypatch: Patch) -> None:
    """Before the command runs; without one, it is said that somebody has to."""
    stage(monkeypatch, Source(5.0))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here.path / "summary"))
    words = ("canary", "run", "-f", write(here.path, gate()))
    done = call(*words, "--on-fail", "true", at=here.path, clock=None)
    assert "Canary failed, rolling back\n" in done.err
    assert "::error title=Canary failed and was rolled back::fail: the canary has more errors" in done.err
    assert "Rolled back: the --on-fail command succeeded" in done.out
    done = call(*words, "--on-fail", "exit 1", at=here.path, clock=None)
    assert "::error title=Canary and rollback failed::" in done.err
    done = call(*words, at=here.path, clock=None)
    assert "rolling back" not in done.err
    assert "::error title=Canary failed::" in done.err
    assert "Roll back: no --on-fail was given, so nothing was rolled back here." in done.out


def test_a_state_file_serves_one_run_at_a_time(here: Folder, monkeypatch: Patch) -> None:
    """The second one is refused before it takes traffic; what the first one keeps stays, and no lock is left."""
    stage(monkeypatch, Source(), Clock(at_wait=lambda wait: second.append(other()) if wait == 3 else None))
    second: list[Done] = []

    def other() -> Done:
        words = (*("canary", "run", "-f", "g.yaml"), *KEPT, "--on-step", "touch stepped")
        script = [sys.executable, "-m", "incident_ops", *words]
        ran = subprocess.run(script, cwd=here.path, capture_output=True, text=True, check=False, timeout=60)
        return Done(ran.returncode, ran.stdout, ran.stderr)

    done, said = run(here, *KEPT)
    assert (done.code, said["verdict"]) == (0, "pass")
    second[0].told_once(2, "s.json", "another run is using the state file")
    assert sorted(entry.name for entry in here.path.iterdir() if "s.json" in entry.name) == ["s.json"]


def test_a_full_error_stream_never_looks_like_a_fail(here: Folder) -> None:
    """The verdict of a run is not lost with its progress; an error keeps its own code."""
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1));"
        "import incident_ops.app.canary_run as run, incident_ops.app.canary_sources as sources;"
        "from tests.cli.canary_scene import Clock, Source;"
        "sources.connect = lambda *given, **more: Source(); clock = Clock(); run.Ticking = lambda: clock;"
        "from incident_ops.cli.main import main; main()"
    )
    root = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-c", script, root, "canary", "run", "-f", write(here.path, gate()), "--format", "json"]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(words, cwd=here.path, stdout=subprocess.PIPE, stderr=full, check=False, timeout=60)
        assert (ran.returncode, json.loads(ran.stdout)["verdict"]) == (0, "pass")
        words += ["--severity", "SEV2"]
        refused = subprocess.run(words, cwd=here.path, stdout=subprocess.PIPE, stderr=full, check=False, timeout=60)
        assert refused.returncode == 2


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (("--environment", "production"), None, "--environment without --service"),
        (("--state", "a", "--step-state", "b"), None, "two ways"),
        (("--state", "a"), None, "belongs to one commit"),
        ((), "provider: {file: {}}", "a file is not live"),
        ((), "provider: {prometheus: {datasource: other}}", "data source 'other' is not in policy.yaml"),
        ((), "provider: {datadog: {datasource: main}}", "of kind prometheus, not datadog"),
        ((), "onFail: ./x.sh", "cannot contain commands"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_happens(
    here: Folder, monkeypatch: Patch, words: tuple[str, ...], text: str | None, said: str
) -> None:
    """Exit 2, config_error in the JSON."""
    source = Source()
    stage(monkeypatch, source)
    key, _, value = (text or "warmup: 0s").partition(": ")
    done, told = run(here, *words, text=gate(**{key: value}))
    done.told_once(2, said)
    assert (told["verdict"], told["reason_code"]) == ("inconclusive", "config_error")
    assert not source.asked


def test_a_live_run_has_no_other_clock(here: Folder) -> None:
    """--at would make it hang."""
    call("canary", "run", "-f", write(here.path, gate()), at=here.path).told_once(2, "goes by the real clock")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_wait_at_once(here: Folder, number: int, code: int) -> None:
    """A process of its own, sleeping between two ticks: its code, and no verdict on the output."""
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1));"
        "import incident_ops.app.canary_run as run, incident_ops.app.canary_sources as sources;"
        "from tests.cli.canary_scene import Source;"
        "sources.connect = lambda *given, **words: Source(); from incident_ops.cli.main import main; main()"
    )
    root = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-c", script, root, "canary", "run", "-f", write(here.path, gate()), *KEPT]
    words += ["--format", "json"]
    started = subprocess.Popen(
        words, cwd=here.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}, text=True
    )
    assert started.stderr is not None
    assert "http-5xx" in started.stderr.readline()
    began = time.monotonic()
    started.send_signal(number)
    out, err = started.communicate(timeout=20)
    assert (started.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert "the canary is still out; a re-run continues from the state file" in err
    assert time.monotonic() - began < 5


def test_on_a_terminal_one_picture_changes(here: Folder) -> None:
    """It is drawn anew at every tick and gone in the end; the verdict stays."""
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1));"
        "import incident_ops.app.canary_run as run, incident_ops.app.canary_sources as sources;"
        "from tests.cli.canary_scene import Clock, Source;"
        "clock = Clock(); run.Ticking = lambda: clock; sources.connect = lambda *given, **words: Source();"
        "from incident_ops.cli.main import main; main()"
    )
    root = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-c", script, root, "canary", "run", "-f", write(here.path, gate())]
    ours, theirs = pty.openpty()
    on_terminal = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(words, cwd=here.path, stdout=subprocess.PIPE, stderr=theirs, env=on_terminal) as done:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while more := os.read(ours, 65536):
                seen += more
        assert done.stdout is not None
        told = done.stdout.read().decode()
    os.close(ours)
    assert (done.returncode, told.startswith("pass: ")) == (0, True)
    assert seen.count(b"of 10m") > 30
    assert b"\x1b[2K" in seen


def replayed(here: Folder, csv: str, text: str | None = None) -> tuple[Done, dict[str, Any]]:
    (here.path / "x.csv").write_text(csv)
    name = write(here.path, text or gate(provider="{file: {}}"))
    done = call("canary", "replay", "x.csv", "-f", name, "--format", "json", at=here.path)
    return done, json.loads(done.out)


def test_a_replay_judges_what_was_recorded(here: Folder) -> None:
    """Good, bad, and a 2 % service with a 2 % canary, which no absolute limit fails unless there is one."""
    done, told = replayed(here, rows())
    assert (done.code, told["verdict"], told["stopped_at_seconds"]) == (0, "pass", 600)
    done, told = replayed(here, rows("300,30"))
    assert (done.code, told["verdict"], told["reason_code"]) == (1, "fail", "error_rate")
    limited = gate(provider="{file: {}}").replace("type: errorRate", "type: errorRate\n    maxErrorRate: 1%")
    done, told = replayed(here, rows(), limited)
    assert (done.code, told["reason_code"]) == (1, "absolute_limit")


def test_rows_up_to_zero_are_the_baseline_before(here: Folder) -> None:
    """They tell the dispersion; where the row at 0 has canary traffic, t is when a tick begins."""
    before = "".join(f"{15 * n},,,2700,54\n" for n in range(-100, 1))
    done, told = replayed(here, COLUMNS + before + rows().removeprefix(COLUMNS))
    assert (done.code, told["metrics"][0]["baseline_requests"]) == (0, 108000)
    done, told = replayed(here, rows(first=0))
    assert (done.code, told["stopped_at_seconds"]) == (0, 600)


@pytest.mark.parametrize(
    ("csv", "reason"),
    [
        (rows("nan,6"), "no_data"),
        (rows(",6"), "no_data"),
        (rows("300,"), "no_data"),
        (rows("null,6"), "no_data"),
        (rows("300,NaN"), "no_data"),
        (rows("300,-1"), "no_data"),
        (rows("inf,6"), "no_data"),
        (rows("300,301"), "no_data"),
        (rows("0,0"), "no_canary_traffic"),
        (rows(baseline=","), "no_baseline"),
        (rows(baseline="0,0"), "no_baseline"),
        (rows(count=20), "timeout"),
        (rows(count=20) + rows(",", ",", 20, 21).removeprefix(COLUMNS), "no_data"),
    ],
)
def test_a_bad_recording_never_passes(here: Folder, csv: str, reason: str) -> None:
    """Every bad cell is no data; rows that end early are an early end."""
    done, told = replayed(here, csv)
    assert (done.code, told["verdict"], told["reason_code"]) == (3, "inconclusive", reason)


def test_a_recording_that_is_none_is_refused(here: Folder) -> None:
    """Another header, a row too short, no rows, a time put back, no file, a gate without counts."""
    back = rows(count=20) + rows(count=15).removeprefix(COLUMNS)
    for csv in ("a,b\n1,2\n", COLUMNS + "15,1\n", COLUMNS, COLUMNS + "soon,1,0,1,0\n", back):
        done, told = replayed(here, csv)
        done.told_once(2, "x.csv")
        assert told["reason_code"] == "config_error"
    call("canary", "replay", "no.csv", "-f", "g.yaml", at=here.path).told_once(2, "no.csv")


def test_plan_tells_what_the_traffic_can_decide(here: Folder) -> None:
    """The figures with their chance, and a gate file that is valid."""
    done = call("canary", "plan", "--baseline-rate", "0.5%", "--rps", "10", "--share", "10%", at=here.path)
    assert done.code == 0
    for words in ("1 of 10 requests a second (10 %)", "2x as bad fail", "90 % of runs", "10m is not enough"):
        assert words in done.out
    words = ("--baseline-rate", "0.5%", "--rps", "10", "--ratio", "2", "--format", "json")
    told = json.loads(call("canary", "plan", *words, at=here.path).out)
    assert (told["chance"], told["is_enough"]) == (0.9, False)
    assert told["seconds_needed"] == max(told["seconds_to_fail"], told["seconds_to_pass"])
    assert told["requests_to_fail"] == told["seconds_to_fail"] - 60  # one request a second after the warm-up
    assert "onInconclusive" not in told["gate"]
    write(here.path, told["gate"])
    done = call("canary", "validate", "-f", "g.yaml", at=here.path)
    assert (done.code, done.out) == (0, "1 file checked: all fine\n")
    for wrong in ("0%", "101%", "x"):
        call("canary", "plan", "--baseline-rate", wrong, "--rps", "10", at=here.path).told_once(2, "--baseline-rate")


def test_validate_tells_faults_and_what_was_never_run(here: Folder) -> None:
    """Every gate file of the folder, with line and column; Datadog was not run against the service."""
    (here.path / "gates").mkdir()
    write(here.path / "gates", gate(provider="{datadog: {datasource: dogs}}"), "a.yaml")
    done = call("canary", "validate", at=here.path)
    assert done.code == 0
    assert "provider datadog: not run against the service" in done.out
    write(here.path / "gates", gate(interval="0s"), "b.yaml")
    done = call("canary", "validate", at=here.path)
    assert (done.code, "b.yaml:" in done.out, "the interval is 0s" in done.out) == (1, True, True)
    call("canary", "validate", "-f", "", at=here.path).told_once(2, "the name of the gate file is empty")


def test_validate_takes_files_as_a_shell_expands_them(here: Folder) -> None:
    """gates/*.yaml, beside -f; one that is named twice is checked once."""
    (here.path / "gates").mkdir()
    good, bad = (f"gates/{write(here.path / 'gates', text, name)}" for text, name in
                 ((gate(), "a.yaml"), (gate(interval="0s"), "b.yaml")))  # fmt: skip
    assert call("canary", "validate", good, at=here.path).out == "1 file checked: all fine\n"
    done = call("canary", "validate", good, bad, "-f", good, at=here.path)
    assert (done.code, f"{bad}:" in done.out, "2 files checked" in done.out) == (1, True, True), done
    call("canary", "validate", good, "", at=here.path).told_once(2, "the name of the gate file is empty")


def test_validate_warns_of_a_key_that_nothing_reads(here: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `validate` does, at its line; a warning is no failure."""
    monkeypatch.setitem(NOT_USED_YET, "gate", {"spec.earlyPass": "a later version"})
    (here.path / "gates").mkdir()
    write(here.path / "gates", gate(earlyPass="false"))
    done = call("canary", "validate", at=here.path)
    assert done.code == 0
    assert "gates/g.yaml:13:14: warning: spec.earlyPass is not used yet: it waits for a later version" in done.out


def undecided(steps: str) -> str:
    """A gate whose end is always inconclusive, and accepted: nobody can tell 1.01 times from once."""
    text = gate(steps=steps, onInconclusive="pass").replace("  duration: 10m\n", "")
    return text.replace("    type: errorRate\n", "    type: errorRate\n    unacceptableRatio: 1.01\n")


def test_an_accepted_end_is_promoted_and_watched_as_a_pass_is(here: Folder, monkeypatch: Patch) -> None:
    """Too few samples, `onInconclusive: pass`: full traffic and the watch follow; the word stays overridden."""
    text = undecided("[{weight: 10, duration: 10m}, {weight: 100, duration: 10m}]")
    log = here.path / "log"
    words = ("--on-step", f'echo "step $INCIDENT_OPS_WEIGHT" >> {log}', "--on-pass", f"echo promote >> {log}")
    stage(monkeypatch, Source(rps=5.0))
    done, told = run(here, "--watch", *words, text=text)
    assert (done.code, told["verdict"], told["reason_code"]) == (0, "overridden", "inconclusive_accepted")
    assert log.read_text().splitlines() == ["step 10", "step 100", "promote"]
    assert [one["name"] for one in told["metrics"]] == ["http-5xx", "http-5xx at full traffic"]
    log.write_text("")
    stage(monkeypatch, Source(lambda at: 10.0 if at > 600 else 1.0, rps=5.0))
    done, told = run(here, "--watch", *words, "--on-fail", f"echo rollback >> {log}", text=text)
    assert (done.code, told["verdict"]) == (1, "fail")
    assert log.read_text().splitlines() == ["step 10", "step 100", "rollback"]


def test_a_failed_watch_says_that_all_traffic_was_on_it(here: Folder, monkeypatch: Patch) -> None:
    """Promoted by `--on-pass`, without a step of 100: the rollback and the incident are told 100 percent."""
    stage(monkeypatch, Source(lambda at: 10.0 if at > 600 else 1.0, rps=5.0))
    log = here.path / "log"
    text = gate(steps="[{weight: 10, duration: 10m}]").replace("  duration: 10m\n", "")
    words = ("--watch", "--on-pass", f"echo promote >> {log}", "--on-fail", f'echo "$INCIDENT_OPS_WEIGHT" >> {log}')
    done, told = run(here, *words, text=text)
    assert (done.code, told["verdict"]) == (1, "fail")
    assert log.read_text().splitlines() == ["promote", "100"]


def test_the_step_after_an_accepted_last_one_is_full_traffic(here: Folder, monkeypatch: Patch) -> None:
    """In a pipeline with a job for each step the next stage is told as after a pass."""
    stage(monkeypatch, Source(rps=5.0))
    text, output = undecided("[{weight: 10, duration: 10m}, {weight: 100}]"), here.path / "out"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    done, told = run(here, "--sha", "7be19f2", "--step-state", "s.json", text=text)
    assert (done.code, told["verdict"]) == (0, "overridden")
    assert outputs(output)["next-stage"] == "100"


def test_more_traffic_waits_for_a_tick_with_data(here: Folder, monkeypatch: Patch) -> None:
    """The source errs in the last tick of a step and once more: the next step begins with the first answer after it."""
    source = Source()
    source.answers = {"canary_errors": lambda at: broken(at) if 299 < at < 316 else ...}
    stage(monkeypatch, source)
    log = here.path / "log"
    text = gate(steps="[{weight: 10, duration: 5m}, {weight: 50, duration: 5m}]").replace("  duration: 10m\n", "")
    done, _ = run(here, "--on-step", f'echo "$INCIDENT_OPS_WEIGHT" >> {log}', text=text)
    assert done.code == 0
    lines = done.err.splitlines()
    first = next(line for line in lines if "50 %" in line)
    assert first.startswith("5m 45s of 10m")
    assert log.read_text() == "10\n50\n"
    source.answers = {"canary_errors": lambda at: broken(at) if at > 299 else ...}
    stage(monkeypatch, source)
    log.write_text("")
    done, told = run(here, "--on-step", f'echo "$INCIDENT_OPS_WEIGHT" >> {log}', text=text)
    assert (done.code, told["reason_code"]) == (4, "datasource_error")
    assert log.read_text() == "10\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--on-fail", ""), "--on-fail is empty"),
        (("--state", " "), "--state is empty"),
        (("--sha", ""), "--sha is empty"),
        (("--sha", "zzz"), "is not a commit id"),
        (("--arg", ""), "--arg is empty"),
        (("--severity", "SEV1"), "--severity without --declare"),
        (("--records", "https://x"), "--records without --service"),
        (("--passed", "nofile"), "--passed without --service"),
    ],
)
def test_an_option_that_says_nothing_is_refused(here: Folder, words: tuple[str, str], told: str) -> None:
    """An unset variable of a pipeline: no rollback would be no rollback."""
    run(here, *words)[0].told_once(2, told)


def test_commands_are_told_the_environment_that_was_meant(here: Folder, monkeypatch: Patch) -> None:
    """Without `--environment` that of the policy, as `--help` says."""
    stage(monkeypatch, Source())
    log = here.path / "log"
    done, _ = run(here, "--service", "api", "--on-pass", f'echo "$INCIDENT_OPS_ENVIRONMENT" >> {log}')
    assert (done.code, log.read_text()) == (0, "production\n")
