"""A gate file as a value: names, seconds, rates, defaults."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.canary.config import Analysis, ErrorRate, Queries, RolloutStep, ThresholdMetric, to_analysis
from incident_ops.canary.evidence_settings import EvidenceSettings
from incident_ops.canary.providers import Provider

SIDE = {"errors": "e_total", "requests": "r_total"}
OLD = {"errors": "old_e_total", "requests": "old_r_total"}
ERROR_RATE = {"name": "errors", "type": "errorRate", "canary": SIDE, "baseline": OLD}
THRESHOLD = {"name": "p99", "type": "threshold", "query": "q", "successCondition": "result < 0.5"}


def gate(metric: dict[str, Any] | None = None, provider: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """The data of a gate file."""
    given = {"provider": provider or {"prometheus": {"datasource": "main"}}, "metrics": [metric or ERROR_RATE], **spec}
    return {"apiVersion": "incident-ops/v1", "kind": "CanaryAnalysis", "metadata": {"name": "g"}, "spec": given}


def read(metric: dict[str, Any] | None = None, provider: dict[str, Any] | None = None, **spec: Any) -> Analysis:
    return to_analysis(gate(metric, provider, **spec))


def error_rate(**words: Any) -> ErrorRate:
    found = read({**ERROR_RATE, **words}).metrics[0]
    assert isinstance(found, ErrorRate)
    return found


def threshold(spec: dict[str, Any] | None = None, **words: Any) -> ThresholdMetric:
    found = read({**THRESHOLD, **words}, **(spec or {})).metrics[0]
    assert isinstance(found, ThresholdMetric)
    return found


def test_what_is_not_given_has_the_documented_default() -> None:
    """docs/gate-files.md tells them."""
    found = read()
    assert found.provider == Provider("prometheus", "main", 10.0, "$")
    assert (found.interval, found.horizon, found.warmup, found.watch) == (15, 600, 60, 0)
    assert (found.on_inconclusive, found.no_data_fails, found.dry_run) == (None, False, False)
    metric = error_rate()
    assert metric.settings == EvidenceSettings(interval=15, warmup=60, good_error_rate=0.001, counted=540)
    assert (metric.lookback, metric.canary, metric.dry_run) == (3600, Queries("e_total", "r_total"), False)
    assert metric.settings.min_error_rate is None
    judged = threshold().threshold
    assert (judged.failure_limit, judged.inconclusive_limit, judged.consecutive_error_limit) == (0, 0, 4)
    assert (judged.interval, judged.initial_delay, judged.count) == (15, 60, None)


def test_every_field_arrives() -> None:
    """Durations in seconds, percentages as rates."""
    metric = error_rate(
        maxRatio=1.5, unacceptableRatio=3, minErrorRate="0.1%", maxErrorRate="1%", alpha=0.02, beta=0.1,
        dispersion=2.5, lookback="2h", clumpSpan="30s", dryRun=True, goodErrorRate="0.05%",
    )  # fmt: skip
    expected = EvidenceSettings(
        interval=15, warmup=60, max_ratio=1.5, unacceptable_ratio=3, min_error_rate=0.001, max_error_rate=0.01,
        alpha=0.02, beta=0.1, dispersion=2.5, clump_span=30.0, good_error_rate=0.0005, counted=540,
    )  # fmt: skip
    assert (metric.settings, metric.lookback, metric.dry_run) == (expected, 7200, True)
    found = threshold(
        failureCondition="result > 1", failureLimit=-1, inconclusiveLimit=2, consecutiveErrorLimit=3,
        consecutiveSuccessLimit=4, count=5, interval="1m", initialDelay="30s",
    ).threshold  # fmt: skip
    assert found.success is not None
    assert found.failure is not None
    limits = (found.failure_limit, found.inconclusive_limit, found.consecutive_error_limit)
    assert (*limits, found.consecutive_success_limit) == (-1, 2, 3, 4)
    assert (found.count, found.interval, found.initial_delay) == (5, 60, 30)


def test_the_good_rate_is_that_of_the_file_else_of_the_objective_else_a_thousandth() -> None:
    """`none` switches the route off; without a baseline there is nothing that it could take the place of."""

    def good(objective: float, **words: Any) -> float | None:
        found = to_analysis(gate({**ERROR_RATE, **words}), objective).metrics[0]
        assert isinstance(found, ErrorRate)
        return found.settings.good_error_rate

    assert good(0.0001) == 0.0001
    assert good(0.0001, goodErrorRate="0.5%") == 0.005
    assert good(0.0001, goodErrorRate="none") is None
    assert good(0.0) is None
    alone = {key: value for key, value in ERROR_RATE.items() if key != "baseline"}
    found = read({**alone, "maxErrorRate": "1%"}).metrics[0]
    assert isinstance(found, ErrorRate)
    assert found.settings.good_error_rate is None


def test_steps_give_the_horizon_and_full_traffic_is_watched_after_it() -> None:
    """At weight 100 there is no baseline: its time is no part of the comparison."""
    found = read(steps=[{"weight": 10, "duration": "10m"}, {"weight": 50}, {"weight": 100, "duration": "5m"}])
    assert found.steps == (RolloutStep(10, 600), RolloutStep(50, 600), RolloutStep(100, 300))
    assert (found.horizon, found.watch) == (1200, 300)
    assert read(steps=[{"weight": 10, "duration": "5m"}, {"weight": 100}], watch="2m").watch == 120


def test_without_a_baseline_only_the_absolute_limit_is_judged() -> None:
    """A file has both sides in its columns."""
    alone = read({"name": "a", "type": "errorRate", "canary": SIDE, "maxErrorRate": "1%"}).metrics[0]
    assert isinstance(alone, ErrorRate)
    assert (alone.settings.max_ratio, alone.settings.max_error_rate) == (None, 0.01)
    replayed = read({"name": "a", "type": "errorRate"}, {"file": {}})
    assert isinstance(replayed.metrics[0], ErrorRate)
    assert replayed.metrics[0].settings.max_ratio == 1
    assert replayed.warmup == 0


def test_no_data_may_fail_but_never_pass() -> None:
    """onNoData reaches every threshold metric."""
    assert threshold({"onNoData": "fail"}).threshold.no_data_fails
    assert not threshold().threshold.no_data_fails


@pytest.mark.parametrize(
    ("given", "expected"),
    [("fail", ("fail", 0)), ("pass", ("pass", 0)), ({"extend": {"max": "60m"}}, ("extend", 3600))],
)
def test_what_an_inconclusive_end_means(given: Any, expected: tuple[str, float]) -> None:
    """A word, or a longer measurement."""
    found = read(onInconclusive=given)
    assert (found.on_inconclusive, found.extend_by) == expected


def test_arguments_may_wait_for_the_caller() -> None:
    """One without a value has to be given on the command line."""
    assert read(args=[{"name": "a", "value": "x"}, {"name": "b"}]).arguments == {"a": "x", "b": None}
