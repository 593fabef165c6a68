"""Steps of a rollout, the extension of an inconclusive one, and the watch after it."""

from __future__ import annotations

import pytest

from incident_ops.canary.config import ErrorRate, limited_by_policy
from incident_ops.canary.run import (
    Stage,
    is_settling,
    next_horizon,
    stages,
    takes_all_traffic,
)
from incident_ops.canary.watch import WATCH_LIMIT, watch_analysis
from incident_ops.errors import UserError
from tests.canary.analyses import LATENCY, analysis

STEPS = [{"weight": 10, "duration": "10m"}, {"weight": 50, "duration": "5m"}, {"weight": 100}]


def test_steps_follow_each_other_and_full_traffic_is_none_of_them() -> None:
    """10 % for ten minutes, 50 % for five; the verdict is due then."""
    gate = analysis(steps=STEPS)
    assert stages(gate) == (Stage(0, 10, 0, 600), Stage(1, 50, 600, 900))
    assert (gate.horizon, takes_all_traffic(gate)) == (900, True)
    assert stages(analysis()) == (Stage(0, 0, 0, 600),)
    assert not takes_all_traffic(analysis())


def test_new_traffic_of_a_later_step_warms_up_again() -> None:
    """At most half of the step is left out."""
    gate = analysis(steps=STEPS, warmup="1m")
    first, second = stages(gate)
    assert not is_settling(gate, first, 30)
    assert [is_settling(gate, second, at) for at in (615, 660, 661)] == [True, True, False]
    short = analysis(steps=[STEPS[0], {"weight": 50, "duration": "1m"}], warmup="1m")
    assert not is_settling(short, stages(short)[1], 631)


def test_an_extension_looks_again_after_each_planned_time() -> None:
    """Few looks, the last one at the most that is allowed; none without `extend`."""
    gate = analysis(onInconclusive={"extend": {"max": "25m"}})
    seen, horizon = [], next_horizon(gate, gate.horizon)
    while horizon is not None:
        seen.append(horizon)
        horizon = next_horizon(gate, horizon)
    assert seen == [1200, 1800, 2100]
    assert next_horizon(analysis(onInconclusive="fail"), 600) is None


@pytest.mark.parametrize(
    ("longest", "looks"), [("15m", [1200, 1500]), ("35m", [1300, 2000, 2700]), ("2h", [3000, 5400, 7800])]
)
def test_an_extended_run_is_looked_at_three_times_more_at_most(longest: str, looks: list[float]) -> None:
    """Each time for as long as it was planned, or for a third of the whole extension where that is more."""
    gate = analysis(onInconclusive={"extend": {"max": longest}})
    seen, horizon = [], next_horizon(gate, gate.horizon)
    while horizon is not None:
        seen.append(horizon)
        horizon = next_horizon(gate, horizon)
    assert seen == looks


def test_the_watch_has_only_the_absolute_limit() -> None:
    """The metric's own, else the policy's, else 5 %; no baseline, no threshold metric, no early pass."""
    rate = {"name": "errors", "type": "errorRate"}
    (metric,) = watch_analysis(analysis(rate, LATENCY, watch="30m", earlyPass=True)).metrics
    assert isinstance(metric, ErrorRate)
    found = metric.settings
    assert (found.max_ratio, found.max_error_rate, found.early_pass, metric.baseline) == (
        None,
        WATCH_LIMIT / 100,
        False,
        None,
    )
    for gate, percent, limit in (
        (analysis({**rate, "maxErrorRate": "1%"}), 3.0, 0.01),
        (analysis(rate), 3.0, 0.03),
        (analysis({**rate, "maxErrorRate": "none"}), None, 0.05),
    ):
        (own,) = watch_analysis(gate, percent).metrics
        assert isinstance(own, ErrorRate)
        assert own.settings.max_error_rate == pytest.approx(limit)
    assert watch_analysis(analysis(rate, watch="30m")).horizon == 1800
    assert watch_analysis(analysis(rate)).horizon == 600
    with pytest.raises(UserError, match="to watch at full traffic"):
        watch_analysis(analysis(LATENCY))


def test_the_policy_s_limit_holds_where_a_metric_has_none_of_its_own() -> None:
    """Its own, `none` and a floor above it stay; a threshold metric has no such limit."""
    rate = {"name": "errors", "type": "errorRate"}
    for own, limit in (
        ({}, 0.01),
        ({"maxErrorRate": "3%"}, 0.03),
        ({"maxErrorRate": "none"}, None),
        ({"minErrorRate": "2%"}, None),
        ({"minErrorRate": "0.5%"}, 0.01),
    ):
        (metric, other) = limited_by_policy(analysis({**rate, **own}, LATENCY), 1.0).metrics
        assert isinstance(metric, ErrorRate)
        assert metric.settings.max_error_rate == limit
        assert other == analysis(LATENCY).metrics[0]
    assert limited_by_policy(analysis(rate), None) == analysis(rate)
