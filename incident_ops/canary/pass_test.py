"""Whether a canary passes at the end of its time: a binomial test of the errors of both sides, made at few looks.

Given K errors of both sides, those of the canary are binomial; were it `unacceptableRatio` times worse, its expected
share would be theta, the mean over ticks weighted by their errors (such a mean is conservative where shares vary:
Hoeffding, "On the distribution of the number of successes in independent trials", Ann. Math. Stat. 27, 1956). A pass
is a number of errors that has at most the chance beta then. Counts are divided by phi where errors come in clumps.

beta is spent over the looks: most at the planned end, the rest at three later ones at most. What is measured at every
look, the evidence, is for a fail; a test that is made once needs far fewer errors.
"""

from __future__ import annotations

import math

import msgspec

from incident_ops.canary.counters import NORMAL_99, Counts, DispersionSums, phi, spread_since
from incident_ops.canary.evidence_settings import EvidenceSettings
from incident_ops.deploy_gate.verdict import OK

FIRST_LOOK, LATER_LOOKS = 0.8, (0.1, 0.05, 0.05)
"""Parts of beta: at the planned end, and at each later look. Together they are all of it, so that a canary
`unacceptableRatio` times worse passes with the chance beta at most, however often it is looked at."""
MOST_LOOKS = 1 + len(LATER_LOOKS)

CLUMPED = 0.6
"""Part of that where phi is above 1: phi itself is estimated."""

FEWEST_COUNTED, FEWEST_ALONE = 5, 8
"""Blocks of the canary that a pass needs, and where no lookback shows how clumped errors are."""

CLUMP_GUARD = 5.0
"""phi at least for the canary's own rate: one cause may give so many errors without having shown it before."""

SELF_LEVEL = 0.05
"""Chance below which errors of a whole run, or of its last step, are too many for a canary as good as allowed."""

_MOST_TRIALS = 1e9
_CLOSE = 1e-14
_TINY = 1e-300
_NEAREST = 1e-15  # nearer to 1 a float is 1


BELOW_GOOD_RATE = "below_good_rate"
"""Reason code of a pass: the canary's own rate is low enough, whatever the comparison says."""


