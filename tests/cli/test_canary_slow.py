"""`type: slowRate`: slow requests are judged as errors are, and the verdict speaks of slow requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.canary_scene import POLICY, Clock, Source, stage, write
from tests.cli.scene import Done, Folder, call

Patch = pytest.MonkeyPatch
GATE = """\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {name: checkout-latency}
spec:
  provider: {datadog: {datasource: dogs}}
  warmup: 0s
  interval: 15s
  duration: 10m
  metrics:
  - name: latency
    type: slowRate
    slowerThan: 500ms
    canary: {slow: canary_slow, requests: canary_requests}
    baseline: {slow: baseline_slow, requests: baseline_requests}
"""
RECORDED = GATE.replace("{datadog: {datasource: dogs}}", "{file: {}}")
SLOW_COLUMNS = "t,canary_requests,canary_slow,baseline_requests,baseline_slow\n"


@pytest.fixture
def here(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "repo", policy=POLICY.replace("max_error_pct: null", "max_error_pct: 0.5"))
    folder.commit()
    return folder


def judged(here: Folder, text: str, *words: str) -> Done:
    done = call("canary", *(words or ("run",)), "-f", write(here.path, text), at=here.path, clock=None)
    assert "Traceback" not in done.err
    return done


def flat(done: Done) -> str:
    return " ".join(done.out.split())


def recording(canary: str, baseline: str, count: int = 40) -> str:
    """The same tick again and again, and an hour of the baseline before."""
    before = "".join(f"{-15 * number},,,{baseline}\n" for number in range(40, -1, -1))
    return SLOW_COLUMNS + before + "".join(f"{15 * number},{canary},{baseline}\n" for number in range(1, count + 1))


@pytest.mark.parametrize(
    ("ratio", "code", "headline"),
    [
        (1.0, 0, "pass: the canary is not worse than allowed (ok), after 10m"),
        (5.0, 1, "fail: the canary has more slow requests than the baseline (slow_rate), after"),
    ],
)
def test_a_service_that_answers_counts_is_judged_by_them(
    here: Folder, monkeypatch: Patch, ratio: float, code: int, headline: str
) -> None:
    """2 % of the old version's requests are slow, four times what the policy allows of errors: no limit here."""
    stage(monkeypatch, Source(ratio, cumulative=False), Clock())
    done = judged(here, GATE)
    assert done.code == code, done
    assert headline in flat(done)
    assert "  latency (slower than 500 ms): " in done.out
    assert "error" not in done.out


def test_a_limit_of_its_own_is_proven_broken(here: Folder, monkeypatch: Patch) -> None:
    """And one that the canary is below lets it pass; the policy's is not taken instead."""
    stage(monkeypatch, Source(1.0, rate=0.04, cumulative=False), Clock())
    done = judged(here, GATE + "    maxSlowRate: 2%\n")
    assert (done.code, "fail: a limit is exceeded (absolute_limit)" in flat(done)) == (1, True), done
    assert judged(here, GATE + "    maxSlowRate: 10%\n").code == 0
    near = judged(here, GATE + "    maxSlowRate: 4.5%\n")
    assert "the canary's slow requests are not surely below the limit of 4.5 % (maxSlowRate)" in flat(near)


def test_few_slow_requests_pass_by_their_own_share_where_the_gate_says_so(here: Folder, monkeypatch: Patch) -> None:
    """Too few to compare: `goodSlowRate` decides, and there is none by default."""
    stage(monkeypatch, Source(1.0, rps=20, rate=0.0001, cumulative=False), Clock())
    assert judged(here, GATE).code == 3
    done = judged(here, GATE + "    goodSlowRate: 1%\n")
    assert done.code == 0, done
    assert "pass: the canary's share of slow requests is below goodSlowRate (below_good_rate)" in flat(done)
    assert "1 % slow requests are ruled out: chance of so few" in flat(done)


def test_half_of_the_requests_slow_is_seen_by_anyone(here: Folder, monkeypatch: Patch) -> None:
    stage(monkeypatch, Source(30.0, cumulative=False), Clock())
    done = judged(here, GATE)
    assert done.code == 1
    assert "fail: the canary is slow for anyone to see: at least half of its requests, twice running" in flat(done)


def test_full_traffic_is_watched_by_a_limit_on_slow_requests_only(here: Folder, monkeypatch: Patch) -> None:
    """The policy's limits are of errors; without one of its own the metric has none at full traffic."""
    stage(monkeypatch, Source(1.0, cumulative=False), Clock())
    done = judged(here, GATE, "run", "--watch")
    assert done.code == 2
    assert "a slowRate metric is watched where it has a maxSlowRate" in done.err
    done = judged(here, GATE + "    maxSlowRate: 10%\n", "run", "--watch")
    assert done.code == 0, done
    assert "latency at full traffic (slower than 500 ms): pass" in done.out


