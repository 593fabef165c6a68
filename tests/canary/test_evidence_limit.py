"""The canary's own error rate against a fixed limit."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from incident_ops.canary.counters import Counts
from incident_ops.canary.evidence import LimitEvidence, log_above, log_below, observe_limit
from incident_ops.canary.evidence_settings import EvidenceSettings

PLAIN = EvidenceSettings(interval=15.0, dispersion="none")
ROBUST = EvidenceSettings(interval=15.0)


@pytest.mark.parametrize("limit", [0.001, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("part", [0.1, 0.7, 1.0])
def test_the_expected_evidence_is_at_most_one(limit: float, part: float) -> None:
    """Every count that can come of 60 requests: a rate at or below the limit, and above for the pass."""
    requests, above, below = 60, 0.0, 0.0
    for errors in range(requests + 1):
        evidence = observe_limit(limit, LimitEvidence(), 1, Counts(float(errors), float(requests)))
        high = float(stats.binom.pmf(errors, requests, limit + (1 - limit) * (1 - part)))
        above += float(stats.binom.pmf(errors, requests, limit * part)) * math.exp(log_above(PLAIN, limit, evidence, 1))
        below += high * math.exp(log_below(PLAIN, limit, evidence, 1))
    assert above <= 1 + 1e-9
    assert below <= 1 + 1e-9
    if part == 1.0:
        assert above == pytest.approx(1)
        assert below == pytest.approx(1)


@pytest.mark.parametrize("size", [1, 7, 60])
def test_the_bets_expect_at_most_one_for_clumps(size: int) -> None:
    """A whole tick that fails or not, with the allowed mean: the bets gain nothing, though the counts would."""
    limit, requests = 0.05, 60.0
    whole = requests // size * size
    chance = limit * requests / whole
    expected = sum(
        weight
        * math.exp(log_above(ROBUST, limit, observe_limit(limit, LimitEvidence(), 1, Counts(errors, requests)), 1))
        for errors, weight in ((whole, chance), (0.0, 1 - chance))
    )
    assert expected <= 1 + 1e-9


def test_no_error_in_300_requests_is_below_one_percent() -> None:
    """About ln(1/beta) / limit requests, with some for the mixture."""
    evidence = observe_limit(0.01, LimitEvidence(), 1, Counts(0.0, 250.0))
    assert log_below(PLAIN, 0.01, evidence, 1) < math.log(20)
    evidence = observe_limit(0.01, evidence, 1, Counts(0.0, 250.0))
    assert log_below(PLAIN, 0.01, evidence, 1) > math.log(20)


def test_an_outage_fails_in_two_ticks_but_not_in_one() -> None:
    """One tick is one cause, however bad."""
    first = observe_limit(0.05, LimitEvidence(), 1, Counts(100.0, 100.0))
    second = observe_limit(0.05, first, 1, Counts(100.0, 100.0))
    assert log_above(ROBUST, 0.05, first, 1) < math.log(100) < log_above(ROBUST, 0.05, second, 1)
