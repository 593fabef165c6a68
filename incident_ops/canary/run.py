"""A run of a gate: what is known of all its metrics after each tick, and the verdict that this gives.

The steps of a rollout (10 -> 50 -> 100 percent) share one process of evidence. Pure: who drives it brings the seconds
of the run and the answers. Only time that is measured counts, so a run that was interrupted goes on where it was.

As a file that a re-run continues it is versioned, and refused where it belongs to something else. The evidence of each
error rate is a part of it, with the settings it was gathered for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

import msgspec

from incident_ops.canary.config import EXTEND, FULL, Analysis, ErrorRate, Metric, ThresholdMetric
from incident_ops.canary.counters import Counts, Gap
from incident_ops.canary.evidence import Evidence, begin_step
from incident_ops.canary.evidence_settings import MULTIPLES, EvidenceSettings
from incident_ops.canary.leaning import is_leaning
from incident_ops.canary.observed import Observed
from incident_ops.canary.pass_test import MOST_LOOKS, looks_left, until_next_look
from incident_ops.canary.ratio_test import is_sound_ratio
from incident_ops.canary.threshold import RunEnd, Totals
from incident_ops.canary.verdict import (
    JoinedVerdict,
    MetricHistory,
    TickReading,
    add_answer,
    begin_metric,
    is_due,
    is_metric_settled,
    is_silent,
    join_metrics,
    looking_worse,
    metric_status,
    not_passed_yet,
    postponed,
)
from incident_ops.deploy_gate.verdict import FAIL, INCONCLUSIVE, PASS
from incident_ops.errors import UserError


class Stage(NamedTuple):
    """A step with its place in the run: `begin` and `end` in seconds of the run; weight 0 = the file names no steps."""

    number: int
    weight: int
    begin: float
    end: float


def stages(analysis: Analysis) -> tuple[Stage, ...]:
    """The steps below full traffic; one without a weight where there are none."""
    partial = [step for step in analysis.steps if step.weight < FULL]
    if not partial:
        return (Stage(0, 0, 0.0, analysis.horizon),)
    ends = list(accumulate(step.seconds for step in partial))
    return tuple(Stage(n, step.weight, ends[n] - step.seconds, ends[n]) for n, step in enumerate(partial))


def is_settling(analysis: Analysis, stage: Stage, at: float) -> bool:
    """Whether the new traffic of a later step is still warming up; the first step's warm-up is the evidence's own.

    At most half of a step is left out.
    """
    return stage.number != 0 and at <= warm_from(analysis, stage)


def warm_from(analysis: Analysis, stage: Stage) -> float:
    """The second of the run until which the new traffic of a later step warms up."""
    return stage.begin + min(analysis.warmup, (stage.end - stage.begin) / 2)


def next_horizon(analysis: Analysis, horizon: float) -> float | None:
    """When an inconclusive run is looked at again with `onInconclusive: {extend: {max: ...}}`; None: it ends here.

    It goes on for as long as it was planned, or for a third of `max` where that is more, until `max` is used up: all
    looks at a pass together let no more bad canaries through than one.
    """
    if analysis.on_inconclusive != EXTEND:
        return None
    longest = analysis.horizon + analysis.extend_by
    return min(horizon + until_next_look(analysis.horizon, analysis.extend_by), longest) if horizon < longest else None


def takes_all_traffic(analysis: Analysis) -> bool:
    """Whether the last step takes all traffic."""
    return any(step.weight == FULL for step in analysis.steps)


SPARE_TURNS = 10
"""Turns beyond those that fit into the horizon, before a clock that does not move ends the run."""


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a run knows: seconds measured, turns taken, the step it is in, when it is judged, and its metrics.

    `look` is the number of the look at a pass that its horizon is: 1 at the planned end.
    `held` is how many seconds longer than planned its step lasts, `shifted` the same of the steps before it.
    """

    horizon: float
    metrics: dict[str, MetricHistory]
    at: float = 0.0
    turns: int = 0
    stage: int = 0
    look: int = 1
    held: float = 0.0
    shifted: float = 0.0