def test_a_dry_run_shows_it_and_lets_errors_decide(here: Folder, monkeypatch: Patch) -> None:
    errors = GATE.replace(
        "    type: slowRate\n    slowerThan: 500ms\n", "    type: errorRate\n    maxErrorRate: none\n"
    )
    errors = errors.replace("slow: canary_slow", "errors: other_errors").replace("slow: baseline_slow", "errors: b_e")
    source = Source(5.0, cumulative=False)
    source.answers = {"other_errors": lambda at: 6.0, "b_e": lambda at: 54.0}
    stage(monkeypatch, source, Clock())
    both = errors.replace("name: latency", "name: http-5xx") + GATE.partition("  metrics:\n")[2] + "    dryRun: true\n"
    done = judged(here, both)
    assert done.code == 0, done
    assert "latency (slower than 500 ms): fail (slow_rate) (dry run, does not decide)" in done.out


def test_the_json_names_what_was_counted(here: Folder, monkeypatch: Patch) -> None:
    stage(monkeypatch, Source(5.0, cumulative=False), Clock())
    found = json.loads(judged(here, GATE, "run", "--format", "json").out)["metrics"][0]
    assert found["canary_errors"] is None
    assert found["slower_than_seconds"] == 0.5
    assert found["canary_slow"] / found["canary_requests"] == pytest.approx(0.1, rel=0.05)
    assert found["baseline_slow"] / found["baseline_requests"] == pytest.approx(0.02, rel=0.05)


def test_an_interrupted_run_goes_on_and_another_limit_begins_anew(here: Folder, monkeypatch: Patch) -> None:
    def stop(wait: int) -> None:
        if wait == 10:
            raise KeyboardInterrupt

    words = ("run", "--state", "s.json", "--sha", "a" * 40)
    stage(monkeypatch, Source(1.0, cumulative=False), Clock(at_wait=stop))
    judged(here, GATE, *words)
    stage(monkeypatch, Source(1.0, cumulative=False), Clock())
    changed = judged(here, GATE.replace("500ms", "1s"), *words)
    assert "belongs to another version of the gate file" in changed.err
    done = judged(here, GATE, *words)
    assert done.code == 0, done


def test_a_recording_has_columns_of_slow_requests(here: Folder) -> None:
    for name, canary in (("good", "300,6"), ("slow", "300,30")):
        (here.path / f"{name}.csv").write_text(recording(canary, "2700,54"), encoding="utf-8")
    good = judged(here, RECORDED, "replay", "good.csv")
    assert (good.code, "canary 240 of 12,000 (2 %)" in good.out) == (0, True), good
    slow = judged(here, RECORDED, "replay", "slow.csv")
    assert (slow.code, "(slow_rate)" in slow.out) == (1, True), slow


def test_a_recording_of_errors_says_nothing_of_slow_requests(here: Folder) -> None:
    text = recording("300,6", "2700,54").replace("_slow", "_errors")
    (here.path / "errors.csv").write_text(text, encoding="utf-8")
    done = judged(here, RECORDED, "replay", "errors.csv")
    assert done.code == 2
    assert "metric latency counts what the recording has not: canary_slow and baseline_slow" in done.err


def test_a_recording_may_have_both(here: Folder) -> None:
    """Each metric counts its own: as many errors as ever, and five times as many slow requests."""
    header = "t,canary_requests,canary_errors,canary_slow,baseline_requests,baseline_errors,baseline_slow\n"
    rows = "".join(f"{15 * number},300,6,30,2700,54,54\n" for number in range(1, 41))
    (here.path / "both.csv").write_text(header + rows, encoding="utf-8")
    both = RECORDED + "  - {name: http-5xx, type: errorRate, maxErrorRate: none}\n"
    done = judged(here, both, "replay", "both.csv")
    assert "latency (slower than 500 ms): fail (slow_rate)" in done.out, done
    assert "http-5xx: inconclusive" in done.out


def test_a_probe_of_two_counters_names_the_slow_one(here: Folder, monkeypatch: Patch) -> None:
    source = Source(1.0)
    source.answers = {"canary_slow": lambda at: {}}
    stage(monkeypatch, source, Clock())
    text = GATE.replace("{datadog: {datasource: dogs}}", "{prometheus: {datasource: main}}")
    done = judged(here, text, "probe")
    assert "latency canary slow " in done.out, done
    assert "latency baseline slow " in done.out
    assert "latency canary slow: no series: either there was no slow request yet, or the query finds none" in flat(done)
    assert "error" not in done.out


