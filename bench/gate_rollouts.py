"""Rollouts of four steps: how often a good one is rolled back or held, and how soon one that breaks late is stopped.

The tables of `bench/gate.py` about them. Steps last five minutes, the first minute of each is not counted. The rule
that this one replaces is judged on the same runs.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import replace

import gate_starts as starts
import numpy as np
from gate_shapes import SHAPES, SPANNING, Rollout, Runs, Shape
from numpy.typing import NDArray

from incident_ops.canary.counters import Counts
from incident_ops.canary.evidence import (
    OBVIOUS_ERRORS,
    OBVIOUS_RATE,
    OBVIOUS_RATIO,
    begin_evidence,
    begin_step,
    end_blocks,
    observe_tick,
)
from incident_ops.canary.evidence_settings import EvidenceSettings
from incident_ops.canary.judgement import judge_evidence, weigh_evidence
from incident_ops.canary.leaning import is_leaning, lean
from incident_ops.deploy_gate.verdict import FAIL

Row = dict[str, object]
Floats = NDArray[np.float64]

LEVEL = math.log(100)
ROLLOUTS = {"A": (0.1, 0.25, 0.5, 0.75), "B": (0.25, 0.5, 0.75, 0.9)}
SETTINGS = [(0.005, 100.0), (0.005, 1000.0), (0.0005, 100.0), (0.02, 10.0)]
"""Error rate and requests a second of the whole service."""

BEFORE = {0.1: (), 0.25: (0.1,), 0.5: (0.1, 0.25), 0.75: (0.1, 0.25, 0.5), 0.9: (0.25, 0.5, 0.75)}
"""The steps that a canary has passed well before the one in which it breaks, by that one's share."""

CLUMPED = [
    "clumps of 5, both", "clumps of 20, both", "clumps of 5, canary only", "clumps of 20, canary only",
    "clumps of 5, new with the run", "clumps of 20, new with the run", "bursts common to both",
    "heavy-tailed clumps, both",
]  # fmt: skip
DEAD, TENFOLD = math.inf, 10.0
WITHIN = {(DEAD, 15.0): 60.0, (DEAD, 5.0): 25.0, (TENFOLD, 15.0): 180.0, (TENFOLD, 5.0): 180.0}


def upper(share: float, runs: int) -> float:
    """The 95 % upper limit (Wilson, one-sided) of a percentage seen in so many runs."""
    z, p = 1.6449, share / 100
    middle, half = p + z * z / (2 * runs), z * math.sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs))
    return round(100 * (middle + half) / (1 + z * z / runs), 3)


def lower(share: float, runs: int) -> float:
    """The 95 % lower limit."""
    return round(100 - upper(100 - share, runs), 3)


def percent(flags: NDArray[np.bool_]) -> float:
    """The share of true ones, in percent."""
    return round(100 * float(np.mean(flags)), 3)


def drawn(seed: int, shape: Shape, rollout: Rollout, runs: int, *name: object) -> Runs:
    """Runs of a shape; the seed comes from the name, so a table does not depend on the tables before it."""
    return shape(np.random.default_rng([seed, zlib.crc32(repr((name, rollout)).encode())]), rollout, runs)


