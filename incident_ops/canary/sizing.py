"""What a service's traffic can decide, before anything is deployed.

Times hold for the default rule (both tests, errors that come one by one) with a chance of CHANCE, and the warm-up is
part of them. Two things take time. The counts need errors enough, so that even an unlucky run has its evidence: the
mean growth of evidence, its spread about that, and what the mixture over many ratios costs. The shares need
ticks enough, for one tick can win little, however many errors it has.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from incident_ops.canary.bets import EVEN, bet
from incident_ops.canary.config import GOOD_ERROR_RATE, WARMUP
from incident_ops.canary.evidence_settings import MULTIPLES
from incident_ops.canary.needed import least_enough
from incident_ops.canary.pass_test import CLUMP_GUARD, FEWEST_COUNTED, FIRST_LOOK, at_most
from incident_ops.errors import UserError

CHANCE = 0.9
"""Part of the runs that have their answer in the times shown."""

FAIL_COST, PASS_COST = 1.3, 0.7
"""Nats that the mixtures and the dispersion cost, and errors by which the chance of whole numbers is off: chosen by
simulation (bench/gate_batch.py, ideal errors, 0.05 to 2 %, 1 to 100 canary requests a second, 1.5 to 5 times as bad),
as is SHARED."""

SHARED = 0.9
"""Part of the mean time by counts that comes on top, where the fewest ticks are what takes the time."""

FEWEST_TICKS = 3
"""No verdict is said in fewer (evidence.md)."""

SHORT, LONG, LONGEST_SHORT = 15.0, 60.0, 3600.0
"""The proposed intervals in seconds, and the time up to which the short one is taken."""

REALISTIC = 1000.0
"""Regressions beyond this are not shown: the service would be down."""

_Z = 1.2815515655446004
"""The quantile of the normal law at CHANCE."""

_MANY, _MOST_TICKS = 1e9, 1e15


class Traffic(NamedTuple):
    """A service and its canary: the baseline's error rate (0 to 1), all requests a second, and the canary's share."""

    rate: float
    rps: float
    share: float

    @property
    def canary_rps(self) -> float:
        """Requests a second that the canary gets."""
        return self.rps * self.share

    @property
    def per_request(self) -> float:
        """Baseline requests for each of the canary's."""
        return (1 - self.share) / self.share


class SizingRequest(NamedTuple):
    """What is asked: the ratio to tell apart from as good as before, the error probabilities, and the time there is.

    `slower_than`: where not errors are compared, but requests that took longer than so many seconds.
    """

    ratio: float
    alpha: float
    beta: float
    seconds: float
    slower_than: float | None = None


class VisibleIn(NamedTuple):
    """What can be seen in a time: the canary's requests in it, and the least ratio that they can show (or infinite)."""

    seconds: float
    requests: float
    least: float


class TrafficPlan(NamedTuple):
    """Seconds until 9 in 10 canaries `ratio` times worse have failed, until 9 in 10 good ones can pass, and reaches.

    `rate_seconds` are those until a good one can pass by its own rate, infinite where the service's is not low enough.
    `interval` is that of the proposed gate file, `even` the seconds for both answers were the canary's share one half.
    Errors in clumps need more, as many times as their dispersion says.
    """

    traffic: Traffic
    wanted: SizingRequest
    interval: float
    fail_seconds: float
    pass_seconds: float
    even: float
    reaches: tuple[VisibleIn, ...]
    rate_seconds: float

    @property
    def seconds(self) -> float:
        """Seconds for both answers."""
        return max(self.fail_seconds, self.pass_seconds)

    @property
    def to_fail(self) -> float:
        """Canary requests until a bad one has failed; those of the warm-up are not counted."""
        return (self.fail_seconds - WARMUP) * self.traffic.canary_rps

    @property
    def to_pass(self) -> float:
        """Canary requests until a good one can pass; those of the warm-up are not counted."""
        return (self.pass_seconds - WARMUP) * self.traffic.canary_rps

    @property
    def is_enough(self) -> bool:
        """Whether the time asked for is enough for both."""
        return self.seconds <= self.wanted.seconds