def begin_run(
    analysis: Analysis, lookbacks: Mapping[str, Sequence[Counts | Gap]], spacings: Mapping[str, float] | None = None
) -> Run:
    """The run before its first tick. By metric: the baseline's ticks before it, and the seconds between samples."""
    known = {
        metric.name: begin_metric(metric, tuple(lookbacks.get(metric.name, ())), (spacings or {}).get(metric.name, 0.0))
        for metric in analysis.metrics
    }
    return Run(analysis.horizon, known)


def stage_of(analysis: Analysis, run: Run) -> Stage:
    """The step that the run is in, as late and as long as steps that were held make it."""
    number, weight, begin, end = stages(analysis)[run.stage]
    return Stage(number, weight, begin + run.shifted, end + run.shifted + run.held)


def next_measurement(analysis: Analysis, run: Run) -> float:
    """The second of the run at which something is to be measured next, the horizon at the latest; where nothing is any
    more, the end of the step."""
    dues = [
        run.metrics[metric.name].due
        for metric in analysis.metrics
        if not is_metric_settled(metric, run.metrics[metric.name])
    ]
    return min([*(dues or [stage_of(analysis, run).end]), run.horizon])


def due_metrics(analysis: Analysis, run: Run, at: float) -> list[Metric]:
    """The metrics to be measured at second `at`; at the horizon all that have not settled."""
    return [
        metric for metric in analysis.metrics if is_due(metric, run.metrics[metric.name], at, is_last=at >= run.horizon)
    ]


def advance(analysis: Analysis, run: Run, at: float, answers: Mapping[str, TickReading]) -> Run:
    """The run after the answers at second `at`. While a later step settles, they do not count."""
    known, stage = dict(run.metrics), stage_of(analysis, run)
    settling = is_settling(analysis, stage, at)
    for metric in analysis.metrics:
        name = metric.name
        if name in answers:
            before = known[name]
            if settling:
                known[name] = postponed(metric, before, at)
            else:
                known[name] = add_answer(metric, before, at, answers[name], stage.weight)
    late = _jumped(analysis, run, stage, at)
    return msgspec.structs.replace(
        run,
        horizon=run.horizon + late,
        metrics=known,
        at=max(at, run.at),
        turns=run.turns + 1,
        shifted=run.shifted + late,
    )


def _jumped(analysis: Analysis, run: Run, stage: Stage, at: float) -> float:
    """By how many seconds a clock that jumped has overrun a step: as much later are those after it, none is skipped."""
    late = at - max(stage.end, run.at)
    is_last = run.stage + 1 >= len(stages(analysis))
    return 0.0 if is_last or late < 2 * analysis.interval else late


def judge_run(analysis: Analysis, run: Run, end: RunEnd | None = None) -> JoinedVerdict:
    """The verdict now; with `end`, the last one.

    A run whose clock stands still ends early after its turns are used up: an early end is never a success.
    """
    if end is None and run.at >= run.horizon:
        end = RunEnd.HORIZON
    if end is None and run.turns >= run.horizon / _shortest_interval(analysis) + SPARE_TURNS:
        end = RunEnd.EARLY
    statuses = [
        metric_status(analysis, metric, run.metrics[metric.name], run.horizon, end, run.look)
        for metric in analysis.metrics
    ]
    joined = join_metrics(statuses, end is not None)
    may_pass = analysis.passes_early or run.stage + 1 >= len(stages(analysis))
    is_final = joined.is_final and (may_pass or end is not None or joined.verdict != PASS)
    return replace(joined, is_final=is_final, is_whole=run.look > 0 and run.at >= run.horizon)


def extended_run(analysis: Analysis, run: Run, joined: JoinedVerdict) -> Run | None:
    """The run with a later horizon, where its end is inconclusive and more ticks can change that; else None."""
    if analysis.on_inconclusive != EXTEND or joined.verdict != INCONCLUSIVE or run.at < run.horizon:
        return None
    if not looks_left(run.look) or has_settled(analysis, run):
        return None
    later = run.shifted + run.held
    horizon = next_horizon(analysis, run.horizon - later)
    return None if horizon is None else msgspec.structs.replace(run, horizon=horizon + later, look=run.look + 1)


