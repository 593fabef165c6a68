"""A canary run as one HTML page: no script, nothing from elsewhere, every value escaped by the template."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

from incident_ops.canary.config import ErrorRate, Metric, ThresholdMetric
from incident_ops.canary.counters import (
    NO_BASELINE,
    NO_CANARY_TRAFFIC,
    NO_NEW_SAMPLE,
    NO_SAMPLES,
    Counts,
)
from incident_ops.canary.judgement import ABSOLUTE_LIMIT
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.canary.slow_rate import of_slow_requests
from incident_ops.canary.threshold import DATASOURCE_ERROR
from incident_ops.canary.trace import COUNTED, WARMING_UP, MetricTick, RunTrace
from incident_ops.canary.verdict import MetricStatus
from incident_ops.deploy_gate.verdict import FAIL, FROZEN, INCONCLUSIVE, OVERRIDDEN, PASS
from incident_ops.documents.html_page import html_template
from incident_ops.domain.latency import spell_latency
from incident_ops.domain.time import spell_duration, spell_instant
from incident_ops.render.canary import assumptions, canary_headline, closing_lines, metric_lines
from incident_ops.render.chart import Moment
from incident_ops.render.findings import inert
from incident_ops.render.run_figures import (
    Figure,
    Picturing,
    conditions,
    metric_figures,
    spell_evidence,
    spell_percent,
    spell_second,
)
from incident_ops.render.run_series import span_at, without_data
from incident_ops.resources import resource_text

SIGNS = {PASS: "✓", FAIL: "✕", INCONCLUSIVE: "?", FROZEN: "‖", OVERRIDDEN: "!"}
"""A sign beside the word of each verdict, for who sees no colours."""

_UNFOLDED = 100_000
MOST_BYTES_OF_PAGE = 1_000_000
_ROWS, _MOST_LINES, _LONGEST = (48, 24, 12, 6), 60, 600
"""About so many rows of a table, the first that make a page small enough; lines of a list, characters of a line."""

_REASONS = {
    NO_NEW_SAMPLE: "no new sample",
    NO_SAMPLES: "no data that can be counted",
    NO_CANARY_TRAFFIC: "no requests of the canary",
    NO_BASELINE: "no counts of the old version",
    DATASOURCE_ERROR: "no answer of the metric source",
    "": "one side alone counted",
}


class NotEvidence(NamedTuple):
    """Ticks of a metric that counted nothing, for one reason."""

    metric: str
    what: str
    ticks: int
    when: str
    why: str


class MetricPart(NamedTuple):
    """A metric as the page shows it."""

    name: str
    verdict: str
    sign: str
    reason: str
    is_dry: bool
    lines: Sequence[str]
    figures: Sequence[Figure]


class RunEvent(NamedTuple):
    """What happened at a time of the run."""

    at: str
    text: str


def canary_page(outcome: CanaryOutcome) -> str:
    """The page of a run, the same bytes for the same run; less than 1 MB, however long it was."""
    style = resource_text("templates/canary-page.css")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    text = ""
    for rows in _ROWS:
        text = html_template("canary-page.html.j2", _shown).render(
            {**_view(outcome, rows), "style": style, "digest": digest}
        )
        if len(text.encode()) < MOST_BYTES_OF_PAGE:
            break
    return text


def _shown(value: Any) -> Any:
    return inert(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _view(outcome: CanaryOutcome, rows: int) -> Mapping[str, Any]:
    metrics = sorted(outcome.metrics, key=lambda one: (one.dry_run, one.verdict != outcome.verdict))
    assumed = list(assumptions(outcome))
    is_measured = any(trace.analysis is not None for trace in outcome.traces)
    return {
        "title": _cut(f"{outcome.verdict}: canary {outcome.gate}"),
        "verdict": outcome.verdict,
        "sign": SIGNS[outcome.verdict],
        "headline": _cut(_said(outcome)[:1].upper() + _said(outcome)[1:]),
        "why": _cut(_why(outcome, metrics)),
        "facts": [(name, _cut(value)) for name, value in _facts(outcome) if value],
        "events": list(_events(outcome)) if is_measured else [],
        "metrics": list(_metrics(outcome, metrics, rows)),
        "not_evidence": list(_not_evidence(outcome)),
        "asked": list(_asked(outcome)),
        "assumed": assumed,
        "notes": [_cut(line) for line in closing_lines(outcome) if line not in assumed][:_MOST_LINES],
        "is_measured": is_measured,
    }


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]} ..."


def _said(outcome: CanaryOutcome) -> str:
    """The verdict's words without its name, code and time, which stand beside it."""
    return canary_headline(outcome).removeprefix(f"{outcome.verdict}: ").partition(f" ({outcome.reason_code})")[0]


