"""A live run: ticks by the clock, steps of the rollout, and the state that a re-run continues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.adapters.ticking import Ticking
from incident_ops.cli.canary_sampling import Sampler
from incident_ops.errors import Incomplete
from incident_ops.gate.config import Analysis, ErrorRate
from incident_ops.gate.counters import Counts, Gap
from incident_ops.gate.joined import Joined
from incident_ops.gate.outcome import Curves
from incident_ops.gate.run import (
    Run,
    advance,
    asked,
    begin_run,
    extended,
    is_blind,
    is_step_done,
    judged,
    next_at,
    next_step,
    stage_of,
    step_judged,
)
from incident_ops.gate.steps import stages
from incident_ops.gate.tick import Answer
from incident_ops.model.measured import Tick


class Ended(NamedTuple):
    """Where a run ended; `next_weight` where only a step did, and the next one may be taken."""

    run: Run
    joined: Joined
    next_weight: int | None = None


@dataclass
class Live:
    """What a live run is driven with: clock, source, and whom it tells.

    `on_step` is called with the weight of each step before it is measured, `keep` after every tick with what is known,
    `tell` with where everything stands. `one_step`: end with the step, for pipelines with a job for each.
    """

    ticking: Ticking
    sampler: Sampler
    on_step: Callable[[int], None]
    keep: Callable[[Run], None]
    tell: Callable[[Run, Joined], None]
    one_step: bool = False
    curves: Curves = field(default_factory=Curves)
    _since: datetime | None = None
    _from: float = 0.0
    _asked: dict[str, float] = field(default_factory=dict)

    def begin(self, analysis: Analysis, note: Callable[[str], None]) -> Run:
        """A new run with the baseline's errors of before; `note` is told what of it could not be read."""
        lookbacks: dict[str, list[Counts | Gap]] = {}
        for metric in analysis.metrics:
            if isinstance(metric, ErrorRate):
                try:
                    lookbacks[metric.name] = self.sampler.lookback(metric, self.ticking.now())
                except Incomplete as error:
                    note(f"{metric.name}: the baseline before the run could not be read: {error}")
        return begin_run(analysis, lookbacks)

    def measure(self, analysis: Analysis, run: Run) -> Ended:
        """Drives a run to its verdict, or with `one_step` to the end of its step."""
        self._enter(analysis, run)
        while True:
            joined = judged(analysis, run)
            self.tell(run, joined)
            if joined.is_final:
                longer = extended(analysis, run, joined)
                if longer is None:
                    return Ended(run, joined)
                run = longer
                continue
            if is_step_done(analysis, run) and run.stage + 1 < len(stages(analysis)):
                following = next_step(analysis, run)
                if following is None:
                    return Ended(run, step_judged(analysis, run))
                if not is_blind(analysis, run):
                    if self.one_step:
                        self.keep(following)
                        return Ended(following, step_judged(analysis, run), stage_of(analysis, following).weight)
                    run = following
                    self._enter(analysis, run)
            run = self._tick(analysis, run)
            self.keep(run)
            self.curves.add(judged(analysis, run))

    def _enter(self, analysis: Analysis, run: Run) -> None:
        """Gives a step its traffic and counts from there: what is waited for is not measured."""
        weight = stage_of(analysis, run).weight
        if weight:
            self.on_step(weight)
        self._since, self._from = self.ticking.now(), run.at
        self._asked = {}
        self.sampler.start(analysis, self._since)

    def _tick(self, analysis: Analysis, run: Run) -> Run:
        target = next_at(analysis, run)
        at = self._reach(run, target, analysis.interval)
        due = max(at, target)
        end = (self._since or self.ticking.now()) + timedelta(seconds=due - self._from)
        answers: dict[str, Answer] = {}
        for metric in asked(analysis, run, due):
            seconds = due - self._asked.get(metric.name, self._from)
            answers[metric.name] = self.sampler.ask(metric, Tick(end, max(seconds, 1.0)))
            self._asked[metric.name] = due
        return advance(analysis, run, at, answers)

    def _reach(self, run: Run, target: float, interval: float) -> float:
        """Waits for second `target` of the run -> the second it is then.

        An earlier one where the clock stood still or was put back: that is a turn, too, so that the run ends.
        """
        at = self._second()
        while at < target:
            self.ticking.wait(min(target - at, interval))
            before, at = at, self._second()
            if at <= max(before, run.at) and at < target:
                return at
        return target if at - target < interval else at

    def _second(self) -> float:
        now = self.ticking.now()
        return self._from + (now - (self._since or now)).total_seconds()
