"""The verdict of the evidence: when it fails, when it passes, and all the ways in which it must not pass."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable

import pytest

from incident_ops.canary.counters import NO_BASELINE, NO_CANARY_TRAFFIC, NO_SAMPLES, Counts, Gap
from incident_ops.canary.evidence import Evidence, begin_evidence, observe_tick
from incident_ops.canary.evidence_settings import EvidenceSettings
from incident_ops.canary.judgement import Judgement, judge_evidence, weigh_evidence
from incident_ops.canary.needed import Needed, still_needed
from incident_ops.canary.ratio_test import pass_log_evidence
from incident_ops.deploy_gate.verdict import FAIL, INCONCLUSIVE, PASS
from incident_ops.errors import UserError

HORIZON = 600.0
SETTINGS = EvidenceSettings(interval=15.0)
Side = Counts | Gap
MISSING = Gap(NO_SAMPLES, "canary requests: no series")
NO_THEIRS = Gap(NO_BASELINE, "baseline requests: no series")


def _poisson(rng: random.Random, mean: float) -> float:
    found, at = 0, rng.expovariate(1.0)
    while at < mean:
        found, at = found + 1, at + rng.expovariate(1.0)
    return float(found)


def _ticks(
    ratio: float, *, rate: float = 0.02, requests: float = 300.0, size: int = 1, seed: int = 1
) -> list[tuple[Side, Side]]:
    """Forty ticks: a baseline with nine times the traffic, errors in clumps of `size` on both sides."""
    rng = random.Random(seed)
    return [
        (
            Counts(size * _poisson(rng, ratio * rate * requests / size), requests),
            Counts(size * _poisson(rng, 9 * rate * requests / size), 9 * requests),
        )
        for _tick in range(40)
    ]


def _observed(
    settings: EvidenceSettings, ticks: Iterable[tuple[Side, Side]], evidence: Evidence | None = None
) -> Evidence:
    evidence = evidence or begin_evidence(settings)
    for number, (canary, baseline) in enumerate(ticks, start=1):
        evidence = observe_tick(settings, evidence, number * settings.interval, canary, baseline)
    return evidence


def _judged(ticks: Iterable[tuple[Side, Side]], settings: EvidenceSettings = SETTINGS) -> Judgement:
    return judge_evidence(settings, _observed(settings, ticks), HORIZON)


def test_a_bad_canary_fails_at_once_and_a_good_one_passes_at_the_horizon_only() -> None:
    """Five times as bad: stopped in a few ticks. As good: inconclusive until the last tick, then a pass."""
    bad = [_judged(_ticks(5.0)[:number]) for number in range(1, 8)]
    assert bad[-1].verdict == FAIL
    assert bad[-1].reason_code == "error_rate"
    assert bad[-1].is_final
    assert bad[-1].e_value >= bad[-1].e_needed == pytest.approx(100)
    assert bad[-1].interval.low is not None
    assert bad[-1].interval.low >= 1.0
    good = [_judged(_ticks(1.0)[:number]) for number in (1, 20, 39, 40)]
    assert [one.verdict for one in good] == [INCONCLUSIVE] * 3 + [PASS]
    assert [one.is_final for one in good] == [False] * 3 + [True]
    assert good[-1].interval.high is not None
    assert good[-1].interval.high <= 2.0
    assert good[-1].ratio == pytest.approx(1.0, abs=0.3)


def test_one_clump_is_one_piece_of_evidence() -> None:
    """Two hundred errors in one tick of the canary do not fail it; the plain Poisson test is sure."""
    ticks = _ticks(1.0, rate=0.001)[:20]
    ticks[10] = (Counts(200.0, 300.0), ticks[10][1])
    assert _judged(ticks).verdict == INCONCLUSIVE
    plain = _judged(ticks, EvidenceSettings(interval=15.0, dispersion="none"))
    assert plain.verdict == FAIL
    assert "every error has a cause of its own" in plain.assumption


def test_an_early_pass_is_opt_in_and_refused_where_errors_are_clumped() -> None:
    """`earlyPass` passes before the horizon on independent errors, and waits where phi is above 1."""
    early = EvidenceSettings(interval=15.0, early_pass=True)
    ticks = _ticks(0.1, requests=3000.0)[:30]
    assert _judged(ticks).verdict == INCONCLUSIVE
    assert _judged(ticks, early).verdict == PASS
    clumped = _ticks(0.1, requests=30_000.0, size=20)[:30]
    found = _judged(clumped, early)
    assert found.phi > 1
    assert found.verdict == INCONCLUSIVE
    last_is_now = judge_evidence(early, _observed(early, clumped), 30 * 15.0)
    assert last_is_now.verdict == PASS


@pytest.mark.parametrize(
    ("gap", "reason"),
    [(MISSING, NO_SAMPLES), (Gap(NO_CANARY_TRAFFIC, "canary: no requests"), NO_CANARY_TRAFFIC)],
)
def test_a_canary_without_data_never_passes(gap: Gap, reason: str) -> None:
    """From the begin, in the second half, or at the end: a silent canary has not passed."""
    good = _ticks(0.5, requests=3000.0)
    silent: list[tuple[Side, Side]] = [(gap, baseline) for _canary, baseline in good]
    for ticks in (silent, good[:20] + silent[20:], good[:37] + silent[37:], silent[:21] + good[21:]):
        found = _judged(ticks)
        assert (found.verdict, found.reason_code) == (INCONCLUSIVE, reason)
    assert _judged(good[:38] + silent[38:]).verdict == PASS
    assert _judged(good[:15] + silent[15:18] + good[18:]).verdict == PASS


def test_no_tick_at_all_is_no_data() -> None:
    """A horizon that is over before anything came."""
    assert judge_evidence(SETTINGS, begin_evidence(SETTINGS), 0.0).reason_code == NO_SAMPLES
    assert judge_evidence(SETTINGS, begin_evidence(SETTINGS), 0.0).verdict == INCONCLUSIVE


def test_without_a_baseline_only_the_absolute_limit_decides() -> None:
    """It can fail the canary; a pass needs the baseline too, unless there is no ratio to judge."""
    ticks: list[tuple[Side, Side]] = [(Counts(0.0, 3000.0), NO_THEIRS)] * 40
    assert _judged(ticks).reason_code == NO_BASELINE
    both = EvidenceSettings(interval=15.0, max_error_rate=0.01)
    assert (_judged(ticks, both).verdict, _judged(ticks, both).reason_code) == (INCONCLUSIVE, NO_BASELINE)
    failing: list[tuple[Side, Side]] = [(Counts(90.0, 3000.0), NO_THEIRS)] * 40
    assert (_judged(failing, both).verdict, _judged(failing, both).reason_code) == (FAIL, "absolute_limit")
    alone = EvidenceSettings(interval=15.0, max_ratio=None, max_error_rate=0.01)
    assert _judged(ticks, alone).verdict == PASS
    assert _judged(failing, alone).verdict == FAIL


def test_alpha_is_split_between_ratio_and_absolute_limit() -> None:
    """Either may fail the canary: each then needs twice the evidence."""
    assert EvidenceSettings(interval=1, max_error_rate=0.01).fail_level == pytest.approx(math.log(200))
    assert EvidenceSettings(interval=1).fail_level == pytest.approx(math.log(100))
    assert EvidenceSettings(interval=1, max_ratio=None, max_error_rate=0.01).fail_level == pytest.approx(math.log(100))


def test_a_pass_needs_the_absolute_limit_too() -> None:
    """As good as its baseline, but at the limit: nobody can say that it is below."""
    settings = EvidenceSettings(interval=15.0, max_error_rate=0.02)
    assert _judged(_ticks(1.0, rate=0.02, requests=3000.0), settings).verdict == INCONCLUSIVE
    assert _judged(_ticks(1.0, rate=0.01, requests=3000.0), settings).verdict == PASS


def test_below_the_floor_nothing_fails() -> None:
    """`minErrorRate`: five times worse than almost nothing is still almost nothing."""
    ticks = _ticks(5.0, rate=0.001, requests=3000.0)
    assert _judged(ticks).verdict == FAIL
    assert _judged(ticks, EvidenceSettings(interval=15.0, min_error_rate=0.01)).verdict == INCONCLUSIVE
    assert _judged(ticks, EvidenceSettings(interval=15.0, min_error_rate=0.002)).verdict == FAIL


def test_ticks_of_the_warm_up_are_ignored() -> None:
    """A cold start of 60 s, ten times as bad, leaves no trace."""
    settings = EvidenceSettings(interval=15.0, warmup=60.0)
    cold, good = _ticks(10.0)[:4], _ticks(1.0)[4:]
    warm = _observed(settings, cold + good)
    assert warm.ticks == 36
    silent: list[tuple[Side, Side]] = [(MISSING, NO_THEIRS)] * 4
    assert warm.ratio == _observed(SETTINGS, silent + good).ratio
    assert judge_evidence(settings, warm, HORIZON).verdict == PASS
    assert _judged(cold + good).verdict == FAIL


@pytest.mark.parametrize("at", [15.0, 14.0, 0.0, -1.0, math.nan, math.inf])
def test_a_clock_that_does_not_go_forward_is_no_data(at: float) -> None:
    """Such a tick is told among the gaps and adds nothing."""
    first = observe_tick(SETTINGS, begin_evidence(SETTINGS), 15.0, Counts(1.0, 10.0), Counts(1.0, 90.0))
    second = observe_tick(SETTINGS, first, at, Counts(10.0, 10.0), Counts(0.0, 90.0))
    assert second.gaps == {NO_SAMPLES: 1}
    assert (second.at, second.ratio, second.canary) == (first.at, first.ratio, first.canary)


def test_fewer_requests_than_wanted_do_not_pass() -> None:
    """`minRequests`."""
    settings = EvidenceSettings(interval=15.0, min_requests=12_001)
    found = _judged(_ticks(1.0), settings)
    assert (found.verdict, found.reason_code) == (INCONCLUSIVE, "too_few_samples")
    needed = still_needed(settings, _observed(settings, _ticks(1.0)), 1)
    assert needed is not None
    assert (needed.requests, needed.ticks) == (1, 1)


def test_an_inconclusive_verdict_tells_what_is_needed_still() -> None:
    """At 0.05 % and 1 request a second, tens of thousands of canary requests: hours, not minutes; clumps need more."""

    def needs(ticks: list[tuple[Side, Side]], **more: float) -> Needed:
        settings = EvidenceSettings(interval=15.0, **more)  # type: ignore[arg-type]
        found = still_needed(settings, _observed(settings, ticks), 1)
        assert found is not None
        return found

    found = needs(_ticks(1.0, rate=0.0005, requests=15.0))
    assert 4_000 < found.requests < 60_000
    assert found.seconds == pytest.approx(found.requests, rel=0.01)
    clumped = _ticks(1.0, rate=0.01, size=20)
    assert needs(clumped, dispersion=20).requests > 4 * needs(clumped, dispersion=1.0).requests


def test_the_estimate_lies_in_its_interval() -> None:
    """Also where the canary broke late, at another share of the traffic: no ratio fits all of its ticks."""
    ticks: list[tuple[Side, Side]] = [(Counts(1.0, 1000.0), Counts(9.0, 9000.0))] * 20
    ticks += [(Counts(200.0, 8000.0), Counts(2.0, 5000.0))] * 10
    found = _judged(ticks)
    assert found.ratio is not None
    assert (found.interval.low or 0.0) <= found.ratio <= (found.interval.high or math.inf)


def _log_pass(evidence: Evidence) -> float:
    """ln of the evidence for a pass, with the dispersion that a pass divides by."""
    weight = weigh_evidence(SETTINGS, evidence).ratio
    assert evidence.ratio is not None
    assert weight is not None
    return pass_log_evidence(SETTINGS, evidence.ratio, weight.pass_phi)


def test_the_interval_agrees_with_the_verdict() -> None:
    """It excludes a limit if and only if both tests do, at every tick of many runs."""
    for seed, ratio in itertools.product(range(4), (0.5, 1.0, 2.0, 4.0)):
        evidence = begin_evidence(SETTINGS)
        for number, (canary, baseline) in enumerate(_ticks(ratio, seed=seed), start=1):
            evidence = observe_tick(SETTINGS, evidence, number * 15.0, canary, baseline)
            found, weight = judge_evidence(SETTINGS, evidence, math.inf), weigh_evidence(SETTINGS, evidence)
            assert weight.ratio is not None
            assert (found.interval.low or 0.0) <= 1.0 or weight.ratio.log_fail >= SETTINGS.fail_level
            assert (found.interval.high or math.inf) >= 2.0 or _log_pass(evidence) >= SETTINGS.pass_level
            assert (found.interval.low or 0.0) <= (found.interval.high or math.inf)


def test_a_span_makes_blocks_and_says_so() -> None:
    """`clumpSpan: 60s` at 15 s: bets go by four ticks, and a rest at the horizon counts."""
    settings = EvidenceSettings(interval=15.0, clump_span=50.0)
    evidence = _observed(settings, _ticks(5.0)[:3])
    assert evidence.block_ticks == 4
    assert evidence.ratio is not None
    assert evidence.ratio.worse.log_scale == 0
    assert set(evidence.ratio.worse.capitals) == {1.0}
    now = weigh_evidence(settings, _observed(settings, _ticks(5.0)[:4])).ratio
    assert now is not None
    assert now.fail_shares > 0
    assert "within 1m (as set by clumpSpan)" in judge_evidence(settings, evidence, HORIZON).assumption
    at_horizon = judge_evidence(settings, evidence, 45.0)
    assert at_horizon.e_value > judge_evidence(settings, evidence, HORIZON).e_value


def test_the_assumption_names_the_lookback_or_that_there_is_none() -> None:
    """What remains to be believed is told with every verdict."""
    assert "one tick: no lookback" in judge_evidence(SETTINGS, begin_evidence(SETTINGS), HORIZON).assumption
    lookback = [Counts(1.0, 900.0), Counts(0.0, 900.0)] * 120
    assert "chosen from 1h" in judge_evidence(SETTINGS, begin_evidence(SETTINGS, lookback), HORIZON).assumption


def test_one_process_serves_all_steps_of_a_rollout() -> None:
    """10 -> 50 -> 100: traffic moves over, a steady ratio of 1 stays a ratio of 1, whatever the mix."""
    rng, ticks = random.Random(3), []
    for step, weight in enumerate((0.1, 0.5, 0.9)):
        rate = 0.02 * (step + 1)
        for _tick in range(14):
            n, m = 3000 * weight, 3000 * (1 - weight)
            ticks.append((Counts(_poisson(rng, rate * n), n), Counts(_poisson(rng, rate * m), m)))
    found = _judged(ticks)
    assert found.verdict == PASS
    assert found.ratio == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"interval": 0}, "interval"),
        ({"interval": math.nan}, "interval"),
        ({"max_ratio": 0}, "max_ratio"),
        ({"max_ratio": None}, "max_ratio"),
        ({"unacceptable_ratio": 1.0}, "unacceptable_ratio"),
        ({"max_error_rate": 1.0}, "max_error_rate"),
        ({"min_error_rate": 0.0}, "min_error_rate"),
        ({"alpha": 0.0}, "alpha"),
        ({"beta": 0.7}, "beta"),
        ({"dispersion": 0.5}, "dispersion"),
        ({"dispersion": "phi"}, "dispersion"),
        ({"clump_span": 0}, "clump_span"),
        ({"warmup": -1}, "warmup"),
        ({"min_requests": math.inf}, "min_requests"),
    ],
)
def test_settings_that_cannot_be_judged_are_refused(wrong: dict[str, float], name: str) -> None:
    """A sentence with the name of the setting and what is expected."""
    with pytest.raises(UserError, match=f"^{name}: .*expected"):
        EvidenceSettings(**({"interval": 15.0} | wrong))  # type: ignore[arg-type]


def test_a_lookback_with_clumps_slows_the_counts() -> None:
    """phi comes from the baseline before the run, gaps left out."""
    rng = random.Random(5)
    lookback: list[Side] = [Counts(20.0 * (rng.random() < 0.2), 2700.0) for _ in range(240)]
    lookback[7] = Gap(NO_BASELINE, "baseline requests: no series")
    calm, clumped = weigh_evidence(SETTINGS, _observed(SETTINGS, _ticks(3.0)[:5])), None
    clumped = weigh_evidence(SETTINGS, _observed(SETTINGS, _ticks(3.0)[:5], begin_evidence(SETTINGS, lookback)))
    assert calm.ratio is not None
    assert clumped.ratio is not None
    assert clumped.ratio.fail_phi > 10
    assert clumped.ratio.fail_counts < calm.ratio.fail_counts / 5
    assert clumped.ratio.fail_shares == pytest.approx(calm.ratio.fail_shares, rel=0.01)


def test_a_pass_is_slowed_by_the_canary_s_own_clumps() -> None:
    """Errors clumped on the canary alone: the fail keeps the baseline's phi, the pass takes the canary's."""
    ticks = [(Counts(20.0 if number % 8 == 3 else 0.0, 300.0), side) for number, (_, side) in enumerate(_ticks(1.0))]
    weight = weigh_evidence(SETTINGS, _observed(SETTINGS, ticks)).ratio
    assert weight is not None
    assert weight.fail_phi == 1.0
    assert weight.pass_phi > 10