def _why(outcome: CanaryOutcome, metrics: Sequence[MetricStatus]) -> str:
    """The figures that decided, in a sentence or two."""
    decided = next((one for one in metrics if one.reason_code == outcome.reason_code), metrics[0] if metrics else None)
    if decided is None:
        return outcome.notes[0] if outcome.notes else ""
    judgement = decided.judgement
    if judgement is None or not decided.canary.requests:
        return f"{decided.name}: {decided.text}" if decided.text else ""
    said = f"{decided.name}: {_counted_of(decided.canary)} of the canary's requests {_happened(decided.slower_than)}"
    if decided.baseline.requests:
        said += f", and {_counted_of(decided.baseline)} of the old version's"
    if judgement.ratio is not None:
        times = f"{judgement.ratio:.3g}"
        said += ": the same rate" if times == "1" else f": {times} times the rate"
    seen = judgement.passing
    limit = _limit_of(outcome, decided)
    if decided.reason_code == ABSOLUTE_LIMIT and limit is not None:
        said += f". That is surely above the limit of {spell_percent(100 * limit)}."
    elif judgement.e_value <= 1:
        said += ". Nothing speaks for its being worse."
    else:
        evidence = spell_evidence(judgement.e_value)
        said += f". The evidence that it is worse is {evidence}, and a fail needs {judgement.e_needed:.3g}."
    if outcome.verdict == PASS and seen is not None and seen.chance <= seen.level:
        times = "Twice" if seen.ratio == 2 else f"{seen.ratio:g} times"
        said += f" {times} as many {'errors' if decided.slower_than is None else 'slow requests'} are ruled out."
    elif decided.verdict == INCONCLUSIVE and seen is not None and seen.lacks:
        said += f" No pass: {seen.lacks}."
    return said


def _limit_of(outcome: CanaryOutcome, status: MetricStatus) -> float | None:
    metric = _metric_of(outcome, status.name)
    return metric.settings.max_error_rate if isinstance(metric, ErrorRate) else None


def _happened(slower_than: float | None) -> str:
    """What requests did that are counted."""
    return "failed" if slower_than is None else f"took longer than {spell_latency(slower_than)}"


def _counted_of(side: Counts) -> str:
    return f"{side.errors:,.0f} of {side.requests:,.0f} ({spell_percent(100 * side.errors / side.requests)})"


def _facts(outcome: CanaryOutcome) -> Iterator[tuple[str, str]]:
    facts = outcome.facts
    yield "Service", facts.service
    yield "Environment", facts.environment
    yield "Commit", facts.sha
    yield "Gate", outcome.gate
    yield "By", facts.by
    yield "Recording", facts.recording
    yield "Began", spell_instant(facts.started_at) if facts.started_at else ""
    if outcome.seconds is not None:
        planned = next((trace.analysis.horizon for trace in outcome.traces if trace.analysis), 0.0)
        is_short = planned > outcome.seconds
        of = f", of {spell_second(planned)} planned" if is_short else ""
        yield "Decided", f"after {spell_second(outcome.seconds)}{of}"
    yield "Reason code", outcome.reason_code
    yield "Incident", ", ".join(outcome.incident_ids)
    yield "Rollback", outcome.rollback


def _metrics(outcome: CanaryOutcome, metrics: Sequence[MetricStatus], rows: int) -> Iterator[MetricPart]:
    for status in metrics:
        figures: list[Figure] = []
        for trace in outcome.traces:
            if trace.ticks.get(status.name):
                shared = Picturing(trace, rows, bool(outcome.facts.recording), _end_of(outcome, trace))
                figures += metric_figures(shared, status)
        begun = [_BEGUN] if figures and not outcome.traces[0].ticks.get(status.name) else []
        lines = [_cut(line) for line in (*_conditions(outcome, status), *begun, *metric_lines(status, _UNFOLDED))]
        known = (status.name, status.verdict, SIGNS[status.verdict], status.reason_code, status.dry_run)
        yield MetricPart(*known, lines, figures)


_BEGUN = "its time is counted from full traffic on"


def _end_of(outcome: CanaryOutcome, trace: RunTrace) -> Moment:
    """The upright line at which a part of the run ended."""
    if trace is outcome.traces[-1]:
        return Moment(f"stop {outcome.verdict}", trace.at, outcome.verdict)
    return Moment("stop", trace.at, "full traffic")


def _metric_of(outcome: CanaryOutcome, name: str) -> Metric | None:
    analyses = [trace.analysis for trace in outcome.traces if trace.analysis is not None]
    return next((metric for one in analyses for metric in one.metrics if metric.name == name), None)


def _conditions(outcome: CanaryOutcome, status: MetricStatus) -> list[str]:
    metric = _metric_of(outcome, status.name)
    return conditions(metric) if isinstance(metric, ThresholdMetric) else []


