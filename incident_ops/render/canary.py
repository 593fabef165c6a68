"""A canary's verdict for people, as JSON, as outputs of a workflow step, and a line for each tick."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from incident_ops.canary.counters import NO_BASELINE, NO_CANARY_TRAFFIC, NO_SAMPLES, Counts
from incident_ops.canary.judgement import ABSOLUTE_LIMIT, ERROR_RATE, TOO_FEW_SAMPLES, Judgement
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.canary.run import WATCHED
from incident_ops.canary.threshold import DATASOURCE_ERROR, SOURCE_TIMEOUT
from incident_ops.canary.verdict import INCONCLUSIVE_ACCEPTED, MetricStatus
from incident_ops.deploy_gate.verdict import CONFIG_ERROR, FAIL, FROZEN, INCONCLUSIVE, OK
from incident_ops.documents.markdown import code, inline
from incident_ops.domain.time import spell_duration
from incident_ops.render.findings import inert, json_text
from incident_ops.render.text import fold

WIDTH, CURVE = 80, 40

CANARY_HEADLINES = {
    OK: "the canary is not worse than it may be",
    ERROR_RATE: "the canary has more errors than the baseline",
    ABSOLUTE_LIMIT: "a limit is exceeded",
    NO_SAMPLES: "there is too little data to judge from",
    NO_CANARY_TRAFFIC: "the canary gets no traffic",
    NO_BASELINE: "there is no baseline to compare with",
    TOO_FEW_SAMPLES: "the counts do not decide it yet",
    DATASOURCE_ERROR: "the metric source gives no answers",
    SOURCE_TIMEOUT: "the run ended before its time",
    INCONCLUSIVE_ACCEPTED: "the gate file lets this result through; it is no pass",
    CONFIG_ERROR: "the gate cannot be used",
}
_BARS = "▁▂▃▄▅▆▇█"


def to_text(outcome: CanaryOutcome) -> str:
    """The verdict, each metric with its figures and evidence, what is assumed, and what to do next."""
    out = textwrap.wrap(canary_headline(outcome), WIDTH, subsequent_indent="  ")
    for one in outcome.metrics:
        dry = " (dry run, does not decide)" if one.dry_run else ""
        out.append(f"  {one.name}: {one.verdict} ({one.reason_code}){dry}")
        out += [f"    {line}" for line in _figures(one)]
        if curve := outcome.curves.get(one.name):
            out.append(f"    evidence {sparkline(curve, one.judgement)}")
    for text in (*_closing(outcome), *outcome.notes):
        out += fold(inert(text))
    return "\n".join(out) + "\n"


def canary_headline(outcome: CanaryOutcome) -> str:
    """The verdict in one line."""
    would_fail = outcome.is_dry and any(one.verdict == FAIL and not one.dry_run for one in outcome.metrics)
    if outcome.reason_code == INCONCLUSIVE_ACCEPTED and would_fail:
        told = "it would have failed; the gate file says dryRun"
    elif outcome.verdict == FROZEN or outcome.reason_code not in CANARY_HEADLINES:
        told = "deploys are held" if outcome.verdict == FROZEN else "the freeze was asked"
        if outcome.incident_ids:
            told += f" by {', '.join(outcome.incident_ids)}"
    else:
        told = CANARY_HEADLINES[outcome.reason_code]
    after = f", after {_length(outcome.seconds)}" if outcome.seconds is not None else ""
    return f"{outcome.verdict}: {told} ({outcome.reason_code}){after}"


def to_json(outcome: CanaryOutcome) -> str:
    """The JSON of docs/contract.md#json, the same bytes for the same run."""
    return json_text(_data(outcome))


def _data(outcome: CanaryOutcome) -> dict[str, Any]:
    return {
        "schema": 1,
        "verdict": outcome.verdict,
        "reason_code": outcome.reason_code,
        "metrics": [_metric(one) for one in outcome.metrics],
        "stopped_at_seconds": _number(outcome.seconds),
        "needed_requests": math.ceil(outcome.needed.requests) if outcome.needed else None,
        "incident_ids": [*outcome.incident_ids],
    }


