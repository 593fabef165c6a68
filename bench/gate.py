"""How often the canary gate errs, how soon it sees, and how fast it runs: a simulation with fixed random seeds.

    python bench/gate.py --output bench/gate_results.json    # 10,000 good and 2,000 bad canaries a setting
    python bench/gate.py --quick                              # a tenth of the runs; prints only

The volume runs through numpy (`gate_batch`); a sample of every shape is judged by the product's own code as well, and
the whole run stops where the two differ. The rules that the gate replaces are judged on the same runs.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gate_batch as batch
import gate_pass
import gate_rollouts as rollouts
import gate_starts as starts
import numpy as np
from gate_rollouts import percent, upper
from gate_shapes import BASELINE_SHARE, SHAPES, SPANNING, Runs, Setting, Shape
from measure import rounds
from run import OURS

from incident_ops.canary.counters import Counts
from incident_ops.canary.evidence import Evidence, begin_evidence, observe_tick
from incident_ops.canary.evidence_settings import NONE, EvidenceSettings
from incident_ops.canary.judgement import Judgement, judge_evidence
from incident_ops.deploy_gate.verdict import FAIL, PASS

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SEED = 20250126
ALPHA, BETA = 0.01, 0.05
FAIL_AT = math.log(1 / ALPHA)
RATES, SPEEDS, FACTORS = (0.0005, 0.005, 0.02), (1, 10, 100, 1000), (1.5, 2, 5, 20)
SHAPE_SETTINGS = [(0.005, 10), (0.005, 100), (0.0005, 10), (0.02, 1)]
DETECTION = [
    (0.0005, 20, 1, 78), (0.005, 5, 1, 81), (0.005, 2, 10, 78), (0.0005, 5, 10, 80), (0.0005, 2, 100, 78),
    (0.005, 5, 10, None), (0.005, 2, 100, None), (0.005, 5, 100, None), (0.005, 1.5, 1000, None), (0.02, 20, 100, None),
]  # fmt: skip

Row = dict[str, object]


@dataclass(frozen=True)
class Sizes:
    """Runs a setting: good canaries, bad canaries, and those that the product's own code judges too."""

    good: int
    bad: int
    checked: int


FULL, QUICK = Sizes(10_000, 2_000, 20), Sizes(1_000, 400, 4)


def drawn(shape: Shape, setting: Setting, runs: int, *name: object) -> Runs:
    """Runs of a shape; the seed comes from the name, so a table does not depend on the tables before it."""
    words = repr((name, setting)).encode()
    return shape(np.random.default_rng([SEED, zlib.crc32(words)]), setting, runs)


def stop(crossed: np.ndarray, setting: Setting) -> float:
    """Mean seconds until the first crossing; a run without one counts as the horizon."""
    first = np.where(crossed.any(axis=1), (crossed.argmax(axis=1) + 1) * setting.tick, setting.horizon)
    return round(float(first.mean()), 1)


def by_tick(runs: Runs, setting: Setting) -> starts.Found:
    """The default with `clumpSpan` of one tick."""
    return starts.found(runs, starts.even(setting))


def by_default(runs: Runs, setting: Setting) -> starts.Found:
    """The default: `dispersion: auto`, `clumpSpan: auto`."""
    return starts.by_own_span(runs, starts.even(setting))


def others(runs: Runs, setting: Setting) -> Row:
    """The rules that the gate replaces: the minute's error rate above 1 %, and one read at the end above 1 %."""
    ticks = round(60 / setting.tick)
    minutes = np.add.reduceat(runs.canary, np.arange(0, setting.ticks, ticks), axis=1) / (setting.rps * 60) > 0.01
    late = {f"minute rate, failureLimit {limit}": percent(minutes.sum(axis=1) > limit) for limit in range(4)}
    single = percent(runs.canary.sum(axis=1) / (setting.rps * setting.horizon) > 0.01)
    return {"single read": single, **late}


def good_settings(sizes: Sizes) -> Iterator[Row]:
    """False rollbacks of a good canary in the twelve settings, beside the rules that the gate replaces."""
    for rate in RATES:
        for rps in SPEEDS:
            for tick in (15.0, 5.0):
                setting = Setting(rate, rps, tick)
                runs = drawn(SHAPES["ideal"], setting, sizes.good, "good")
                both = by_default(runs, setting)
                failed = percent((both.rule.both >= FAIL_AT).any(axis=1))
                plain = percent((batch.plain_fails(runs) >= FAIL_AT).any(axis=1))
                row: Row = {"rate": rate, "rps": rps, "tick": tick, "default": failed}
                row["before"] = percent((both.before.both >= FAIL_AT).any(axis=1))
                yield row | {"default, upper": upper(failed, sizes.good), "none": plain} | others(runs, setting)


