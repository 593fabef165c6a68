"""Evidence from every moment on: alpha holds once over all beginnings, and a good past excuses nothing."""

from __future__ import annotations

import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from incident_ops.canary import start_times
from incident_ops.canary.counters import Counts, DispersionSums
from incident_ops.canary.evidence import Evidence, begin_evidence, begin_step, carry_evidence, end_blocks, observe_tick
from incident_ops.canary.evidence_settings import LATE, MULTIPLES, EvidenceSettings
from incident_ops.canary.judgement import judge_evidence, weigh_evidence
from incident_ops.canary.leaning import LEANING, is_leaning, lean
from incident_ops.canary.level_test import LEAST_LEVEL, MOST_LEVEL, level_allowed, level_factors
from incident_ops.canary.ratio_test import RatioWeight
from incident_ops.canary.start_times import FOR_LATER, OF_TICKS, UNTOUCHED, StartTimes, after_block, after_tick
from incident_ops.deploy_gate.verdict import FAIL

STEPS = (0.2, 0.4, 0.6, 0.8)
SETTINGS = EvidenceSettings(interval=15.0, steps=4, counted=4 * 240.0)


def _sides(weight: float, canary: float, baseline: float, requests: float = 15_000.0) -> tuple[Counts, Counts]:
    mine, others = weight * requests, (1 - weight) * requests
    return Counts(round(canary * mine), mine), Counts(round(baseline * others), others)


