"""What an inconclusive canary needs still: after so many ticks as good as the baseline it passes, and not before."""

from __future__ import annotations

import math

import pytest

from incident_ops.canary.counters import Counts
from incident_ops.canary.evidence import begin_evidence, observe_tick
from incident_ops.canary.evidence_settings import EvidenceSettings
from incident_ops.canary.judgement import judge_evidence
from incident_ops.canary.needed import still_needed
from incident_ops.deploy_gate.verdict import INCONCLUSIVE, PASS


def _run(settings: EvidenceSettings, ticks: int, rate: float, requests: float, share: float) -> tuple[str, float, int]:
    """The verdict of a run at exactly these rates, and the canary requests and ticks that it needs still."""
    others = requests * (1 - share) / share
    evidence = begin_evidence(settings, [Counts(rate * others, others)] * 60)
    for number in range(1, ticks + 1):
        evidence = observe_tick(
            settings,
            evidence,
            settings.interval * number,
            Counts(rate * requests, requests),
            Counts(rate * others, others),
        )
    found = judge_evidence(settings, evidence, evidence.at)
    needed = still_needed(settings, evidence, 1)
    assert needed is not None
    return found.verdict, needed.requests, math.ceil(needed.ticks)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5, 0.8])
@pytest.mark.parametrize(
    ("rate", "traffic", "good"),
    [(0.005, 150.0, None), (0.02, 30.0, None), (0.0005, 15_000.0, None), (0.0005, 1500.0, 0.002)],
)
def test_what_is_said_to_be_needed_is_enough_and_half_of_it_is_not(
    rate: float, traffic: float, good: float | None, share: float
) -> None:
    """In requests and in ticks, whatever the share, by the comparison and by the good rate."""
    settings, requests = EvidenceSettings(interval=15.0, good_error_rate=good), traffic * share
    verdict, needed, ticks = _run(settings, 6, rate, requests, share)
    assert verdict == INCONCLUSIVE
    assert ticks == math.ceil(needed / requests - 1e-6)
    assert _run(settings, 6 + math.ceil(1.02 * ticks), rate, requests, share)[0] == PASS
    assert _run(settings, 6 + ticks // 2, rate, requests, share)[0] == INCONCLUSIVE


def test_ticks_are_what_a_busy_canary_needs() -> None:
    """Ten million requests in three ticks: two more ticks, not a few requests."""
    settings = EvidenceSettings(interval=60.0)
    verdict, needed, ticks = _run(settings, 3, 0.005, 3e6, 0.1)
    assert (verdict, ticks, needed) == (INCONCLUSIVE, 2, 6e6)
    assert _run(settings, 5, 0.005, 3e6, 0.1)[0] == PASS


def test_a_later_look_needs_more() -> None:
    """A part of beta is left for it."""
    settings = EvidenceSettings(interval=15.0)
    evidence = begin_evidence(settings)
    for number in range(1, 11):
        evidence = observe_tick(settings, evidence, 15.0 * number, Counts(1.0, 150.0), Counts(9.0, 1350.0))
    first, second = still_needed(settings, evidence, 1), still_needed(settings, evidence, 2)
    assert first is not None
    assert second is not None
    assert second.requests > 1.2 * first.requests
