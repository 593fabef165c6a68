"""A canary's verdict in words: only what was asked for, each thing once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from incident_ops.canary.config import to_analysis
from incident_ops.canary.counters import NO_BASELINE, Counts, Gap
from incident_ops.canary.judgement import Needed
from incident_ops.canary.replay import CanaryOutcome, outcome_of
from incident_ops.canary.run import advance, begin_run, judge_run, watch_analysis
from incident_ops.canary.verdict import JoinedVerdict, MetricStatus, SideCounts, accepted
from incident_ops.render.canary import canary_summary, progress, to_text
from tests.canary.test_config import SIDE, gate

ALONE = {"name": "errors", "type": "errorRate", "canary": SIDE, "maxErrorRate": "5%"}
NOBODY = Gap(NO_BASELINE, "no baseline is asked for")


def measured(data: dict[str, Any], errors: float, *, watched: bool = False, baseline: Any = None) -> JoinedVerdict:
    analysis = to_analysis(data)
    analysis = watch_analysis(analysis) if watched else analysis
    run = begin_run(analysis, {one.name: [] for one in analysis.metrics})
    at = 0.0
    while at < analysis.horizon:
        at += analysis.interval
        answer = SideCounts(Counts(errors, 300), baseline or NOBODY)
        run = advance(analysis, run, at, {one.name: answer for one in analysis.metrics})
        if judge_run(analysis, run).is_final:
            break
    return accepted(analysis, judge_run(analysis, run))


def outcome(data: dict[str, Any], errors: float, **words: Any) -> CanaryOutcome:
    return replace(outcome_of("g", measured(data, errors, **words), 600, {}), is_dry=data["spec"].get("dryRun", False))


def test_a_metric_without_a_baseline_shows_no_ratio_and_does_not_miss_one() -> None:
    """Its rate stands there; nobody asked for the rest."""
    found = outcome(gate(ALONE), 3)
    for text in (to_text(found), canary_summary(found), progress(found.metrics[0])):
        assert "(1 %), limit 5 %" in text
        for noise in ("unknown", "no baseline is asked for", "no requests"):
            assert noise not in text, text


def test_a_baseline_that_was_asked_for_and_is_silent_is_told() -> None:
    """The other case: there is something to miss."""
    both = {**ALONE, "baseline": SIDE}
    found = outcome(gate(both), 3, baseline=Gap(NO_BASELINE, "the baseline gives no counts"))
    assert "ratio unknown" in to_text(found)
    assert "the baseline gives no counts" in to_text(found)


def test_of_a_metric_and_its_watch_the_stricter_assumption_is_told_once() -> None:
    """Errors within 15 s also come within 30 s. Another metric's own assumption stays."""
    both = {**ALONE, "baseline": SIDE}
    run = outcome(gate(both), 3, baseline=Counts(27, 2700))
    watch = outcome(gate(both), 3, watched=True)
    assert to_text(replace(run, metrics=(*run.metrics, *watch.metrics))).count("Assumes that") == 1
    (first,), (second,) = run.metrics, watch.metrics
    longer, shorter = assuming(first, "Within 30 s.", 30.0), assuming(second, "Within 15 s.", 15.0)
    text = to_text(replace(run, metrics=(longer, shorter)))
    assert ("Within 15 s." in text, "Within 30 s." in text) == (True, False)
    text = to_text(replace(run, metrics=(longer, replace(shorter, name="others"))))
    assert ("Within 15 s." in text, "Within 30 s." in text) == (True, True)


def assuming(one: MetricStatus, assumption: str, span: float) -> MetricStatus:
    """The same, resting on something else."""
    assert one.judgement is not None
    return replace(one, judgement=msgspec.structs.replace(one.judgement, assumption=assumption, block_seconds=span))


def test_a_dry_run_of_a_bad_canary_says_that_it_would_have_failed() -> None:
    """The words of the reason are for what nobody could decide."""
    told = to_text(outcome(gate(ALONE, dryRun=True), 150))
    assert told.startswith("overridden: it would have failed")
    assert "lets this result through" not in told
    undecided = to_text(outcome(gate({**ALONE, "unacceptableRatio": 1.01}, dryRun=True), 14))
    assert "would have failed" not in undecided


def test_a_wait_of_nothing_is_not_told() -> None:
    """What is needed still, and how long that takes where it takes time."""
    found = outcome(gate(ALONE), 15)
    assert found.verdict == "inconclusive"
    told = to_text(replace(found, needed=Needed(56, 0.2)))
    assert "about 56 more canary requests." in told
    assert "about 56 more canary requests (1m at this traffic)." in to_text(replace(found, needed=Needed(56, 60.0)))