def _rollout(
    breaks: int, rate: float, baseline: float = 0.001, settings: EvidenceSettings = SETTINGS
) -> list[Evidence]:
    """Four steps of 16 ticks; from tick `breaks` on the canary's rate is `rate`. The evidence after each tick."""
    evidence, known = begin_evidence(settings), []
    for tick in range(64):
        if tick and tick % 16 == 0:
            evidence = begin_step(evidence)
        sides = _sides(STEPS[tick // 16], rate if tick >= breaks else baseline, baseline)
        evidence = observe_tick(settings, evidence, (tick + 1) * 15.0, *sides)
        known.append(evidence)
    return known


def _first_fail(known: list[Evidence], settings: EvidenceSettings = SETTINGS) -> int | None:
    """The tick that fails by evidence alone."""
    for tick, evidence in enumerate(known):
        weight = weigh_evidence(settings, evidence).ratio
        if weight is not None and weight.log_fail >= settings.fail_level:
            return tick
    return None


@pytest.mark.parametrize("step", range(4))
def test_a_dead_canary_is_found_in_three_ticks_in_any_step(step: int) -> None:
    """At 20 to 80 % of the traffic, after up to 48 good ticks."""
    first = _first_fail(_rollout(16 * step, 1.0))
    assert first is not None
    assert first - 16 * step <= 2


@pytest.mark.parametrize("step", range(4))
def test_ten_times_worse_is_found_in_twelve_ticks_in_any_step(step: int) -> None:
    """0.5 % becomes 5 %, counted from the step's begin."""
    first = _first_fail(_rollout(16 * step, 0.05, 0.005))
    assert first is not None
    assert first - 16 * step <= 11


def test_without_the_beginnings_a_good_past_excuses_a_dead_canary() -> None:
    """What was before: whole evidence alone needs the rest of the last step and more."""
    known = _rollout(48, 1.0)
    assert known[51].ratio is not None
    whole = known[51].ratio.worse
    assert math.log(sum(whole.capitals) / len(whole.capitals)) + whole.log_scale < SETTINGS.fail_level
    assert judge_evidence(SETTINGS, known[51], math.inf).verdict == FAIL


@given(st.integers(1, 6), st.integers(1, 200), st.lists(st.booleans(), max_size=260))
def test_what_is_given_out_and_what_is_left_is_always_one(steps: int, planned: int, begins: list[bool]) -> None:
    """With factors of 1 nothing is won or lost, whatever the plan and however long the run."""
    settings = EvidenceSettings(interval=1.0, steps=steps, counted=float(planned))
    starts = StartTimes()
    for is_begin in [True, *begins]:
        starts = start_times.begin_steps(starts) if is_begin else starts
        starts = after_tick(settings, starts, None, 1.0, None, UNTOUCHED)
        assert start_times.log_counts(starts, 0.0) == pytest.approx(0, abs=1e-9)
        assert start_times.log_bets(starts, 0.0) == pytest.approx(0, abs=1e-9)
    assert starts.unspent >= FOR_LATER * OF_TICKS - 1e-12


@given(st.floats(0.05, 0.95), st.integers(1, 30), st.integers(0, 3))
def test_a_tick_of_independent_errors_expects_no_gain(share: float, errors: int, before: int) -> None:
    """However the beginnings stand: over all ways the errors can fall, both sums keep their mean."""
    settings = EvidenceSettings(interval=1.0, steps=2, counted=40.0)
    traffic = (1 - share) / share
    evidence = begin_evidence(settings)
    for tick in range(before):
        evidence = observe_tick(settings, evidence, tick + 1.0, Counts(errors % 3, 1e6), Counts(1.0, 1e6 * traffic))

    def known(after: Evidence) -> RatioWeight:
        weight = weigh_evidence(settings, after).ratio
        assert weight is not None
        return weight

    now, counts = known(evidence), 0.0
    for mine, chance in enumerate(stats.binom.pmf(range(errors + 1), errors, share)):
        sides = Counts(float(mine), 1e6), Counts(float(errors - mine), 1e6 * traffic)
        after = known(observe_tick(settings, evidence, before + 1.0, *sides))
        if after.fail_phi != 1.0:
            return  # a phi of the baseline's only makes it smaller
        counts += float(chance) * math.exp(after.fail_counts)
    assert counts == pytest.approx(math.exp(now.fail_counts), rel=1e-6)


@given(st.floats(0.001, 0.5), st.integers(1, 400))
def test_the_level_test_expects_no_gain_from_clumps_of_any_size(allowed: float, requests: int) -> None:
    """A whole block that fails or not, at the rate that is allowed on average."""
    failed, fine = (level_factors(Counts(errors, float(requests)), allowed) for errors in (float(requests), 0.0))
    for bad, good in zip(failed, fine, strict=True):
        assert allowed * bad + (1 - allowed) * good == pytest.approx(1, abs=1e-9)
        assert good >= 0.02


def test_a_good_canary_may_have_twice_what_its_baseline_usually_has_or_has_now() -> None:
    """The larger of the two, within 0.1 % and one half; with nothing known, one half."""
    past = DispersionSums(100, 5_000.0, 1e6, 250_000.0 / 1e4)
    assert level_allowed(SETTINGS, past, 1.0, Counts(5.0, 1e3)) == pytest.approx(2 * 0.005, rel=0.05)
    assert level_allowed(SETTINGS, past, 1.0, Counts(50.0, 1e3)) == pytest.approx(2 * 0.05)
    assert level_allowed(SETTINGS, past, 1.0, Counts(900.0, 1e3)) == MOST_LEVEL
    assert level_allowed(SETTINGS, DispersionSums(100, 0.0, 1e6), 1.0, Counts(0.0, 1e3)) == LEAST_LEVEL
    assert level_allowed(SETTINGS, DispersionSums(), 1.0, Counts(0.0, 1e3)) == MOST_LEVEL
    three = EvidenceSettings(interval=15.0, unacceptable_ratio=3.0, max_ratio=1.5)
    assert level_allowed(three, past, 1.0, Counts(50.0, 1e3)) == pytest.approx(4.5 * 0.05)


def test_a_common_incident_is_no_evidence_against_the_canary() -> None:
    """Both sides fifty times as bad from the third step on, with three quarters of the traffic on the canary."""
    evidence = begin_evidence(SETTINGS)
    for tick in range(64):
        rate = 0.05 if tick >= 32 else 0.001
        evidence = observe_tick(SETTINGS, evidence, (tick + 1) * 15.0, *_sides(0.75, rate, rate))
        weight = weigh_evidence(SETTINGS, evidence).ratio
        assert weight is not None
        assert weight.log_fail < 1


def test_independent_errors_are_judged_as_before() -> None:
    """`dispersion: none`: counts of the whole run alone."""
    plain = EvidenceSettings(interval=15.0, dispersion="none", steps=4, counted=960.0)
    evidence = begin_evidence(plain)
    for tick in range(8):
        evidence = observe_tick(plain, evidence, (tick + 1) * 15.0, Counts(2.0, 100.0), Counts(3.0, 900.0))
    weight = weigh_evidence(plain, evidence).ratio
    assert weight is not None
    assert weight.log_fail == weight.fail_counts == weight.fail_shares
    assert evidence.ratio is not None
    assert evidence.ratio.starts == StartTimes(step_blocks=8)


def test_evidence_beyond_what_a_number_holds_stays_finite() -> None:
    """Every request fails, a thousand ticks long, with a floor that keeps it from being a fail."""
    evidence = begin_evidence(SETTINGS)
    for tick in range(1_000):
        evidence = observe_tick(SETTINGS, evidence, (tick + 1) * 15.0, *_sides(0.2, 1.0, 0.0))
    weight = weigh_evidence(SETTINGS, evidence).ratio
    assert weight is not None
    assert SETTINGS.fail_level < weight.log_fail < math.inf
    for tick in range(1_000, 3_000):
        evidence = observe_tick(SETTINGS, evidence, (tick + 1) * 15.0, *_sides(0.2, 0.0, 0.01))
    assert math.isfinite(judge_evidence(SETTINGS, evidence, math.inf).e_value)


def test_it_leans_after_one_dead_tick_and_not_without_a_reason() -> None:
    """A step is not left after it; nor is a good one held."""
    assert lean(SETTINGS, _rollout(31, 1.0)[31]) >= LEANING
    assert not is_leaning(SETTINGS, _rollout(64, 1.0)[31])
    assert lean(EvidenceSettings(interval=15.0, max_ratio=None, max_error_rate=0.01), begin_evidence(SETTINGS)) == 1.0
    plain = EvidenceSettings(interval=15.0, dispersion="none")
    assert is_leaning(plain, _rollout(31, 1.0, settings=plain)[31])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_step_is_never_left_after_a_tick_in_which_half_of_the_canary_fails(share: float) -> None:
    """Ticks of 5 s: one dead one is little evidence after twelve good ones, and is seen all the same."""
    settings, evidence = EvidenceSettings(interval=5.0), begin_evidence(SETTINGS)
    for tick in range(12):
        evidence = observe_tick(settings, evidence, (tick + 1) * 5.0, *_small(share, 0.05))
    evidence = observe_tick(settings, evidence, 65.0, *_small(share, 0.6))
    assert is_leaning(settings, evidence)
    assert judge_evidence(settings, evidence, math.inf).verdict != FAIL
    assert judge_evidence(settings, evidence, 65.0).reason_code == "leans_worse"
    better = observe_tick(settings, evidence, 70.0, *_small(share, 0.04))
    assert not better.is_broken
    both = Counts(300 * share, 500 * share), Counts(300 * (1 - share), 500 * (1 - share))
    assert not observe_tick(settings, evidence, 70.0, *both).is_broken
    few = Counts(9.0, 9.0), Counts(0.0, 100.0)
    assert not observe_tick(settings, evidence, 70.0, *few).is_broken


def _small(share: float, rate: float) -> tuple[Counts, Counts]:
    """5 s of 100 requests a second, the baseline with 5 %."""
    return Counts(500 * share * rate, 500 * share), Counts(500 * (1 - share) * 0.05, 500 * (1 - share))


def test_clumps_that_came_with_the_run_weaken_what_leans() -> None:
    """Its baseline's errors come ten at a time, as the lookback's did not: counts are divided by that, too."""
    settings, lookback = EvidenceSettings(interval=5.0, clump_span=5.0), [Counts(2.0, 500.0)] * 720
    evidence = begin_evidence(settings, lookback)
    for tick in range(48):
        baseline = Counts(10.0 * (tick % 5 == 3), 250.0)
        evidence = observe_tick(settings, evidence, (tick + 1) * 5.0, Counts(4.0, 250.0), baseline)
    unseen = msgspec.structs.replace(evidence, passing=None)
    assert lean(settings, evidence) < lean(settings, unseen) / 2


def test_good_rollouts_are_seldom_held() -> None:
    """0.5 % on both sides, 100 requests a second: at most one in ten of 100 small rollouts, at any of three ends."""
    rng, held = random.Random(8), 0
    for _run in range(100):
        evidence, is_held = begin_evidence(SETTINGS, [Counts(_errors(rng, 7.5), 1500.0) for _ in range(240)]), False
        for tick in range(48):
            if tick and tick % 16 == 0:
                is_held |= is_leaning(SETTINGS, evidence)
                evidence = begin_step(evidence)
            weight = STEPS[tick // 16]
            sides = [Counts(_errors(rng, 7.5 * part), 1500 * part) for part in (weight, 1 - weight)]
            evidence = observe_tick(SETTINGS, evidence, (tick + 1) * 15.0, *sides)
        held += is_held or is_leaning(SETTINGS, evidence)
    assert held <= 10


def _errors(rng: random.Random, mean: float) -> float:
    found, at = 0.0, rng.expovariate(1.0)
    while at < mean:
        found, at = found + 1, at + rng.expovariate(1.0)
    return found


def test_later_beginnings_are_asked_about_every_other_alternative() -> None:
    """Eight of sixteen, the largest among them."""
    assert len(UNTOUCHED) == len(MULTIPLES[LATE]) == 8
    assert MULTIPLES[LATE][-1] == MULTIPLES[-1]


def test_a_block_that_is_not_full_counts_at_the_end() -> None:
    """Its beginnings wait for it, and nothing is lost."""
    settings = EvidenceSettings(interval=15.0, clump_span=60.0)
    evidence = begin_evidence(settings)
    for tick in range(6):
        evidence = observe_tick(settings, evidence, (tick + 1) * 15.0, Counts(0.0, 100.0), Counts(0.0, 900.0))
    open_ended, ended = evidence.ratio, end_blocks(settings, evidence).ratio
    assert open_ended is not None
    assert ended is not None
    assert open_ended.starts.waiting > 0
    assert ended.starts.waiting == 0
    assert after_block(open_ended.starts, None, UNTOUCHED).shares == ended.starts.shares
    assert len(ended.recent) == 2


def test_a_run_that_is_carried_on_gives_half_of_what_is_kept_to_its_ticks() -> None:
    """However often, and never all of it: alpha holds over all of them."""
    settings = EvidenceSettings(interval=15.0, counted=600.0)
    evidence = begin_evidence(settings)
    for tick in range(40):
        evidence = observe_tick(settings, evidence, 15.0 * (tick + 1), *_sides(0.5, 0.005, 0.005))
    assert evidence.ratio is not None
    kept, level = evidence.ratio.starts.unspent, evidence.ratio.starts.level_unspent
    assert kept == pytest.approx(OF_TICKS * FOR_LATER)
    for turn in range(1, 6):
        evidence = carry_evidence(settings, evidence, 300.0)
        for _tick in range(25):  # five more than were planned
            evidence = observe_tick(settings, evidence, evidence.at + 15.0, *_sides(0.5, 0.005, 0.005))
        assert evidence.ratio is not None
        assert evidence.ratio.starts.unspent == pytest.approx(kept * 0.5**turn)
        assert evidence.ratio.starts.level_unspent == pytest.approx(level * 0.5**turn)


def test_a_run_that_is_carried_on_sees_what_breaks_then() -> None:
    """A good past, and 150 good ticks of the time that was added, do not excuse one that is worse from then on."""
    settings = EvidenceSettings(interval=15.0, counted=900.0)
    past = begin_evidence(settings)
    for tick in range(60):
        past = observe_tick(settings, past, 15.0 * (tick + 1), *_sides(0.5, 0.005, 0.005))

    def ticks(evidence: Evidence) -> int:
        for number in range(1, 200):
            rate = 0.005 if number <= 150 else 0.1
            evidence = observe_tick(settings, evidence, evidence.at + 15.0, *_sides(0.5, rate, 0.005))
            if judge_evidence(settings, evidence, math.inf).verdict == FAIL:
                return number - 150
        return 50

    assert ticks(carry_evidence(settings, past, 3000.0)) < ticks(past)


def test_evidence_smaller_than_a_float_is_still_a_number() -> None:
    """A good canary after many requests: all was given out, and what is left rounds to less than zero."""
    spent = StartTimes(unspent=-2.8e-17)
    assert start_times.log_counts(spent, -2000.0) < -600
