"""What a service's traffic can decide: for people, as JSON, and as the gate file that it leads to."""

from __future__ import annotations

import math
from typing import Any

from incident_ops.gate.plan_traffic import Plan
from incident_ops.model.time import spell_duration
from incident_ops.render.aligned import aligned
from incident_ops.render.findings import dump

_HOUR, _LONGEST_JOB = 3600.0, 5 * 3600.0

GATE = """\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {{name: NAME-errors}}
spec:
  provider: {{prometheus: {{datasource: main}}}}
  interval: {interval}
  duration: {duration}
  metrics:
  - name: http-5xx
    type: errorRate
    canary:
      errors: 'http_requests_total{{track="canary",code=~"5.."}}'
      requests: 'http_requests_total{{track="canary"}}'
    baseline:
      errors: 'http_requests_total{{track="stable",code=~"5.."}}'
      requests: 'http_requests_total{{track="stable"}}'
    unacceptableRatio: {ratio:g}
    alpha: {alpha:g}
    beta: {beta:g}
  onInconclusive: fail
"""


def to_text(plan: Plan) -> str:
    """What is needed, what each time reaches, and a gate file to begin with."""
    traffic, wanted = plan.traffic, plan.wanted
    out = [
        f"Canary: {traffic.canary_rps:.4g} of {traffic.rps:.4g} requests a second ({100 * traffic.share:g} %);"
        f" baseline errors {100 * traffic.rate:g} %.",
        f"To fail one {wanted.ratio:g}x as bad (alpha {100 * wanted.alpha:g} %): {_need(plan, plan.to_fail)}.",
        f"To pass a good one ({wanted.ratio:g}x ruled out, beta {100 * wanted.beta:g} %): {_need(plan, plan.to_pass)}.",
        "",
        *aligned(("in", "canary requests", "least regression that can be found"), _rows(plan), (1,)),
        "",
        "Errors that come in clumps need more, as many times as the baseline's dispersion.",
        _advice(plan),
        "",
    ]
    return "\n".join([*out, gate_file(plan)])


def _rows(plan: Plan) -> list[tuple[str, str, str]]:
    return [(_spell(one.seconds), f"{one.requests:,.0f}", _times(one.least)) for one in plan.reaches]


def _times(ratio: float) -> str:
    return "none" if math.isinf(ratio) else f"{ratio:.3g}x"


def to_json(plan: Plan) -> str:
    """The same figures, versioned."""
    reaches: list[dict[str, Any]] = [
        {
            "seconds": one.seconds,
            "canary_requests": round(one.requests),
            "least_ratio": None if math.isinf(one.least) else float(f"{one.least:.4g}"),
        }
        for one in plan.reaches
    ]
    data = {
        "schema": 1,
        "canary_rps": float(f"{plan.traffic.canary_rps:.6g}"),
        "requests_to_fail": math.ceil(plan.to_fail),
        "requests_to_pass": math.ceil(plan.to_pass),
        "seconds_needed": math.ceil(plan.seconds),
        "is_enough": plan.is_enough,
        "reaches": reaches,
        "gate": gate_file(plan),
    }
    return dump(data)


def gate_file(plan: Plan) -> str:
    """The gate file that fits the traffic: as long as is needed where a job may last that long, else as asked."""
    seconds = plan.wanted.seconds
    if not plan.is_enough and plan.seconds <= _LONGEST_JOB:
        seconds = 60 * math.ceil(plan.seconds / 60)
    interval = 15 if seconds <= _HOUR else 60
    wanted = plan.wanted
    return GATE.format(
        interval=_spell(interval),
        duration=_spell(max(seconds, interval)),
        ratio=wanted.ratio,
        alpha=wanted.alpha,
        beta=wanted.beta,
    )


def _advice(plan: Plan) -> str:
    asked = _spell(plan.wanted.seconds)
    if plan.is_enough:
        return f"{asked} is enough for both answers:"
    if plan.seconds <= _LONGEST_JOB:
        return f"{asked} is not enough; {_spell(plan.seconds)} is:"
    return f"{asked} is not enough, and no job lasts that long: take a larger share or ratio. To begin with:"


def _need(plan: Plan, requests: float) -> str:
    return f"about {math.ceil(requests):,} canary requests, {_spell(requests / plan.traffic.canary_rps)}"


def _spell(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole >= _HOUR:
        whole = 60 * math.ceil(whole / 60)
    return spell_duration(whole)