def good_spanning(sizes: Sizes) -> Iterator[Row]:
    """False rollbacks where one cause's errors span ticks: the assumption that remains. A quarter of the runs."""
    for tick in (15.0, 5.0):
        for rate, rps in SHAPE_SETTINGS:
            for name, shape in SPANNING.items():
                setting = Setting(rate, rps, tick)
                runs = drawn(shape, setting, sizes.good // 4, name)
                row: Row = {"shape": name, "rate": rate, "rps": rps, "tick": tick}
                row["default"] = percent((by_default(runs, setting).rule.both >= FAIL_AT).any(axis=1))
                row["one tick"] = percent((by_tick(runs, setting).rule.both >= FAIL_AT).any(axis=1))
                for seconds in (60, 120):
                    found = starts.found(runs, starts.even(setting), round(seconds / tick)).rule.both
                    row[f"clumpSpan {seconds} s"] = percent((found >= FAIL_AT).any(axis=1))
                yield row | {"none": percent((batch.plain_fails(runs) >= FAIL_AT).any(axis=1))}


def detection(sizes: Sizes) -> Iterator[Row]:
    """Bad canaries found within 600 s and the mean second of the stop."""
    for rate, factor, rps, floor in DETECTION:
        for tick in (1.0, 5.0, 15.0):
            setting = Setting(rate, rps, tick, ratio=factor)
            runs = drawn(SHAPES["ideal"], setting, sizes.bad, "bad")
            row: Row = {"rate": rate, "factor": factor, "rps": rps, "tick": tick, "floor": floor}
            own = by_default(runs, setting)
            found = {"default": own.rule.both, "before": own.before.both, "one tick": by_tick(runs, setting).rule.both}
            found |= {"paper": batch.fails(runs, 1, rule=batch.PAPER).both, "none": batch.plain_fails(runs)}
            found |= {"none, paper": batch.plain_fails(runs, rule=batch.PAPER)}
            for name, logs in found.items():
                row |= {name: percent((logs >= FAIL_AT).any(axis=1)), f"{name}, s": stop(logs >= FAIL_AT, setting)}
            yield row | others(runs, setting)


def bound(setting: Setting) -> float:
    """Seconds at which a test that knew the rates could stop, on average: Wald, "Sequential Tests of Statistical
    Hypotheses", 1945. A request brings the divergence from the nearest pair of equal rates."""
    rate, bad, traffic = setting.rate, setting.rate * setting.ratio, float(BASELINE_SHARE)
    nearest = (bad + traffic * rate) / (1 + traffic)
    growth = bad * math.log(bad / nearest) + traffic * rate * math.log(rate / nearest)
    return math.log(1 / ALPHA) / growth / setting.rps


def speed_of_plain(sizes: Sizes) -> Iterator[Row]:
    """`dispersion: none`: mean stop over the information bound, where nearly all bad canaries are found."""
    for rate in RATES:
        for factor in FACTORS:
            for rps in SPEEDS:
                for tick in (15.0, 1.0):
                    setting = Setting(rate, rps, tick, ratio=factor, lookback=tick)
                    runs = drawn(SHAPES["ideal"], setting, sizes.bad, "plain")
                    crossed = batch.plain_fails(runs) >= FAIL_AT
                    row: Row = {"rate": rate, "factor": factor, "rps": rps, "tick": tick}
                    row |= {"bound, s": round(bound(setting), 2), "found": percent(crossed.any(axis=1))}
                    paper = batch.plain_fails(runs, rule=batch.PAPER) >= FAIL_AT
                    row |= {"s": stop(crossed, setting), "paper, s": stop(paper, setting)}
                    yield row | others(runs, setting)


def good_rollouts(sizes: Sizes) -> Iterator[Row]:
    """False rollbacks and held steps of good rollouts of four steps, in every shape of errors."""
    yield from rollouts.good_rollouts(SEED, sizes.good // 2)


def late_breaks(sizes: Sizes) -> Iterator[Row]:
    """How soon a canary that breaks in a step of its rollout is stopped, at any share of the traffic."""
    yield from rollouts.late_breaks(SEED, sizes.bad)


def held_steps(sizes: Sizes) -> Iterator[Row]:
    """Canaries that break in the last tick or minute of a step, and are kept from the next."""
    yield from rollouts.dead_at_the_end(SEED, sizes.bad // 2)


def scrapes(sizes: Sizes) -> Iterator[Row]:
    """How long a bad canary takes where samples lie 15, 30 or 60 s apart."""
    yield from rollouts.scrapes(SEED, sizes.bad // 10)


def rollouts_agree(sizes: Sizes) -> Iterator[Row]:
    """The product's own code against the arrays over the steps of rollouts."""
    yield from rollouts.rollouts_agree(SEED, sizes.checked // 2)


def edge(sizes: Sizes) -> Iterator[Row]:
    """False rollbacks where the canary is exactly as much worse as `maxRatio` allows."""
    for limit in (1.5, 2.0):
        setting = Setting(0.005, 10, 15.0, ratio=limit)
        runs = drawn(SHAPES["ideal"], setting, sizes.good, "edge")
        failed = percent((starts.found(runs, starts.even(setting), limit=limit).rule.both >= FAIL_AT).any(axis=1))
        yield {"maxRatio": limit, "rate": 0.005, "rps": 10, "tick": 15.0, "default": failed}


def judged(settings: EvidenceSettings, setting: Setting, runs: Runs, run: int) -> Iterator[tuple[Evidence, Judgement]]:
    """A run through the product's own code, tick by tick, as long as it has not failed."""
    requests = setting.requests
    before = [Counts(float(errors), requests * BASELINE_SHARE) for errors in runs.lookback[run]]
    evidence = begin_evidence(settings, before)
    for tick in range(setting.ticks):
        canary = Counts(float(runs.canary[run, tick]), requests)
        baseline = Counts(float(runs.baseline[run, tick]), requests * BASELINE_SHARE)
        evidence = observe_tick(settings, evidence, (tick + 1) * setting.tick, canary, baseline)
        now = judge_evidence(settings, evidence, setting.horizon)
        yield evidence, now
        if now.verdict == FAIL:
            return


def agreement(sizes: Sizes) -> Iterator[Row]:
    """The product's own code against the arrays: the same verdict at the same tick, the same evidence at the end."""
    for name, shape in {**SHAPES, **SPANNING}.items():
        for setting in (Setting(0.005, 10, 15.0), Setting(0.005, 10, 15.0, ratio=2.0), Setting(0.02, 1, 5.0)):
            runs = drawn(shape, setting, sizes.checked, name, "agreement")
            for plain in (False, True):
                yield _agree(name, setting, runs, plain)


def _agree(name: str, setting: Setting, runs: Runs, plain: bool) -> Row:
    settings = (
        EvidenceSettings(interval=setting.tick, dispersion=NONE) if plain else EvidenceSettings(interval=setting.tick)
    )
    logs = batch.plain_fails(runs) if plain else by_default(runs, setting).rule.both
    ends = batch.look(runs, 1, plain=True) if plain else batch.look_by_own_span(runs, setting.tick)
    passes = ends.passes(BETA)
    worst = 0.0
    for run in range(len(runs.canary)):
        steps = list(judged(settings, setting, runs, run))
        crossed = logs[run] >= FAIL_AT
        expected = int(crossed.argmax()) + 1 if crossed.any() else setting.ticks
        wrong = len(steps) != expected or (steps[-1][1].verdict == FAIL) != bool(crossed.any())
        if not crossed.any():
            seen = steps[-1][1].passing
            expected_pass = seen is not None and bool(passes[run]) and not seen.is_leaning
            wrong |= (steps[-1][1].verdict == PASS) != expected_pass
            worst = max(worst, abs(seen.chance - float(ends.unacceptable[run])) if seen else 1.0)
        theirs = max(-700.0, float(logs[run, expected - 1]))
        worst = max(worst, abs(math.log(steps[-1][1].e_value) - theirs))
        if wrong or worst > 1e-6:
            raise SystemExit(f"bench/gate.py: the product and the arrays differ: {name}, {setting}, run {run}, {worst}")
    return {"shape": name, "ratio": setting.ratio, "tick": setting.tick, "none": plain, "runs": len(runs.canary),
            "largest difference of ln E": worst}  # fmt: skip


def pace(sizes: Sizes) -> Iterator[Row]:
    """Ticks a second of a verdict on one core; *read* with all figures that a person may ask for, the interval too.

    Beside it the count test alone, written out plainly, in the same rounds: what a machine's figures are worth.
    """
    number = 2_000 if sizes is QUICK else 20_000
    for is_even in (True, False):
        for rps in (10, 100):
            ticks = _ticks(number, rps, is_even)
            whole, read, alone = [], [], []
            for _round in range(5):
                alone.append(number / _alone(ticks))
                whole.append(number / _timed(ticks))
                read.append(number / _timed(ticks, is_read=True))
            row: Row = {"traffic": "even" if is_even else "varying", "canary rps": rps, "errors": 0.005}
            shares = sorted(full / part for full, part in zip(whole, alone, strict=True))
            row |= {"ticks a second, best": round(max(whole)), "median": round(sorted(whole)[2])}
            row["read, best"] = round(max(read))
            yield row | {"count test alone": round(max(alone)), "share of it": round(shares[2], 3)}


def process(sizes: Sizes) -> Iterator[Row]:
    """`gate check` on the examples as a whole process, beside a bare start of Python, in turns."""
    commands = {"python, bare start": [sys.executable, "-c", "pass"]}
    for preset, service in (("sev0-3", "auth"), ("p0-p3", "api"), ("itil-p1-p4", "app")):
        commands[f"gate check, {preset}"] = [OURS, "--repo", str(EXAMPLES / preset), "gate", "check", "-s", service]
    with tempfile.TemporaryDirectory() as scratch:
        found = rounds(commands, 3 if sizes is QUICK else 15, Path(scratch) / "said", expected=None)
    for name, one in found.items():
        yield {"what": name, **{part: round(one.median(part), 3) for part in ("wall", "cpu", "peak")}}


def _ticks(number: int, rps: float, is_even: bool) -> list[tuple[float, Counts, Counts]]:
    rng = np.random.default_rng(SEED)
    wave = np.ones((number, 2)) if is_even else rng.uniform(0.8, 1.2, (number, 2))
    requests = np.round(wave * [rps, rps * BASELINE_SHARE])
    errors = rng.binomial(requests.astype(int), 0.005)
    return [
        (float(at + 1), Counts(float(x), float(n)), Counts(float(y), float(m)))
        for at, ((x, y), (n, m)) in enumerate(zip(errors, requests, strict=True))
    ]


def _timed(ticks: list[tuple[float, Counts, Counts]], is_read: bool = False) -> float:
    settings = EvidenceSettings(interval=1.0)
    evidence = begin_evidence(settings)
    start = time.process_time()
    for at, canary, baseline in ticks:
        evidence = observe_tick(settings, evidence, at, canary, baseline)
        now = judge_evidence(settings, evidence, 1e9)
        if is_read:
            _figures = now.e_value, now.ratio, now.interval, now.assumption
    return time.process_time() - start


def _alone(ticks: list[tuple[float, Counts, Counts]]) -> float:
    """Seconds for the fail test by counts alone: 24 logs and 24 exps a tick."""
    log, exp, grid = math.log, math.exp, [float(one) for one in batch.PAPER.grid]
    gains, scores = [log(one) for one in grid], [0.0] * len(grid)
    start = time.process_time()
    for _at, canary, baseline in ticks:
        errors, even = canary.errors + baseline.errors, log(canary.requests + baseline.requests)
        scores = [
            score + canary.errors * gain - errors * (log(canary.requests * one + baseline.requests) - even)
            for score, gain, one in zip(scores, gains, grid, strict=True)
        ]
        top = max(scores)
        top + log(sum([exp(score - top) for score in scores]) / len(scores))
    return time.process_time() - start


TABLES: dict[str, Callable[[Sizes], Iterator[Row]]] = {
    "pace": pace,
    "process": process,
    "agreement": agreement,
    "detection": detection,
    "good_settings": good_settings,
    "good_spanning": good_spanning,
    "rollouts_agree": rollouts_agree,
    "good_rollouts": good_rollouts,
    "late_breaks": late_breaks,
    "held_steps": held_steps,
    "scrapes": scrapes,
    "speed_of_plain": speed_of_plain,
    "edge": edge,
    "good_passes": lambda sizes: gate_pass.good_passes(drawn, sizes.good // 2),
    "false_passes": lambda sizes: gate_pass.false_passes(drawn, sizes.bad),
    "last_step": lambda sizes: gate_pass.last_step(np.random.default_rng([SEED, 1]), sizes.bad),
    "ticks_to_pass": lambda sizes: gate_pass.ticks_to_pass(np.random.default_rng([SEED, 2]), sizes.bad // 4),
    "quiet": lambda sizes: gate_pass.quiet(drawn, sizes.bad),
    "proof": lambda sizes: gate_pass.proof(drawn, sizes.bad),
    "no_errors": lambda _sizes: gate_pass.no_errors(),
}


def main() -> None:
    """Run the tables that were asked for; print each row, and write all of them where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    parser.add_argument("--table", action="append", choices=TABLES, help="only this table (may be given again)")
    parser.add_argument("--output", type=Path, help="write the tables as JSON to this file")
    chosen = parser.parse_args()
    sizes = QUICK if chosen.quick else FULL
    found: dict[str, object] = {
        "schema": 1,
        "seed": SEED,
        "runs": {"good": sizes.good, "bad": sizes.bad},
        "machine": f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}",
    }
    for name in chosen.table or TABLES:
        start, rows = time.perf_counter(), []
        for row in TABLES[name](sizes):
            rows.append(row)
            print(name, json.dumps(row), flush=True)
        found[name] = rows
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        if chosen.output:
            chosen.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
