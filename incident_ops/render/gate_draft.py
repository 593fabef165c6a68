"""A gate file that fits a service's traffic, to start from: every word of it is valid, and none is a placeholder."""

from __future__ import annotations

import math

from incident_ops.canary.config import FULL, WARMUP
from incident_ops.canary.pass_test import FEWEST_ALONE
from incident_ops.canary.sizing import TrafficPlan
from incident_ops.domain.latency import latency_text
from incident_ops.domain.time import duration_text

GATE_NAME = "error-rate"
"""The name of a gate that nobody names."""

LONGEST_JOB = 5 * 3600.0
"""Seconds that a run may last: a hosted job ends at six hours."""

_HOUR = 3600.0

_TEMPLATE = """\
# yaml-language-server: $schema=../schemas/gate.schema.json
# The queries are examples: put in your own counters, and see what they find:
#   incident-ops canary probe -f FILE
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {{name: {name}}}
spec:
  # main is a name below datasources in policy.yaml
  provider: {{prometheus: {{datasource: main}}}}
  interval: {interval}
{length}
  metrics:
{metric}    unacceptableRatio: {ratio:g}
    alpha: {alpha:g}
    beta: {beta:g}
"""


_ERRORS = """\
  - name: http-5xx
    type: errorRate
    canary:
      errors: 'http_requests_total{track="canary",code=~"5.."}'
      requests: 'http_requests_total{track="canary"}'
    baseline:
      errors: 'http_requests_total{track="stable",code=~"5.."}'
      requests: 'http_requests_total{track="stable"}'
"""
_SLOW = """\
  - name: slow-requests
    type: slowRate
    # a bucket of the histogram has to end there; probe shows which there are
    slowerThan: SLOWER
    canary:
      histogram: 'http_request_duration_seconds{track="canary"}'
    baseline:
      histogram: 'http_request_duration_seconds{track="stable"}'
"""


def gate_file(plan: TrafficPlan, name: str = GATE_NAME) -> str:
    """The gate file that fits the traffic: as long as needed where a job may last that long, else as requested.

    Its first step has the planned share, the last one all traffic; a share that is not a whole percentage has no step.
    """
    wanted, duration = plan.wanted, duration_text(gate_seconds(plan))
    weight = round(FULL * plan.traffic.share)
    is_whole = 0 < weight < FULL and math.isclose(weight, FULL * plan.traffic.share)
    steps = f"  steps:\n  - weight: {weight}\n    duration: {duration}\n  - weight: {FULL}"
    slower = wanted.slower_than
    return _TEMPLATE.format(
        name=name,
        metric=_ERRORS if slower is None else _SLOW.replace("SLOWER", latency_text(slower)),
        interval=duration_text(rounded_up(plan.interval)),
        length=steps if is_whole else f"  duration: {duration}",
        ratio=wanted.ratio,
        alpha=wanted.alpha,
        beta=wanted.beta,
    )


def gate_seconds(plan: TrafficPlan) -> int:
    """How long a run of the proposed gate file takes."""
    is_longer = not plan.is_enough and plan.seconds <= LONGEST_JOB
    seconds = plan.seconds if is_longer else plan.wanted.seconds
    return rounded_up(max(seconds, WARMUP + FEWEST_ALONE * plan.interval))


def rounded_up(seconds: float) -> int:
    """Whole seconds, from an hour on whole minutes."""
    whole = math.ceil(seconds)
    return 60 * math.ceil(whole / 60) if whole >= _HOUR else whole