def has_settled(analysis: Analysis, run: Run) -> bool:
    """Whether a metric has ended, and not with a pass, however long the run goes on."""
    open_ended = join_metrics(
        [metric_status(analysis, metric, run.metrics[metric.name], math.inf, None) for metric in analysis.metrics],
        False,
    )
    return any(status.is_final and status.verdict != PASS for status in open_ended.deciding)


def is_step_done(analysis: Analysis, run: Run) -> bool:
    """Whether the time of the run's step is used up."""
    return run.at >= stage_of(analysis, run).end


def lacks_fresh_data(analysis: Analysis, run: Run) -> bool:
    """Whether a metric that decides had no data at the last tick: then more traffic has to wait for the next one."""
    return any(is_silent(run.metrics[metric.name]) for metric in analysis.metrics if not metric.dry_run)


def next_step(analysis: Analysis, run: Run) -> Run | None:
    """The run in its next step; in the same one for a tick longer where the evidence leans against the canary, and
    unchanged where the last tick had no data.

    None after the last one, where there is no data to go on with, and where the evidence leans after twice the step's
    time. What cannot be seen, or looks worse, is not given more traffic.
    """
    if run.stage + 1 >= len(stages(analysis)) or judge_step(analysis, run).lacks_data:
        return None
    if leans_worse(analysis, run):
        return _held_run(analysis, run)
    if lacks_fresh_data(analysis, run):
        return run
    metrics = {
        name: msgspec.structs.replace(history, evidence=history.evidence and begin_step(history.evidence))
        for name, history in run.metrics.items()
    }
    shifted = run.shifted + run.held
    return msgspec.structs.replace(run, stage=run.stage + 1, metrics=metrics, held=0.0, shifted=shifted)


def _held_run(analysis: Analysis, run: Run) -> Run | None:
    """The run with its step a tick longer; None where that is more than twice its time."""
    stage, tick = stage_of(analysis, run), analysis.interval
    if 2 * run.held + tick > stage.end - stage.begin:
        return None
    return msgspec.structs.replace(run, held=run.held + tick, horizon=run.horizon + tick)


def leans_worse(analysis: Analysis, run: Run) -> bool:
    """Whether the evidence of a metric that decides leans against the canary, in this step or of late."""
    return any(_leans(metric, run.metrics[metric.name]) for metric in analysis.metrics)


def _leans(metric: Metric, history: MetricHistory) -> bool:
    if not isinstance(metric, ErrorRate) or metric.dry_run or history.evidence is None:
        return False
    return is_leaning(metric.settings, history.evidence)


def judge_step(analysis: Analysis, run: Run) -> JoinedVerdict:
    """The verdict at the end of the run's step, without a look at a pass; inconclusive while the evidence leans.

    What has only a limit to keep below has not passed either: more traffic is still to come.
    """
    joined = judge_run(analysis, msgspec.structs.replace(run, horizon=stage_of(analysis, run).end, look=0))
    if joined.verdict == PASS:
        return join_metrics([not_passed_yet(status) for status in joined.metrics], True)
    if joined.verdict == FAIL or joined.lacks_data or not leans_worse(analysis, run):
        return joined
    metrics = {metric.name: metric for metric in analysis.metrics}
    statuses = [
        looking_worse(status) if _leans(metrics[status.name], run.metrics[status.name]) else status
        for status in joined.metrics
    ]
    return join_metrics(statuses, True)


def _shortest_interval(analysis: Analysis) -> float:
    others = [
        metric.threshold.interval or analysis.interval
        for metric in analysis.metrics
        if isinstance(metric, ThresholdMetric)
    ]
    return min([analysis.interval, *others])


STATE_VERSION = 2
RUN_KIND, EVIDENCE_KIND = "canary-run", "canary-evidence"
_NAMES = {RUN_KIND: "a canary run", EVIDENCE_KIND: "canary evidence"}
START_ANEW = "remove the state file to start anew"
_LONGEST = 1e9