def good_rollouts(seed: int, number: int) -> Iterator[Row]:
    """False rollbacks of good rollouts in every shape of errors, and how often a step was held; `number` at 15 s."""
    for tick, runs in ((15.0, number), (5.0, number * 4 // 5)):
        for name, shape in SHAPES.items():
            for rate, rps in SETTINGS:
                for letter, shares in ROLLOUTS.items():
                    rollout = Rollout(rate, rps, tick, shares=shares)
                    row = _good(drawn(seed, shape, rollout, runs, name, letter), rollout, name, letter)
                    yield row | (_again(seed, rollout, name, letter, runs) if _is_near(row) else {})


def _is_near(row: Row) -> bool:
    """Whether a rate lies below alpha while its 95 % upper limit does not."""
    return float(str(row["default"])) <= 1 < float(str(row["default, upper"]))


def _again(seed: int, rollout: Rollout, name: str, letter: str, runs: int) -> Row:
    """Five times the runs, other seeds."""
    parts = (drawn(seed, SHAPES[name], rollout, runs, name, letter, "again", part) for part in range(5))
    traffic = starts.rollout(rollout)
    failed = [percent((starts.by_own_span(part, traffic).rule.both >= LEVEL).any(axis=1)) for part in parts]
    mean = round(sum(failed) / len(failed), 4)
    return {"again": mean, "again, upper": upper(mean, 5 * runs), "again, runs": 5 * runs}


def _good(runs: Runs, rollout: Rollout, name: str, letter: str) -> Row:
    traffic, number = starts.rollout(rollout), len(runs.canary)
    seen = starts.by_own_span(runs, traffic)
    failed = percent((seen.rule.both >= LEVEL).any(axis=1))
    held = [starts.held(runs, traffic, seen, end) for end in traffic.ends[:-1]]
    row: Row = {"shape": name, "rollout": letter, "rate": rollout.rate, "rps": rollout.rps, "tick": rollout.tick}
    row |= {"runs": number, "default": failed, "default, upper": upper(failed, number)}
    row["before"] = percent((seen.before.both >= LEVEL).any(axis=1))
    return row | {"held": percent(np.any(held, axis=0))}


def late_breaks(seed: int, number: int) -> Iterator[Row]:
    """Canaries that break in a step: seconds from the break, or from the end of the step's warm-up, to the fail."""
    for rate, factor, tick in (
        *((0.005, factor, tick) for factor in (DEAD, TENFOLD) for tick in (15.0, 5.0)),
        *((rate, DEAD, tick) for rate in (0.0005, 0.02) for tick in (15.0, 5.0)),
    ):
        for rps in (100.0, 1000.0):
            for share in BEFORE:
                runs = number if tick == 15 and rate == 0.005 else number // 2
                yield _broken(seed, runs, "ideal", Rollout(rate, rps, tick, shares=(*BEFORE[share], share)), factor)
    for name in CLUMPED:
        for factor in (DEAD, TENFOLD):
            for rps in (100.0, 1000.0):
                for share in BEFORE:
                    rollout = Rollout(0.005, rps, 15.0, shares=(*BEFORE[share], share))
                    yield _broken(seed, number // 4, name, rollout, factor)


def _broken(seed: int, number: int, name: str, rollout: Rollout, factor: float) -> Row:
    """The last step lasts twice its time, as one does that is held; it breaks at a random moment of the first half."""
    share, first = rollout.shares[-1], rollout.step_ticks * (len(rollout.shares) - 1)
    longer = replace(rollout, shares=(*rollout.shares, share))
    breaks = np.random.default_rng([seed, number]).uniform(0, rollout.step_ticks, number)
    broken = np.clip(np.arange(longer.ticks) + 1 - (first + breaks)[:, None], 0, 1)
    worse = 1 + broken * (min(factor, 1 / rollout.rate) - 1)
    runs = drawn(seed, SHAPES[name], replace(longer, worse=worse), number, name, factor)
    traffic = starts.rollout(longer)
    traffic = replace(traffic, begins=traffic.begins[:-1], planned=rollout.ticks)
    one, own = starts.found(runs, traffic), starts.by_own_span(runs, traffic)
    limit = WITHIN[factor, rollout.tick]

    def seconds(both: Floats) -> Floats:
        crossed = both >= LEVEL
        crossed[:, :first] = False
        found = (crossed.argmax(axis=1) + 1 - first - breaks) * rollout.tick
        return np.where(crossed.any(axis=1), found, math.inf)

    rule, auto, before = (seconds(both) for both in (one.rule.both, own.rule.both, one.before.both))
    whole = np.minimum(auto, seconds(np.where(_obvious(runs, longer), math.inf, -math.inf)))
    row: Row = {"shape": name, "rate": rollout.rate, "rps": rollout.rps, "tick": rollout.tick, "share": share}
    row |= {"factor": "dead" if factor == DEAD else factor, "runs": number, "limit, s": limit}
    row |= {"within": (within := percent(rule <= limit)), "within, lower": lower(within, number)}
    row |= {"median, s": _second(rule, 0.5), "q95, s": _second(rule, 0.95), "slowest, s": _second(rule, 1.0)}
    row |= {"auto, within": percent(auto <= limit), "auto, q95, s": _second(auto, 0.95)}
    row |= {"auto and obvious, within": percent(whole <= limit), "auto and obvious, slowest, s": _second(whole, 1.0)}
    return row | {"before, within": percent(before <= limit), "before, median, s": _second(before, 0.5)}


def _obvious(runs: Runs, rollout: Rollout) -> NDArray[np.bool_]:
    """Whether this tick and the one before it are obvious: no test is asked then."""
    canary, baseline, _before = rollout.sides
    rate = runs.canary / canary
    seen = (runs.canary >= OBVIOUS_ERRORS) & (rate >= OBVIOUS_RATE)
    seen &= rate * baseline >= OBVIOUS_RATIO * runs.baseline
    return np.concatenate([np.zeros((len(seen), 1), bool), seen[:, 1:] & seen[:, :-1]], axis=1)


def _second(seconds: Floats, part: float) -> float | None:
    """A quantile; None where so many are not found."""
    found = float(np.quantile(seconds, part, method="higher"))
    return round(found) if math.isfinite(found) else None


def dead_at_the_end(seed: int, number: int) -> Iterator[Row]:
    """Canaries that are dead, or ten times worse, in the last tick or minute of a step only: held before the next."""
    for tick in (15.0, 5.0):
        for factor, seconds in ((DEAD, tick), (TENFOLD, 60.0)):
            for rps in (100.0, 1000.0):
                for share in BEFORE:
                    rollout = Rollout(0.005, rps, tick, shares=(*BEFORE[share], share))
                    worse = np.ones((number, rollout.ticks))
                    begin = rollout.ticks - round(seconds / tick)
                    worse[:, begin:] = min(factor, 1 / rollout.rate)
                    runs = drawn(seed, SHAPES["ideal"], replace(rollout, worse=worse), number, "end", factor)
                    if factor == DEAD:  # as drawn, one in a thousand has errors in less than half of its requests
                        runs.canary[:, begin:] = np.floor(rollout.sides[0][begin:])
                    traffic = starts.rollout(rollout)
                    seen = starts.by_own_span(runs, traffic)
                    kept = starts.held(runs, traffic, seen, rollout.ticks - 1) | (seen.rule.both[:, -1] >= LEVEL)
                    row: Row = {"tick": tick, "rps": rps, "share": share, "runs": number}
                    yield row | {
                        "factor": "dead" if factor == DEAD else factor,
                        "seconds": seconds,
                        "held": percent(kept),
                    }


def scrapes(seed: int, number: int) -> Iterator[Row]:
    """Seconds that count until the product fails a canary that is bad from the first of them, by the scrape's distance.

    100 requests a second on the canary; a tick is as long as samples lie apart.
    """
    for every in (15.0, 30.0, 60.0):
        for share in (0.1, 0.5, 0.9):
            for factor in (DEAD, TENFOLD):
                rng = np.random.default_rng([seed, round(every), round(100 * share), factor == DEAD])
                ticks = sorted(_ticks_to_fail(rng, every, share, factor) for _run in range(number))
                middle, late = (ticks[round(part * (number - 1))] for part in (0.5, 0.95))
                row: Row = {"scrape": every, "share": share, "factor": "dead" if factor == DEAD else factor}
                yield row | {"ticks, median": middle, "median, s": middle * every, "q95, s": late * every}


def _ticks_to_fail(rng: np.random.Generator, every: float, share: float, factor: float) -> int:
    settings = EvidenceSettings(interval=every, counted=540.0)
    requests, others, rate = 100 * every, 100 * every * (1 - share) / share, 0.005
    both = requests + others
    before = [Counts(float(errors), both) for errors in rng.poisson(rate * both, int(3600 / every))]
    evidence = begin_evidence(settings, before)
    tick = 0
    while judge_evidence(settings, evidence, math.inf).verdict != FAIL:
        tick += 1
        mine = requests if factor == DEAD else float(rng.poisson(factor * rate * requests))
        sides = Counts(mine, requests), Counts(float(rng.poisson(rate * others)), others)
        evidence = observe_tick(settings, evidence, tick * every, *sides)
    return tick


def rollouts_agree(seed: int, number: int) -> Iterator[Row]:
    """The product's own code against the arrays, over steps: the same evidence at every tick, the same at their ends.

    SystemExit where they differ.
    """
    for name, shape in {**SHAPES, **SPANNING}.items():
        for letter, (rate, rps), tick in (("A", SETTINGS[0], 15.0), ("B", SETTINGS[3], 5.0)):
            rollout = Rollout(rate, rps, tick, shares=ROLLOUTS[letter])
            worse = np.ones((number, rollout.ticks))
            worse[::2, -8:] = 5.0
            runs = drawn(seed, shape, replace(rollout, worse=worse), number, name, "agree")
            yield {"shape": name, "rollout": letter, "tick": tick, "runs": number, **_differences(runs, rollout, name)}


def _differences(runs: Runs, rollout: Rollout, name: str) -> Row:
    traffic = starts.rollout(rollout)
    seen = starts.by_own_span(runs, traffic)
    leaning = {end: starts.leans(runs, traffic, seen, end) for end in traffic.ends}
    held = {end: starts.held(runs, traffic, seen, end) for end in traffic.ends}
    settings = EvidenceSettings(interval=rollout.tick, steps=len(rollout.shares), counted=rollout.ticks * rollout.tick)
    worst = lean_worst = 0.0
    for run in range(len(runs.canary)):
        evidence = begin_evidence(settings, [Counts(float(one), traffic.before) for one in runs.lookback[run]])
        for tick in range(rollout.ticks):
            evidence = begin_step(evidence) if tick in traffic.begins[1:] else evidence
            sides = [
                Counts(float(errors[run, tick]), float(requests[tick]))
                for errors, requests in ((runs.canary, traffic.canary), (runs.baseline, traffic.baseline))
            ]
            evidence = observe_tick(settings, evidence, (tick + 1) * rollout.tick, *sides)
            now = weigh_evidence(settings, end_blocks(settings, evidence) if tick == rollout.ticks - 1 else evidence)
            both = min(seen.rule.counts[run, tick], seen.rule.shares[run, tick])
            worst = max(worst, abs((now.ratio.log_fail if now.ratio else math.inf) - both))
            if tick in leaning:
                lean_worst = max(lean_worst, abs(math.log(lean(settings, evidence) / leaning[tick][run])))
                lean_worst = lean_worst if is_leaning(settings, evidence) == held[tick][run] else math.inf
        if max(worst, lean_worst) > 1e-6:
            raise SystemExit(f"bench/gate.py: the product and the arrays differ: {name}, {rollout}, run {run}, {worst}")
    return {"largest difference of ln E": worst, "of leaning": lean_worst}
