"""A recording of a live run, judged again: the same verdict at the same second, whatever was answered on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from incident_ops.app.canary_samples import LiveRun, Sampler
from incident_ops.canary.config import Analysis, Metric
from incident_ops.canary.counters import NO_NEW_SAMPLE, NO_SAMPLES, Counts, Gap
from incident_ops.canary.replay import RecordedTick, replay_ticks
from incident_ops.canary.run import begin_run
from incident_ops.canary.verdict import SideCounts, accepted
from incident_ops.domain.ports import Tick
from tests.canary.analyses import BAD, FEW, GOOD, SILENT, analysis
from tests.cli.canary_scene import BEGIN, Clock
from tests.support.laws import law

WORSE = SideCounts(Counts(11, 300), Counts(54, 2700))
BROKEN = SideCounts(Counts(25, 50), Counts(2, 20))
DEAD = SideCounts(Counts(300, 300), Counts(54, 2700))
STALE = SideCounts(Gap(NO_NEW_SAMPLE, "no new sample"), Gap(NO_NEW_SAMPLE, "no new sample"))
ALONE = SideCounts(Counts(200, 300), Gap(NO_SAMPLES, "none"))
STEPS = [{"weight": 10, "duration": "3m"}, {"weight": 50, "duration": "3m"}, {"weight": 75, "duration": "3m"}]
GATES: list[dict[str, Any]] = [
    {},
    {"duration": "3m", "onInconclusive": {"extend": {"max": "9m"}}},
    {"steps": STEPS},
    {"steps": STEPS, "warmup": "0s", "onInconclusive": "pass"},
    {"steps": STEPS, "earlyPass": True, "clumpSpan": "30s"},
]
ONES = st.sampled_from([GOOD, GOOD, GOOD, FEW, BAD, WORSE, BROKEN, DEAD, SILENT, STALE, ALONE])
ANSWERS = st.lists(st.tuples(ONES, st.integers(1, 15)), min_size=1, max_size=12)


class _Answering:
    """Answers one after the other, the last one again and again, and the recording of them."""

    def __init__(self, answers: Sequence[SideCounts]) -> None:
        self.answers, self.recorded = list(answers), list[RecordedTick]()

    def start(self, _analysis: Analysis, _at: datetime) -> None:
        """Nothing is counted from anywhere."""

    def ask(self, _metric: Metric, tick: Tick) -> SideCounts:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.recorded.append(RecordedTick((tick.end - BEGIN).total_seconds(), answer.canary, answer.baseline))
        return answer


@pytest.mark.parametrize("spec", GATES)
@law("a replay is the run", whole=500, sample=10)
@example(segments=[(GOOD, 11), (BROKEN, 1), (SILENT, 1), (GOOD, 40)], limit="none", jump=0.0)
@example(segments=[(GOOD, 10), (BROKEN, 1), (SILENT, 1), (GOOD, 40)], limit="none", jump=0.0)
@example(segments=[(GOOD, 40)], limit="5%", jump=1000.0)
@example(segments=[(BAD, 3), (GOOD, 40)], limit="none", jump=100.0)
@given(segments=ANSWERS, limit=st.sampled_from(["none", "5%"]), jump=st.sampled_from([0.0, 20.0, 100.0, 1000.0]))
def test_a_replay_of_what_was_seen_is_the_run(
    spec: dict[str, Any], segments: list[tuple[SideCounts, int]], limit: str, jump: float
) -> None:
    """Verdict, reason, seconds, evidence tick by tick and the counts; over steps that are held or wait, and a jump."""
    gate = analysis({"name": "errors", "type": "errorRate", "maxErrorRate": limit}, **spec)
    source = _Answering([answer for answer, ticks in segments for _ in range(ticks)])
    sampler, clock = cast("Sampler", source), cast("Any", Clock({9: jump}))
    live = LiveRun(clock, sampler, lambda weight: None, lambda run: None, lambda run, joined: None)
    ended = live.measure(gate, begin_run(gate, {}))
    joined, again = accepted(gate, ended.joined), replay_ticks(gate, source.recorded)
    assert (again.verdict, again.reason_code, again.seconds) == (joined.verdict, joined.reason_code, ended.run.at)
    assert again.curves == live.trace.curves
    for one, other in zip(again.metrics, joined.metrics, strict=True):
        assert (one.canary, one.baseline, one.text) == (other.canary, other.baseline, other.text)
