"""A run, tick by tick: one process over all steps, its ends, and the state that a re-run continues."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from incident_ops.canary.carry_on import carried_on
from incident_ops.canary.config import ErrorRate
from incident_ops.canary.evidence import begin_step
from incident_ops.canary.pass_test import look_levels, looks_left
from incident_ops.canary.run import (
    Owner,
    Run,
    advance,
    begin_run,
    due_metrics,
    extended_run,
    is_step_done,
    judge_run,
    judge_step,
    next_measurement,
    next_step,
    run_from_json,
    run_to_json,
    stage_of,
)
from incident_ops.canary.threshold import DATASOURCE_ERROR, SOURCE_TIMEOUT, RunEnd
from incident_ops.canary.verdict import NoAnswer, QueryResult
from incident_ops.deploy_gate.verdict import FAIL, INCONCLUSIVE, PASS
from incident_ops.errors import UserError
from tests.canary.analyses import BAD, FEW, GOOD, LATENCY, SILENT, analysis, fed

STEPS = [{"weight": 10, "duration": "5m"}, {"weight": 50, "duration": "5m"}]
OWNER = Owner("api", "production", "7be19f2", "g", "digest")


def new(gate: Any) -> Run:
    return begin_run(gate, {})


def test_a_run_passes_at_its_horizon_only() -> None:
    """One tick before it nothing is said."""
    gate = analysis()
    run = fed(gate, new(gate), *[GOOD] * 39)
    assert (judge_run(gate, run).verdict, judge_run(gate, run).is_final) == (INCONCLUSIVE, False)
    run = fed(gate, run, GOOD, begin=585)
    assert (judge_run(gate, run).verdict, judge_run(gate, run).is_final) == (PASS, True)


@pytest.mark.parametrize("ticks", range(41))
def test_an_early_end_is_never_a_success(ticks: int) -> None:
    """Wherever a good run is ended before its time, it is inconclusive."""
    gate = analysis()
    found = judge_run(gate, fed(gate, new(gate), *[GOOD] * ticks), None if ticks == 40 else RunEnd.EARLY)
    assert found.is_final
    assert (found.verdict, found.reason_code) == ((PASS, "ok") if ticks == 40 else (INCONCLUSIVE, SOURCE_TIMEOUT))


def test_evidence_goes_on_over_the_steps() -> None:
    """What is bad in both steps fails in the second, where neither alone would have; the counts are of both."""
    gate = analysis(steps=STEPS)
    run = fed(gate, new(gate), *[GOOD] * 20)
    assert is_step_done(gate, run)
    second = next_step(gate, run)
    assert second is not None
    assert stage_of(gate, second).weight == 50
    was, now = run.metrics["errors"].evidence, second.metrics["errors"].evidence
    assert was is not None
    assert now == begin_step(was)
    run = fed(gate, second, *[GOOD] * 20, begin=300)
    assert judge_run(gate, run).metrics[0].canary.requests == 12000
    assert next_step(gate, run) is None


def test_a_step_without_data_is_not_left() -> None:
    """Silence, and a source that does not answer."""
    gate = analysis(steps=STEPS)
    assert next_step(gate, fed(gate, new(gate), *[SILENT] * 20)) is None
    assert next_step(gate, fed(gate, new(gate), *[GOOD] * 17, *[SILENT] * 4)) is None
    assert next_step(gate, fed(gate, new(gate), *[GOOD] * 16, *[NoAnswer("503")] * 4)) is None
    assert next_step(gate, fed(gate, new(gate), *[FEW] * 20)) is not None


def test_errors_of_the_source_end_the_run_after_the_fifth_in_a_row() -> None:
    """Four are borne, and an answer begins the count anew."""
    gate, error = analysis(), NoAnswer("HTTP 503")
    run = fed(gate, new(gate), *[error] * 4, GOOD, *[error] * 4)
    assert not judge_run(gate, run).is_final
    found = judge_run(gate, fed(gate, run, error, begin=135))
    assert (found.verdict, found.reason_code, found.is_final) == (INCONCLUSIVE, DATASOURCE_ERROR, True)


def test_an_answer_of_another_kind_is_none() -> None:
    """A value where counts were asked for, counts where a value was."""
    gate = analysis({"name": "errors", "type": "errorRate"}, LATENCY)
    run = new(gate)
    for number in range(1, 6):
        run = advance(gate, run, 60.0 + 15 * number, {"errors": QueryResult(0.1), "p99": GOOD})
    assert {one.reason_code for one in judge_run(gate, run).metrics} == {DATASOURCE_ERROR}


def test_no_data_may_be_a_fail() -> None:
    """`onNoData: fail`, at the end."""
    gate = analysis(onNoData="fail")
    found = judge_run(gate, fed(gate, new(gate), *[SILENT] * 40))
    assert (found.verdict, found.reason_code) == (FAIL, "no_canary_traffic")


def test_a_clock_that_does_not_move_ends_the_run() -> None:
    """The turns of its time are used up: inconclusive."""
    gate = analysis()
    run = new(gate)
    for _ in range(50):
        assert not judge_run(gate, run).is_final
        run = advance(gate, run, 15.0, {"errors": GOOD})
    found = judge_run(gate, run)
    assert (found.is_final, found.verdict) == (True, INCONCLUSIVE)


def test_each_metric_is_asked_at_its_own_times() -> None:
    """An error rate at multiples of the interval and at the horizon, a threshold metric by its own and after 10 s again
    when its source erred."""
    gate = analysis(
        {"name": "errors", "type": "errorRate"},
        {**LATENCY, "interval": "1m", "initialDelay": "0s"},
        interval="45s",
        warmup="0s",
    )
    run, times = new(gate), []
    while run.at < run.horizon:
        at = next_measurement(gate, run)
        names = [one.name for one in due_metrics(gate, run, at)]
        times.append((at, names))
        answers = {"errors": FEW, "p99": NoAnswer("503") if at == 120 else QueryResult(0.1)}
        run = advance(gate, run, at, {name: answers[name] for name in names})
    assert times[:6] == [
        (0, ["p99"]),
        (45, ["errors"]),
        (60, ["p99"]),
        (90, ["errors"]),
        (120, ["p99"]),
        (130, ["p99"]),
    ]
    assert times[-1] == (600, ["errors"])


def test_only_what_more_ticks_can_change_is_extended() -> None:
    """Too few samples: yes. A pass, or a metric that ended by itself: no."""
    extend = {"onInconclusive": {"extend": {"max": "20m"}}}
    gate = analysis(**extend)
    run = fed(gate, new(gate), *[FEW] * 40)
    longer = extended_run(gate, run, judge_run(gate, run))
    assert longer is not None
    assert (longer.horizon, judge_run(gate, longer).is_final) == (1200, False)
    run = fed(gate, new(gate), *[GOOD] * 40)
    assert extended_run(gate, run, judge_run(gate, run)) is None
    run = fed(gate, new(gate), *[GOOD] * 35, *[NoAnswer("503")] * 5)
    assert extended_run(gate, run, judge_run(gate, run)) is None


def test_a_state_goes_on_as_if_nothing_had_been() -> None:
    """Saved and read after every tick, a run ends with the very same evidence."""
    gate = analysis(steps=STEPS)
    straight = through = new(gate)
    for number in range(1, 41):
        answer = BAD if number % 7 == 0 else GOOD
        straight = advance(gate, straight, 15.0 * number, {"errors": answer})
        through = advance(gate, through, 15.0 * number, {"errors": answer})
        through, started, has_ended = run_from_json(
            run_to_json(gate, through, OWNER, "2025-01-26T12:00:00Z"), gate, OWNER
        )
        assert (started, has_ended) == ("2025-01-26T12:00:00Z", False)
    assert through == straight


def _state(**changes: Any) -> str:
    gate = analysis()
    data = json.loads(run_to_json(gate, fed(gate, new(gate), GOOD), OWNER, "2025-01-26T12:00:00Z"))
    return json.dumps({**data, **changes})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "not a canary run"),
        (_state(schema=1), "has version 1, not 2"),
        (_state(verdict="pass"), "has ended: pass"),
        (_state(metrics={}), "other metrics"),
        (_state(stage=7), "damaged"),
        (_state(look=0), "damaged"),
        (_state(at=-1.0), "damaged"),
        (_state(owner={**json.loads(_state())["owner"], "sha": "other"}), "belongs to sha 'other'"),
        (_state(owner={**json.loads(_state())["owner"], "digest": "x"}), "another version of the gate file"),
        (_state(extra=1), "cannot be read"),
    ],
)
def test_a_state_of_something_else_is_refused(text: str, said: str) -> None:
    """Never taken for a beginning, never a pass."""
    with pytest.raises(UserError, match=said):
        run_from_json(text, analysis(), OWNER)


def test_only_an_inconclusive_run_goes_on_and_only_where_that_is_asked_for() -> None:
    """Whatever else it ended with stays its last word."""
    gate = analysis()
    run = fed(gate, new(gate), *[FEW] * 40)
    kept = run_to_json(gate, run, OWNER, "2025-01-26T12:00:00Z", INCONCLUSIVE)
    with pytest.raises(UserError, match="has ended: inconclusive"):
        run_from_json(kept, gate, OWNER)
    found = run_from_json(kept, gate, OWNER, carries_on=True)
    assert (found.run, found.has_ended) == (run, True)
    for verdict in ("pass", "fail", "overridden"):
        with pytest.raises(UserError, match=f"has ended: {verdict}"):
            run_from_json(run_to_json(gate, run, OWNER, "now", verdict), gate, OWNER, carries_on=True)


def test_a_run_that_is_carried_on_keeps_its_evidence_and_counts_its_looks() -> None:
    """Five minutes more, another look; what ended early was not looked at, what is over is refused."""
    gate = analysis(LATENCY, {"name": "errors", "type": "errorRate"})
    run = fed(gate, new(gate), *[FEW] * 40)
    longer = carried_on(gate, run, 300.0)
    assert (longer.horizon, longer.look, longer.at) == (900, 2, 600)
    before, after = run.metrics["errors"].evidence, longer.metrics["errors"].evidence
    assert before is not None
    assert after is not None
    assert after.ratio is not None
    assert msgspec.structs.replace(after, ratio=before.ratio) == before
    assert after.ratio.starts.until == 60
    assert not judge_run(gate, longer).is_final
    for seconds, horizon in ((1.0, 600), (300.0, 885)):
        early = carried_on(gate, fed(gate, new(gate), *[FEW] * 39), seconds)
        assert (early.horizon, early.look) == (horizon, 1)
    gone = run
    for _ in range(5):
        gone = advance(gate, gone, 600.0, {"p99": NoAnswer("HTTP 503")})
    assert judge_run(gate, gone).reason_code == DATASOURCE_ERROR
    assert carried_on(gate, gone, 300.0).metrics["p99"].totals.errors == 5
    slow = advance(gate, run, 600.0, {"p99": QueryResult(9.0)})
    with pytest.raises(UserError, match="more ticks cannot change that"):
        carried_on(gate, slow, 300.0)


def test_a_run_is_carried_on_three_times_and_all_looks_together_spend_beta_once() -> None:
    """A further look would let a bad canary pass more often than promised: it is refused, with what can be done."""
    gate = analysis({"name": "errors", "type": "errorRate"})
    run = fed(gate, new(gate), *[FEW] * 40)
    settings = next(metric.settings for metric in gate.metrics if isinstance(metric, ErrorRate))
    spent = [look_levels(settings, 1, 1.0)[0]]
    for left in (2, 1, 0):
        run = msgspec.structs.replace(carried_on(gate, run, 15.0), at=run.at + 15.0)
        assert looks_left(run.look) == left
        spent.append(look_levels(settings, run.look, 1.0)[0])
    assert sum(spent) == pytest.approx(settings.beta)
    with pytest.raises(UserError, match="carried on 3 times") as refused:
        carried_on(gate, run, 15.0)
    assert "roll back" in refused.value.hint
    damaged = run_to_json(gate, msgspec.structs.replace(run, look=5), OWNER, "now", INCONCLUSIVE)
    with pytest.raises(UserError, match="damaged"):
        run_from_json(damaged, gate, OWNER, carries_on=True)


def test_a_step_before_the_last_never_ends_with_a_pass() -> None:
    """Its end is no look: else a pass would be asked twice."""
    gate = analysis(steps=STEPS)
    found = judge_step(gate, fed(gate, new(gate), *[GOOD] * 20))
    assert (found.verdict, found.is_whole) == (INCONCLUSIVE, False)
