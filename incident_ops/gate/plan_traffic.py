"""What a service's traffic can decide, before anything is deployed (canary.md section 5, "Bound")."""

from __future__ import annotations

import math
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.gate.needed import least_ratio, requests_to_tell


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


class Wanted(NamedTuple):
    """What is asked: the ratio to tell from as good as before, the error probabilities, and how long it may take."""

    ratio: float
    alpha: float
    beta: float
    seconds: float


class Reach(NamedTuple):
    """What can be seen in a time: the canary's requests in it, and the least ratio that they can tell (or infinite)."""

    seconds: float
    requests: float
    least: float


class Plan(NamedTuple):
    """Canary requests until a canary `ratio` times worse has failed, until a good one has passed, and what times reach.

    The figures hold for about half of all canaries that are just that bad; errors in clumps need more, as many times
    as their dispersion says.
    """

    traffic: Traffic
    wanted: Wanted
    to_fail: float
    to_pass: float
    reaches: tuple[Reach, ...]

    @property
    def requests(self) -> float:
        """Canary requests for both answers."""
        return max(self.to_fail, self.to_pass)

    @property
    def seconds(self) -> float:
        """Seconds for both answers."""
        return self.requests / self.traffic.canary_rps

    @property
    def is_enough(self) -> bool:
        """Whether the time asked for is enough for both."""
        return self.seconds <= self.wanted.seconds


def plan(traffic: Traffic, wanted: Wanted) -> Plan:
    """The plan. UserError for numbers that no plan can be made of."""
    _demand(traffic, wanted)
    many = traffic.per_request
    to_fail = requests_to_tell(traffic.rate, many, wanted.ratio, 1.0, wanted.alpha)
    to_pass = requests_to_tell(traffic.rate, many, 1.0, wanted.ratio, wanted.beta)
    times = sorted({wanted.seconds, 600.0, 3600.0, 6 * 3600.0})
    reaches = tuple(Reach(one, one * traffic.canary_rps, _least(traffic, wanted, one)) for one in times)
    return Plan(traffic, wanted, to_fail, to_pass, reaches)


def _least(traffic: Traffic, wanted: Wanted, seconds: float) -> float:
    requests = seconds * traffic.canary_rps
    return least_ratio(traffic.rate, traffic.per_request, requests, 1.0, wanted.alpha)


def _demand(traffic: Traffic, wanted: Wanted) -> None:
    for name, sound, expected in (
        ("--baseline-rate", 0 < traffic.rate < 1, "more than 0 % and less than 100 %"),
        ("--rps", 0 < traffic.rps < math.inf, "requests a second, more than 0"),
        ("--share", 0 < traffic.share < 1, "more than 0 % and less than 100 %"),
        ("--ratio", 1 < wanted.ratio < 1e6, "more than 1"),
        ("--alpha", 0 < wanted.alpha < 0.5, "between 0 and 0.5"),
        ("--beta", 0 < wanted.beta < 0.5, "between 0 and 0.5"),
        ("--duration", 0 < wanted.seconds < math.inf, "a time, e.g. 10m"),
    ):
        if not sound:
            raise UserError(f"{name} cannot be used", hint=f"expected {expected}")
    if wanted.ratio * traffic.rate >= 1:
        hint = "lower one of the two"
        raise UserError(f"{wanted.ratio:g} times {100 * traffic.rate:g} % is more than every request", hint=hint)
