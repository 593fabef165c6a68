"""A canary's verdict for people, as JSON, as outputs of a workflow step, and a line for each tick."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from pathlib import PurePath
from typing import Any

from incident_ops.canary.counters import NO_BASELINE, NO_CANARY_TRAFFIC, NO_NEW_SAMPLE, NO_SAMPLES, Counts
from incident_ops.canary.judgement import ABSOLUTE_LIMIT, ERROR_RATE, OBVIOUS, TOO_FEW_SAMPLES, Judgement
from incident_ops.canary.leaning import LEANS_WORSE
from incident_ops.canary.needed import Needed
from incident_ops.canary.observed import DOUBTFUL_COUNTS
from incident_ops.canary.pass_test import BELOW_GOOD_RATE
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.canary.slow_rate import SLOW_RATE, of_slow_requests
from incident_ops.canary.threshold import DATASOURCE_ERROR, SOURCE_TIMEOUT
from incident_ops.canary.verdict import COMMAND_FAILED, INCONCLUSIVE_ACCEPTED, MetricStatus
from incident_ops.canary.watch import WATCHED
from incident_ops.deploy_gate.verdict import CONFIG_ERROR, FAIL, FROZEN, INCONCLUSIVE, OK, OVERRIDE, PASS
from incident_ops.documents.markdown import code, inline, link
from incident_ops.domain.latency import spell_latency
from incident_ops.domain.time import spell_duration
from incident_ops.render.findings import Paint, inert, json_text
from incident_ops.render.gate import VERDICT_COLOURS
from incident_ops.render.sent import sent_data, sent_lines
from incident_ops.render.text import DEFAULT_WIDTH, UNCUT, fold, hanging

CURVE = 40

CANARY_HEADLINES = {
    OK: "the canary is not worse than allowed",
    BELOW_GOOD_RATE: "the canary's error rate is below goodErrorRate",
    ERROR_RATE: "the canary has more errors than the baseline",
    SLOW_RATE: "the canary has more slow requests than the baseline",
    ABSOLUTE_LIMIT: "a limit is exceeded",
    NO_SAMPLES: "there is too little data to judge",
    NO_CANARY_TRAFFIC: "the canary gets no traffic",
    NO_BASELINE: "there is no baseline to compare with",
    NO_NEW_SAMPLE: "the metric source has no new samples",
    DOUBTFUL_COUNTS: "the counts look wrong",
    OBVIOUS: "the canary is broken: at least half of its requests failed, twice running",
    LEANS_WORSE: "the canary looks worse: too little to be sure, too much to go on",
    TOO_FEW_SAMPLES: "what was counted does not decide it",
    DATASOURCE_ERROR: "the metric source does not answer",
    SOURCE_TIMEOUT: "the run ended early",
    INCONCLUSIVE_ACCEPTED: "the gate file lets this result through; this is not a pass",
    CONFIG_ERROR: "the gate cannot be used",
    COMMAND_FAILED: "a command of the caller failed",
    OVERRIDE: "the canary is not worse than allowed, and a person lets it through what holds deploys",
}
_SLOW_HEADLINES = {
    BELOW_GOOD_RATE: "the canary's share of slow requests is below goodSlowRate",
    OBVIOUS: "the canary is slow for anyone to see: at least half of its requests, twice running",
}
_BARS = "▁▂▃▄▅▆▇█"


def to_text(outcome: CanaryOutcome, width: int = DEFAULT_WIDTH, paint: Paint = lambda text, _: text) -> str:
    """The verdict, each metric with its figures and evidence, what is assumed, and what to do next."""
    first, *rest = hanging([canary_headline(outcome)], width)
    out = [paint(first, VERDICT_COLOURS.get(outcome.verdict, "yellow")), *rest]
    for metric in outcome.metrics:
        dry = " (dry run, does not decide)" if metric.dry_run else ""
        out.append(f"  {titled_metric(metric)}: {metric.verdict} ({metric.reason_code}){dry}")
        out += [f"    {line}" for line in metric_lines(metric, width)]
        if curve := outcome.curves.get(metric.name):
            out.append(f"    evidence {sparkline(curve, metric.judgement)}")
    for text in (*_closing(outcome), *outcome.notes):
        out += fold(inert(text), width=width)
    out += map(inert, _sending(outcome))
    return "\n".join(out) + "\n"


def canary_headline(outcome: CanaryOutcome) -> str:
    """The verdict in one line."""
    if outcome.reason_code == INCONCLUSIVE_ACCEPTED and would_have_failed(outcome):
        headline = "it would have failed, but the gate file sets dryRun"
    elif outcome.is_held or outcome.reason_code not in CANARY_HEADLINES:
        headline = "deploys are held" if outcome.verdict == FROZEN else "nobody can tell whether deploys are held"
        if outcome.incident_ids:
            headline += f" by {', '.join(outcome.incident_ids)}"
    else:
        headline = (_SLOW_HEADLINES if _is_about_slow(outcome) else {}).get(
            outcome.reason_code, CANARY_HEADLINES[outcome.reason_code]
        )
    after = f", after {_length(outcome.seconds)}" if outcome.seconds is not None else ""
    return f"{outcome.verdict}: {headline} ({outcome.reason_code}){after}"


def _is_about_slow(outcome: CanaryOutcome) -> bool:
    """Whether what decided it are slow requests, and no errors."""
    decided = [one for one in outcome.metrics if not one.dry_run and one.reason_code == outcome.reason_code]
    return bool(decided) and all(one.slower_than is not None for one in decided)


def would_have_failed(outcome: CanaryOutcome) -> bool:
    """True for a fail that a gate file with `dryRun` only reports."""
    return outcome.is_dry and any(metric.verdict == FAIL and not metric.dry_run for metric in outcome.metrics)


def canary_notice(outcome: CanaryOutcome) -> str:
    """The same in the few lines of a notice: verdict, each metric, what was done, what is next."""
    metrics = (f"{metric.verdict}: {progress(metric)}" for metric in outcome.metrics)
    return "\n".join(map(inert, (canary_headline(outcome), *metrics, *outcome.notes, *_sending(outcome))))


def to_json(outcome: CanaryOutcome) -> str:
    """The JSON of docs/contract.md#json, the same bytes for the same run."""
    return json_text(_data(outcome))