def _metric(one: MetricStatus) -> dict[str, Any]:
    found = one.judgement
    low, high = found.interval if found else (None, None)
    return {
        "name": one.name,
        "verdict": one.verdict,
        "e_value": _number(found.e_value if found else None),
        "ratio": _number(found.ratio if found else None),
        "ratio_low": _number(low),
        "ratio_high": _number(high),
        "canary_requests": _number(one.canary.requests if found else None),
        "canary_errors": _number(one.canary.errors if found else None),
        "baseline_requests": _number(one.baseline.requests if found else None),
        "baseline_errors": _number(one.baseline.errors if found else None),
    }


def _number(value: float | None) -> float | int | None:
    """Whole numbers without a point, others to six digits."""
    if value is None:
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.6g}")


def to_outputs(outcome: CanaryOutcome) -> dict[str, str]:
    """The outputs of a workflow step; `report` is the JSON in one line. What is not known is empty."""
    rates = [one for one in outcome.metrics if one.judgement]
    first = next((one for one in rates if one.verdict == outcome.verdict), rates[0] if rates else None)
    shown = _metric(first) if first else {}
    return {
        "verdict": outcome.verdict,
        "reason-code": outcome.reason_code,
        **{name.replace("_", "-"): _word(shown.get(name)) for name in _SHOWN},
        "seconds": _word(_number(outcome.seconds)),
        "needed-requests": _word(math.ceil(outcome.needed.requests) if outcome.needed else None),
        "next-stage": _word(outcome.next_weight),
        "incident-id": outcome.incident_ids[0] if outcome.incident_ids else "",
        "report": json.dumps(_data(outcome), ensure_ascii=True),
    }


_SHOWN = (
    "e_value",
    "ratio",
    "ratio_low",
    "ratio_high",
    "canary_requests",
    "canary_errors",
    "baseline_requests",
    "baseline_errors",
)


def _word(value: object) -> str:
    return "" if value is None else str(value)


def canary_summary(outcome: CanaryOutcome) -> str:
    """The verdict as Markdown for the summary of a workflow step: line, table, evidence, what is assumed."""
    out = [f"## Canary: {inline(canary_headline(outcome))}", ""]
    if outcome.metrics:
        out += ["| metric | verdict | canary | baseline | ratio | evidence |", "| --- | --- | --- | --- | --- | --- |"]
        out += [_row(one, outcome.curves.get(one.name, ())) for one in outcome.metrics]
        out.append("")
    out += [f"{inline(text)}\n" for text in (*_closing(outcome), *outcome.notes)]
    return "\n".join(out) + "\n"


def _row(one: MetricStatus, curve: Sequence[float]) -> str:
    name = inline(one.name) + (" (dry run)" if one.dry_run else "")
    verdict = f"{one.verdict} ({code(one.reason_code)})"
    found = one.judgement
    if found is None:
        return f"| {name} | {verdict} | {inline(one.text)} | | | |"
    line = f" {code(sparkline(curve, found))}" if curve else ""
    sides = (_counted(one.canary), _counted(one.baseline), _ratio(found))
    if one.lone_limit is not None:
        sides = (f"{_counted(one.canary)}, {_limit(one.lone_limit)}", "", "")
    cells = (*sides, f"{_evidence(found)}{line}")
    return f"| {name} | {verdict} | {' | '.join(cells)} |"


def annotation(outcome: CanaryOutcome) -> str:
    """One workflow command that shows the verdict on the run's page; "" for a pass."""
    if not outcome.exit_code:
        return ""
    told = canary_headline(outcome).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error title=Canary {outcome.verdict}::{told}\n"


