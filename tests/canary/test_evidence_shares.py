"""The share e-process: bounded bets whose expected factor never exceeds 1, for clumps of any size."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from incident_ops.canary import bets
from incident_ops.canary.bets import BOLDEST, EVEN, STEP, bet, share_log_evidence
from incident_ops.canary.evidence_settings import grid
from incident_ops.canary.ratio_test import add_errors, count_log_evidence, no_scores

SHARES = st.floats(0.01, 0.99)


def _factor(share: float, allowed: float, errors: float) -> float:
    return math.exp(share_log_evidence(bet(EVEN, share, allowed, errors)))


@given(SHARES, st.lists(st.integers(1, 30), min_size=1, max_size=7))
def test_the_expected_factor_is_one_for_any_clumps(allowed: float, clumps: list[int]) -> None:
    """Each clump falls on a side in proportion to traffic: every way they can fall, by its chance."""
    errors, expected = sum(clumps), 0.0
    for sides in itertools.product((0, 1), repeat=len(clumps)):
        chance = math.prod(allowed if side else 1 - allowed for side in sides)
        mine = sum(size for size, side in zip(clumps, sides, strict=True) if side)
        expected += chance * _factor(mine / errors, allowed, errors)
    assert expected == pytest.approx(1, abs=1e-9)


@given(SHARES, st.integers(0, 100).map(lambda hundredth: hundredth / 100), st.integers(1, 200))
def test_a_better_canary_expects_less_than_one(allowed: float, part: float, errors: int) -> None:
    """A share below the allowed one makes the factor smaller in expectation: independent errors."""
    share = allowed * part
    expected = sum(
        float(chance) * _factor(mine / errors, allowed, errors)
        for mine, chance in enumerate(stats.binom.pmf(range(errors + 1), errors, share))
    )
    assert expected <= 1 + 1e-9


@given(SHARES, st.floats(0, 1), st.floats(0.01, 1e6))
def test_one_tick_multiplies_by_a_bounded_factor_and_never_ruins(allowed: float, share: float, errors: float) -> None:
    """However large the clump: at most about 0.05 + 0.95/q, at least about 0.05, as far as the odds are rounded."""
    factor, boldest = _factor(share, allowed, errors), BOLDEST * math.exp(STEP / 2)
    assert 1 - boldest - 1e-9 <= factor <= 1 - boldest + boldest / allowed + 1e-9
    assert boldest < 0.98


@pytest.mark.parametrize("canary", [0, 1])
def test_for_one_error_it_is_the_count_e_process(canary: int) -> None:
    """With a single error in the tick there is nothing to be clumped, and both say the same."""
    among, traffic = grid(1.0, 2.0), math.exp(44 * STEP)
    counts = count_log_evidence(add_errors(among, no_scores(among), canary, 1 - canary, traffic), among.worse, 1.0)
    assert share_log_evidence(bet(EVEN, canary, 1 / (1 + traffic), 1.0)) == pytest.approx(counts, abs=1e-9)


@given(SHARES, st.floats(1, 1e6))
def test_rounded_odds_move_no_stake_by_more_than_half_a_step(allowed: float, errors: float) -> None:
    """A stake that is 2.5 % off its best loses next to nothing, and is as fair."""
    exact = math.log(allowed / (1 - allowed)) / STEP
    near, best = (bets.stakes_held(step, errors, bets.RESTRAINT) for step in (round(exact), exact))
    assert all(abs(math.log(one / other)) <= STEP / 2 + 1e-9 for one, other in zip(near, best, strict=True))


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50)), max_size=400))
def test_long_runs_neither_overflow_nor_vanish(ticks: list[tuple[float, int]]) -> None:
    """The capitals are kept in range, and the log evidence is that of the plain product."""
    stakes, logs = EVEN, 0.0
    for share, errors in ticks:
        before = share_log_evidence(stakes)
        stakes = bet(stakes, share, 0.1, errors)
        logs += share_log_evidence(stakes) - before
        assert all(math.isfinite(one) for one in stakes.capitals)
    assert share_log_evidence(stakes) == pytest.approx(logs, abs=1e-6)


def test_thousands_of_lost_bets_stay_finite() -> None:
    """A canary without errors beside a failing baseline has no evidence against it, and a finite one."""
    stakes = EVEN
    for _tick in range(5_000):
        stakes = bet(stakes, 0.0, 0.1, 40)
    assert -1e6 < share_log_evidence(stakes) < -500
    for _tick in range(5_000):
        stakes = bet(stakes, 1.0, 0.1, 40)
    assert share_log_evidence(stakes) > 100