FAULTS = {
    "slowerThan: 500ms": ("", "slowRate needs to know from when on a request is slow", "add slowerThan: 500ms"),
    "slowerThan: 500ms ": ("slowerThan: 0ms ", "every request is slower than 0", "e.g. 500ms"),
    "slow: canary_slow": ("errors: canary_slow", "errors belongs to a metric of type errorRate", "write slow"),
    "canary: {slow: canary_slow, requests: canary_requests}": (
        "canary: {histogram: took}",
        "datadog has no histogram that can be read bucket by bucket",
        "{slow: ..., requests",
    ),
    "slow: baseline_slow": (
        "slow: canary_slow",
        "canary and baseline have the same query for slow",
        "old version only",
    ),
    "requests: canary_requests": (
        "requests: canary_slow",
        "canary.slow is the same query as canary.requests",
        "slow ones",
    ),
    "type: slowRate": ("type: slowRate\n    maxErrorRate: 1%", "maxErrorRate belongs to", "write maxSlowRate"),
    "type: slowRate\n    slowerThan: 500ms": (
        "type: slowRate\n    slowerThan: 500ms\n    goodSlowRate: 5%\n    maxSlowRate: 2%",
        "a rate that fails (maxSlowRate) cannot be good",
        "lower it, or write none",
    ),
    "type: slowRate\n": ("type: errorRate\n", "slowerThan belongs to a metric of type slowRate", "change the type"),
}


@pytest.mark.parametrize("old", FAULTS, ids=range(len(FAULTS)))
def test_validate_says_what_is_wrong_in_the_words_of_the_file(here: Folder, old: str) -> None:
    new, problem, way = FAULTS[old]
    text = GATE.replace("slowerThan: 500ms", "slowerThan: 500ms ", 1) if old.endswith(" ") else GATE
    assert old in text
    done = call("canary", "validate", "-f", write(here.path, text.replace(old, new)), at=here.path, clock=None)
    assert done.code == 1
    assert problem in flat(done)
    assert way in flat(done)


HISTOGRAMS = [
    ("rate(took_bucket[1m])", "this is not a histogram by itself"),
    ('took{track="canary",le="0.5"}', "this is not a histogram by itself"),
    ('took{track="stable"}', "canary and baseline have the same histogram, so the two could never differ"),
    ("took{track={{args.track}}}", "is outside quotes"),
    ('took{track="{{args.trak}}"}', "argument 'trak' is not in spec.args"),
    ('took{track="{{args.track}}"}', ""),
]


@pytest.mark.parametrize(("histogram", "problem"), HISTOGRAMS)
def test_a_histogram_is_a_name_and_labels(here: Folder, histogram: str, problem: str) -> None:
    text = GATE.replace("{datadog: {datasource: dogs}}", "{prometheus: {datasource: main}}")
    text = text.replace("  metrics:", "  args: [{name: track, value: canary}]\n  metrics:")
    text = text.replace("{slow: canary_slow, requests: canary_requests}", f"{{histogram: '{histogram}'}}")
    text = text.replace("{slow: baseline_slow, requests: baseline_requests}", "{histogram: 'took{track=\"stable\"}'}")
    done = call("canary", "validate", "-f", write(here.path, text), at=here.path, clock=None)
    assert done.code == bool(problem), done
    assert problem in flat(done)


def test_a_plan_proposes_a_gate_for_slow_requests(here: Folder) -> None:
    words = ("plan", "--baseline-rate", "2%", "--rps", "50", "--slower-than")
    done = call("canary", *words, "0.3s", "--output", "gate.yaml", at=here.path, clock=None)
    assert done.code == 0, done
    assert "slower than 300 ms today: 2 %." in flat(done)
    assert "Slow requests that come in clumps need more requests" in flat(done)
    assert "rrors" not in done.out
    checked = call("canary", "validate", "-f", "gate.yaml", at=here.path, clock=None)
    assert (checked.code, checked.out) == (0, "1 file checked: all fine\n")
    assert "slowerThan: 300ms" in (here.path / "gate.yaml").read_text(encoding="utf-8")
    refused = call("canary", *words, "5", at=here.path, clock=None)
    assert (refused.code, "--slower-than '5' is not a latency (e.g. 500ms, 1.5s)" in refused.err) == (2, True)