def progress(metric: MetricStatus) -> str:
    """What is known of a metric at a tick, in one line: evidence, ratio, and what is needed still."""
    found = metric.judgement
    if found is None:
        return f"{metric.name}: {inert(metric.text)}"
    parts = [_evidence(found)]
    if metric.lone_limit is None:
        parts.append(f"ratio {_ratio(found)}")
        parts.append(f"errors {_counted(metric.canary)} / {_counted(metric.baseline)}")
    else:
        parts.append(f"errors {_counted(metric.canary)}, {_limit(metric.lone_limit)}")
    if found.needed is not None and found.needed.requests >= 1:
        parts.append(f"about {math.ceil(found.needed.requests):,} more canary requests")
    if metric.text:
        parts.append(inert(metric.text))
    return f"{metric.name}: {', '.join(parts)}"


def sparkline(values: Sequence[float], found: Judgement | None) -> str:
    """Evidence over time in at most 40 characters: the lowest bar is none (1 or less), the highest a fail."""
    top = math.log(found.e_needed) if found else 1.0
    most = max(len(values) / CURVE, 1.0)
    places = [min(int((n + 1) * most) - 1, len(values) - 1) for n in range(min(CURVE, len(values)))]
    heights = [math.log(max(values[place], 1.0)) / top for place in places]
    return "".join(_BARS[min(int(height * (len(_BARS) - 1)), len(_BARS) - 1)] for height in heights)


def _figures(one: MetricStatus) -> Iterator[str]:
    found = one.judgement
    if found is not None and one.lone_limit is not None:
        yield f"canary {_counted(one.canary)}, {_limit(one.lone_limit)}"
        yield _evidence(found)
    elif found is not None:
        yield f"canary {_counted(one.canary)}, baseline {_counted(one.baseline)}"
        yield f"ratio {_ratio(found)}, {_evidence(found)}"
    if one.text:
        yield from textwrap.wrap(inert(one.text), WIDTH - 4)


def _closing(outcome: CanaryOutcome) -> Iterator[str]:
    """What an inconclusive one needs, what the verdict rests on, and what may come next."""
    if outcome.verdict == INCONCLUSIVE and outcome.needed is not None:
        requests, seconds = outcome.needed
        after = f" ({_length(seconds)} at this traffic)" if round(seconds) else ""
        yield f"Needs about {math.ceil(requests):,} more canary requests{after}."
    yield from _assumed(outcome)
    if outcome.next_weight is not None:
        yield f"Nothing speaks against the next step, {outcome.next_weight} % of the traffic; this is no pass."
    if outcome.is_dry:
        yield "The gate file says dryRun: no command was run and nothing is held."


def _assumed(outcome: CanaryOutcome) -> Iterator[str]:
    """Each assumption once; of a metric and its watch the one that asks for more, the shorter span."""
    strictest: dict[str, Judgement] = {}
    for one in outcome.metrics:
        if one.judgement is not None:
            before = strictest.setdefault(one.name.removesuffix(WATCHED), one.judgement)
            if one.judgement.block_seconds < before.block_seconds:
                strictest[one.name.removesuffix(WATCHED)] = one.judgement
    yield from dict.fromkeys(found.assumption for found in strictest.values())


def _counted(counts: Counts) -> str:
    if not counts.requests:
        return "no requests"
    share = 100 * counts.errors / counts.requests
    return f"{counts.errors:,.0f} of {counts.requests:,.0f} ({share:.3g} %)"


def _limit(rate: float) -> str:
    return f"limit {100 * rate:.3g} %"


def _ratio(found: Judgement) -> str:
    low, high = found.interval
    if found.ratio is None:
        return "unknown"
    between = f"{'0' if low is None else f'{low:.2g}'} to {'any' if high is None else f'{high:.2g}'}"
    return f"{found.ratio:.3g} ({between})"


def _evidence(found: Judgement) -> str:
    return f"evidence {found.e_value:.3g} of {found.e_needed:.3g}"


def _length(seconds: float) -> str:
    return spell_duration(round(seconds)) if seconds < 9e9 else "years"
