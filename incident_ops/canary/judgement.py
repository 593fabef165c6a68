"""The verdict that the evidence gives at a moment, with the figures that people need to believe it."""

from __future__ import annotations

import math
from functools import lru_cache, reduce
from typing import NamedTuple

import msgspec

from incident_ops.canary.counters import NO_NEW_SAMPLE, NO_SAMPLES, Counts, add_counts
from incident_ops.canary.evidence import Evidence, end_blocks, limit_phi, log_above, log_below
from incident_ops.canary.evidence_settings import AUTO, EvidenceSettings
from incident_ops.canary.leaning import LEANS_WORSE, is_leaning
from incident_ops.canary.pass_test import PassFigures, pass_figures
from incident_ops.canary.ratio_test import (
    RatioEvidence,
    RatioInterval,
    RatioWeight,
    interval,
    pass_log_evidence,
    scaled_weights,
    weigh_ratio,
)
from incident_ops.deploy_gate.verdict import FAIL, INCONCLUSIVE, OK, PASS
from incident_ops.domain.time import spell_duration

ERROR_RATE, ABSOLUTE_LIMIT, TOO_FEW_SAMPLES = "error_rate", "absolute_limit", "too_few_samples"
OBVIOUS = "obvious_failure"
"""Reason code: broken for anyone to see, whatever the evidence says yet."""

SILENT_TICKS = 3
"""A pass needs data from one of the last so many ticks: a canary that went silent has not passed."""

_LARGEST_LOG = 700.0


class Weight(NamedTuple):
    """ln of the evidence of each test at a moment; minus infinity where the test is not asked for."""

    ratio: RatioWeight | None
    floor: float
    above_limit: float
    below_limit: float
    phi: float


class LateCounts(NamedTuple):
    """What both sides counted in the last `seconds`, the last minute or a little more."""

    seconds: float
    canary: Counts
    baseline: Counts


class Judgement(msgspec.Struct, frozen=True):
    """The verdict and its figures. `is_final`: a fail, or the horizon is reached; until then go on.

    `log_fail` is ln of the weaker of the two evidences for a fail of the ratio (of the absolute limit where there is no
    ratio). `phi` is the larger of those used. `passing` is what a look at a pass saw; None between looks, and where
    nothing is compared. `late` is what a final one was counted from of late, where the run as a whole does not show
    that the canary is worse. What only a reader asks for is worked out then, from `evidence`.
    """

    verdict: str
    reason_code: str
    is_final: bool
    log_fail: float
    phi: float
    passing: PassFigures | None
    late: LateCounts | None
    settings: EvidenceSettings
    evidence: Evidence

    @property
    def e_value(self) -> float:
        """The evidence for a fail."""
        return math.exp(max(-_LARGEST_LOG, min(self.log_fail, _LARGEST_LOG)))

    @property
    def e_needed(self) -> float:
        """The evidence that a fail needs."""
        return math.exp(self.settings.fail_level)

    @property
    def ratio(self) -> float | None:
        """The Mantel-Haenszel estimate; None where the baseline has no errors, or nothing is compared."""
        matched = (0.0, 0.0) if self.evidence.ratio is None else self.evidence.ratio.matched
        return matched[0] / matched[1] if matched[1] else None

    @property
    def interval(self) -> RatioInterval:
        """The ratios that are not ruled out, at level alpha on each side."""
        return _interval(self.settings, self.evidence.ratio, self.ratio)

    @property
    def block_seconds(self) -> float:
        """How long one cause's errors may last (see `assumption`)."""
        return self.evidence.block_ticks * self.settings.interval

    @property
    def assumption(self) -> str:
        """What has to be true of the errors for alpha to hold, in a sentence for the person who reads the verdict."""
        return assumption(self.settings, self.evidence)


def judge_evidence(settings: EvidenceSettings, evidence: Evidence, horizon: float, look: int = 1) -> Judgement:
    """The verdict now, where the run is planned to last `horizon` seconds from its begin.

    A fail is said at once. A pass is said at the horizon only, which is look number `look` (0: none is made), and never
    where data ended before it; with `early_pass` sooner, but only while phi is 1.
    """
    is_over = evidence.at >= horizon
    ended = end_blocks(settings, evidence) if is_over else evidence
    weight = weigh_evidence(settings, ended)
    passing = _with_limit(settings, ended, weight, _look(settings, ended, look) if is_over and look else None)
    verdict, reason = _decide(settings, ended, weight, is_over, passing)
    return Judgement(
        verdict,
        reason,
        is_over or verdict != INCONCLUSIVE,
        weight.above_limit if weight.ratio is None else weight.ratio.log_fail,
        weight.phi if passing is None else max(weight.phi, passing.phi),
        passing,
        _late(settings, ended, weight.ratio) if is_over or verdict == FAIL else None,
        settings,
        ended,
    )


