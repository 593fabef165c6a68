"""The count e-process: its expectation, what it does not depend on, and the formula written out again."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from incident_ops.canary.evidence_settings import MULTIPLES, grid
from incident_ops.canary.ratio_test import add_errors, count_log_evidence, no_scores

GRID = grid(1.0, 2.0)
TICKS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 30), st.floats(1, 500), st.floats(1, 5000)), min_size=1, max_size=12
)


def _scores(ticks: list[tuple[int, int, float, float]]) -> tuple[float, ...]:
    scores = no_scores(GRID)
    for canary, baseline, requests, others in ticks:
        scores = add_errors(GRID, scores, canary, baseline, others / requests)
    return scores


def _written_out(ticks: list[tuple[int, int, float, float]], limit: float, ratio: float) -> float:
    """ln E(w; rho) as the paper writes it."""
    found = 0.0
    for x, y, n, m in ticks:
        found += x * math.log(ratio / limit) - (x + y) * math.log((n * ratio + m) / (n * limit + m))
    return found


@given(TICKS)
def test_the_scores_give_the_formula_of_the_paper(ticks: list[tuple[int, int, float, float]]) -> None:
    """A fail mixes the ratios above the limit, a pass those below; both from one row of scores, traffic varying."""
    scores = _scores(ticks)
    for side, limit, ratios in (
        (GRID.worse, 1.0, MULTIPLES),
        (GRID.better, 2.0, [2 / multiple for multiple in MULTIPLES]),
    ):
        logs = [_written_out(ticks, limit, ratio) for ratio in ratios]
        mean = max(logs) + math.log(sum(math.exp(one - max(logs)) for one in logs) / len(logs))
        assert count_log_evidence(scores, side, 1.0) == pytest.approx(mean, abs=1e-8)


@pytest.mark.parametrize("limit", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("traffic", [0.2, 1.0, 9.0, 99.0])
@pytest.mark.parametrize("mean", [0.01, 0.3, 4.0])
@pytest.mark.parametrize("ratio", [0.25, 0.9, 1.0])
def test_the_expected_factor_of_a_tick_is_at_most_one(limit: float, traffic: float, mean: float, ratio: float) -> None:
    """Summed over all counts that can come: a canary no worse than allowed, one at the limit exactly 1."""
    among = grid(limit, limit + 1)
    canary, baseline = ratio * limit * mean / traffic, mean
    most = [int(stats.poisson.isf(1e-13, rate)) + 1 for rate in (canary, baseline)]
    expected = 0.0
    for x, y in itertools.product(range(most[0] + 1), range(most[1] + 1)):
        chance = float(stats.poisson.pmf(x, canary) * stats.poisson.pmf(y, baseline))
        scores = add_errors(among, no_scores(among), x, y, traffic)
        expected += chance * math.exp(count_log_evidence(scores, among.worse, 1.0))
    assert expected <= 1 + 1e-6
    if ratio == 1.0 and mean * 128 < 20:
        assert expected == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("ratio", [2.0, 2.5, 8.0])
def test_the_expected_factor_of_a_pass_is_at_most_one(ratio: float) -> None:
    """A canary that is unacceptable gathers no evidence for a pass, on average."""
    canary, baseline, traffic = ratio * 0.4 / 9, 0.4, 9.0
    expected = 0.0
    for x, y in itertools.product(range(25), range(25)):
        chance = float(stats.poisson.pmf(x, canary) * stats.poisson.pmf(y, baseline))
        scores = add_errors(GRID, no_scores(GRID), x, y, traffic)
        expected += chance * math.exp(count_log_evidence(scores, GRID.better, 1.0))
    assert expected <= 1 + 1e-9


@given(TICKS, st.randoms(use_true_random=False))
def test_the_order_of_ticks_does_not_matter(ticks: list[tuple[int, int, float, float]], rng: random.Random) -> None:
    """The evidence at the end is the same in any order."""
    shuffled = ticks[:]
    rng.shuffle(shuffled)
    assert _scores(shuffled) == pytest.approx(_scores(ticks), abs=1e-7)


@given(TICKS, st.floats(0.01, 100))
def test_only_the_ratio_of_requests_matters(ticks: list[tuple[int, int, float, float]], factor: float) -> None:
    """Twice the requests on both sides is the same evidence."""
    scaled = [(x, y, n * factor, m * factor) for x, y, n, m in ticks]
    one, other = _scores(ticks), _scores(scaled)
    expected = pytest.approx(count_log_evidence(other, GRID.worse, 1.0), abs=1e-6)
    assert count_log_evidence(one, GRID.worse, 1.0) == expected


def test_a_tick_without_errors_changes_nothing() -> None:
    """Quiet ticks add nothing to either side."""
    scores = _scores([(1, 3, 10.0, 90.0)])
    assert add_errors(GRID, scores, 0.0, 0.0, 9.0) == scores


@settings(max_examples=50)
@given(TICKS, st.floats(1, 40))
def test_phi_shrinks_the_whole_difference(ticks: list[tuple[int, int, float, float]], phi: float) -> None:
    """Divided by phi before mixing: never more than phi-th part of the best ratio's evidence."""
    scores = _scores(ticks)
    best = max(scores[place] for place in GRID.worse.places) - scores[GRID.worse.limit]
    assert count_log_evidence(scores, GRID.worse, phi) <= best / phi + 1e-9


@pytest.mark.parametrize(("canary", "baseline"), [(1e6, 1.0), (1e5, 9e3), (3e3, 0.0), (0.0, 1e6), (10.0, 1e5)])
@pytest.mark.parametrize("phi", [1.0, 20.0])
def test_evidence_far_beyond_rounding_is_still_the_formula(canary: float, baseline: float, phi: float) -> None:
    """Counts so large that weights vanish: a disaster must not look like a pass, nor a calm canary like a fail."""
    scores = add_errors(GRID, no_scores(GRID), canary, baseline, 9.0)
    for side in (GRID.worse, GRID.better):
        limit = scores[side.limit]
        logs = [(scores[place] - limit) / phi for place in side.places]
        mean = max(logs) + math.log(sum(math.exp(one - max(logs)) for one in logs) / len(logs))
        assert count_log_evidence(scores, side, phi) == pytest.approx(mean, rel=1e-9)


def test_looking_at_every_tick_keeps_alpha() -> None:
    """Ville's inequality, seen: of 2,000 good canaries fewer than 1 % ever reach 1/alpha at alpha 1 %."""
    rng = random.Random(6)
    failed = 0
    for _run in range(2_000):
        scores = no_scores(GRID)
        for _tick in range(40):
            x, y = (sum(1 for _ in _arrivals(rng, mean)) for mean in (0.4, 3.6))
            scores = add_errors(GRID, scores, x, y, 9.0)
            if count_log_evidence(scores, GRID.worse, 1.0) >= math.log(100):
                failed += 1
                break
    assert failed < 20


def _arrivals(rng: random.Random, mean: float) -> list[float]:
    found, at = [], rng.expovariate(1.0)
    while at < mean:
        found.append(at)
        at += rng.expovariate(1.0)
    return found