def plan_traffic(traffic: Traffic, wanted: SizingRequest) -> TrafficPlan:
    """The plan. UserError for numbers outside what a plan can be made for."""
    _demand(traffic, wanted)
    interval, to_fail, to_pass = _paced(traffic, wanted)
    even = max(_paced(traffic._replace(share=0.5), wanted)[1:])
    times = sorted({wanted.seconds, 600.0, 3600.0, 6 * 3600.0})
    reaches = tuple(_reach(traffic, wanted, seconds) for seconds in times)
    by_rate = _seconds_by_rate(traffic, wanted, interval)
    return TrafficPlan(traffic, wanted, interval, to_fail, to_pass, even, reaches, by_rate)


def _paced(traffic: Traffic, wanted: SizingRequest) -> tuple[float, float, float]:
    """The interval, and seconds to fail and to pass with it."""
    for interval in (SHORT, LONG):
        answers = _seconds_to_fail(traffic, wanted, interval), _seconds_to_pass(traffic, wanted, interval)
        if max(answers) <= LONGEST_SHORT:
            break
    return interval, *answers


def _seconds_to_fail(traffic: Traffic, wanted: SizingRequest, interval: float) -> float:
    many, ratio = traffic.per_request, wanted.ratio
    fewest = _fewest_ticks(ratio / (ratio + many), 1 / (1 + many), wanted.alpha)
    return _seconds(traffic, interval, _requests(traffic, ratio, 1.0, wanted.alpha, FAIL_COST), fewest)


def _seconds_to_pass(traffic: Traffic, wanted: SizingRequest, interval: float) -> float:
    """Until an unlucky good canary, with more errors than CHANCE of them have, passes the test at the planned end."""
    many, ratio = traffic.per_request, wanted.ratio
    share, unacceptable = 1 / (1 + many), ratio / (ratio + many)

    def is_enough(ticks: float) -> bool:
        errors = ticks * interval * traffic.rps * traffic.rate
        unlucky = errors * share + _Z * math.sqrt(errors * share * (1 - share)) + PASS_COST
        return unlucky < errors and at_most(unlucky, errors, unacceptable) <= FIRST_LOOK * wanted.beta

    ticks = least_enough(is_enough, _MOST_TICKS)
    return WARMUP + interval * max(math.ceil(ticks), FEWEST_COUNTED) if math.isfinite(ticks) else math.inf


def _seconds_by_rate(traffic: Traffic, wanted: SizingRequest, interval: float) -> float:
    """The same for the canary's own rate, below `GOOD_ERROR_RATE`; infinite where the service's is not."""
    requests = traffic.canary_rps * interval / CLUMP_GUARD

    def is_enough(ticks: float) -> bool:
        errors = ticks * requests * traffic.rate
        unlucky = errors + _Z * math.sqrt(errors / CLUMP_GUARD)
        return at_most(unlucky, ticks * requests, GOOD_ERROR_RATE) <= FIRST_LOOK * wanted.beta

    if traffic.rate >= GOOD_ERROR_RATE or wanted.slower_than is not None:
        return math.inf
    ticks = least_enough(is_enough, _MOST_TICKS)
    return WARMUP + interval * max(math.ceil(ticks), FEWEST_COUNTED) if math.isfinite(ticks) else math.inf


class _Requests(NamedTuple):
    """Nats that are wanted, canary requests that bring them on average, and those that CHANCE of the runs need."""

    nats: float
    mean: float
    most: float


