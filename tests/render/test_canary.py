"""A canary's verdict in words: only what was asked for, each thing once."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from incident_ops.canary.config import to_analysis
from incident_ops.canary.counters import NO_BASELINE, Counts, Gap
from incident_ops.canary.judgement import Judgement
from incident_ops.canary.needed import Needed
from incident_ops.canary.ratio_test import RatioInterval
from incident_ops.canary.replay import CanaryOutcome, outcome_of
from incident_ops.canary.run import advance, begin_run, judge_run
from incident_ops.canary.verdict import JoinedVerdict, MetricStatus, SideCounts, accepted
from incident_ops.canary.watch import watch_analysis
from incident_ops.render.canary import canary_summary, progress, to_text
from tests.canary.test_config import SIDE, gate

ALONE = {"name": "errors", "type": "errorRate", "canary": SIDE, "maxErrorRate": "5%"}
COMPARED = {"name": "errors", "type": "errorRate", "canary": SIDE, "baseline": SIDE}
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
    return replace(one, judgement=shown_as(one.judgement, assumption=assumption, block_seconds=span))


def shown_as(judgement: Judgement, **changes: Any) -> Judgement:
    """The same with other figures, those that are worked out among them."""
    worked_out = ("e_value", "e_needed", "ratio", "interval", "block_seconds", "assumption")
    names = (*Judgement.__struct_fields__, *worked_out)
    return cast("Judgement", SimpleNamespace(**{name: getattr(judgement, name) for name in names} | changes))


def test_a_dry_run_of_a_bad_canary_says_that_it_would_have_failed() -> None:
    """The words of the reason are for what nobody could decide."""
    told = to_text(outcome(gate(ALONE, dryRun=True), 150))
    assert told.startswith("overridden: it would have failed")
    assert "lets this result through" not in told
    undecided = to_text(outcome(gate({**ALONE, "unacceptableRatio": 1.01}, dryRun=True), 14))
    assert "would have failed" not in undecided


def test_what_is_needed_is_told_in_requests_ticks_and_minutes() -> None:
    """With the condition under which it is true."""
    found = outcome(gate(COMPARED), 0.15, baseline=Counts(1.35, 2700))
    assert found.verdict == "inconclusive"

    def told(*needed: float) -> str:
        return " ".join(to_text(replace(found, needed=Needed(*needed))).split())

    condition = "at this traffic, if it is as good as the baseline."
    assert f"about 1,056 more canary requests: 4 more ticks, 1m {condition}" in told(1055.2, 4, 60.0)
    assert f"about 1 more canary request: 1 more tick, 15s {condition}" in told(0.3, 1, 15.0)


def test_evidence_and_chances_are_for_people() -> None:
    """No powers of ten, no `432 of 100`; clumps and the test of a pass stand in words."""
    found = outcome(gate(COMPARED), 6, baseline=Counts(54, 2700))
    (metric,) = found.metrics
    judgement = metric.judgement
    assert judgement is not None
    seen = judgement.passing
    assert seen is not None

    def told(**changes: Any) -> str:
        changed = replace(metric, judgement=shown_as(judgement, **changes))
        return " ".join(to_text(replace(found, metrics=(changed,))).split())

    assert "evidence 432 (a fail needs 100)" in told(e_value=432.1)
    assert "evidence under 1 (a fail needs 100)" in told(e_value=9.86e-305)
    assert "evidence over 1,000,000 (a fail needs 100)" in told(e_value=1e300)
    assert "errors come in clumps (dispersion 3.25)" in told(phi=3.25)
    assert "errors come in clumps (dispersion 5,791)" in told(phi=5791.3)
    assert "clumps (" not in told(phi=1.0)
    assert "ratio 31.5 (10 to 32)" in told(ratio=31.46, interval=RatioInterval(10.9, 31.46))
    for chance, shown in ((0.001234, "0.12 %"), (1.0, "100 %"), (1e-9, "under 0.01 %")):
        figures = msgspec.structs.replace(seen, chance=chance)
        assert f"chance of so few errors {shown}, a pass needs 4 %" in told(passing=figures)
    figures = msgspec.structs.replace(seen, lacks="the last step is worse", reason="")
    undecided = replace(metric, verdict="inconclusive", judgement=msgspec.structs.replace(judgement, passing=figures))
    assert "no pass: the last step is worse" in to_text(replace(found, metrics=(undecided,)))


def test_what_is_not_enough_never_reads_as_if_it_were() -> None:
    """99.97 is not 100, nor is a chance of 4.04 % the 4 % that a pass needs."""
    status = measured(gate(COMPARED), 3, baseline=Counts(27, 2700)).metrics[0]
    judged = status.judgement
    assert judged is not None
    assert judged.passing is not None
    seen = msgspec.structs.replace(judged.passing, reason="", chance=0.0404, level=0.04)
    almost = shown_as(judged, verdict="inconclusive", e_value=99.97, passing=seen)
    shown = replace(status, verdict="inconclusive", reason_code="too_few_samples", judgement=almost)
    text = to_text(CanaryOutcome("g", "inconclusive", "too_few_samples", (shown,), 600))
    assert "evidence 99.9 (a fail needs 100)" in text
    assert "chance of so few errors 4.1 %, a pass needs 4 %" in " ".join(text.split())