State = TypeVar("State")


class Owner(msgspec.Struct, frozen=True):
    """Whose run it is: what is deployed where, and the digest of the gate file that judges it."""

    service: str
    environment: str
    sha: str
    gate: str
    digest: str

    def subject(self, metric: str) -> str:
        """What the evidence of a metric is about."""
        return f"{self.gate}/{self.service}/{self.environment}/{self.sha}/{metric}"


class EvidenceState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds: whose evidence it is, what it was asked for, when the run began, and the evidence."""

    schema: int
    kind: str
    subject: str
    started_at: str
    settings: dict[str, str | float | bool | None]
    evidence: Evidence


class _MetricState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"problem": "told"}):
    """A metric's history, with the evidence as text that is judged by its own settings."""

    due: float
    errors: int
    problem: str
    totals: Totals
    evidence: dict[str, Any] | None = None
    observed: Observed = Observed()


class _RunState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    kind: str
    owner: Owner
    started_at: str
    verdict: str | None
    horizon: float
    at: float
    turns: int
    stage: int
    look: int
    held: float
    shifted: float
    metrics: dict[str, _MetricState]


def run_to_json(analysis: Analysis, run: Run, owner: Owner, started_at: str, verdict: str | None = None) -> str:
    """The state file's text. `verdict` is the run's last word; without one a re-run goes on."""
    metrics: dict[str, Any] = {}
    for metric in analysis.metrics:
        history = run.metrics[metric.name]
        kept = msgspec.to_builtins(msgspec.structs.replace(history, evidence=None))
        if isinstance(metric, ErrorRate) and history.evidence is not None:
            text = evidence_to_json(metric.settings, history.evidence, owner.subject(metric.name), started_at)
            kept["evidence"] = json.loads(text)
        metrics[metric.name] = kept
    head = {"schema": STATE_VERSION, "kind": RUN_KIND, "owner": msgspec.to_builtins(owner), "started_at": started_at}
    known = {name: getattr(run, name) for name in ("horizon", "at", "turns", "stage", "look", "held", "shifted")}
    data = {**head, "verdict": verdict, **known}
    return json.dumps({**data, "metrics": metrics}, indent=1) + "\n"


class KeptRun(NamedTuple):
    """What a state file holds: the run, the instant it began, and whether it ended inconclusive."""

    run: Run
    started_at: str
    has_ended: bool


def run_from_json(text: str | bytes, analysis: Analysis, owner: Owner, *, carries_on: bool = False) -> KeptRun:
    """The run that is kept. UserError for a file of another kind or run, and for one that has its verdict.

    A verdict is not said twice: evidence of an earlier deploy must never let a later one pass. Only an inconclusive run
    may go on, and only where that is asked for (`carries_on`).
    """
    state = _decode(text, RUN_KIND, _RunState)
    _demand_owner(state.owner, owner)
    if state.verdict is not None and not (carries_on and state.verdict == INCONCLUSIVE):
        further = "--continue 10m measures on with its evidence, or " if state.verdict == INCONCLUSIVE else ""
        raise UserError(f"the run in the state file has ended: {state.verdict}", hint=f"{further}{START_ANEW}")
    if set(state.metrics) != {metric.name for metric in analysis.metrics}:
        raise UserError("the state file has other metrics than the gate", hint=START_ANEW)
    metrics: dict[str, MetricHistory] = {}
    for metric in analysis.metrics:
        kept = state.metrics[metric.name]
        evidence: Evidence | None = None
        if isinstance(metric, ErrorRate):
            kept_text = json.dumps(kept.evidence or {})
            evidence, _ = evidence_from_json(kept_text, metric.settings, owner.subject(metric.name))
        metrics[metric.name] = MetricHistory(evidence, kept.totals, kept.due, kept.errors, kept.problem, kept.observed)
    _demand_sound_run(state, len(stages(analysis)))
    run = Run(state.horizon, metrics, state.at, state.turns, state.stage, state.look, state.held, state.shifted)
    return KeptRun(run, state.started_at, state.verdict is not None)


