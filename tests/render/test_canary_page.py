"""The page of a canary run: what stands on it, that it is sound HTML, safe and small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from incident_ops.canary.config import to_analysis
from incident_ops.canary.counters import Counts, Gap
from incident_ops.canary.replay import CanaryOutcome, RecordedTick, replay_ticks
from incident_ops.canary.trace import COUNTED, MetricTick, RunFacts, RunTrace, StepSpan
from incident_ops.deploy_gate.verdict import FAIL, FROZEN, INCONCLUSIVE, OVERRIDDEN, PASS
from incident_ops.render.canary_page import canary_page
from tests.canary.test_config import SIDE, gate
from tests.support.golden import assert_golden
from tests.support.hostile import hostile_text
from tests.support.html_page import HtmlPage, faults

GOLDEN = Path(__file__).with_name("golden") / "canary-page.html"
COMPARED = {"name": "errors", "type": "errorRate", "canary": SIDE, "baseline": SIDE}
FACTS = RunFacts("checkout", "production", "7be19f2", "@alice", "2025-01-26T14:00:00Z", "counts.csv")
STEPS = [{"weight": 10, "duration": "2m"}, {"weight": 50, "duration": "2m"}, {"weight": 100}]


def replayed(count: int = 16, errors: float = 3, spec: dict[str, Any] | None = None) -> CanaryOutcome:
    """A recording of two steps with a tick that brought nothing."""
    data = gate(COMPARED, warmup="15s", steps=STEPS, **(spec or {}))
    lines = [RecordedTick(-15.0 * n, Gap("no_data", ""), Counts(27, 2700)) for n in range(20, -1, -1)]
    for n in range(1, count + 1):
        side: Counts | Gap = Counts(errors, 300) if n != 3 else Gap("no_data", "canary requests: not a number: 'x'")
        lines.append(RecordedTick(15.0 * n, side, Counts(27, 2700) if n <= 8 else Counts(3, 300)))
    return replace(replay_ticks(to_analysis(data), lines), facts=FACTS)


def test_a_small_page_byte_for_byte() -> None:
    """The verdict first, then why, when, and the pictures with their tables."""
    assert_golden(GOLDEN, canary_page(replayed(16, 60)))


def test_the_same_run_gives_the_same_page() -> None:
    """Nothing of the moment or the machine stands on it."""
    assert canary_page(replayed()) == canary_page(replayed())


def test_the_verdict_comes_first_with_its_reason_its_time_and_whose_it_is() -> None:
    """In one glance: what, why, when, which service, where, which commit, who."""
    text = HtmlPage(canary_page(replayed(16, 60))).text
    head = text.partition("How it went")[0]
    for words in (
        "✕ fail",
        "The canary has more errors than the baseline",
        "of the canary's requests failed",
        "and a fail needs 100",
        "Service checkout",
        "Environment production",
        "Commit 7be19f2",
        "By @alice",
        "Began 2025-01-26 14:00 UTC",
        "Decided after ",
        ", of 4m planned",
    ):
        assert words in head, words


def test_the_pictures_say_in_words_what_they_show() -> None:
    """Steps, warm-ups, limits, both sides, share and what was no evidence, without seeing anything."""
    page = HtmlPage(canary_page(replayed(16, 3)))
    said = " ".join(one["aria-label"] for one in page.of("svg") if one.get("role") == "img")
    for words in (
        "Evidence that the canary is worse. There was none; a fail needs 100.",
        "Errors of both sides. Without the warm-up: canary 1 % of ",
        "Requests per second. Canary 20; old version 20 to 180 requests a second.",
        "where 10 % was declared", "where 50 % was declared",
    ):  # fmt: skip
        assert words in said, words
    for words in (
        "10 % of the traffic, with a warm-up until 15s.",
        "50 % of the traffic, with a warm-up until 2m 15s.",
        "no data that can be counted 1 45s canary requests: not a number: 'x'",
        "warm-up 2 15s, 2m 15s",
    ):
        assert words in page.text, words


@pytest.mark.parametrize("outcome", [
    replayed(16, 30), replayed(), replayed(3), replayed(1), replayed(2, 0),
    CanaryOutcome("g", FROZEN, "deploy_freeze", is_held=True, notes=("held until Monday",)),
    CanaryOutcome("g", INCONCLUSIVE, "config_error"),
], ids=["fail", "pass", "early", "one tick", "no error", "frozen", "refused"])  # fmt: skip
def test_every_page_is_sound(outcome: CanaryOutcome) -> None:
    """Balanced, no script, nothing from elsewhere, every picture with words, a caption and a table."""
    assert faults(canary_page(outcome)) == []


def test_colour_is_never_alone() -> None:
    """A word and a sign for each verdict; dashes and marks for each line."""
    for verdict, sign in ((PASS, "✓"), (FAIL, "✕"), (INCONCLUSIVE, "?"), (FROZEN, "‖"), (OVERRIDDEN, "!")):
        assert f"{sign} {verdict}" in HtmlPage(canary_page(CanaryOutcome("g", verdict, "ok"))).text
    page = canary_page(replayed())
    assert 'class="dot canary"' in page
    assert 'class="square baseline"' in page
    assert "stroke-dasharray" in page


def hostile(seed: int) -> CanaryOutcome:
    """A run all of whose texts were written by somebody who wants a page to do something."""

    def bad(place: str) -> str:
        fixed = "\"'><script>alert(1)</script><img src=x onerror=y>{{7*7}}\u202e\0\x1b[31m"
        return f"{fixed}{hostile_text(f'{place} {seed}')}"

    outcome = replayed(12, 3)
    trace, name = outcome.traces[0], bad("metric")
    metrics = tuple(replace(one, name=name, text=bad("text")) for one in outcome.metrics)
    assert trace.analysis is not None
    trace.analysis = replace(
        trace.analysis, name=bad("gate"), metrics=tuple(replace(one, name=name) for one in trace.analysis.metrics)
    )
    trace.ticks = {
        name: [
            tick._replace(text=bad("tick"), reason=bad("reason") if tick.reason else "")
            for tick in trace.ticks["errors"]
        ]
    }
    whose = [bad(part) for part in ("service", "environment", "sha", "by")]
    facts = RunFacts(*whose, "2025-01-26T14:00:00Z", bad("file"))
    said = {"notes": (bad("note"),), "incident_ids": (bad("id"),), "facts": facts}
    return replace(outcome, gate=bad("gate"), metrics=metrics, **said)


@pytest.mark.parametrize("seed", range(25))
def test_nothing_that_a_stranger_wrote_acts(seed: int) -> None:
    """Names, texts, notes and reasons stand there as they were typed; not one becomes an element or an attribute."""
    text = canary_page(hostile(seed))
    page = HtmlPage(text)
    assert [one for one in faults(text) if one != "it names something elsewhere"] == []
    assert "<script>alert(1)</script>" in page.text
    assert "{{7*7}}" in page.text
    assert [name for name, _ in page.elements].count("script") == 0


def long_run(metrics: int, ticks: int) -> CanaryOutcome:
    """A run with so many metrics and ticks, every fifth without data, each for a reason of its own."""
    outcome = replayed(12, 3)
    known, trace = outcome.metrics[0], RunTrace()
    whole = to_analysis(gate(metrics=[{**COMPARED, "name": f"errors-{n}"} for n in range(metrics)]))
    trace.analysis, trace.at, trace.horizon = whole, 15.0 * ticks, 15.0 * ticks
    part = trace.at / 50
    trace.spans = {n: StepSpan(n + 1, part * n, part * (n + 0.1), part * (n + 1), part * (n + 1)) for n in range(50)}
    for metric in whole.metrics:
        trace.ticks[metric.name] = [
            MetricTick(15.0 * n, "no data", "no_data", f"{n} is not a number" * 20) if n % 5 == 0 else
            MetricTick(15.0 * n, COUNTED, "", "", Counts(n % 7, 12345), Counts(n % 11, 123456), float(1 + n % 97))
            for n in range(1, ticks + 1)
        ]  # fmt: skip
    statuses = tuple(replace(known, name=metric.name, text="t" * 5000) for metric in whole.metrics)
    return replace(outcome, metrics=statuses, traces=(trace,), notes=("n" * 5000,) * 500)


@pytest.mark.slow
@pytest.mark.parametrize(("metrics", "ticks"), [(1, 20_000), (20, 600), (1, 40), (20, 40)])
def test_a_page_is_smaller_than_a_megabyte(metrics: int, ticks: int) -> None:
    """A day of one metric, hours of twenty: what is shown is thinned, what decided stays."""
    text = canary_page(long_run(metrics, ticks))
    assert len(text.encode()) < 1_000_000
    assert faults(text) == []
    assert f"The highest was {min(ticks, 97)}" in text


def test_thinning_keeps_every_count() -> None:
    """The rows of a table sum up to what the verdict counted."""
    outcome = long_run(1, 5_000)
    ticks = outcome.traces[0].ticks["errors-0"]
    errors, total = (sum(tick.canary[place] for tick in ticks if tick.canary) for place in (0, 1))
    said = HtmlPage(canary_page(outcome)).text
    assert f"canary {100 * errors / total:.3g} % of {total:,.0f} requests" in said


def test_only_what_was_asked_is_an_answer() -> None:
    """A metric that a run never measured has no picture, and the page still says its verdict."""
    outcome = replace(replayed(), traces=(RunTrace(),))
    page = HtmlPage(canary_page(outcome))
    assert not page.of("figure")
    assert "Nothing was measured." in page.text


def test_a_metric_of_slow_requests_speaks_of_slow_requests() -> None:
    """Not one word of errors: in the reason, the picture, its table, and what the verdict rests on."""
    slow = {"name": "latency", "type": "slowRate", "slowerThan": "500ms", "maxSlowRate": "50%",
            "canary": {"slow": "a", "requests": "b"}, "baseline": {"slow": "c", "requests": "d"}}  # fmt: skip
    for errors in (3, 60):
        sides = (Counts(errors, 300), Counts(27, 2700))
        lines = [RecordedTick(15.0 * n, *sides, *sides) for n in range(-20, 17)]
        page = HtmlPage(canary_page(replay_ticks(to_analysis(gate(slow, warmup="15s", steps=STEPS)), lines)))
        for words in (
            "of the canary's requests took longer than 500 ms",
            "Slow requests of both sides",
            "A request is slow that took longer than 500 ms.",
            "more slow requests than the old version",
            "It may have 50 % slow requests",
        ):
            assert words in page.text, words
        assert "error" not in page.text.lower(), page.text


def test_the_time_of_a_count_is_that_of_the_source_it_came_from() -> None:
    """Running totals cover the ticks before that brought nothing; the gate's own provider does not matter then."""
    own = {**COMPARED, "provider": {"newRelic": {"datasource": "b"}}}
    other = {"name": "other", "type": "threshold", "query": "q", "successCondition": "result < 1"}
    analysis = to_analysis(gate(metrics=[own, other]))
    missing = MetricTick(30.0, "no data", "no_samples")
    counted = [MetricTick(at, COUNTED, "", "", Counts(1, 150), Counts(1, 150), 1.0) for at in (15.0, 45.0)]
    trace = RunTrace(analysis=analysis, at=45.0, horizon=45.0, ticks={"errors": [counted[0], missing, counted[1]]})
    trace.spans = {0: StepSpan(10, 0.0, 0.0, 45.0, 45.0)}
    for number, said in ((0, "Canary 10;"), (1, "Canary 5 to 10;")):
        metrics = tuple(replace(one, provider=None) for one in analysis.metrics) if number else analysis.metrics
        trace.analysis = replace(analysis, metrics=metrics)
        statuses = tuple(replace(one, name="errors") for one in replayed().metrics)
        page = HtmlPage(canary_page(replace(replayed(), metrics=statuses, traces=(trace,), facts=RunFacts())))
        labels = " ".join(one["aria-label"] for one in page.of("svg") if one.get("role") == "img")
        assert f"Requests per second. {said}" in labels, labels
