"""What a service's traffic can decide: the figures of a plan as lines, as JSON, and above the gate file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from incident_ops.canary.config import GOOD_ERROR_RATE, WARMUP
from incident_ops.canary.pass_test import FEWEST_COUNTED
from incident_ops.canary.sizing import CHANCE, FEWEST_TICKS, REALISTIC, TrafficPlan
from incident_ops.canary.slow_rate import of_slow_requests
from incident_ops.deploy_gate.verdict import Verdict
from incident_ops.domain.latency import spell_latency
from incident_ops.domain.time import spell_duration
from incident_ops.render.findings import json_text
from incident_ops.render.gate_draft import GATE_NAME, LONGEST_JOB, gate_file, rounded_up
from incident_ops.render.text import DEFAULT_WIDTH, UNCUT, aligned, fold

_YEAR, _NEAR = 365 * 86400.0, 0.7
_MOST_YEARS, _MOST_REQUESTS = 1000, 1e12
_LEAST = 0.001


def sizing_text(plan: TrafficPlan, width: int = DEFAULT_WIDTH, name: str = GATE_NAME) -> str:
    """A gate file to start from, and above it, as its comments, what it rests on."""
    words = sizing_figures(plan, (DEFAULT_WIDTH if width == UNCUT else width) - 2)
    return "".join(f"# {line}".rstrip() + "\n" for line in words) + gate_file(plan, name)


def sizing_figures(plan: TrafficPlan, width: int = DEFAULT_WIDTH) -> list[str]:
    """What is needed, and what each duration can detect, as lines."""
    traffic, wanted, chance = plan.traffic, plan.wanted, f"{100 * CHANCE:g} %"
    least = f"least regression found in {chance} of runs"
    first = (
        f"Canary: {_grouped(traffic.canary_rps)} of {_grouped(traffic.rps)} requests a second"
        f" ({100 * traffic.share:g} %); {_usual(plan)} {100 * traffic.rate:g} %.",
        f"{chance} of canaries {wanted.ratio:,g}x as bad fail (alpha {100 * wanted.alpha:g} %) within"
        f" {_need(plan.to_fail, plan.fail_seconds)}.",
        f"{chance} of good ones can pass ({wanted.ratio:,g}x ruled out, beta {100 * wanted.beta:g} %) after"
        f" {_need(plan.to_pass, plan.pass_seconds)}.",
        *_by_rate(plan),
    )
    last = (
        f"Times begin with a warm-up of {_spell(WARMUP)}, which is not judged. A pass is given only at the planned end"
        f" and needs {FEWEST_COUNTED} ticks; a fail {FEWEST_TICKS}, here {_spell(FEWEST_TICKS * plan.interval)}.",
        "Errors that come in clumps need more requests: as many times more as the baseline's dispersion.",
        *_of_limit(plan),
        _advice(plan),
    )
    spoken = of_slow_requests if wanted.slower_than is not None else str
    return [
        *(line for text in first for line in fold(spoken(text), rest="  ", width=width)),
        "",
        *aligned(("in", "canary requests", least), _rows(plan), (1,), width),
        "",
        *(line for text in last for line in fold(spoken(text), width=width)),
    ]


def _usual(plan: TrafficPlan) -> str:
    slower = plan.wanted.slower_than
    return "baseline errors" if slower is None else f"slower than {spell_latency(slower)} today:"


def _by_rate(plan: TrafficPlan) -> Iterator[str]:
    if plan.rate_seconds < plan.pass_seconds:
        yield f"By goodErrorRate ({100 * GOOD_ERROR_RATE:g} %) they can after {_spell(plan.rate_seconds)}."


def _of_limit(plan: TrafficPlan) -> Iterator[str]:
    if plan.traffic.rate * plan.wanted.ratio > _USUAL_LIMIT and plan.wanted.slower_than is None:
        yield (
            f"Today's {100 * plan.traffic.rate:g} % is close to the policy's limit or above it (gate.max_error_pct,"
            f" {100 * _USUAL_LIMIT:g} % in sev0-3), and only a canary surely below that limit passes: set your own"
            " maxErrorRate in the metric, or `none`."
        )


_USUAL_LIMIT = 0.01


def _rows(plan: TrafficPlan) -> list[tuple[str, str, str]]:
    return [(_spell(reach.seconds), f"{reach.requests:,.0f}", _times(reach.least)) for reach in plan.reaches]


def _times(ratio: float) -> str:
    """Never less than it is, so never `1x`."""
    if math.isinf(ratio):
        return f"none up to {REALISTIC:,.0f}x"
    unit = 100 if ratio < 10 else 10
    return f"{math.ceil(ratio * unit) / unit:,.4g}x"


def sizing_json(plan: TrafficPlan, name: str = GATE_NAME, deploy: Verdict | None = None) -> str:
    """The same figures, versioned; with `deploy` whether a run of the proposed length may begin now."""
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
        "gate": gate_file(plan, name),
        **({"deploy": {"verdict": deploy.verdict, "reason_code": deploy.reason_code}} if deploy else {}),
    }
    return json_text(data)


def _advice(plan: TrafficPlan) -> str:
    planned = _spell(plan.wanted.seconds)
    if plan.is_enough:
        return f"{planned} is enough for both answers."
    if plan.seconds <= LONGEST_JOB:
        return f"{planned} is not enough; {_spell(plan.seconds)} is, and the gate file takes that."
    verdict = f"{planned} is not enough, and no job may run for as long as it takes."
    if plan.even < _NEAR * plan.seconds:
        other = "larger" if plan.traffic.share < 0.5 else "smaller"
        way = f"Take a {other} share (50 % would need {_spell(plan.even)}) or a larger ratio."
        return f"{verdict} {way} The gate file is one to start with."
    return f"{verdict} Take a larger ratio. The gate file is one to start with."


def _need(requests: float, seconds: float) -> str:
    return f"{_spell(seconds)} ({_grouped(math.ceil(requests))} canary requests)"


def _grouped(value: float) -> str:
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
    return spell_duration(rounded_up(seconds), exact=True)