def _data(outcome: CanaryOutcome) -> dict[str, Any]:
    return {
        "schema": 1,
        "verdict": outcome.verdict,
        "reason_code": outcome.reason_code,
        "metrics": [_metric(metric) for metric in outcome.metrics],
        "stopped_at_seconds": _number(outcome.seconds),
        "needed_requests": math.ceil(outcome.needed.requests) if outcome.needed else None,
        "incident_ids": [*outcome.incident_ids],
        **_needed_time(outcome.needed),
        **({"rollback": outcome.rollback} if outcome.rollback else {}),
        **({"send": sent_data(outcome.sent)} if outcome.sent else {}),
    }


def _needed_time(needed: Needed | None) -> dict[str, int]:
    if needed is None:
        return {}
    return {"needed_ticks": math.ceil(needed.ticks), "needed_seconds": math.ceil(needed.seconds)}


def _metric(metric: MetricStatus) -> dict[str, Any]:
    judgement = metric.judgement
    low, high = judgement.interval if judgement else (None, None)
    is_slow = metric.slower_than is not None
    counted = judgement is not None and not is_slow
    slow = {
        "slower_than_seconds": _number(metric.slower_than),
        "canary_slow": _number(metric.canary.errors),
        "baseline_slow": _number(metric.baseline.errors),
    }
    return {
        "name": metric.name,
        "verdict": metric.verdict,
        "e_value": _number(judgement.e_value if judgement else None),
        "ratio": _number(judgement.ratio if judgement else None),
        "ratio_low": _number(low),
        "ratio_high": _number(high),
        "canary_requests": _number(metric.canary.requests if judgement else None),
        "canary_errors": _number(metric.canary.errors if counted else None),
        "baseline_requests": _number(metric.baseline.requests if judgement else None),
        "baseline_errors": _number(metric.baseline.errors if counted else None),
        "phi": _number(judgement.phi if judgement else None),
        **(slow if is_slow else {}),
    }


