"""How often the gate says yes: to good canaries, beside the best that any test could, and to bad ones, wrongly.

The rule before (evidence for every look, asked at the end) is judged on the same runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import gate_batch as batch
import gate_starts as starts
import numpy as np
from gate_rollouts import percent, upper
from gate_shapes import SHAPES, Runs, Setting, clumped

Row = dict[str, object]
Draw = Callable[..., Runs]

ALPHA, BETA = 0.01, 0.05
FAIL_AT, PASS_AT = math.log(1 / ALPHA), math.log(1 / BETA)
RATES, SPEEDS = (0.0005, 0.005, 0.02), (1, 10, 100)
CLUMP_SETTINGS = ((0.005, 10), (0.005, 100), (0.0005, 10), (0.0005, 100), (0.02, 1), (0.02, 10))
SHARES, TICKS = (0.05, 0.1, 0.2, 0.5), (3, 4, 5, 6, 8, 10, 14, 18, 25, 33, 45, 65, 85)
GOOD, QUIET_RATES = 0.001, (0.00002, 0.00005, 0.0001, 0.0002, 0.0005)
STEPS = (0.1, 0.25, 0.5, 0.75)
TWICE = (
    "ideal",
    "clumps of 2, both",
    "clumps of 5, both",
    "clumps of 20, both",
    "noisy pods, cv 1",
    "noisy pods, cv 2",
)
ON_CANARY = ("clumps of 5, canary only", "clumps of 20, canary only")


def _held(runs: Runs, setting: Setting) -> np.ndarray:
    """Runs that failed on the way, or lean against the canary at the end (asked in blocks of a tick)."""
    traffic = starts.even(setting)
    seen = starts.by_own_span(runs, traffic)
    leaning = starts.held(runs, traffic, seen, setting.ticks - 1)
    return np.asarray((seen.rule.both >= FAIL_AT).any(axis=1) | leaning)


def _before(runs: Runs, setting: Setting) -> np.ndarray:
    """What the rule before let pass."""
    stopped = (batch.by_own_span(batch.fails, runs, setting.tick).both >= FAIL_AT).any(axis=1)
    return np.asarray((batch.by_own_span(batch.passes, runs, setting.tick).both[:, -1] >= PASS_AT) & ~stopped)


def _passed(runs: Runs, setting: Setting) -> np.ndarray:
    return np.asarray(batch.look_by_own_span(runs, setting.tick).passes(BETA) & ~_held(runs, setting))


def good_passes(drawn: Draw, number: int) -> Iterator[Row]:
    """Good canaries that pass in 600 s by the comparison, beside the best unbiased test against exactly twice."""
    for rate in RATES:
        for rps in SPEEDS:
            setting = Setting(rate, rps, 15.0)
            runs = drawn(SHAPES["ideal"], setting, number, "good pass")
            worse = Setting(rate, rps, 15.0, ratio=2.0)
            wrong = percent(_passed(drawn(SHAPES["ideal"], worse, number, "bad pass"), worse))
            yield {
                "rate": rate,
                "rps": rps,
                "before": percent(_before(runs, setting)),
                "passes": percent(_passed(runs, setting)),
                "bound": percent(batch.look(runs, 1, plain=True).unacceptable <= BETA),
                "2x passes": wrong,
                "2x, upper": upper(wrong, number),
            }


def false_passes(drawn: Draw, number: int) -> Iterator[Row]:
    """Canaries twice and five times as bad that pass, in the shapes of errors that mislead."""
    for name in (*TWICE, *ON_CANARY):
        for rate, rps in CLUMP_SETTINGS:
            row: Row = {"shape": name, "rate": rate, "rps": rps}
            for factor in (1.0, 2.0, 5.0):
                setting = Setting(rate, rps, 15.0, ratio=factor)
                runs = drawn(SHAPES[name], setting, number, name, "pass")
                row[f"{factor:g}x passes"] = percent(_passed(runs, setting))
                row[f"{factor:g}x passed before"] = percent(_before(runs, setting))
            yield row | {"2x, upper": upper(float(str(row["2x passes"])), number)}


def _side(rng: np.random.Generator, rate: float, requests: np.ndarray, runs: int) -> np.ndarray:
    return clumped(rng, rate * requests, 1, (runs, len(requests)))


def last_step(rng: np.random.Generator, number: int) -> Iterator[Row]:
    """Canaries that are worse only in the last of four steps of 5 minutes, a minute of warm-up in each."""
    for rps in (100, 1000):
        for factor in (1.0, 1.5, 2.0):
            shares = np.repeat(STEPS, 16)
            canary, baseline = shares * rps * 15, (1 - shares) * rps * 15
            worse = np.where(shares == STEPS[-1], factor, 1.0)
            x, y = _side(rng, 0.005, canary * worse, number), _side(rng, 0.005, baseline, number)
            k = x + y
            theta = (k * (2 * canary / (2 * canary + baseline))).sum(axis=1) / k.sum(axis=1)
            whole = batch.at_most(x.sum(axis=1) * 1.0, k.sum(axis=1) * 1.0, theta) <= 0.8 * BETA
            own = batch.at_least(x[:, -16:].sum(axis=1) * 1.0, k[:, -16:].sum(axis=1) * 1.0, STEPS[-1])
            yield {
                "rps": rps,
                "factor": factor,
                "whole run alone": percent(whole),
                "with the last step": percent(whole & (own >= batch.SELF_LEVEL)),
            }


def ticks_to_pass(rng: np.random.Generator, number: int) -> Iterator[Row]:
    """The fewest ticks in which nine of ten good canaries with errors enough pass, by share; of each rule."""
    for share in SHARES:
        requests, traffic = 1e6 * share, (1 - share) / share
        before: Row = {}
        for ticks in TICKS:
            shape = number, ticks
            lookback = clumped(rng, 0.005 * requests * traffic, 1, (number, 240))
            sides = (clumped(rng, 0.005 * mean, 1, shape) for mean in (requests, requests * traffic))
            runs = Runs(*sides, lookback)
            if "ticks" not in before and percent(batch.look(runs, 1, traffic=traffic).passes(BETA)) >= 90:
                before["ticks"] = ticks
            logs = batch.passes(runs, 1, traffic=traffic).both[:, -1]
            if "before" not in before and percent(logs >= PASS_AT) >= 90:
                before["before"] = ticks
        yield {"share": share, **before}


def quiet(drawn: Draw, number: int) -> Iterator[Row]:
    """By the comparison, or by `goodErrorRate` 0.1 %: good canaries of quiet services, and bad ones that pass so."""
    for rate in QUIET_RATES:
        for rps in (10, 100, 1000):
            row: Row = {"rate": rate, "rps": rps}
            for factor in (1.0, 2.0, 5.0):
                setting = Setting(rate, rps, 15.0, horizon=540.0, ratio=factor)
                runs = drawn(SHAPES["ideal"], setting, number, "quiet")
                ends, held = batch.look_by_own_span(runs, setting.tick), _held(runs, setting)
                low = ends.is_low(GOOD, rps * setting.horizon, BETA)
                row[f"{factor:g}x passes"] = percent((ends.passes(BETA) | low) & ~held)
                if factor == 1:
                    row["by comparison"] = percent(ends.passes(BETA) & ~held)
            yield row


def proof(drawn: Draw, number: int) -> Iterator[Row]:
    """Canaries whose rate is exactly `goodErrorRate`, as good as their baseline, that pass by it."""
    for size, name in ((1, "ideal"), (5, "clumps of 5, canary only"), (20, "clumps of 20, canary only")):
        for expected in (20, 54, 162):
            setting = Setting(GOOD, expected / GOOD / 600, 15.0)
            runs = drawn(SHAPES[name], setting, number, "proof")
            ends = batch.look_by_own_span(runs, setting.tick)
            passed = percent(ends.is_low(GOOD, expected / GOOD, BETA))
            yield {"clumps": size, "expected errors": expected, "passes": passed}


def no_errors() -> Iterator[Row]:
    """The least `goodErrorRate` that no error in so many canary requests proves."""
    for requests in (16_100, 60_000, 600_000):
        # no errors in N / guard requests: (1 - g)^(N / guard) = 0.8 beta
        least = 1 - (batch.FIRST_LOOK * BETA) ** (batch.CLUMP_GUARD / requests)
        yield {"requests": requests, "least goodErrorRate": float(f"{least:.3g}")}