def _requests(traffic: Traffic, true: float, null: float, level: float, cost: float) -> _Requests:
    """By counts, for the conclusion "the ratio is not `null`" at `level`, where it is `true`; infinite where never.

    The alternative of the mixture that grows fastest decides. The nearest is 1.25 times off its limit.
    """
    many, nats, grown = traffic.per_request, math.log(1 / level), []
    for multiple in MULTIPLES:
        other = null * multiple if true > null else null / multiple
        gain, loss = math.log(other / null), math.log((other + many) / (null + many))
        spread = true * (gain - loss) ** 2 + many * loss**2
        grown.append((traffic.rate * (true * gain - (true + many) * loss), traffic.rate * spread))
    speed, spread = max(grown)
    if speed <= 0:
        return _Requests(nats, math.inf, math.inf)
    unlucky = _Z * math.sqrt(spread)
    root = (unlucky + math.sqrt(unlucky**2 + 4 * speed * (nats + cost))) / (2 * speed)
    return _Requests(nats, nats / speed, root**2)


def _fewest_ticks(share: float, allowed: float, level: float) -> float:
    """Ticks until the bets on the share of errors have won 1/`level`, were each tick's errors without number."""
    wins = [math.log(capital) for capital in bet(EVEN, share, allowed, _MANY).capitals]
    wanted, best = math.log(len(wins) / level), max(wins)
    low, high = 0.0, wanted / best
    for _halving in range(50):
        middle = (low + high) / 2
        won = middle * best + math.log(sum(math.exp(middle * (win - best)) for win in wins))
        low, high = (middle, high) if won < wanted else (low, middle)
    return high


def _seconds(traffic: Traffic, interval: float, requests: _Requests, fewest: float) -> float:
    """Whole ticks after the warm-up; infinite where never."""
    a_tick = traffic.canary_rps * interval
    mean, by_counts = requests.mean / a_tick, requests.most / a_tick
    by_shares = math.ceil(fewest) + _Z * math.sqrt(fewest * mean / (2 * requests.nats)) + SHARED * mean
    ticks = max(by_counts, by_shares, FEWEST_TICKS)
    return WARMUP + interval * math.ceil(ticks) if math.isfinite(ticks) else math.inf


def _reach(traffic: Traffic, wanted: SizingRequest, seconds: float) -> VisibleIn:
    requests = max(seconds - WARMUP, 0.0) * traffic.canary_rps
    interval = SHORT if seconds <= LONGEST_SHORT else LONG

    def found(ratio: float) -> bool:
        return _seconds_to_fail(traffic, wanted._replace(ratio=ratio), interval) <= seconds

    low, high = 1.0, min(REALISTIC, 1 / traffic.rate)
    if not found(high):
        return VisibleIn(seconds, requests, math.inf)
    while high - low > 0.0005 * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if found(middle) else (middle, high)
    return VisibleIn(seconds, requests, high)


def _demand(traffic: Traffic, wanted: SizingRequest) -> None:
    for name, is_sound, expected in (
        ("--baseline-rate", 1e-6 <= traffic.rate < 1, "at least 0.0001 % and less than 100 %"),
        ("--rps", 1e-3 <= traffic.rps <= 1e9, "requests a second, 0.001 to 1,000,000,000"),
        ("--share", 1e-5 <= traffic.share <= 1 - 1e-5, "0.001 % to 99.999 %"),
        (
            "--ratio",
            1.15 <= wanted.ratio <= REALISTIC,
            f"1.15 to {REALISTIC:,.0f}; the gate cannot distinguish less from as good as before",
        ),
        ("--alpha", 1e-6 <= wanted.alpha < 0.5, "at least 0.000001 and less than 0.5"),
        ("--beta", 1e-6 <= wanted.beta < 0.5, "at least 0.000001 and less than 0.5"),
        ("--duration", 0 < wanted.seconds <= 366 * 86400, "a time up to a year, e.g. 10m"),
    ):
        if not is_sound:
            raise UserError(f"{name} cannot be used", hint=f"expected {expected}")
    if wanted.ratio * traffic.rate >= 1:
        hint = "lower one of the two"
        raise UserError(f"{wanted.ratio:g} times {100 * traffic.rate:g} % is more than every request", hint=hint)