def _number(value: float | None) -> float | int | None:
    """Whole numbers without a point, others to six digits."""
    if value is None:
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.6g}")


def to_outputs(outcome: CanaryOutcome) -> dict[str, str]:
    """The outputs of a workflow step; `report` is the JSON in one line. What is unknown is empty."""
    rates = sorted((metric for metric in outcome.metrics if metric.judgement), key=lambda metric: metric.dry_run)
    first = next((metric for metric in rates if metric.verdict == outcome.verdict), rates[0] if rates else None)
    shown = _metric(first) if first else {}
    return {
        "verdict": outcome.verdict,
        "reason-code": outcome.reason_code,
        **{name.replace("_", "-"): _word(shown.get(name)) for name in _SHOWN},
        "seconds": _word(_number(outcome.seconds)),
        "needed-requests": _word(math.ceil(outcome.needed.requests) if outcome.needed else None),
        "next-stage": _word(outcome.next_weight),
        "incident-id": outcome.incident_ids[0] if outcome.incident_ids else "",
        "rollback": outcome.rollback,
        "pull-request": outcome.sent.pull.url if outcome.sent and outcome.sent.pull else "",
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
        out += [_row(metric, outcome.curves.get(metric.name, ())) for metric in outcome.metrics]
        out.append("")
    out += [f"{inline(text)}\n" for text in closing_lines(outcome)]
    return "\n".join(out) + "\n"


def page_line(page: str, artifacts: str) -> str:
    """The line of the summary that leads to the page of the run; `artifacts` is an address, "" where none is known."""
    where = link("this run's artifacts", artifacts) if artifacts else "this run's artifacts"
    return f"The run as a page with pictures: {code(PurePath(page).name)} in {where}, where the job uploads it.\n"


def _row(metric: MetricStatus, curve: Sequence[float]) -> str:
    name = inline(titled_metric(metric)) + (" (dry run)" if metric.dry_run else "")
    verdict = f"{metric.verdict} ({code(metric.reason_code)})"
    judgement = metric.judgement
    if judgement is None:
        return f"| {name} | {verdict} | {inline(metric.text)} | | | |"
    line = f" {code(sparkline(curve, judgement))}" if curve else ""
    sides = (_counted(metric.canary), _counted(metric.baseline), _ratio(judgement))
    if metric.lone_limit is not None:
        sides = (f"{_counted(metric.canary)}, {_limit(metric.lone_limit)}", "", "")
    clumped = f", {shown}" if (shown := _clumped(metric, judgement)) else ""
    cells = (*sides, f"{_evidence(judgement)}{clumped}{line}")
    return f"| {name} | {verdict} | {' | '.join(cells)} |"


def progress(metric: MetricStatus) -> str:
    """What is known about a metric at a tick, in one line: evidence, ratio, and what is still needed."""
    judgement = metric.judgement
    if judgement is None:
        return f"{metric.name}: {inert(metric.text)}"
    if not metric.canary.requests and not metric.baseline.requests and not metric.text:
        return f"{metric.name}: nothing counted yet"
    parts, what = [_evidence(judgement)], how_slow(metric) or "errors"
    if metric.lone_limit is None:
        parts.append(f"ratio {_ratio(judgement)}")
        parts.append(f"{what}: canary {_counted(metric.canary)}, baseline {_counted(metric.baseline)}")
    else:
        parts.append(f"{what} {_counted(metric.canary)}, {_limit(metric.lone_limit)}")
    if metric.needed is not None and metric.needed.requests >= 1:
        parts.append(f"about {math.ceil(metric.needed.requests):,} more canary requests")
    if metric.text:
        parts.append(inert(metric.text))
    return f"{metric.name}: {', '.join(parts)}"


def sparkline(values: Sequence[float], judgement: Judgement | None) -> str:
    """Evidence over time in at most 40 characters: the lowest bar is none (1 or less), the highest a fail."""
    top = math.log(judgement.e_needed) if judgement else 1.0
    most = max(len(values) / CURVE, 1.0)
    places = [min(int((n + 1) * most) - 1, len(values) - 1) for n in range(min(CURVE, len(values)))]
    heights = [math.log(max(values[place], 1.0)) / top for place in places]
    return "".join(_BARS[min(int(height * (len(_BARS) - 1)), len(_BARS) - 1)] for height in heights)


def metric_lines(metric: MetricStatus, width: int) -> Iterator[str]:
    """The figures of a metric: counts, ratio and evidence, what the look at a pass saw, and what was wrong."""
    judgement = metric.judgement
    if judgement is not None and metric.lone_limit is not None:
        yield f"canary {_counted(metric.canary)}, {_limit(metric.lone_limit)}"
        yield _evidence(judgement)
    elif judgement is not None:
        yield f"canary {_counted(metric.canary)}, baseline {_counted(metric.baseline)}"
        late = judgement.late
        if late is not None and metric.reason_code in (ERROR_RATE, SLOW_RATE, LEANS_WORSE):
            sides = f"canary {_counted(late.canary)}, baseline {_counted(late.baseline)}"
            yield f"in the last {spell_duration(round(late.seconds))}: {sides}"
        yield f"ratio {_ratio(judgement)}, {_evidence(judgement)}"
    inner = width - 4 if width != UNCUT else DEFAULT_WIDTH - 4
    if judgement is not None and (clumped := _clumped(metric, judgement)):
        yield clumped
    for text in _look(metric):
        spoken = text if metric.slower_than is None else of_slow_requests(text)
        yield from fold(spoken, rest="  ", width=inner)
    if metric.text:
        yield from fold(inert(metric.text), width=inner)


def closing_lines(outcome: CanaryOutcome) -> list[str]:
    """All that is said after the metrics."""
    return [*_closing(outcome), *outcome.notes, *_sending(outcome)]


def _closing(outcome: CanaryOutcome) -> Iterator[str]:
    """What an inconclusive run needs, what the verdict assumes, and what may come next."""
    if outcome.verdict == INCONCLUSIVE and outcome.needed is not None and outcome.needed.requests > 0:
        is_compared = any(metric.needed is not None and metric.lone_limit is None for metric in outcome.metrics)
        yield _still_needed(outcome.needed, "it is as good as the baseline" if is_compared else "it goes on like this")
    elif _is_out_of_reach(outcome):
        yield (
            "More of the same would hardly decide it. `incident-ops canary plan` says what a service's traffic can"
            " decide, and in what time."
        )
    yield from assumptions(outcome)
    if outcome.next_weight is not None:
        yield f"The next step, {outcome.next_weight} % of the traffic, may begin; this is not a pass."
    if outcome.is_dry:
        yield "The gate file sets dryRun: no command was run and nothing is held."


def _is_out_of_reach(outcome: CanaryOutcome) -> bool:
    """True where the counts of a whole run decided nothing, and no number of requests is known that would."""
    counted = [one for one in outcome.metrics if one.judgement is not None and not one.dry_run]
    return any(one.reason_code == TOO_FEW_SAMPLES for one in counted) and (
        (outcome.verdict, outcome.reason_code) == (INCONCLUSIVE, TOO_FEW_SAMPLES)
        and outcome.needed is None
        and outcome.next_weight is None
    )


def _sending(outcome: CanaryOutcome) -> list[str]:
    """What became of sending the incident, with commands that stay whole."""
    sent = outcome.sent
    if sent is None:
        return []
    missing = "no pull request" if sent.is_sent else "not sent"
    return [*([f"warning: {missing}: {sent.problem}"] if sent.problem else []), *sent_lines(sent)]


def _still_needed(needed: Needed, condition: str) -> str:
    requests, ticks = math.ceil(needed.requests), math.ceil(needed.ticks)
    plural = "s" * (ticks != 1)
    return (
        f"A pass needs about {requests:,} more canary request{'s' * (requests != 1)}: {ticks:,} more tick{plural},"
        f" {_length(needed.seconds)} at this traffic, if {condition}."
    )


def assumptions(outcome: CanaryOutcome) -> Iterator[str]:
    """Each assumption once; of a metric and its watch the stricter one, with the shorter span."""
    strictest: dict[str, tuple[float, str]] = {}
    for metric in outcome.metrics:
        if metric.judgement is not None:
            text, name = metric.judgement.assumption, metric.name.removesuffix(WATCHED)
            spoken = text if metric.slower_than is None else of_slow_requests(text)
            mine = metric.judgement.block_seconds, spoken
            strictest[name] = min(strictest.get(name, mine), mine, key=lambda one: one[0])
    yield from dict.fromkeys(text for _, text in strictest.values())


def _counted(counts: Counts) -> str:
    if not counts.requests:
        return "no requests"
    share = 100 * counts.errors / counts.requests
    return f"{counts.errors:,.0f} of {counts.requests:,.0f} ({share:.3g} %)"


def _limit(rate: float) -> str:
    return f"limit {100 * rate:.3g} %"


def _ratio(judgement: Judgement) -> str:
    low, high = judgement.interval
    if judgement.ratio is None:
        return "unknown"
    lowest = "0" if low is None else _outward(low, ROUND_FLOOR)
    highest = "any" if high is None else _outward(high, ROUND_CEILING)
    return f"{judgement.ratio:.3g} ({lowest} to {highest})"


def _outward(bound: float, rounding: str) -> str:
    """Two digits, so rounded that what lies inside is never shown outside."""
    return f"{Context(prec=2, rounding=rounding).create_decimal_from_float(bound):,f}"


def _evidence(judgement: Judgement) -> str:
    """The evidence that it is worse: 1 or less is none, more than a fail needs changes nothing, and what is not enough
    never reads as if it were."""
    value, most = judgement.e_value, 1_000_000
    if value < judgement.e_needed and f"{value:.3g}" == f"{judgement.e_needed:.3g}":
        value = float(Context(prec=3, rounding=ROUND_FLOOR).create_decimal_from_float(value))
    shown = "under 1" if value < 1 else f"over {most:,}" if value > most else f"{value:.3g}"
    return f"evidence {shown} (a fail needs {judgement.e_needed:.3g})"


def how_slow(metric: MetricStatus) -> str:
    """What is counted where it is slow requests, "" where it is errors."""
    return "" if metric.slower_than is None else f"slower than {spell_latency(metric.slower_than)}"


def titled_metric(metric: MetricStatus) -> str:
    """Its name, and from when on a request is slow."""
    return f"{metric.name} ({slower})" if (slower := how_slow(metric)) else metric.name


def _clumped(metric: MetricStatus, judgement: Judgement) -> str:
    if judgement.phi <= 1:
        return ""
    shown = f"{judgement.phi:.3g}" if judgement.phi < 100 else f"{judgement.phi:,.0f}"
    text = f"errors come in clumps (dispersion {shown})"
    return text if metric.slower_than is None else of_slow_requests(text)


def _look(metric: MetricStatus) -> Iterator[str]:
    """What the look at a pass saw: the chance that decided, and what else is missing."""
    seen = metric.judgement.passing if metric.judgement else None
    if seen is None or metric.verdict == FAIL:
        return
    is_out = seen.chance <= seen.level
    yield _asked(f"{seen.ratio:g}x as bad is", "so few errors", seen.chance, seen.level)
    if seen.good_chance is not None and seen.good_rate is not None and not is_out:
        yield _asked(f"{_share(seen.good_rate)} errors are", "so few", seen.good_chance, seen.good_level)
    if seen.lacks and metric.verdict != PASS:
        yield f"no pass: {seen.lacks}"


def _asked(what: str, seen: str, chance: float, level: float) -> str:
    out = "" if chance <= level else "not "
    if out and chance < 1:
        chance = float(Context(prec=2, rounding=ROUND_CEILING).create_decimal_from_float(chance))
    return f"{what} {out}ruled out: chance of {seen} {_share(chance)}, a pass needs {_share(level)} or less"


def _share(value: float) -> str:
    return f"{100 * value:.2g} %" if _LEAST_CHANCE <= value < 0.995 else "100 %" if value > 0.5 else "under 0.01 %"


_LEAST_CHANCE = 0.0001


def _length(seconds: float) -> str:
    return spell_duration(round(seconds)) if seconds < 9e9 else "years"
