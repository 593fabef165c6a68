"""What a service's traffic can decide: as text, as JSON, and as a gate file that fits it."""

from __future__ import annotations

import math
from typing import Any

from incident_ops.canary.config import WARMUP
from incident_ops.canary.sizing import CHANCE, FEWEST_TICKS, REALISTIC, TrafficPlan
from incident_ops.domain.time import duration_text, spell_duration
from incident_ops.render.findings import json_text
from incident_ops.render.text import aligned, fold

_HOUR, _YEAR, _LONGEST_JOB, _NEAR = 3600.0, 365 * 86400.0, 5 * 3600.0, 0.7
_MOST_YEARS, _MOST_REQUESTS = 1000, 1e12
_LEAST = 0.001

GATE_TEMPLATE = """\
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
"""


def to_text(plan: TrafficPlan) -> str:
    """What is needed, what each duration can detect, and a gate file to start from; no line is over 80 columns."""
    traffic, wanted, chance = plan.traffic, plan.wanted, f"{100 * CHANCE:g} %"
    least = f"least regression found in {chance} of runs"
    first = (
        f"Canary: {_number(traffic.canary_rps)} of {_number(traffic.rps)} requests a second"
        f" ({100 * traffic.share:g} %); baseline errors {100 * traffic.rate:g} %.",
        f"{chance} of canaries {wanted.ratio:,g}x as bad fail (alpha {100 * wanted.alpha:g} %) within"
        f" {_need(plan.to_fail, plan.fail_seconds)}.",
        f"{chance} of good ones can pass ({wanted.ratio:,g}x ruled out, beta {100 * wanted.beta:g} %) after"
        f" {_need(plan.to_pass, plan.pass_seconds)}.",
    )
    last = (
        f"Times begin with a warm-up of {_spell(WARMUP)}, which is not judged. A pass is given only at the planned end,"
        f" and no verdict in fewer than {FEWEST_TICKS} ticks, here {_spell(FEWEST_TICKS * plan.interval)}.",
        "Errors that come in clumps need more requests: as many times more as the baseline's dispersion.",
        _advice(plan),
    )
    return "\n".join(
        [
            *(line for text in first for line in fold(text, rest="  ")),
            "",
            *aligned(("in", "canary requests", least), _rows(plan), (1,)),
            "",
            *(line for text in last for line in fold(text)),
            "",
            gate_file(plan),
        ]
    )


def _rows(plan: TrafficPlan) -> list[tuple[str, str, str]]:
    return [(_spell(reach.seconds), f"{reach.requests:,.0f}", _times(reach.least)) for reach in plan.reaches]


def _times(ratio: float) -> str:
    """Never less than it is, so never `1x`."""
    if math.isinf(ratio):
        return f"none up to {REALISTIC:,.0f}x"
    unit = 100 if ratio < 10 else 10
    return f"{math.ceil(ratio * unit) / unit:,.4g}x"


def to_json(plan: TrafficPlan) -> str:
    """The same figures, versioned."""
    reaches: list[dict[str, Any]] = [
        {
            "seconds": reach.seconds,
            "canary_requests": round(reach.requests),
            "least_ratio": None if math.isinf(reach.least) else float(f"{reach.least:.4g}"),
        }
        for reach in plan.reaches
    ]
    data = {
        "schema": 1,
        "chance": CHANCE,
        "canary_rps": float(f"{plan.traffic.canary_rps:.6g}"),
        "requests_to_fail": math.ceil(plan.to_fail),
        "requests_to_pass": math.ceil(plan.to_pass),
        "seconds_to_fail": math.ceil(plan.fail_seconds),
        "seconds_to_pass": math.ceil(plan.pass_seconds),
        "seconds_needed": math.ceil(plan.seconds),
        "is_enough": plan.is_enough,
        "reaches": reaches,
        "gate": gate_file(plan),
    }
    return json_text(data)


def gate_file(plan: TrafficPlan) -> str:
    """The gate file that fits the traffic: as long as needed where a job may last that long, else as requested."""
    seconds = plan.wanted.seconds
    if not plan.is_enough and plan.seconds <= _LONGEST_JOB:
        seconds = plan.seconds
    wanted = plan.wanted
    return GATE_TEMPLATE.format(
        interval=duration_text(_rounded_up(plan.interval)),
        duration=duration_text(_rounded_up(max(seconds, WARMUP + FEWEST_TICKS * plan.interval))),
        ratio=wanted.ratio,
        alpha=wanted.alpha,
        beta=wanted.beta,
    )


def _advice(plan: TrafficPlan) -> str:
    planned = _spell(plan.wanted.seconds)
    if plan.is_enough:
        return f"{planned} is enough for both answers:"
    if plan.seconds <= _LONGEST_JOB:
        return f"{planned} is not enough; {_spell(plan.seconds)} is:"
    verdict = f"{planned} is not enough, and no job may run for as long as it takes."
    if plan.even < _NEAR * plan.seconds:
        other = "larger" if plan.traffic.share < 0.5 else "smaller"
        return f"{verdict} Take a {other} share (50 % would need {_spell(plan.even)}) or a larger ratio. To start with:"
    return f"{verdict} Take a larger ratio. To start with:"


def _need(requests: float, seconds: float) -> str:
    return f"{_spell(seconds)} ({_number(math.ceil(requests))} canary requests)"


def _number(value: float) -> str:
    """With separators for thousands, and four digits where it is small."""
    if value > _MOST_REQUESTS:
        return f"more than {_MOST_REQUESTS:,.0f}"
    if 0 < value < _LEAST:
        return f"less than {_LEAST}"
    return f"{value:,.0f}" if value >= 999.95 else f"{value:.4g}"


def _spell(seconds: float) -> str:
    if seconds >= _YEAR * _MOST_YEARS:
        return f"more than {_MOST_YEARS:,} years"
    if seconds >= _YEAR:
        years = math.ceil(seconds / _YEAR)
        return f"{years:,} years" if years > 1 else "1 year"
    return spell_duration(_rounded_up(seconds), exact=True)


def _rounded_up(seconds: float) -> int:
    """Whole seconds, from an hour on whole minutes."""
    whole = math.ceil(seconds)
    return 60 * math.ceil(whole / 60) if whole >= _HOUR else whole
