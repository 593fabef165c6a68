"""How many canary requests a conclusion needs (Wald, "Sequential Tests of Statistical Hypotheses", 1945).

Per canary request, evidence against "the canary's rate is `null` times the baseline's" grows by D nats at most, where
D is the divergence from the nearest pair of rates that the null allows. In half of the runs about 1.6 times the bound
is enough.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from incident_ops.gate.evidence import Evidence
from incident_ops.gate.evidence_settings import Settings
from incident_ops.gate.ratio_evidence import RatioWeight

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


def needed(
    settings: Settings, evidence: Evidence, ratio: RatioWeight | None, above: float, below: float, phi: float
) -> Needed | None:
    """What an inconclusive verdict needs still, to the nearer of fail and pass; None where that cannot be told.

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
