"""The verdict that the evidence gives at a moment, with the figures that people need to believe it.

How many canary requests a conclusion needs: Wald, "Sequential Tests of Statistical Hypotheses", 1945. Per canary
request, evidence against "the canary's rate is `null` times the baseline's" grows by D nats at most, where D is the
divergence from the nearest pair of rates that the null allows. In half of the runs about 1.6 times the bound is enough.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import msgspec

from incident_ops.canary import ratio_test
from incident_ops.canary.counters import NO_SAMPLES
from incident_ops.canary.evidence import Evidence, end_blocks, limit_phi, log_above, log_below
from incident_ops.canary.evidence_settings import AUTO, EvidenceSettings
from incident_ops.canary.ratio_test import RatioInterval, RatioWeight, interval
from incident_ops.deploy_gate.verdict import FAIL, INCONCLUSIVE, OK, PASS
from incident_ops.domain.time import spell_duration

OVERHEAD = 1.6
"""Requests needed over the information bound: at most 1.45 by counts alone, more where both tests are asked
(bench/gate.py)."""

_MOST = 1e12


class Needed(NamedTuple):
    """Canary requests that are needed still, and seconds at the traffic seen so far."""

    requests: float
    seconds: float


def growth(canary: float, baseline: float, traffic: float, null: float) -> float:
    """Nats per canary request against a ratio of `null`, for error rates `canary` and `baseline` (0 to 1).

    `traffic` = baseline requests per canary request.
    """
    nearest = (canary + traffic * baseline) / (null + traffic)
    return _divergence(canary, null * nearest) + traffic * _divergence(baseline, nearest)


def requests_needed(
    settings: EvidenceSettings, evidence: Evidence, ratio: RatioWeight | None, above: float, below: float, phi: float
) -> Needed | None:
    """What an inconclusive verdict needs still, to the nearer of fail and pass; None where that is unknown.

    For a canary at `max_ratio` (or at its own rate) until it passes, for one at `unacceptable_ratio` until it fails.
    """
    canary, at = evidence.canary, evidence.at - settings.warmup
    if not canary.requests or (ratio is not None and not evidence.baseline.requests):
        return None
    to_fail, to_pass = math.inf, max(settings.min_requests - canary.requests, 0.0)
    if ratio is not None:
        traffic = evidence.baseline.requests / canary.requests
        rate = (evidence.baseline.errors + 0.5) / (evidence.baseline.requests + 1)
        good, bad = (settings.max_ratio or 1.0), settings.unacceptable_ratio
        fail_lack, pass_lack = settings.fail_level - ratio.log_fail, settings.pass_level - ratio.log_pass
        to_fail = _lack(fail_lack * ratio.fail_phi, growth(min(bad * rate, 1.0), rate, traffic, good))
        passing = _lack(pass_lack * ratio.pass_phi, growth(min(good * rate, 1.0), rate, traffic, bad))
        to_pass = max(to_pass, passing)
    if settings.max_error_rate is not None:
        rate, limit = (canary.errors + 0.5) / (canary.requests + 1), settings.max_error_rate
        speed = _divergence(rate, limit)
        if rate > limit:
            to_fail = min(to_fail, _lack((settings.fail_level - above) * phi, speed))
        to_pass = max(to_pass, _lack((settings.pass_level - below) * phi, speed) if rate < limit else math.inf)
    requests = min(to_fail, to_pass)
    return Needed(requests, requests * at / canary.requests) if requests < _MOST else None


def _lack(nats: float, speed: float) -> float:
    return OVERHEAD * max(nats, 0.0) / speed if speed > 0 else math.inf


def _divergence(rate: float, null: float) -> float:
    """Of two Poisson laws, per request."""
    return null - rate + (rate * math.log(rate / null) if rate else 0.0)


ERROR_RATE, ABSOLUTE_LIMIT, TOO_FEW_SAMPLES = "error_rate", "absolute_limit", "too_few_samples"
OBVIOUS = "obvious_failure"
"""Reason code: broken for anyone to see, whatever the evidence says yet."""

SILENT_TICKS = 3
"""A pass needs data from one of the last so many ticks: a canary that went silent has not passed."""

_LARGEST_LOG = 700.0


class Weight(msgspec.Struct, frozen=True):
    """ln of the evidence of each test at a moment; minus infinity where the test is not asked for."""

    ratio: RatioWeight | None
    floor: float
    above_limit: float
    below_limit: float
    phi: float


class Judgement(msgspec.Struct, frozen=True):
    """The verdict and its figures. `is_final`: a fail, or the horizon is reached; until then go on.

    `e_value` is the weaker of the two evidences for a fail of the ratio (of the absolute limit where there is no
    ratio); a fail needs `e_needed`. The interval holds at level alpha on each side; `ratio` is the Mantel-Haenszel
    estimate. `phi` is the larger of those used. `block_seconds` is how long one cause's errors may last (see
    `assumption`). `needed` is what an inconclusive one needs still; None where that is unknown.
    """

    verdict: str
    reason_code: str
    is_final: bool
    e_value: float
    e_needed: float
    ratio: float | None
    interval: RatioInterval
    phi: float
    block_seconds: float
    assumption: str
    needed: Needed | None


def judge_evidence(settings: EvidenceSettings, evidence: Evidence, horizon: float) -> Judgement:
    """The verdict now, where the run is planned to last `horizon` seconds from its begin.

    A fail is said at once. A pass is said at the horizon only, and never where data ended before it; with `early_pass`
    sooner, but only while phi is 1.
    """
    is_over = evidence.at >= horizon
    ended = end_blocks(settings, evidence) if is_over else evidence
    weight = weigh_evidence(settings, ended)
    verdict, reason = _decide(settings, ended, weight, is_over)
    log_fail = weight.above_limit if weight.ratio is None else weight.ratio.log_fail
    e_value = math.exp(max(-_LARGEST_LOG, min(log_fail, _LARGEST_LOG)))
    inconclusive = verdict == INCONCLUSIVE
    return Judgement(
        verdict=verdict,
        reason_code=reason,
        is_final=is_over or verdict != INCONCLUSIVE,
        e_value=e_value,
        e_needed=math.exp(settings.fail_level),
        ratio=_ratio(ended),
        interval=_interval(settings, weight.ratio),
        phi=weight.phi,
        block_seconds=evidence.block_ticks * settings.interval,
        assumption=assumption(settings, evidence),
        needed=requests_needed(settings, ended, weight.ratio, weight.above_limit, weight.below_limit, weight.phi)
        if inconclusive
        else None,
    )


def weigh_evidence(settings: EvidenceSettings, evidence: Evidence) -> Weight:
    """The evidence of every test now."""
    ratio = None if evidence.ratio is None else ratio_test.weigh_ratio(settings, evidence.ratio)
    base = settings.given_phi if ratio is None else ratio.fail_phi
    floor = above = below = -math.inf
    largest = base if ratio is None else ratio.pass_phi
    if evidence.floor is not None and settings.min_error_rate is not None:
        floor = log_above(settings, settings.min_error_rate, evidence.floor, base)
    if evidence.limit is not None and settings.max_error_rate is not None:
        above = log_above(settings, settings.max_error_rate, evidence.limit, base)
        below = log_below(settings, settings.max_error_rate, evidence.limit, base)
        largest = max(largest, limit_phi(settings, evidence.limit, base))
    return Weight(ratio, floor, above, below, largest)


def assumption(settings: EvidenceSettings, evidence: Evidence) -> str:
    """What has to be true of the errors for alpha to hold, in a sentence for the person who reads the verdict."""
    if settings.is_plain:
        return "Assumes that every error has a cause of its own: errors that come in clumps make false verdicts likely."
    is_chosen, seen = settings.clump_span == AUTO, evidence.lookback_ticks * settings.interval
    level = 0.0 if settings.max_ratio is None else settings.level_ratio
    return _within(evidence.block_ticks * settings.interval, is_chosen, seen, level)


@lru_cache(maxsize=16)
def _within(span: float, is_chosen: bool, seen: float, level: float) -> str:
    how = "as set by clumpSpan"
    if is_chosen and seen:
        how = f"chosen from {spell_duration(round(seen))} of the baseline before the run"
    elif is_chosen:
        how = "one tick: no lookback to choose from"
    longest = spell_duration(round(span))
    within = f"Assumes that the errors of one cause come within {longest} ({how})"
    if not level:
        return f"{within}; longer causes can fail a good canary."
    times = "twice" if level == 2 else f"{level:.3g} times"
    usual = f"a good canary has at most {times} the error rate that the baseline usually has, or has now"
    return f"{within}, and that {usual}; longer causes can fail a good canary."


def _decide(settings: EvidenceSettings, evidence: Evidence, weight: Weight, is_over: bool) -> tuple[str, str]:
    """Fail before inconclusive before pass."""
    level, ratio = settings.fail_level, weight.ratio
    is_above_floor = evidence.floor is None or weight.floor >= level
    if ratio is not None and ratio.log_fail >= level and is_above_floor:
        return FAIL, ERROR_RATE
    if weight.above_limit >= level:
        return FAIL, ABSOLUTE_LIMIT
    if evidence.is_obvious:
        return FAIL, OBVIOUS
    if missing := _missing(settings, evidence):
        return INCONCLUSIVE, missing
    is_due = is_over or (settings.early_pass and weight.phi == 1)
    is_good = ratio is None or ratio.log_pass >= settings.pass_level
    is_low = evidence.limit is None or weight.below_limit >= settings.pass_level
    if is_due and is_good and is_low and evidence.canary.requests >= settings.min_requests:
        return PASS, OK
    return INCONCLUSIVE, TOO_FEW_SAMPLES


def _missing(settings: EvidenceSettings, evidence: Evidence) -> str:
    """The reason why there is too little data for a pass, "" where there is enough: half of all ticks, and fresh."""
    gaps = sum(evidence.gaps.values())
    is_silent = evidence.at - evidence.last_data > (SILENT_TICKS - 0.5) * settings.interval
    if evidence.ticks > gaps and not is_silent:
        return ""
    return max(evidence.gaps, key=lambda reason: evidence.gaps[reason]) if gaps else NO_SAMPLES


def _ratio(evidence: Evidence) -> float | None:
    if evidence.ratio is None or not evidence.ratio.matched[1]:
        return None
    return evidence.ratio.matched[0] / evidence.ratio.matched[1]


def _interval(settings: EvidenceSettings, weight: RatioWeight | None) -> RatioInterval:
    """The interval of the counts, widened where the shares do not agree that a limit is ruled out."""
    if weight is None:
        return RatioInterval(None, None)
    low, high = interval(settings.grid, weight.weights, settings.alpha)
    if low is not None and weight.log_fail < settings.fail_level:
        low = min(low, settings.max_ratio or 1.0)
    if high is not None and weight.log_pass < settings.pass_level:
        high = max(high, settings.unacceptable_ratio)
    return RatioInterval(low, high)