class ShareSums(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Sums over ticks with requests on both sides, and the errors that the canary is expected to have among them: as
    good as it has to be, and `unacceptableRatio` times worse than the baseline."""

    ticks: int = 0
    canary_errors: float = 0.0
    canary_requests: float = 0.0
    baseline_errors: float = 0.0
    baseline_requests: float = 0.0
    allowed: float = 0.0
    unacceptable: float = 0.0

    @property
    def errors(self) -> float:
        """Those of both sides."""
        return self.canary_errors + self.baseline_errors


NO_SHARES = ShareSums()


class PassEvidence(msgspec.Struct, frozen=True):
    """What a pass is judged by: the baseline's spread before the run, the steps before this one, and this one."""

    lookback: DispersionSums
    earlier: ShareSums = NO_SHARES
    step: ShareSums = NO_SHARES

    @property
    def whole(self) -> ShareSums:
        """All steps."""
        return add_shares(self.earlier, self.step)


def add_shares(first: ShareSums, second: ShareSums) -> ShareSums:
    """Both together."""
    return ShareSums(
        first.ticks + second.ticks,
        first.canary_errors + second.canary_errors,
        first.canary_requests + second.canary_requests,
        first.baseline_errors + second.baseline_errors,
        first.baseline_requests + second.baseline_requests,
        first.allowed + second.allowed,
        first.unacceptable + second.unacceptable,
    )


def observe_shares(settings: EvidenceSettings, before: PassEvidence, canary: Counts, baseline: Counts) -> PassEvidence:
    """After a tick with requests on both sides."""
    return PassEvidence(before.lookback, before.earlier, add_tick(settings, before.step, canary, baseline))


def add_tick(settings: EvidenceSettings, before: ShareSums, canary: Counts, baseline: Counts) -> ShareSums:
    """The sums with one more tick."""
    mine, requests = canary
    theirs, others = baseline
    allowed, unacceptable = (settings.max_ratio or 1.0) * requests, settings.unacceptable_ratio * requests
    errors = mine + theirs
    return ShareSums(
        before.ticks + 1,
        before.canary_errors + mine,
        before.canary_requests + requests,
        before.baseline_errors + theirs,
        before.baseline_requests + others,
        before.allowed + errors * allowed / (allowed + others),
        before.unacceptable + errors * unacceptable / (unacceptable + others),
    )


def begin_pass_step(before: PassEvidence) -> PassEvidence:
    """Where a step of the rollout begins: the last one is also judged by itself."""
    return PassEvidence(before.lookback, before.whole)


class PassFigures(msgspec.Struct, frozen=True):
    """What a look at a pass saw. `reason` is OK, BELOW_GOOD_RATE or "": no pass, and then `lacks` says why.

    `chance` is the chance of so few errors were the canary `ratio` times as bad, `good_chance` the same were its error
    rate `good_rate` (None where that is not asked); a pass needs `level`, or `good_level`. `phi` is what counts were
    divided by. `is_leaning`: the evidence of late leans against the canary.
    """

    reason: str
    lacks: str
    ratio: float
    good_rate: float | None
    chance: float
    level: float
    good_chance: float | None
    good_level: float
    phi: float
    is_leaning: bool


def pass_figures(
    settings: EvidenceSettings,
    passing: PassEvidence,
    baseline: DispersionSums,
    canary: DispersionSums,
    *,
    look: int,
    block_ticks: int,
    is_leaning: bool,
    has_error_series: bool,
) -> PassFigures:
    """What look number `look` (1: at the planned end) sees, with the spreads of both sides by blocks of `block_ticks`.

    `is_leaning`: the evidence of late leans against the canary. `has_error_series`: where a side has none, no errors
    prove nothing of its rate.
    """
    divisor = pass_phi(settings, passing.lookback, baseline, canary)
    level, part = look_levels(settings, look, divisor)
    whole = passing.whole
    chance = unacceptable_chance(whole, divisor)
    is_good, good = chance <= level, good_chance(settings.good_error_rate, whole, divisor)
    is_low = good is not None and good <= part
    lacks = _too_few(settings, passing, canary.blocks, block_ticks) or _lacks(passing, divisor, is_leaning)
    if not lacks and not is_good and is_low:
        lacks = _lacks_rate(whole, divisor, has_error_series)
    reason = "" if lacks else OK if is_good else BELOW_GOOD_RATE if is_low else ""
    if not has_error_series:
        good = None
    return PassFigures(
        reason,
        lacks,
        settings.unacceptable_ratio,
        settings.good_error_rate,
        chance,
        level,
        good,
        part,
        divisor,
        is_leaning,
    )


def look_levels(settings: EvidenceSettings, look: int, divisor: float) -> tuple[float, float]:
    """The chances that a pass needs at this look, by the comparison and by the canary's own rate."""
    part = settings.beta * look_part(look)
    return part * (CLUMPED if divisor > 1 else 1.0), part


def look_part(look: int) -> float:
    """The part of beta that is for look number `look`, from 1 on; there are four."""
    return (FIRST_LOOK, *LATER_LOOKS)[look - 1]


def looks_left(look: int) -> int:
    """How often a run may be looked at again after look number `look`."""
    return MOST_LOOKS - look


def until_next_look(planned: float, extension: float) -> float:
    """Seconds from one look to the next in a run of `planned` seconds that may be extended by so many."""
    return max(planned, math.ceil(extension / len(LATER_LOOKS)))


def pass_phi(
    settings: EvidenceSettings, lookback: DispersionSums, baseline: DispersionSums, canary: DispersionSums
) -> float:
    """phi of a pass: the largest of the baseline's, before the run and in it, and of the canary's own.

    Few blocks have to show it more clearly.
    """
    if not settings.is_measured:
        return settings.given_phi
    of_few = spread_since(baseline, lookback), canary
    return max(phi(baseline), phi(lookback), *(phi(spread, NORMAL_99) for spread in of_few))


def unacceptable_chance(sums: ShareSums, divisor: float) -> float:
    """The chance of so few errors of the canary, were it `unacceptableRatio` times worse; 1 without errors."""
    if not sums.errors:
        return 1.0
    return at_most(sums.canary_errors / divisor, sums.errors / divisor, sums.unacceptable / sums.errors)


def own_chance(sums: ShareSums, divisor: float) -> float:
    """The chance of so many errors of the canary, were it as good as it has to be; 1 without errors."""
    if not sums.errors:
        return 1.0
    return at_least(sums.canary_errors / divisor, sums.errors / divisor, sums.allowed / sums.errors)


def good_chance(rate: float | None, sums: ShareSums, divisor: float) -> float | None:
    """The chance of so few errors of the canary, were `rate` its error rate; None without a rate."""
    guarded = max(divisor, CLUMP_GUARD)
    return None if rate is None else at_most(sums.canary_errors / guarded, sums.canary_requests / guarded, rate)


def fewest_blocks(settings: EvidenceSettings, lookback_blocks: int) -> int:
    """Blocks of the canary that a pass needs, where the lookback has so many."""
    if settings.is_plain:
        return 1
    is_known = not settings.is_measured or lookback_blocks >= FEWEST_ALONE
    return FEWEST_COUNTED if is_known else FEWEST_ALONE


def _too_few(settings: EvidenceSettings, passing: PassEvidence, blocks: int, block_ticks: int) -> str:
    fewest = fewest_blocks(settings, passing.lookback.blocks)
    if blocks >= fewest:
        return ""
    unit = f"block{'s' * (blocks != 1)} of {block_ticks} ticks" if block_ticks > 1 else f"tick{'s' * (blocks != 1)}"
    why = ", for no lookback shows how errors come" if fewest == FEWEST_ALONE else ""
    return f"only {blocks} {unit} had data, and a pass needs {fewest}{why}"


def _lacks(passing: PassEvidence, divisor: float, is_leaning: bool) -> str:
    if is_leaning:
        return "the evidence of the last minute or of this step leans against it"
    if passing.earlier.ticks and own_chance(passing.step, divisor) < SELF_LEVEL:
        return "in the last step alone it has more errors than the baseline"
    return ""


def _lacks_rate(whole: ShareSums, divisor: float, has_error_series: bool) -> str:
    if not has_error_series:
        return "it has no series of errors, so that it has none proves nothing: let it export the counter from 0"
    if own_chance(whole, divisor) < SELF_LEVEL:
        return "it has more errors than the baseline, so goodErrorRate does not let it pass"
    return ""


def at_most(errors: float, trials: float, share: float) -> float:
    """The chance of at most `errors` of `trials`, each with chance `share` (0 to 1, both excluded); not only whole
    numbers: the regularised incomplete beta function."""
    scale = max(1.0, trials / _MOST_TRIALS)  # fewer errors can only make the chance larger
    return _incomplete_beta((trials - errors) / scale, errors / scale + 1, 1 - _off_the_ends(share))


def at_least(errors: float, trials: float, share: float) -> float:
    """The chance of at least `errors` of `trials`."""
    scale = max(1.0, trials / _MOST_TRIALS)
    return _incomplete_beta(errors / scale, (trials - errors) / scale + 1, _off_the_ends(share))


def _off_the_ends(share: float) -> float:
    return min(max(share, _NEAREST), 1 - _NEAREST)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b) for a >= 0 and b > 0, to ten digits or so up to a billion."""
    if a <= 0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction 8.17.22 of the Digital Library of Mathematical Functions, by Lentz' method."""
    c, d = 1.0, 1 / (_kept_off_zero(1 - (a + b) * x / (a + 1)))
    value, step = d, 0
    while True:
        step += 1
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for part in (even, odd):
            d = 1 / _kept_off_zero(1 + part * d)
            c = _kept_off_zero(1 + part / c)
            change = c * d
            value *= change
        if abs(change - 1) < _CLOSE:
            return value


def _kept_off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
