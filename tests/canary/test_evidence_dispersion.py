"""How clumped errors are, and how long one cause lasts."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from incident_ops.canary.counters import (
    DispersionSums,
    add_block,
    clump_span,
    dispersion_index,
    dispersion_limit,
    phi,
    spread_of,
)

ERRORS = st.lists(st.integers(0, 50), min_size=2, max_size=60).filter(any)


def _even(errors: list[int]) -> DispersionSums:
    return spread_of([(float(one), 900.0) for one in errors], 1)


@given(ERRORS)
def test_on_even_traffic_the_index_is_variance_over_mean(errors: list[int]) -> None:
    """Pearson's index and the paper's are one there."""
    assert dispersion_index(_even(errors)) == pytest.approx(
        statistics.variance(errors) / statistics.mean(errors), rel=1e-9
    )


@given(ERRORS, st.integers(2, 20))
def test_clumps_multiply_the_index_by_their_size(errors: list[int], size: int) -> None:
    """Every error five times over: five times the index."""
    assert dispersion_index(_even([size * one for one in errors])) == pytest.approx(
        size * dispersion_index(_even(errors)), rel=1e-9
    )


@pytest.mark.parametrize("degrees", [3, 9, 39, 119, 239, 3599])
def test_the_level_is_the_quantile_of_chi_squared(degrees: int) -> None:
    """Within 1 % of the reference from 3 degrees on."""
    assert dispersion_limit(degrees) == pytest.approx(stats.chi2.ppf(0.95, degrees) / degrees, rel=0.01)


def test_phi_is_one_where_the_index_is_not_significant() -> None:
    """A noisy estimate of 1 costs nothing; nor does a lookback that tells nothing."""
    assert phi(_even([3, 5, 2, 4, 3, 6, 1, 4])) == 1.0
    assert phi(DispersionSums()) == phi(_even([0, 0, 0])) == phi(add_block(DispersionSums(), 9.0, 10.0)) == 1.0
    assert phi(_even([20, 0, 0, 20, 0, 0, 0, 20, 0, 0])) > 10


def test_traffic_that_grows_is_no_dispersion() -> None:
    """Errors in proportion to requests: nothing is clumped, however traffic moves."""
    steady = spread_of([(requests / 100, float(requests)) for requests in range(100, 5_000, 100)], 1)
    assert dispersion_index(steady) == pytest.approx(0, abs=1e-9)


def _lookback(span: int, size: int, ticks: int = 240) -> list[tuple[float, float]]:
    """Causes of `size` errors, each spread over `span` ticks."""
    rng, errors = random.Random(span), [0] * (ticks + span)
    for begin in range(ticks):
        for _cause in range(rng.random() < 0.3):
            for _error in range(size):
                errors[begin + rng.randrange(span)] += 1
    return [(float(one), 1000.0) for one in errors[span:]]


def test_the_span_follows_how_long_a_cause_lasts() -> None:
    """Clumps within a tick need no block; causes over four ticks need a longer one, up to two minutes."""
    assert clump_span(_lookback(1, 20), 15.0) == 1
    assert clump_span(_lookback(4, 20), 15.0) in (4, 8)
    assert clump_span(_lookback(30, 60), 15.0) == 8
    assert clump_span(_lookback(30, 60, ticks=720), 5.0) == 16


@pytest.mark.parametrize("ticks", [0, 1, 10, 15])
def test_a_short_lookback_gives_one_tick(ticks: int) -> None:
    """Too few pairs of blocks to see growth."""
    assert clump_span([(1.0, 100.0)] * ticks, 15.0) == 1


def test_independent_errors_rarely_get_a_longer_block() -> None:
    """About one lookback in twenty does."""
    rng, longer = random.Random(1), 0
    for _run in range(300):
        ticks = [(float(sum(rng.random() < 0.02 for _ in range(200))), 900.0) for _ in range(240)]
        longer += clump_span(ticks, 15.0) > 1
    assert longer <= 30
