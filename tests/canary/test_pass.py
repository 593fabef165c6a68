"""The test that a pass is judged by, each thing that keeps a canary from it, and the route by its own rate."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc
from scipy.stats import binom

from incident_ops.canary.counters import Counts
from incident_ops.canary.evidence import Evidence, begin_evidence, begin_step, observe_tick
from incident_ops.canary.evidence_settings import EvidenceSettings
from incident_ops.canary.judgement import Judgement, judge_evidence
from incident_ops.canary.pass_test import BELOW_GOOD_RATE, at_least, at_most
from incident_ops.deploy_gate.verdict import FAIL, INCONCLUSIVE, PASS

SETTINGS = EvidenceSettings(interval=15.0)
LOOKBACK = [Counts(float(89 + tick % 3), 13_500.0) for tick in range(60)]
NO_ERRORS = [Counts(0.0, 13_500.0)] * 60
GOOD = (Counts(10.0, 1500.0), Counts(90.0, 13_500.0))
QUIET = (Counts(0.0, 1500.0), Counts(0.0, 13_500.0))


@given(st.floats(0, 1e8), st.floats(1e-9, 1), st.floats(1e-6, 1 - 1e-6))
def test_the_chances_are_those_of_scipy(trials: float, part: float, share: float) -> None:
    """Whole numbers or not, from nothing to a hundred million."""
    errors = trials * part**3
    assert at_most(errors, trials, share) == pytest.approx(betainc(trials - errors, errors + 1, 1 - share), abs=1e-9)
    if errors:
        assert at_least(errors, trials, share) == pytest.approx(betainc(errors, trials - errors + 1, share), abs=1e-9)


@pytest.mark.parametrize(
    ("errors", "trials", "share"), [(0, 30, 0.1), (7, 90, 0.18), (90, 90, 0.5), (4000, 42_000, 0.1)]
)
def test_they_are_the_binomial_law(errors: int, trials: int, share: float) -> None:
    """At most, and at least."""
    assert at_most(errors, trials, share) == pytest.approx(binom.cdf(errors, trials, share))
    assert at_least(errors, trials, share) == pytest.approx(binom.sf(errors - 1, trials, share))


def _fed(settings: EvidenceSettings, *ticks: tuple[Counts, Counts], lookback: list[Counts] | None = None) -> Evidence:
    evidence = begin_evidence(settings, LOOKBACK if lookback is None else lookback)
    return _on(settings, evidence, *ticks)


def _on(settings: EvidenceSettings, evidence: Evidence, *ticks: tuple[Counts, Counts]) -> Evidence:
    for canary, baseline in ticks:
        evidence = observe_tick(settings, evidence, evidence.at + settings.interval, canary, baseline)
    return evidence


def _judged(settings: EvidenceSettings, evidence: Evidence, look: int = 1) -> Judgement:
    return judge_evidence(settings, evidence, evidence.at, look)


@pytest.mark.parametrize(("share", "ticks"), [(0.05, 5), (0.1, 5), (0.5, 5), (0.8, 5)])
def test_a_pass_takes_five_ticks_whatever_the_share(share: float, ticks: int) -> None:
    """Errors enough in each: four ticks are too few, and it is said so."""
    n, m = 30_000 * share, 30_000 * (1 - share)
    tick = (Counts(0.01 * n, n), Counts(0.01 * m, m))
    assert _judged(SETTINGS, _fed(SETTINGS, *[tick] * ticks)).verdict == PASS
    early = _judged(SETTINGS, _fed(SETTINGS, *[tick] * (ticks - 1)))
    assert early.verdict == INCONCLUSIVE
    assert early.passing is not None
    assert early.passing.lacks == "only 4 ticks had data, and a pass needs 5"


def test_without_a_lookback_it_takes_eight() -> None:
    """Then the run alone shows how errors are clumped."""
    assert _judged(SETTINGS, _fed(SETTINGS, *[GOOD] * 7, lookback=[])).verdict == INCONCLUSIVE
    assert _judged(SETTINGS, _fed(SETTINGS, *[GOOD] * 8, lookback=[])).verdict == PASS
    plain = replace(SETTINGS, dispersion="none")
    assert _judged(plain, _fed(plain, *[GOOD] * 3, lookback=[])).verdict == PASS


def test_a_canary_that_is_twice_as_bad_has_no_chance_of_beta() -> None:
    """The chance of so few errors is about one half, and far from beta."""
    bad = (Counts(20.0, 1500.0), Counts(90.0, 13_500.0))
    found = _judged(SETTINGS, _fed(SETTINGS, *[bad] * 20))
    assert found.verdict == FAIL
    assert found.passing is not None
    assert 0.4 < found.passing.chance < 0.6


def test_clumps_make_it_harder() -> None:
    """The canary's own, the baseline's in the run, or before it: phi is the largest."""
    clumped = [(Counts(20.0 * (tick % 4 == 0), 1500.0), Counts(90.0, 13_500.0)) for tick in range(16)]
    found = _judged(SETTINGS, _fed(SETTINGS, *clumped))
    assert found.passing is not None
    assert found.passing.phi > 5
    assert found.passing.level == pytest.approx(0.05 * 0.8 * 0.6)
    before = [Counts(900.0 * (tick % 10 == 0), 13_500.0) for tick in range(60)]
    found = _judged(SETTINGS, _fed(SETTINGS, *[GOOD] * 16, lookback=before))
    assert found.passing is not None
    assert found.passing.phi > 50


def test_beta_is_spent_over_the_looks() -> None:
    """Most of it at the planned end; between looks no pass is said."""
    evidence = _fed(SETTINGS, *[GOOD] * 20)
    first, later = _judged(SETTINGS, evidence), _judged(SETTINGS, evidence, look=3)
    assert first.passing is not None
    assert later.passing is not None
    assert (first.passing.level, later.passing.level) == (pytest.approx(0.04), pytest.approx(0.0025))
    none = _judged(SETTINGS, evidence, look=0)
    assert (none.verdict, none.passing) == (INCONCLUSIVE, None)


def test_a_canary_that_is_worse_in_the_last_step_only_does_not_pass() -> None:
    """The whole run would let it pass."""
    late = (Counts(2 * 7.0, 1500.0), Counts(7.0, 1500.0))
    evidence = begin_step(_fed(SETTINGS, *[GOOD] * 60))
    found = _judged(SETTINGS, _on(SETTINGS, evidence, *[late] * 5))
    assert found.passing is not None
    assert found.passing.chance < found.passing.level
    assert found.passing.lacks == "in the last step alone it has more errors than the baseline"
    good = (Counts(7.0, 1500.0), Counts(7.0, 1500.0))
    assert _judged(SETTINGS, _on(SETTINGS, evidence, *[good] * 5)).verdict == PASS


def test_a_canary_that_has_just_broken_does_not_pass() -> None:
    """The whole run, and its step, would let it: the last minute leans, and that is the reason."""
    late = (Counts(60.0, 1500.0), Counts(90.0, 13_500.0))
    found = _judged(SETTINGS, _fed(SETTINGS, *[GOOD] * 60, late, late))
    assert found.passing is not None
    assert found.passing.chance < found.passing.level
    assert (found.verdict, found.reason_code) == (INCONCLUSIVE, "leans_worse")
    assert found.passing.lacks == "the evidence of the last minute or of this step leans against it"


QUIET_SETTINGS = replace(SETTINGS, good_error_rate=0.001)


def test_a_perfect_canary_passes_by_its_own_rate() -> None:
    """No errors in 16,500 requests prove less than 0.1 %, 60,000 less than 0.03 %; compared they prove nothing."""

    def perfect(rate: float | None, ticks: int) -> Judgement:
        settings = replace(SETTINGS, good_error_rate=rate)
        return _judged(settings, _fed(settings, *[QUIET] * ticks, lookback=NO_ERRORS))

    assert (perfect(0.001, 11).verdict, perfect(0.001, 11).reason_code) == (PASS, BELOW_GOOD_RATE)
    assert perfect(0.001, 10).verdict == INCONCLUSIVE
    assert (perfect(0.00027, 40).verdict, perfect(0.00026, 40).verdict) == (PASS, INCONCLUSIVE)
    assert perfect(None, 40).verdict == INCONCLUSIVE


def test_errors_that_have_no_series_prove_nothing() -> None:
    """Zero of what is never counted."""
    import msgspec

    evidence = msgspec.structs.replace(_fed(QUIET_SETTINGS, *[QUIET] * 40, lookback=NO_ERRORS), has_error_series=False)
    found = _judged(QUIET_SETTINGS, evidence)
    assert found.verdict == INCONCLUSIVE
    assert found.passing is not None
    assert found.passing.good_chance is None
    assert "it has no series of errors" in found.passing.lacks


def test_one_that_is_worse_than_its_baseline_does_not_pass_by_its_rate() -> None:
    """Four errors in 60,000 requests against eight in 540,000: below 0.1 %, and surely not as good."""
    ticks = [
        (Counts(float(tick in (3, 9, 15, 21)), 1500.0), Counts(float(tick % 5 == 1), 13_500.0)) for tick in range(40)
    ]
    before = [Counts(float(tick % 5 == 1), 13_500.0) for tick in range(60)]
    found = _judged(QUIET_SETTINGS, _fed(QUIET_SETTINGS, *ticks, lookback=before))
    assert found.passing is not None
    assert found.passing.good_chance is not None
    assert found.passing.good_chance < found.passing.good_level
    assert found.verdict != PASS
    assert found.passing.lacks == "it has more errors than the baseline, so goodErrorRate does not let it pass"


def test_the_absolute_limit_is_asked_on_every_route() -> None:
    """A rate that is good is not below a limit that is lower still."""
    settings = replace(QUIET_SETTINGS, max_error_rate=0.00001)
    assert _judged(settings, _fed(settings, *[QUIET] * 40, lookback=NO_ERRORS)).verdict == INCONCLUSIVE


def test_what_keeps_a_canary_from_a_pass_by_an_absolute_number_is_said() -> None:
    """As good as its baseline, which is not below the policy's limit; or with fewer requests than asked for."""
    evidence = [GOOD] * 20
    assert _judged(SETTINGS, _fed(SETTINGS, *evidence)).verdict == PASS
    for settings, words in (
        (
            replace(SETTINGS, max_error_rate=0.007),
            "the canary's errors are not surely below the limit of 0.7 % (maxErrorRate)",
        ),
        (replace(SETTINGS, min_requests=100_000), "fewer canary requests than minRequests, 100,000"),
    ):
        found = _judged(settings, _fed(settings, *evidence))
        assert found.verdict == INCONCLUSIVE
        assert found.passing is not None
        assert (found.passing.reason, found.passing.lacks) == ("", words)


def test_a_number_without_end_does_not_hang() -> None:
    """More errors than any service has."""
    assert math.isfinite(at_most(1e14, 1e15, 0.1))
    assert at_most(0, 1e9, 1e-300) == pytest.approx(1)
    assert at_least(1, 1e9, 1e-300) < 1e-5