def evidence_to_json(settings: EvidenceSettings, evidence: Evidence, subject: str, started_at: str) -> str:
    """The evidence as text, the same for the same evidence. `subject` names what is judged: service, SHA, metric.

    `started_at` is the instant the run began, as text; the evidence counts its seconds from there.
    """
    state = EvidenceState(STATE_VERSION, EVIDENCE_KIND, subject, started_at, asdict(settings), evidence)
    return msgspec.json.format(msgspec.json.encode(state, order="deterministic"), indent=1).decode() + "\n"


def evidence_from_json(text: str | bytes, settings: EvidenceSettings, subject: str) -> tuple[Evidence, str]:
    """The evidence and the instant the run began. UserError for a text that is not one, or belongs to another run."""
    state = _decode(text, EVIDENCE_KIND, EvidenceState)
    if state.subject != subject:
        raise UserError(f"the state file belongs to {state.subject!r}, not to {subject!r}", hint=START_ANEW)
    now = asdict(settings)
    for name in sorted({*now, *state.settings}):
        was, wanted = state.settings.get(name), now.get(name)
        if was != wanted:
            raise UserError(
                f"the state file was written with {name} {was!r}, now it is {wanted!r}",
                hint=f"evidence counts only for the settings it was gathered with: set it back, or {START_ANEW}",
            )
    _demand_sound_evidence(settings, state.evidence)
    return state.evidence, state.started_at


def _decode(text: str | bytes, kind: str, form: type[State]) -> State:
    """The state of this kind and version. UserError for any other text."""
    try:
        head = msgspec.json.decode(text, type=dict[str, object])
        if head.get("kind") != kind:
            raise UserError(f"the state file is not {_NAMES[kind]}", hint=START_ANEW)
        if head.get("schema") != STATE_VERSION:
            raise UserError(f"the state file has version {head.get('schema')!r}, not {STATE_VERSION}", hint=START_ANEW)
        return msgspec.json.decode(text, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"the state file cannot be read: {error}", hint=START_ANEW) from None


def _demand_owner(kept: Owner, owner: Owner) -> None:
    for name in Owner.__struct_fields__:
        was, now = getattr(kept, name), getattr(owner, name)
        if was != now:
            what = "another version of the gate file" if name == "digest" else f"{name} {was!r}, not {now!r}"
            raise UserError(f"the state file belongs to {what}", hint=START_ANEW)


def _demand_sound_run(state: _RunState, steps: int) -> None:
    numbers = [state.horizon, state.at, state.held, state.shifted, *(metric.due for metric in state.metrics.values())]
    in_range = all(0 <= number < _LONGEST for number in numbers)
    if not in_range or not 0 <= state.stage < steps or state.turns < 0 or not 1 <= state.look <= MOST_LOOKS:
        raise UserError("the state file is damaged: its numbers are out of range", hint=START_ANEW)


def _demand_sound_evidence(settings: EvidenceSettings, evidence: Evidence) -> None:
    asked = (settings.max_ratio, settings.max_error_rate, settings.min_error_rate)
    kept = (evidence.ratio, evidence.limit, evidence.floor)
    is_whole = all((limit is None) == (part is None) for limit, part in zip(asked, kept, strict=True))
    is_whole &= (evidence.passing is None) == (evidence.ratio is None)
    if evidence.ratio is not None:
        is_whole &= is_sound_ratio(settings, evidence.ratio)
    bets = [evidence.ratio.worse, evidence.ratio.better] if evidence.ratio else []
    bets += [part.above for part in (evidence.limit, evidence.floor) if part]
    for stakes in bets:
        capitals = stakes.capitals
        is_whole &= len(capitals) == len(MULTIPLES) and min(capitals) >= 0 and sum(capitals) > 0
    is_whole &= evidence.block_ticks >= 1
    if not is_whole or not all(map(math.isfinite, _numbers(msgspec.to_builtins(evidence)))):
        raise UserError("the state file is damaged: its evidence does not fit its settings", hint=START_ANEW)


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _numbers(inner)