def _events(outcome: CanaryOutcome) -> Iterator[RunEvent]:
    """Steps, warm-ups, holds and looks in their order, and the end; the watch counts on from full traffic."""
    base = 0.0
    for trace in outcome.traces:
        if trace.analysis is None:
            continue
        first = _ALL if trace is not outcome.traces[0] else "Measuring begins"
        found = [
            *_step_events(trace, first),
            *((at, "A look at a pass decided nothing: measured on.") for at in trace.looks),
        ]
        for at, text in sorted(found):
            yield RunEvent(spell_second(base + at), text)
        base += trace.at
    if outcome.seconds is not None:
        yield RunEvent(spell_second(outcome.seconds), f"{outcome.verdict.capitalize()}: {_said(outcome)}.")


_ALL = "All traffic; from here on only the absolute limit is asked"


def _step_events(trace: RunTrace, first: str) -> Iterator[tuple[float, str]]:
    if trace.begin:
        yield trace.begin, f"Goes on with what an earlier run counted, which the pictures leave out{_earlier(trace)}."
    for span in trace.spans.values():
        share = f"{span.weight} % of the traffic" if span.weight else first
        is_cold = span.counts_from > span.begin
        warm = f", with a warm-up until {spell_second(span.counts_from)}" if is_cold else ""
        if span.begin >= trace.begin:
            yield span.begin, f"{share}{warm}."
        if trace.at > span.planned and span.end > span.planned:
            held = spell_second(min(span.end, trace.at) - span.planned)
            yield span.planned, f"The step was held for {held}: the canary looked worse, and got no more traffic."


def _earlier(trace: RunTrace) -> str:
    metrics = {metric.name: metric for metric in trace.analysis.metrics} if trace.analysis else {}
    slow = {name: one.slower_than for name, one in metrics.items() if isinstance(one, ErrorRate)}
    known = [(name, canary) for name, (canary, _) in trace.earlier.items() if canary.requests]
    return "".join(f"; {name}: {_counted_of(canary)} {_happened(slow.get(name))}" for name, canary in known[:5])


def _not_evidence(outcome: CanaryOutcome) -> Iterator[NotEvidence]:
    for trace in outcome.traces:
        for name, ticks in trace.ticks.items():
            warm = [tick for tick in ticks if tick.state == WARMING_UP]
            if warm:
                parts = [list(some) for _, some in groupby(warm, key=lambda tick: span_at(trace, tick.at))]
                yield NotEvidence(name, "warm-up", len(warm), ", ".join(map(_between, parts)), "new traffic")
            by_reason: dict[str, list[MetricTick]] = {}
            for tick in without_data(ticks):
                by_reason.setdefault(tick.reason if tick.state != COUNTED else "", []).append(tick)
            for reason, some in by_reason.items():
                texts = list(dict.fromkeys(tick.text for tick in some if tick.text))
                more = f"; and {len(texts) - 3} more" if len(texts) > 3 else ""
                why = "; ".join(_cut(text, 160) for text in texts[:3]) + more
                yield NotEvidence(name, _REASONS.get(reason, reason), len(some), _between(some), why)


def _between(ticks: Sequence[MetricTick]) -> str:
    first, last = spell_second(ticks[0].at), spell_second(ticks[-1].at)
    return first if first == last else f"{first} to {last}"


def _asked(outcome: CanaryOutcome) -> Iterator[tuple[str, list[str]]]:
    """What each metric was asked for: (name, limits in words)."""
    for status in outcome.metrics:
        metric = _metric_of(outcome, status.name)
        if isinstance(metric, ThresholdMetric):
            yield status.name, [*conditions(metric), f"failures allowed: {_failures(metric)}"]
        elif isinstance(metric, ErrorRate):
            spoken = str if metric.slower_than is None else of_slow_requests
            yield status.name, [spoken(line) for line in _rate_limits(metric)]


def _failures(metric: ThresholdMetric) -> str:
    return "any number" if metric.threshold.failure_limit < 0 else f"{metric.threshold.failure_limit}"


def _rate_limits(metric: ErrorRate) -> Iterator[str]:
    settings = metric.settings
    if metric.slower_than is not None:
        yield f"A request is slow that took longer than {spell_latency(metric.slower_than)}."
    if settings.max_ratio is not None:
        times = "" if settings.max_ratio == 1 else f" {settings.max_ratio:g} times"
        yield f"It fails where it surely has more errors than{times} the old version."
        good = settings.good_error_rate
        below = "" if good is None else f", or its own rate is surely below {spell_percent(100 * good)} (goodErrorRate)"
        yield f"It passes where {settings.unacceptable_ratio:g} times as many errors are ruled out{below}."
    if settings.max_error_rate is not None:
        yield f"It may have {spell_percent(100 * settings.max_error_rate)} errors at most, whatever the old one has."
    if settings.min_error_rate is not None:
        yield f"It never fails below {spell_percent(100 * settings.min_error_rate)} errors."
    wrong = (spell_percent(100 * settings.alpha), spell_percent(100 * settings.beta))
    yield f"At most {wrong[0]} of good canaries fail, and {wrong[1]} of bad ones pass."
    yield f"There was a tick every {spell_duration(round(settings.interval))}."