def _late(settings: EvidenceSettings, evidence: Evidence, weight: RatioWeight | None) -> LateCounts | None:
    if evidence.ratio is None or weight is None or weight.log_whole >= settings.fail_level:
        return None
    blocks = evidence.ratio.recent
    sides = ([one.canary for one in blocks], [one.baseline for one in blocks])
    canary, baseline = (reduce(add_counts, side, Counts(0.0, 0.0)) for side in sides)
    return LateCounts(len(blocks) * evidence.block_ticks * settings.interval, canary, baseline)


def weigh_evidence(settings: EvidenceSettings, evidence: Evidence) -> Weight:
    """The evidence of every test now."""
    ratio = None if evidence.ratio is None else weigh_ratio(settings, evidence.ratio)
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


def _look(settings: EvidenceSettings, ended: Evidence, look: int) -> PassFigures | None:
    if ended.ratio is None or ended.passing is None:
        return None
    return pass_figures(
        settings,
        ended.passing,
        ended.ratio.baseline_spread,
        ended.ratio.canary_spread,
        look=look,
        block_ticks=ended.block_ticks,
        is_leaning=is_leaning(settings, ended),
        has_error_series=ended.has_error_series,
    )


def _is_below_limit(settings: EvidenceSettings, evidence: Evidence, weight: Weight) -> bool:
    return evidence.limit is None or weight.below_limit >= settings.pass_level


def _with_limit(
    settings: EvidenceSettings, ended: Evidence, weight: Weight, passing: PassFigures | None
) -> PassFigures | None:
    """The same look, which lacks something where the comparison would let through what an absolute number does not."""
    if passing is None or not passing.reason:
        return passing
    if not _is_below_limit(settings, ended, weight):
        limit = 100 * (settings.max_error_rate or 0.0)
        lacks = f"the canary's errors are not surely below the limit of {limit:.3g} % (maxErrorRate)"
        return msgspec.structs.replace(passing, reason="", lacks=lacks)
    if ended.canary.requests < settings.min_requests:
        lacks = f"fewer canary requests than minRequests, {settings.min_requests:,}"
        return msgspec.structs.replace(passing, reason="", lacks=lacks)
    return passing


def _decide(
    settings: EvidenceSettings, evidence: Evidence, weight: Weight, is_over: bool, passing: PassFigures | None
) -> tuple[str, str]:
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
    if not _is_below_limit(settings, evidence, weight) or evidence.canary.requests < settings.min_requests:
        return INCONCLUSIVE, TOO_FEW_SAMPLES
    is_early = settings.early_pass and weight.phi == 1
    if (is_over and ratio is None) or (is_early and _passes_early(settings, evidence.ratio)):
        return (INCONCLUSIVE, LEANS_WORSE) if is_leaning(settings, evidence) else (PASS, OK)
    if passing is not None and passing.reason:
        return PASS, passing.reason
    if passing is not None and passing.is_leaning:
        return INCONCLUSIVE, LEANS_WORSE
    return INCONCLUSIVE, TOO_FEW_SAMPLES


def _passes_early(settings: EvidenceSettings, evidence: RatioEvidence | None) -> bool:
    """Whether the comparison, if there is one, lets it pass while phi is 1."""
    return evidence is None or pass_log_evidence(settings, evidence, 1.0) >= settings.pass_level


def _missing(settings: EvidenceSettings, evidence: Evidence) -> str:
    """The reason why there is too little data for a pass, "" where there is enough: half of all ticks, and fresh.

    A reading without a new sample is not a tick.
    """
    missing = {reason: count for reason, count in evidence.gaps.items() if reason != NO_NEW_SAMPLE}
    gaps = sum(missing.values())
    is_silent = evidence.at - evidence.last_data > (SILENT_TICKS - 0.5) * settings.interval
    if evidence.ticks > gaps and not is_silent:
        return ""
    if not gaps:
        return NO_NEW_SAMPLE if evidence.gaps else NO_SAMPLES
    return max(missing, key=lambda reason: missing[reason])


def _interval(settings: EvidenceSettings, evidence: RatioEvidence | None, ratio: float | None) -> RatioInterval:
    """The interval of the counts, widened where the shares do not agree that a limit is ruled out.

    And where the ratio changed on the way: then the estimate may lie outside of what one ratio for all ticks allows.
    """
    if evidence is None:
        return RatioInterval(None, None)
    weight = weigh_ratio(settings, evidence)
    low, high = interval(settings.grid, scaled_weights(evidence.scores, weight.fail_phi), settings.alpha)
    if low is not None and weight.log_fail < settings.fail_level:
        low = min(low, settings.max_ratio or 1.0)
    if high is not None and pass_log_evidence(settings, evidence, weight.pass_phi) < settings.pass_level:
        high = max(high, settings.unacceptable_ratio)
    if ratio is not None:
        low, high = low and min(low, ratio), high and max(high, ratio)
    return RatioInterval(low, high)
