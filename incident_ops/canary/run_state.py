"""A run as a file that a re-run continues: versioned, and refused where it belongs to something else.

The evidence of each error rate is a part of it, with the settings it was gathered for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, TypeVar

import msgspec

from incident_ops.canary.config import Analysis, ErrorRate
from incident_ops.canary.evidence import Evidence
from incident_ops.canary.evidence_settings import MULTIPLES, EvidenceSettings
from incident_ops.canary.run import Run, stages
from incident_ops.canary.threshold import Totals
from incident_ops.canary.verdict import MetricHistory
from incident_ops.errors import UserError

STATE_VERSION = 1
RUN_KIND, EVIDENCE_KIND = "canary-run", "canary-evidence"
_NAMES = {RUN_KIND: "a canary run", EVIDENCE_KIND: "canary evidence"}
_START_ANEW = "remove the state file to start anew"
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
    data = {**head, "verdict": verdict, "horizon": run.horizon, "at": run.at, "turns": run.turns, "stage": run.stage}
    return json.dumps({**data, "metrics": metrics}, indent=1) + "\n"


def run_from_json(text: str | bytes, analysis: Analysis, owner: Owner) -> tuple[Run, str]:
    """The run and the instant it began. UserError for a file of another kind or run, and for one that has its verdict.

    A verdict is not said twice: evidence of an earlier deploy must never let a later one pass.
    """
    state = _decode(text, RUN_KIND, _RunState)
    _demand_owner(state.owner, owner)
    if state.verdict is not None:
        raise UserError(f"the run of the state file has ended: {state.verdict}", hint=_START_ANEW)
    if set(state.metrics) != {metric.name for metric in analysis.metrics}:
        raise UserError("the state file has other metrics than the gate", hint=_START_ANEW)
    metrics: dict[str, MetricHistory] = {}
    for metric in analysis.metrics:
        kept = state.metrics[metric.name]
        evidence: Evidence | None = None
        if isinstance(metric, ErrorRate):
            kept_text = json.dumps(kept.evidence or {})
            evidence, _ = evidence_from_json(kept_text, metric.settings, owner.subject(metric.name))
        metrics[metric.name] = MetricHistory(evidence, kept.totals, kept.due, kept.errors, kept.problem)
    _demand_sound_run(state, len(stages(analysis)))
    return Run(state.horizon, metrics, state.at, state.turns, state.stage), state.started_at


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
        raise UserError(f"the state file belongs to {state.subject!r}, not to {subject!r}", hint=_START_ANEW)
    now = asdict(settings)
    for name in sorted({*now, *state.settings}):
        was, wanted = state.settings.get(name), now.get(name)
        if was != wanted:
            raise UserError(
                f"the state file was written with {name} {was!r}, now it is {wanted!r}",
                hint=f"evidence counts only for the settings it was gathered with: set it back, or {_START_ANEW}",
            )
    _demand_sound_evidence(settings, state.evidence)
    return state.evidence, state.started_at


def _decode(text: str | bytes, kind: str, form: type[State]) -> State:
    """The state of this kind and version. UserError for any other text."""
    try:
        head = msgspec.json.decode(text, type=dict[str, object])
        if head.get("kind") != kind:
            raise UserError(f"the state file is not {_NAMES[kind]}", hint=_START_ANEW)
        if head.get("schema") != STATE_VERSION:
            raise UserError(f"the state file has version {head.get('schema')!r}, not {STATE_VERSION}", hint=_START_ANEW)
        return msgspec.json.decode(text, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"the state file cannot be read: {error}", hint=_START_ANEW) from None


def _demand_owner(kept: Owner, owner: Owner) -> None:
    for name in Owner.__struct_fields__:
        was, now = getattr(kept, name), getattr(owner, name)
        if was != now:
            what = "another version of the gate file" if name == "digest" else f"{name} {was!r}, not {now!r}"
            raise UserError(f"the state file belongs to {what}", hint=_START_ANEW)


def _demand_sound_run(state: _RunState, steps: int) -> None:
    numbers = [state.horizon, state.at, *(metric.due for metric in state.metrics.values())]
    in_range = all(0 <= number < _LONGEST for number in numbers)
    if not in_range or not 0 <= state.stage < steps or state.turns < 0:
        raise UserError("the state file is damaged: its numbers are out of range", hint=_START_ANEW)


def _demand_sound_evidence(settings: EvidenceSettings, evidence: Evidence) -> None:
    asked = (settings.max_ratio, settings.max_error_rate, settings.min_error_rate)
    kept = (evidence.ratio, evidence.limit, evidence.floor)
    is_whole = all((limit is None) == (part is None) for limit, part in zip(asked, kept, strict=True))
    if evidence.ratio is not None:
        is_whole &= len(evidence.ratio.scores) == len(settings.grid.points)
    bets = [evidence.ratio.worse, evidence.ratio.better] if evidence.ratio else []
    bets += [part.above for part in (evidence.limit, evidence.floor) if part]
    for stakes in bets:
        capitals = stakes.capitals
        is_whole &= len(capitals) == len(MULTIPLES) and min(capitals) >= 0 and sum(capitals) > 0
    is_whole &= evidence.block_ticks >= 1
    if not is_whole or not all(map(math.isfinite, _numbers(msgspec.to_builtins(evidence)))):
        raise UserError("the state file is damaged: its evidence does not fit its settings", hint=_START_ANEW)


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _numbers(inner)
